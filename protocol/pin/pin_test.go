package pin_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/pin"
)

const pan = "4012345678909"

func block(t testing.TB, text string) (b [8]byte) {
	t.Helper()
	if n, err := hex.Decode(b[:], []byte(text)); err != nil || n != len(b) {
		t.Fatalf("bad test block: %v", err)
	}
	return b
}

func TestEncodeISO0(t *testing.T) {
	tests := []struct {
		name, pin, pan, want string
	}{
		// Source: test vector of github.com/openemv/dukpt (X9.24-1:2009 A.4 example PIN block).
		{"published vector", "1234", pan, "041274EDCBA9876F"},
		// By hand: 06 123456 FFFFFFFF and the same account part 0000 401234567890:
		// 0612 3456 FFFF FFFF xor 0000 4012 3456 7890 = 0612 7444 CBA9 876F.
		{"six digits", "123456", pan, "06127444CBA9876F"},
		// By hand: 0C12 3456 7890 12FF xor 0000 4012 3456 7890.
		{"twelve digits", "123456789012", pan, "0C1274444CC66A6F"},
		// By hand: the PAN gives 173900101011; 0412 34FF FFFF FFFF xor 0000 1739 0010 1011.
		{"sixteen digit PAN", "1234", "4761739001010119", "041223C6FFEFEFEE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pin.EncodeISO0(tt.pin, tt.pan)
			if err != nil || got != block(t, tt.want) {
				t.Fatalf("EncodeISO0 = %X, %v; want %s", got, err, tt.want)
			}
			back, err := pin.DecodeISO0(got, tt.pan)
			if err != nil || back != tt.pin {
				t.Fatalf("DecodeISO0 gave another PIN (%d digits), %v", len(back), err)
			}
		})
	}
}

func TestEncodeISO0Rejects(t *testing.T) {
	tests := []struct {
		name, pin, pan string
		want           error
	}{
		{"short PIN", "123", pan, pin.ErrPIN},
		{"long PIN", "1234567890123", pan, pin.ErrPIN},
		{"letter in PIN", "12a4", pan, pin.ErrPIN},
		{"full-width digit in PIN", "123４", pan, pin.ErrPIN},
		{"empty PIN", "", pan, pin.ErrPIN},
		{"short PAN", "1234", "401234567890", pin.ErrPAN},
		{"long PAN", "1234", "40123456789012345678", pin.ErrPAN},
		{"letter in PAN", "1234", "40123456789O9", pin.ErrPAN},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pin.EncodeISO0(tt.pin, tt.pan)
			if !errors.Is(err, tt.want) || got != [8]byte{} {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.pin != "" && strings.Contains(err.Error(), tt.pin) || strings.Contains(err.Error(), tt.pan) {
				t.Fatal("the error carries a PIN or a PAN")
			}
		})
	}
}

func TestDecodeISO0Rejects(t *testing.T) {
	account := block(t, "0000401234567890")
	tests := []struct{ name, field string }{
		{"control field", "141234FFFFFFFFFF"},
		{"too short", "031234FFFFFFFFFF"},
		{"too long", "0D12345678901234"},
		{"letter among the digits", "04123AFFFFFFFFFF"},
		{"fill that is not F", "041234FFFFFFFFF0"},
		{"fewer digits than said", "051234FFFFFFFFFF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := block(t, tt.field)
			for i := range b {
				b[i] ^= account[i]
			}
			if got, err := pin.DecodeISO0(b, pan); !errors.Is(err, pin.ErrBlock) || got != "" {
				t.Fatalf("err = %v, want ErrBlock", err)
			}
		})
	}
	if _, err := pin.DecodeISO0(account, "123"); !errors.Is(err, pin.ErrPAN) {
		t.Fatalf("err = %v, want ErrPAN", err)
	}
}

func TestDecodeWithAnotherPAN(t *testing.T) {
	b, err := pin.EncodeISO0("1234", pan)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := pin.DecodeISO0(b, "5598765432105"); err == nil && got == "1234" {
		t.Fatal("the PAN does not matter to the block")
	}
}

func TestEncrypt(t *testing.T) {
	key, _ := hex.DecodeString("0123456789ABCDEFFEDCBA9876543210")
	clear := block(t, "041274EDCBA9876F")
	// Source: openssl enc -des-ede -K 0123456789ABCDEFFEDCBA9876543210 -nopad.
	want := block(t, "C03D21CDBCB0C58B")
	got, err := pin.Encrypt(key, clear)
	if err != nil || got != want {
		t.Fatalf("Encrypt = %X, %v; want %X", got, err, want)
	}
	if back, err := pin.Decrypt(key, got); err != nil || back != clear {
		t.Fatalf("Decrypt = %X, %v", back, err)
	}
	for _, n := range []int{0, 8, 15, 17, 24} {
		if _, err := pin.Encrypt(make([]byte, n), clear); !errors.Is(err, pin.ErrKey) {
			t.Fatalf("%d-byte key: %v, want ErrKey", n, err)
		}
		if _, err := pin.Decrypt(make([]byte, n), clear); !errors.Is(err, pin.ErrKey) {
			t.Fatalf("%d-byte key: %v, want ErrKey", n, err)
		}
	}
}

func FuzzDecodeISO0(f *testing.F) {
	for _, s := range []string{"041274EDCBA9876F", "0000401234567890", "FFFFFFFFFFFFFFFF"} {
		b := block(f, s)
		f.Add(b[:], pan)
	}
	f.Fuzz(func(t *testing.T, raw []byte, pan string) {
		var b [8]byte
		copy(b[:], raw)
		got, err := pin.DecodeISO0(b, pan)
		if err != nil {
			// The bare sentinels, so nothing of block or PAN can be in them.
			if got != "" || err != pin.ErrBlock && err != pin.ErrPAN {
				t.Fatal("something came out next to an error")
			}
			return
		}
		if back, err := pin.EncodeISO0(got, pan); err != nil || back != b {
			t.Fatalf("decoded block does not encode again: %v", err)
		}
	})
}

func BenchmarkEncodeEncrypt(b *testing.B) {
	key := make([]byte, pin.KeySize)
	for b.Loop() {
		clear, err := pin.EncodeISO0("1234", pan)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := pin.Encrypt(key, clear); err != nil {
			b.Fatal(err)
		}
	}
}
