package emv_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

const publishedIMK = "0123456789ABCDEFFEDCBA9876543210"

// Sources: the first row is the example in pyemv's README.rst;
// the others are ARQC and ARPC of pyemv's tests/test_kd_hsm.py and tests/test_ac_hsm.py
// (github.com/knovichikhin/pyemv). arpcKey says which key the source made the ARPC with. Keys that
// the source does not print, and all the rest once more, were computed with OpenSSL's des-ede and
// des-ecb.
func TestPublishedCryptograms(t *testing.T) {
	const r, data, bySession, byCard = "1234567890123456", "0123456789ABCDEF0123456789ABCDEF", true, false
	tests := []struct {
		pan, psn, icc, sk, arqc, arpc string
		arpcKey                       bool
	}{
		{"99012345678901234", "45", "67F8292358083E5EA7AB7FDA58D53B6B",
			"29B33180E567CE38EA4CBC9D753B0E61", "FA624250B008B59A", "45D4255EEF10C920", bySession},
		{"12345678901234567", "45", "946DC1A8C78A624519BC4645CB073737",
			"C7AEDF49AEF2F146D692400E0B851A8F", "19C1FBC83EBDC0D5", "C3620580668E5B65", bySession},
		{"12345678901234567", "", "8357F1866492A1C8D657132AABF25789",
			"40F454B643E54C0D7A20DA4A62A72A5E", "8698A7319324FD93", "BEA11C8F4A47EF6F", byCard},
		{"9901234567890123", "45", "F84315C7B95BD3B0C74694922C3808B0",
			"3E736BF8D37664348A04E3ABE00DEFC1", "4B46013359B7A58B", "F8C9CECAABD55AD1", byCard},
	}
	for _, tt := range tests {
		t.Run(tt.arqc, func(t *testing.T) {
			icc, err := emv.ICCMasterKey(fromHex(t, publishedIMK), tt.pan, tt.psn)
			same(t, "card key", icc, tt.icc, err)
			sk, err := emv.SessionKey(icc, [8]byte(fromHex(t, r)))
			same(t, "session key", sk, tt.sk, err)
			ac, err := emv.Cryptogram(sk, fromHex(t, data))
			same(t, "ARQC", ac[:], tt.arqc, err)
			key := icc
			if tt.arpcKey == bySession {
				key = sk
			}
			arpc, err := emv.ResponseCryptogram(key, ac, [2]byte{})
			same(t, "ARPC", arpc[:], tt.arpc, err)
		})
	}
}

func same(t *testing.T, what string, got []byte, want string, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(got, fromHex(t, want)) {
		t.Errorf("%s = %X, %v; want %s", what, got, err, want)
	}
}

// Source: pyemv tests/test_mac.py, mac_iso9797_3 with padding method 2. Its data are no whole
// number of blocks.
func TestCryptogramPads(t *testing.T) {
	key := fromHex(t, "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB")
	got, err := emv.Cryptogram(key, []byte("hello world"))
	same(t, "MAC", got[:], "2BC2D9EDE0CF31F6", err)
}

// Source: computed with OpenSSL's des-ede and des-ecb from the test card's key and field55.
func TestVerifyARQC(t *testing.T) {
	sk, ac, err := emv.VerifyARQC(testApplication(t).MasterKey, testPAN, "01", parsed(t, field55))
	same(t, "ARQC", ac[:], "8E6C87D7F6D2A536", err)
	same(t, "session key", sk, "7F7523F4B57F08DC5B5BC7624668E09D", err)
	arpc, err := emv.ResponseCryptogram(sk, ac, [2]byte{'0', '0'})
	same(t, "ARPC", arpc[:], "582A7A0B70B0B311", err)
}

