package tdes_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/tdes"
)

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncrypt(t *testing.T) {
	tests := []struct{ name, key, clear, cipher string }{
		// Source: FIPS 81 table B1, DES in ECB mode, "Now is the time for all ".
		{"one part", "0123456789ABCDEF", "4E6F772069732074 68652074696D6520 666F7220616C6C20",
			"3FA40E8A984D4815 6A271787AB8883F9 893D51EC4B563B53"},
		// Source: NIST SP 800-67 appendix B.1, "The qufck brown fox jump".
		{"three parts", "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123",
			"5468652071756663 6B2062726F776E20 666F78206A756D70",
			"A826FD8CE53B855F CCE21C8112256FE6 68D5C05DD9B6B900"},
		// Source: a UnionPay terminal's TMK and TAK as published on blog.51cto.com/xiaohaiwa/5379715.
		{"two parts", "70F2A84CCBC2AE8625CBB0F2C22AB923", "C24A8FB57AA20123", "96D605EA176B7E9E"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, clear := fromHex(t, tt.key), fromHex(t, tt.clear)
			got, err := tdes.Encrypt(key, clear)
			if err != nil || !bytes.Equal(got, fromHex(t, tt.cipher)) {
				t.Fatalf("Encrypt = %X, %v; want %s", got, err, tt.cipher)
			}
			back, err := tdes.Decrypt(key, got)
			if err != nil || !bytes.Equal(back, clear) {
				t.Fatalf("Decrypt = %X, %v", back, err)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	for _, n := range []int{0, 7, 9, 15, 17, 23, 25, 32} {
		if _, err := tdes.Encrypt(make([]byte, n), make([]byte, 8)); !errors.Is(err, tdes.ErrKey) {
			t.Errorf("key of %d bytes: %v", n, err)
		}
		if _, err := tdes.Decrypt(make([]byte, n), make([]byte, 8)); !errors.Is(err, tdes.ErrKey) {
			t.Errorf("key of %d bytes: %v", n, err)
		}
		if _, err := tdes.KCV(make([]byte, n), 3); !errors.Is(err, tdes.ErrKey) {
			t.Errorf("check value of a key of %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{1, 7, 9, 20} {
		if _, err := tdes.Encrypt(make([]byte, 16), make([]byte, n)); !errors.Is(err, tdes.ErrBlock) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, n := range []int{-1, 2, 9} {
		if _, err := tdes.KCV(make([]byte, 16), n); !errors.Is(err, tdes.ErrKCV) {
			t.Errorf("check value of %d bytes: %v", n, err)
		}
	}
}

// Source: the first rows are key check values in pyemv's tests/test_kd_hsm.py and test_sm_hsm.py
// (github.com/knovichikhin/pyemv); the last is the well-known value of the all-zero key.
func TestKCV(t *testing.T) {
	for key, want := range map[string]string{
		"0123456789ABCDEFFEDCBA9876543210": "08D7B4",
		"FEDCBA98765432100123456789ABCDEF": "7B8358",
		"11111111111111112222222222222222": "D2B91C",
		"0000000000000000":                 "8CA64DE9C1B123A7",
	} {
		got, err := tdes.KCV(fromHex(t, key), len(want)/2)
		if err != nil || !bytes.Equal(got, fromHex(t, want)) {
			t.Errorf("KCV = %X, %v; want %s", got, err, want)
		}
	}
}

func TestOddParity(t *testing.T) {
	key := fromHex(t, "00017F80FEFF")
	if got := tdes.OddParity(key); !bytes.Equal(got, fromHex(t, "01017F80FEFE")) {
		t.Errorf("got %X", got)
	}
	if !bytes.Equal(key, fromHex(t, "00017F80FEFF")) {
		t.Error("the key given was changed")
	}
}
