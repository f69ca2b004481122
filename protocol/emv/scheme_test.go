package emv_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/tdes"
)

// Source: pyemv tests/test_cvn_hsm.py (github.com/knovichikhin/pyemv), Visa CVN 10 and CVN 18, with
// their issuer keys for cryptograms, script integrity and script confidentiality.
const (
	smiKey     = "FEDCBA98765432100123456789ABCDEF"
	smcKey     = "89ABCDEF0123456776543210FEDCBA98"
	schemePAN  = "1234567890123456"
	schemeData = "9F0206000000004000 9F0306000000000000 9F1A020124 95058000048000 5F2A020124" +
		"9A03191105 9C0101 9F370452BF4585 82021800 9F3602001C"
)

type published struct {
	iad, arqc, response        string
	unblock, change, changeOld string
}

var publishedSchemes = map[byte]published{
	emv.CVN10: {
		"06010A03A06010", "29CCA15AE665FA2E", "28993816AFAE4AEB" + "3030",
		"DB56BA60087CEFD3",
		"8424000218BB221AF527377A2811D2B6EBC396A9391A965A5CB2CE62DA",
		"84240001182EE025E554BCD87E11D2B6EBC396A939C4A8393B57DD2F3F",
	},
	emv.CVN18: {
		"06011203A0B800", "7A788EA6B8A3E733", "9AF514C1" + "00000000",
		"04EDE90BC24CC35E",
		"8424000218BB221AF527377A2811D2B6EBC396A9391A22B480EF312F40",
		"84240001182EE025E554BCD87E11D2B6EBC396A9390FB94A4E4EC10F41",
	},
}

func TestPublishedSchemes(t *testing.T) {
	for cvn, want := range publishedSchemes {
		t.Run(emv.Scheme{CVN: cvn}.String(), func(t *testing.T) {
			de55 := parsed(t, schemeData+"9F1007"+want.iad+"9F2608"+want.arqc)
			sk, ac, err := emv.VerifyARQC(fromHex(t, publishedIMK), schemePAN, "", de55)
			same(t, "ARQC", ac[:], want.arqc, err)
			// The published status update does not approve; CVN 10's answer is of its code alone.
			answer, err := emv.IssuerResponse(de55, sk, ac, [2]byte{'0', '0'}, false)
			same(t, "tag 91", answer, want.response, err)
			checkScripts(t, emv.Scheme{CVN: cvn}, ac, want)
		})
	}
}

