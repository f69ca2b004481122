package pin

import (
	"bytes"
	"errors"
	"testing"
)

// An Opener opens what Seal made, again and again, and refuses what Open refuses.
func TestOpener(t *testing.T) {
	const account, number = "4761739001010119", "8642"
	key := []byte("0123456789abcdef")
	for _, format := range []int{0, 1, 3, Format4} {
		o, err := NewOpener(format, key)
		if err != nil {
			t.Fatalf("format %d: %v", format, err)
		}
		for n := range 3 {
			block, err := Seal(format, key, number, account, bytes.NewReader(bytes.Repeat([]byte{byte(n), 7}, 64)))
			if err != nil {
				t.Fatalf("format %d: %v", format, err)
			}
			if got, err := o.Open(block, account); err != nil || got != number {
				t.Errorf("format %d: %q, %v", format, got, err)
			}
		}
		if _, err := o.Open(make([]byte, 5), account); !errors.Is(err, ErrBlock) {
			t.Errorf("format %d, 5 bytes: %v", format, err)
		}
		if _, err := NewOpener(format, key[:8]); !errors.Is(err, ErrKey) {
			t.Errorf("format %d, short key: %v", format, err)
		}
	}
	if _, err := NewOpener(2, key); !errors.Is(err, ErrFormat) {
		t.Errorf("format 2: %v", err)
	}
}
