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
	de55 := parsed(t, field55)
	sk, ac, err := emv.VerifyARQC(testApplication(t).MasterKey, testPAN, "01", de55)
	same(t, "ARQC", ac[:], "76D5DAC91257A29B", err)
	same(t, "session key", sk, "7F7523F4B57F08DC5B5BC7624668E09D", err)
	answer, err := emv.IssuerResponse(de55, sk, ac, [2]byte{'0', '0'}, true)
	same(t, "tag 91", answer, "10BEBBA0"+"00800000", err)
	answer, err = emv.IssuerResponse(de55, sk, ac, [2]byte{'5', '1'}, false)
	same(t, "tag 91 of a decline", answer, "07EB9A07"+"00000000", err)
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
				value := append([]byte{0}, object.Value...) // such issuer application data have no layout
				longer = append(longer, emv.TLV{Tag: tag, Value: value})
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
	version := func(cvn string) string { return strings.Replace(field55, "06011203", "0601"+cvn+"03", 1) }
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
		{"another cryptogram version", imk, testPAN, "01", version("0A"), emv.ErrCryptogram},
		{"unknown cryptogram version", imk, testPAN, "01", version("0C"), emv.ErrScheme},
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
		_, err5 := emv.ResponseCryptogram2(key, [8]byte{}, [4]byte{}, nil)
		_, err6 := emv.ICCMasterKeyB(key, "12345678901234567", "01")
		_, err7 := emv.NewMessaging(key, make([]byte, 16), [2]byte{}, [8]byte{})
		_, err8 := emv.Scheme{CVN: emv.CVN10}.SessionKey(key, [2]byte{})
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
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

// A verifier finds what VerifyARQC finds, and answers alike.
func TestVerifier(t *testing.T) {
	// The cryptograms are those of TestSchemesOfTheTestCard.
	for iad, arqc := range map[string]string{
		"9F1007" + "06010A03A00000":                      "8736ECF3CE2F8C4C",
		"9F1007" + "06011203A00000":                      "76D5DAC91257A29B",
		"9F1020" + "1F2201A0" + strings.Repeat("00", 28): "092BD5A897B2405B",
	} {
		text := strings.Replace(field55, "9F100706011203A00000", iad, 1)
		text = strings.Replace(text, "76D5DAC91257A29B", arqc, 1)
		imk, de55 := testApplication(t).MasterKey, parsed(t, text)
		v, err := emv.NewVerifier(imk, testPAN, "01")
		if err != nil {
			t.Fatal(err)
		}
		proof, err := v.Verify(de55)
		if err != nil {
			t.Fatal(err)
		}
		sk, ac, err := emv.VerifyARQC(imk, testPAN, "01", de55)
		if err != nil {
			t.Fatal(err)
		}
		for _, approved := range []bool{true, false} {
			want, err := emv.IssuerResponse(de55, sk, ac, [2]byte{'0', '0'}, approved)
			if err != nil {
				t.Fatal(err)
			}
			got, err := proof.Response([2]byte{'0', '0'}, approved)
			same(t, "tag 91", got, hexOf(want), err)
		}
		de55[0].Value[0] ^= 1 // 9F26
		if _, err := v.Verify(de55); !errors.Is(err, emv.ErrCryptogram) {
			t.Errorf("a flipped bit: %v", err)
		}
		if _, err := v.Verify(nil); !errors.Is(err, emv.ErrElement) {
			t.Errorf("nothing at all: %v", err)
		}
	}
	if _, err := (emv.Proof{}).Response([2]byte{}, true); !errors.Is(err, emv.ErrKey) {
		t.Errorf("the zero proof: %v", err)
	}
	if _, err := emv.NewVerifier(make([]byte, 8), testPAN, "01"); !errors.Is(err, emv.ErrKey) {
		t.Errorf("short key: %v", err)
	}
	if _, err := emv.NewVerifier(make([]byte, 16), "", "01"); !errors.Is(err, emv.ErrAccount) {
		t.Errorf("no PAN: %v", err)
	}
}

func BenchmarkVerifier(b *testing.B) {
	list := parsed(b, field55)
	v, err := emv.NewVerifier(testApplication(b).MasterKey, testPAN, "01")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		proof, err := v.Verify(list)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := proof.Response([2]byte{'0', '0'}, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyARQC(b *testing.B) {
	list, imk := parsed(b, field55), testApplication(b).MasterKey
	for b.Loop() {
		if _, _, err := emv.VerifyARQC(imk, testPAN, "01", list); err != nil {
			b.Fatal(err)
		}
	}
}
