package pin_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/pin"
)

var formats = []int{pin.Format0, pin.Format1, pin.Format3, pin.Format4}

func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncode(t *testing.T) {
	tests := []struct {
		name             string
		format           int
		pin, pan, random string
		want             string
	}{
		// Source: psec tests/test_pinblock.py (github.com/knovichikhin/psec).
		{"format 0", pin.Format0, "1234", "5555555551234567", "", "041261AAAAEDCBA9"},
		{"format 0, twelve digits", pin.Format0, "123456789012", "5555555551234567", "", "0C1261032D8226A9"},
		// By hand: control 1, length 4, PIN, then the noise where the PIN has ended.
		{"format 1", pin.Format1, "1234", pan, "FEDCBA9876543210", "1412349876543210"},
		// By hand: fill digit A + n mod 6 of the noise 9876543210, so D C B A F E D C B A; the PAN field
		// as in format 0: 341234DCBAFEDCBA xor 0000401234567890.
		{"format 3", pin.Format3, "1234", pan, "0000009876543210", "341274CE8EA8A42A"},
		// Source: the supplement of test vectors to ANSI X9.24-3:2017, as in
		// test/pinblock_format4_test.c of github.com/openemv/pinblock.
		{"format 4", pin.Format4, "1234", "4111111111111111", "2F69ADDE2E9E7ACE", "441234AAAAAAAAAA2F69ADDE2E9E7ACE"},
		{"format 4, five digits", pin.Format4, "12345", "4111111111111111", "2F69ADDE2E9E7ACE", "4512345AAAAAAAAA2F69ADDE2E9E7ACE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pin.Encode(tt.format, tt.pin, tt.pan, bytes.NewReader(raw(t, tt.random)))
			if err != nil || !bytes.Equal(got, raw(t, tt.want)) {
				t.Fatalf("Encode = %X, %v; want %s", got, err, tt.want)
			}
			back, err := pin.Decode(tt.format, got, tt.pan)
			if err != nil || back != tt.pin {
				t.Fatalf("Decode gave another PIN (%d digits), %v", len(back), err)
			}
		})
	}
}

// Source: the supplement of test vectors to ANSI X9.24-3:2017, "Calculation of AES PIN block format 4",
// first and second transaction.
func TestSealFormat4(t *testing.T) {
	for key, want := range map[string]string{
		"AF8CB133A78F8DC2D1359F18527593FB": "A912150391AB65A67E52883D81CE2D15",
		"D30BDC73EC9714B000BEC66BDB7B6D09": "52A00503BD34BA1383F6A7EE9FE2547F",
	} {
		got, err := pin.Seal(pin.Format4, raw(t, key), "1234", "4111111111111111", bytes.NewReader(raw(t, "2F69ADDE2E9E7ACE")))
		if err != nil || !bytes.Equal(got, raw(t, want)) {
			t.Errorf("Seal = %X, %v; want %s", got, err, want)
		}
		back, err := pin.Open(pin.Format4, raw(t, key), raw(t, want), "4111111111111111")
		if err != nil || back != "1234" {
			t.Errorf("Open gave another PIN (%d digits), %v", len(back), err)
		}
	}
}

// Source: ANSI X9.24-1:2009 A.4.2: the PIN block of the first transaction under its PIN key.
func TestSealFormat0(t *testing.T) {
	key := raw(t, "042666B49184CF5C68DE9628D0397B36")
	got, err := pin.Seal(pin.Format0, key, "1234", pan, nil)
	if err != nil || !bytes.Equal(got, raw(t, "1B9C1845EB993A7A")) {
		t.Fatalf("Seal = %X, %v", got, err)
	}
}

// Every format, PIN length and PAN length comes back; another PAN or key does not open it.
func TestSealAndOpen(t *testing.T) {
	key := raw(t, "0123456789ABCDEFFEDCBA9876543210")
	for _, format := range formats {
		for length := pin.MinPINLength; length <= pin.MaxPINLength; length++ {
			for digits := pin.MinPANLength; digits <= pin.MaxPANLength; digits++ {
				secret, number := "907856341290"[:length], "6799998900000000018"[:digits]
				block, err := pin.Seal(format, key, secret, number, rand.Reader)
				if err != nil || len(block) != pin.Size(format) {
					t.Fatalf("format %d: %d bytes, %v", format, len(block), err)
				}
				back, err := pin.Open(format, key, block, number)
				if err != nil || back != secret {
					t.Fatalf("format %d, PIN of %d, PAN of %d: %v", format, length, digits, err)
				}
				other := number[:3] + "7" + number[4:digits-1] + "1"
				if back, err := pin.Open(format, key, block, other); format == pin.Format4 && (err == nil || back != "") {
					t.Fatalf("format %d opens with another PAN", format)
				}
			}
		}
	}
}