func parsed(t testing.TB, text string) emv.List {
	t.Helper()
	list, err := emv.Parse(fromHex(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestVerifyARQCNeedsEveryElement(t *testing.T) {
	imk := testApplication(t).MasterKey
	for _, tag := range []uint32{
		emv.TagCryptogram, emv.TagIAD, emv.TagAmount, emv.TagAmountOther, emv.TagTerminalCountry,
		emv.TagTVR, emv.TagCurrency, emv.TagDate, emv.TagType, emv.TagUnpredictable, emv.TagAIP, emv.TagATC,
	} {
		var without, longer emv.List
		for _, object := range parsed(t, field55) {
			if object.Tag != tag {
				without, longer = append(without, object), append(longer, object)
			} else {
				longer = append(longer, emv.TLV{Tag: tag, Value: append(object.Value, 0)})
			}
		}
		for name, list := range map[string]emv.List{"without": without, "longer": longer} {
			sk, _, err := emv.VerifyARQC(imk, testPAN, "01", list)
			var element *emv.ElementError
			if !errors.Is(err, emv.ErrElement) || !errors.As(err, &element) || element.Tag != tag || sk != nil {
				t.Errorf("%s tag %X: %v", name, tag, err)
			}
		}
	}
}

func TestVerifyARQCWrong(t *testing.T) {
	imk := testApplication(t).MasterKey
	other := bytes.Clone(imk)
	other[0] ^= 0x80
	cvn18 := strings.Replace(field55, "06010A03", "06011203", 1)
	tests := []struct {
		name     string
		imk      []byte
		pan, psn string
		field    string
		want     error
	}{
		{"another issuer's key", other, testPAN, "01", field55, emv.ErrCryptogram},
		{"another card", imk, "4761739001010127", "01", field55, emv.ErrCryptogram},
		{"another sequence number", imk, testPAN, "02", field55, emv.ErrCryptogram},
		{"another cryptogram version", imk, testPAN, "01", cvn18, emv.ErrElement},
		{"short key", imk[:8], testPAN, "01", field55, emv.ErrKey},
		{"PAN with a letter", imk, "476173900101O119", "01", field55, emv.ErrAccount},
		{"no PAN", imk, "", "01", field55, emv.ErrAccount},
		{"one digit sequence number", imk, testPAN, "1", field55, emv.ErrAccount},
		{"nothing at all", imk, testPAN, "01", "", emv.ErrElement},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sk, ac, err := emv.VerifyARQC(tt.imk, tt.pan, tt.psn, parsed(t, tt.field))
			if !errors.Is(err, tt.want) || sk != nil || ac != [8]byte{} {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if tt.pan != "" && strings.Contains(err.Error(), tt.pan) {
				t.Fatal("the error carries a PAN")
			}
		})
	}
}

func TestKeysMustHaveSixteenBytes(t *testing.T) {
	for _, n := range []int{0, 8, 15, 24} {
		key := make([]byte, n)
		_, err1 := emv.ICCMasterKey(key, testPAN, "01")
		_, err2 := emv.SessionKey(key, [8]byte{})
		_, err3 := emv.Cryptogram(key, nil)
		_, err4 := emv.ResponseCryptogram(key, [8]byte{}, [2]byte{})
		for i, err := range []error{err1, err2, err3, err4} {
			if !errors.Is(err, emv.ErrKey) {
				t.Errorf("function %d, %d bytes: %v", i, n, err)
			}
		}
	}
}

func FuzzVerifyARQC(f *testing.F) {
	imk := fromHex(f, publishedIMK)
	f.Add(fromHex(f, field55), testPAN, "01")
	f.Add([]byte{}, "", "")
	f.Fuzz(func(t *testing.T, raw []byte, pan, psn string) {
		list, err := emv.Parse(raw)
		if err != nil {
			return
		}
		if sk, _, err := emv.VerifyARQC(imk, pan, psn, list); (err == nil) != (sk != nil) {
			t.Fatal("a key next to an error, or neither")
		}
	})
}

func BenchmarkVerifyARQC(b *testing.B) {
	list, imk := parsed(b, field55), testApplication(b).MasterKey
	for b.Loop() {
		if _, _, err := emv.VerifyARQC(imk, testPAN, "01", list); err != nil {
			b.Fatal(err)
		}
	}
}
