package cvv

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

const keyPair = "0123456789ABCDEFFEDCBA9876543210"

func key(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompute(t *testing.T) {
	tests := []struct{ name, key, pan, expiry, service, want string }{
		// Source: psec tests/test_cvv.py (github.com/knovichikhin/psec).
		{"published by psec", "99999999999999998888888888888888", "2222222222222222", "3333", "111", "361"},
		// Source: the CVV example of IBM's CCA documentation and of payShield manuals.
		{"published example", keyPair, "4123456789012345", "8701", "101", "561"},
		// The rest were computed with OpenSSL's des-ecb and des-ede.
		{"CVV", keyPair, "4761739001010119", "3112", "201", "169"},
		{"iCVV", keyPair, "4761739001010119", "3112", ServiceICVV, "499"},
		{"CVV2", keyPair, "4761739001010119", "1231", ServiceCVV2, "255"},
		{"nineteen digits", keyPair, "6799998900000000018", "3112", ServiceICVV, "809"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compute(key(t, tt.key), tt.pan, tt.expiry, tt.service)
			if err != nil || got != tt.want {
				t.Fatalf("Compute = %s, %v; want %s", got, err, tt.want)
			}
			if err := Verify(key(t, tt.key), tt.pan, tt.expiry, tt.service, tt.want); err != nil {
				t.Fatal(err)
			}
			for _, wrong := range []string{"", "56", "5610", "000"} {
				if err := Verify(key(t, tt.key), tt.pan, tt.expiry, tt.service, wrong); !errors.Is(err, ErrValue) {
					t.Fatalf("value %q: %v", wrong, err)
				}
			}
		})
	}
}

// Cipher blocks with fewer than three digits are rare, so the rule is tested by itself.
func TestDecimalise(t *testing.T) {
	for block, want := range map[string]string{
		"5b614982e03c97dd": "561", "abcdefabcdefab12": "120", "7bcdefabcdefabcd": "712", "fedcbafedcbafedc": "543",
	} {
		if got := decimalise(block); got != want {
			t.Errorf("%s gives %s, want %s", block, got, want)
		}
	}
}

func TestRejects(t *testing.T) {
	good := key(t, keyPair)
	tests := []struct {
		name                 string
		key                  []byte
		pan, expiry, service string
		want                 error
	}{
		{"half a key pair", good[:8], "4761739001010119", "3112", "201", ErrKey},
		{"no PAN", good, "", "3112", "201", ErrCard},
		{"PAN of 20 digits", good, strings.Repeat("4", 20), "3112", "201", ErrCard},
		{"letter in PAN", good, "476173900101O119", "3112", "201", ErrCard},
		{"short expiry", good, "4761739001010119", "312", "201", ErrCard},
		{"long service code", good, "4761739001010119", "3112", "2010", ErrCard},
		{"letter in service code", good, "4761739001010119", "3112", "2O1", ErrCard},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compute(tt.key, tt.pan, tt.expiry, tt.service)
			if !errors.Is(err, tt.want) || got != "" {
				t.Fatalf("Compute = %q, %v; want %v", got, err, tt.want)
			}
			if err := Verify(tt.key, tt.pan, tt.expiry, tt.service, "000"); !errors.Is(err, tt.want) {
				t.Fatalf("Verify: %v", err)
			}
			if tt.pan != "" && strings.Contains(err.Error(), tt.pan) {
				t.Fatal("the error carries a PAN")
			}
		})
	}
}