func TestRandomFillDiffers(t *testing.T) {
	for _, format := range formats[1:] {
		first, err1 := pin.Encode(format, "1234", pan, rand.Reader)
		second, err2 := pin.Encode(format, "1234", pan, rand.Reader)
		if err1 != nil || err2 != nil || bytes.Equal(first, second) {
			t.Errorf("format %d: two blocks of one PIN are alike, %v %v", format, err1, err2)
		}
	}
}

func TestFormatsReject(t *testing.T) {
	key := make([]byte, 16)
	for _, format := range formats {
		block, err := pin.Seal(format, key, "1234", pan, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pin.Seal(format, key, "123", pan, rand.Reader); !errors.Is(err, pin.ErrPIN) {
			t.Errorf("format %d, short PIN: %v", format, err)
		}
		if _, err := pin.Seal(format, key[:8], "1234", pan, rand.Reader); !errors.Is(err, pin.ErrKey) {
			t.Errorf("format %d, short key: %v", format, err)
		}
		if _, err := pin.Open(format, key[:8], block, pan); !errors.Is(err, pin.ErrKey) {
			t.Errorf("format %d, short key: %v", format, err)
		}
		for _, n := range []int{0, 7, 9, 15, 17} {
			if _, err := pin.Open(format, key, make([]byte, n), pan); !errors.Is(err, pin.ErrBlock) {
				t.Errorf("format %d, %d bytes: %v", format, n, err)
			}
			if _, err := pin.Decode(format, make([]byte, n), pan); !errors.Is(err, pin.ErrBlock) {
				t.Errorf("format %d, %d clear bytes: %v", format, n, err)
			}
		}
		if format == pin.Format1 {
			continue // has no PAN
		}
		if _, err := pin.Seal(format, key, "1234", "4111", rand.Reader); !errors.Is(err, pin.ErrPAN) {
			t.Errorf("format %d, short PAN: %v", format, err)
		}
		if _, err := pin.Open(format, key, block, "401234567890O"); !errors.Is(err, pin.ErrPAN) {
			t.Errorf("format %d, letter in PAN: %v", format, err)
		}
	}
	for _, format := range []int{-1, 2, 5} {
		_, err1 := pin.Seal(format, key, "1234", pan, rand.Reader)
		_, err2 := pin.Open(format, key, make([]byte, 8), pan)
		_, err3 := pin.Decode(format, make([]byte, 8), pan)
		for i, err := range []error{err1, err2, err3} {
			if !errors.Is(err, pin.ErrFormat) {
				t.Errorf("format %d, function %d: %v", format, i, err)
			}
		}
	}
	if _, err := pin.Encode(pin.Format4, "1234", pan, strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a random source that ends: %v", err)
	}
}

func TestDecodeRejectsFields(t *testing.T) {
	tests := []struct {
		name   string
		format int
		field  string
	}{
		{"format 1 with control 0", pin.Format1, "0412345678901234"},
		{"format 1 with three digits", pin.Format1, "1312345678901234"},
		{"format 1 with a letter", pin.Format1, "14123A5678901234"},
		{"format 4 with another fill", pin.Format4, "441234AAAAAAAAAB2F69ADDE2E9E7ACE"},
		{"format 4 with thirteen digits", pin.Format4, "4D1234567890123A2F69ADDE2E9E7ACE"},
		{"format 4 with control 3", pin.Format4, "341234AAAAAAAAAA2F69ADDE2E9E7ACE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := pin.Decode(tt.format, raw(t, tt.field), pan); !errors.Is(err, pin.ErrBlock) || got != "" {
				t.Fatalf("Decode: %v", err)
			}
		})
	}
	// Format 3's fill is A to F; 0 to 9 is none.
	block := raw(t, "3412340CBAFEDCBA")
	for i, b := range raw(t, "0000401234567890") {
		block[i] ^= b
	}
	if _, err := pin.Decode(pin.Format3, block, pan); !errors.Is(err, pin.ErrBlock) {
		t.Fatalf("format 3 with a digit as fill: %v", err)
	}
}

// FuzzOpen: no block is a reason to panic, and what opens is a PIN.
func FuzzOpen(f *testing.F) {
	f.Add(0, []byte("01234567"), []byte("0123456789abcdef"), pan)
	f.Add(4, []byte("0123456789abcdef"), []byte("0123456789abcdef"), pan)
	f.Add(1, []byte{}, []byte{}, "")
	f.Fuzz(func(t *testing.T, format int, block, key []byte, pan string) {
		got, err := pin.Open(format, key, block, pan)
		if err == nil && (len(got) < pin.MinPINLength || len(got) > pin.MaxPINLength) {
			t.Fatalf("a PIN of %d digits", len(got))
		}
		if err != nil && got != "" {
			t.Fatal("a PIN next to an error")
		}
	})
}
