package mask

import "testing"

// What is called harmless has nothing to mask when it is looked at closely.
func FuzzHarmless(f *testing.F) {
	for _, s := range []string{"APPROVED", "amount 1003", ";1234567=1", ";12345678=1", "%B1^X", "************0119=22", "1234-567", "3334353637", "金额 12.50"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if close := maskDigits(maskHex(s)); harmless(s) && close != s {
			t.Errorf("%q is called harmless, and becomes %q", s, close)
		}
	})
}

func TestHarmless(t *testing.T) {
	for s, want := range map[string]bool{
		"APPROVED": true, "type a valid customer-id": true, "1234567": true,
		"12345678": false, "4761739001010119": false, "476173******0119": false, "%B1^X": false, "１２３４": false,
	} {
		if got := harmless(s); got != want {
			t.Errorf("harmless(%q) = %t", s, got)
		}
	}
}
