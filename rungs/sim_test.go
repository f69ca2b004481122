package rungs

import (
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

// TestSimPlaysASale is the real-time rung's smoke test: real pseudo-terminals, real TCP. The
// whole catalogue runs on it with `assay run`.
func TestSimPlaysASale(t *testing.T) {
	r, err := Open(Options{Rig: Sim})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, id := range []string{"SALE-PLAIN", "NET-REFUSED", "STRIPE-DAMAGED"} {
		result := runOne(t, r, id)
		if result.Verdict != record.Pass && result.Verdict != record.Marginal {
			t.Errorf("%s: %s (%s): %s", id, result.Verdict, result.Cause, result.Why)
		}
	}
}