func checkScripts(t *testing.T, s emv.Scheme, ac [8]byte, want published) {
	t.Helper()
	card := func(imk string) []byte {
		key, err := s.CardKey(fromHex(t, imk), schemePAN, "00")
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	m, err := emv.NewMessaging(card(smiKey), card(smcKey), [2]byte{0x00, 0x1C}, ac)
	if err != nil {
		t.Fatal(err)
	}
	command, err := m.Command(emv.INSApplicationUnblock, 0, 0, nil)
	same(t, "application unblock", command, "8418000008"+want.unblock, err)
	command, err = m.PINChange(card(publishedIMK), "9999", "")
	same(t, "PIN change", command, want.change, err)
	command, err = m.PINChange(card(publishedIMK), "9999", "8888")
	same(t, "PIN change with the old one", command, want.changeOld, err)
	if data, err := m.Verify(command); err != nil || len(data) != 16 {
		t.Errorf("Verify: %d bytes, %v", len(data), err)
	}
	command[7] ^= 1
	if _, err := m.Verify(command); !errors.Is(err, emv.ErrScriptMAC) {
		t.Errorf("a flipped bit: %v", err)
	}
}

// Source: computed with OpenSSL's des-ede and des-ecb from the test card's key and field55's data; the
// request, the second cryptogram's like and tag 91 of an approval.
func TestSchemesOfTheTestCard(t *testing.T) {
	for cvn, want := range map[byte]struct{ iad, arqc, response string }{
		emv.CVN10: {"06010A03A00000", "8736ECF3CE2F8C4C", "C2E394D75B70E4C4" + "3030"},
		emv.CVN18: {"06011203A00000", "76D5DAC91257A29B", "10BEBBA0" + "00800000"},
		emv.CVN22: {"1F2201A0" + strings.Repeat("00", 28), "092BD5A897B2405B", "4C131869" + "00800000"},
	} {
		a := testApplication(t)
		a.CVN = cvn
		c := emv.NewCard(a)
		expect(t, c, selectAID, "9000", getGPO, "9000")
		answer := send(t, c, askARQC)
		if !strings.Contains(answer, "9F2608"+want.arqc) || !strings.Contains(answer, want.iad) {
			t.Errorf("CVN %X: %s, want cryptogram %s and data %s", cvn, answer, want.arqc, want.iad)
		}
		expect(t, c, "00820000"+map[bool]string{true: "0A", false: "08"}[cvn == emv.CVN10]+want.response, "9000")
		if second := send(t, c, askTC2); !strings.Contains(second, "9F270140") {
			t.Errorf("CVN %X: second cryptogram %s", cvn, second)
		}
	}
}

// Source: pyemv tests/test_kd_hsm.py: option B, check values of the card's key, ARQC of the common
// data by the session key of r, ARPC by method 2 with an empty status update.
func TestOptionB(t *testing.T) {
	const r, data = "1234567890123456", "0123456789ABCDEF0123456789ABCDEF"
	const sale = "0000000040000000000000000124800004800001241911050152BF45851800001C06011203A0B800"
	tests := []struct{ pan, psn, kcv, r, data, arqc, proprietary, arpc string }{
		{"1234567890123456", "", "BAB0", r, data, "0CE77D211CB5459A", "", "8CD9AA5D"},
		{"12345678901234567", "45", "0BAF", r, data, "5760EE07B4FA65D1", "", "106B81D9"},
		{"12345678901234567", "", "4626", r, data, "0BAA251EA8989442", "", "C1C41F3A"},
		{"123456789012345679", "00", "C2F3", r, data, "DC95BCE3EBBE0296", "", "ECCA0C4B"},
		// A hash with fifteen digits only: a letter is converted.
		{"000000000000000005", "23", "DD73", "001C000000000000", sale, "8CAD6F2489C640B1", "12345678", "E39F1876"},
	}
	for _, tt := range tests {
		t.Run(tt.arqc, func(t *testing.T) {
			icc, err := emv.ICCMasterKeyB(fromHex(t, publishedIMK), tt.pan, tt.psn)
			if err != nil {
				t.Fatal(err)
			}
			kcv, err := tdes.KCV(icc, 3)
			same(t, "check value", kcv[:2], tt.kcv, err)
			sk, err := emv.SessionKey(icc, [8]byte(fromHex(t, tt.r)))
			if err != nil {
				t.Fatal(err)
			}
			ac, err := emv.Cryptogram(sk, fromHex(t, tt.data))
			same(t, "ARQC", ac[:], tt.arqc, err)
			arpc, err := emv.ResponseCryptogram2(sk, ac, [4]byte{}, fromHex(t, tt.proprietary))
			same(t, "ARPC", arpc[:], tt.arpc, err)
		})
	}
	if _, err := emv.ICCMasterKeyB(fromHex(t, publishedIMK), "1234567890123456X", "00"); !errors.Is(err, emv.ErrAccount) {
		t.Errorf("letter in PAN: %v", err)
	}
	if _, err := emv.ResponseCryptogram2(make([]byte, 16), [8]byte{}, [4]byte{}, make([]byte, 9)); !errors.Is(err, emv.ErrProprietary) {
		t.Errorf("nine proprietary bytes: %v", err)
	}
}

// A card with a number of 19 digits: option B from issuer to card and back.
func TestLongPANCard(t *testing.T) {
	a := testApplication(t)
	a.PAN, a.Discretionary = "6799998900000000018", ""
	m := newTerminal(t, emv.NewCard(a))
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	if _, _, err := emv.VerifyARQC(a.MasterKey, a.PAN, "01", parsed(t, hexOf(m.field55()))); err != nil {
		t.Fatal(err)
	}
	a.CVN = emv.CVN10 // option A gives another key
	m = newTerminal(t, emv.NewCard(a))
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	if _, _, err := emv.VerifyARQC(a.MasterKey, a.PAN, "01", parsed(t, hexOf(m.field55()))); err != nil {
		t.Fatal(err)
	}
}

// Only from the 17th digit on do the options differ; CVN 10 has option A (VIS), the others option B.
func TestOptionOfALongNumber(t *testing.T) {
	const pan, psn = "6799998900000000018", "01"
	imk := testApplication(t).MasterKey
	a, errA := emv.ICCMasterKey(imk, pan, psn)
	b, errB := emv.ICCMasterKeyB(imk, pan, psn)
	if errA != nil || errB != nil || bytes.Equal(a, b) {
		t.Fatalf("the options give the same: %v %v", errA, errB)
	}
	for cvn, want := range map[byte][]byte{emv.CVN10: a, emv.CVN18: b, emv.CVN22: b} {
		if key, err := (emv.Scheme{CVN: cvn}).CardKey(imk, pan, psn); err != nil || !bytes.Equal(key, want) {
			t.Errorf("CVN %X: %v", cvn, err)
		}
	}
}

func TestSchemeOf(t *testing.T) {
	long := "22" + "01" + strings.Repeat("00", 29)
	tests := []struct {
		name, iad string
		cvn       byte
		want      error
	}{
		{"CVN 10", "06010A03A00000", emv.CVN10, nil},
		{"CVN 18", "06011203A00000", emv.CVN18, nil},
		{"CVN 18 with discretionary data", "06011203A000000F0102", emv.CVN18, nil},
		{"CVN 22", "1F" + long, emv.CVN22, nil},
		{"CVN 12", "06010C03A00000", 0, emv.ErrScheme},
		{"CVN 18 in format 2", "1F12" + long[2:], 0, emv.ErrScheme},
		{"CVN 22 in format 0", "06012203A00000", 0, emv.ErrScheme},
		{"too short", "06011203A000", 0, emv.ErrElement},
		{"format 2 too short", "1F" + long[2:], 0, emv.ErrElement},
		{"Mastercard's", "0110A00003220000000000000000000000FF", 0, emv.ErrElement},
		{"nothing", "", 0, emv.ErrElement},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := emv.SchemeOf(fromHex(t, tt.iad))
			if s.CVN != tt.cvn || !errors.Is(err, tt.want) {
				t.Fatalf("%v, %v", s, err)
			}
		})
	}
	if _, err := emv.IssuerResponse(nil, nil, [8]byte{}, [2]byte{}, true); !errors.Is(err, emv.ErrElement) {
		t.Errorf("a response to no data: %v", err)
	}
}
