package health

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIntentAndStatusAreApart(t *testing.T) {
	dir := t.TempDir()
	if r, err := Load(dir); err != nil || r.Word() != "unknown" || r.Usable("lab-7") != nil {
		t.Fatalf("%+v %v", r, err)
	}
	if err := Maintain(dir, "m", ""); !errors.Is(err, ErrReason) {
		t.Errorf("without a reason: %v", err)
	}
	for _, err := range []error{Set(dir, Good, "checked"), Maintain(dir, "m", "new plunger"), Set(dir, Bad, "no answer"), Set(dir, Bad, "no answer")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := Load(dir)
	if err != nil || r.Word() != "maintenance" || r.Status != Bad || len(r.History) != 3 {
		t.Errorf("%+v %v", r, err)
	}
	if err := r.Usable("lab-7"); !errors.As(err, new(*MaintenanceError)) || !strings.Contains(err.Error(), "by m: new plunger") {
		t.Errorf("%v", err)
	}
	if err := Return(dir, "m", "done"); err != nil {
		t.Fatal(err)
	}
	if r, err = Load(dir); err != nil || r.Word() != "unknown" || r.Usable("lab-7") != nil {
		t.Errorf("%+v %v", r, err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	for n := range maxHistory + 5 {
		if err := Set(dir, []Status{Good, Bad}[n%2], strings.Repeat("x", 2*maxReason)); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := Load(dir); err != nil || len(r.History) != maxHistory || len(r.Reason) != maxReason {
		t.Errorf("%d entries, %v", len(r.History), err)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, file), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "health.json is damaged") {
		t.Errorf("%v", err)
	}
}
