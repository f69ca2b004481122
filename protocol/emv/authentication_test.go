package emv_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/oda"
)

// testKey is a key of so many bits out of package oda's vectors.
func testKey(t testing.TB, bits int) *oda.PrivateKey {
	t.Helper()
	file, err := os.ReadFile("oda/testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	primes := map[string][]byte{}
	for line := range strings.Lines(string(file)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			primes[name] = fromHex(t, value)
		}
	}
	key, err := oda.NewPrivateKey(primes[fmt.Sprint("p-", bits)], primes[fmt.Sprint("q-", bits)], 3)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// testChain is an authority and an issuer under it.
func testChain(t testing.TB) (oda.Authority, emv.Issuing) {
	t.Helper()
	authority, issuer := testKey(t, 1408), testKey(t, 1152)
	c, err := authority.CertifyIssuer(oda.Subject{Number: testPAN[:6], Expiry: "4912"}, issuer.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return oda.Authority{RID: [5]byte{0xA0, 0, 0, 0, 3}, Index: 7, Key: authority.PublicKey}, emv.Issuing{Index: 7, Certificate: c, Key: issuer, Expiry: "4912"}
}

// read is a terminal's reading of the records, with the static data to be authenticated.
func (m *terminal) read() (static []byte) {
	m.t.Helper()
	m.must(m.send(0x00, emv.INSSelect, 4, 0, fromHex(m.t, "A0000000031010"), 0))
	options := m.must(m.send(0x80, emv.INSGetProcessingOptions, 0, 0, []byte{0x83, 0}, 0))
	for afl := m.value(options, emv.TagAFL); len(afl) >= 4; afl = afl[4:] {
		for number := afl[1]; number <= afl[2]; number++ {
			record := m.must(m.send(0x00, emv.INSReadRecord, number, afl[0]|4, nil, 0))
			if number < afl[1]+afl[3] {
				static = append(static, record[0].Value...)
			}
		}
	}
	if !bytes.Equal(m.value(m.data, emv.TagStaticTags), []byte{0x82}) {
		m.t.Fatal("static data tag list")
	}
	return append(static, m.value(options, emv.TagAIP)...)
}

func (m *terminal) optional(tag uint32) []byte {
	v, _ := m.data.Find(tag)
	return v
}

func (m *terminal) certificate(data, remainder, exponent uint32) oda.Certificate {
	return oda.Certificate{Data: m.value(m.data, data), Remainder: m.optional(remainder), Exponent: m.value(m.data, exponent)}
}

func (m *terminal) issuerKey(a oda.Authority) oda.PublicKey {
	m.t.Helper()
	key, err := a.Issuer(m.certificate(emv.TagIssuerCertificate, emv.TagIssuerRemainder, emv.TagIssuerExponent), testPAN, "2611")
	if err != nil {
		m.t.Fatal(err)
	}
	return key
}

func TestStaticAuthentication(t *testing.T) {
	authority, issuing := testChain(t)
	a, err := issuing.Personalise(testApplication(t), emv.AIPStatic, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newTerminal(t, emv.NewCard(a))
	static := m.read()
	if aip := m.value(m.data, emv.TagAIP); aip[0] != 0x5C {
		t.Fatalf("AIP %X", aip)
	}
	key := m.issuerKey(authority)
	code, err := key.VerifyStatic(m.value(m.data, emv.TagSignedStatic), static)
	if err != nil || code != [2]byte{0xDA, 0xC0} {
		t.Fatalf("code %X, %v", code, err)
	}
	for bit := range 8 * len(static) {
		bad := slices.Clone(static)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := key.VerifyStatic(m.value(m.data, emv.TagSignedStatic), bad); !errors.Is(err, oda.ErrHash) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	expect(t, m.card, "00880000041122334400", "6D00", "80AE90001D"+cdol1Data+"00", "6A86")
}

func TestDynamicAuthentication(t *testing.T) {
	authority, issuing := testChain(t)
	for _, cvn := range []byte{emv.CVN10, emv.CVN18, emv.CVN22} {
		a := testApplication(t)
		a.CVN = cvn
		a, err := issuing.Personalise(a, emv.AIPDynamic, testKey(t, 1024))
		if err != nil {
			t.Fatal(err)
		}
		m := newTerminal(t, emv.NewCard(a))
		static := m.read()
		key, err := m.issuerKey(authority).Card(m.certificate(emv.TagCardCertificate, emv.TagCardRemainder, emv.TagCardExponent), static, testPAN, "2611")
		if err != nil {
			t.Fatal(err)
		}
		expect(t, m.card, "0088000003112233", "6700")
		answer := m.must(m.send(0x00, emv.INSInternalAuthenticate, 0, 0, fromHex(t, "11223344"), 0))
		number, err := key.VerifyDynamic(answer[0].Value, fromHex(t, "11223344"))
		if err != nil || len(number) != 8 {
			t.Fatalf("number %X, %v", number, err)
		}
		if _, err := key.VerifyDynamic(answer[0].Value, fromHex(t, "11223345")); !errors.Is(err, oda.ErrHash) {
			t.Fatalf("another unpredictable number: %v", err)
		}
		m.generate(emv.TypeARQC, emv.TagCDOL1)
		issue(t, m.field55()) // that the card has signed is under the cryptogram
		iad := m.value(m.data, emv.TagIAD)
		if said := map[byte]byte{emv.CVN10: iad[6] & 2, emv.CVN18: iad[6] & 2, emv.CVN22: iad[3] & 4}[cvn]; said == 0 {
			t.Errorf("CVR does not say that the card has signed: %X", iad)
		}
		expect(t, m.card, "00880000041122334400", "6985")
	}
}

// The first cryptogram and the second under a signature, from both sides.
func TestCombinedAuthentication(t *testing.T) {
	authority, issuing := testChain(t)
	a, err := issuing.Personalise(testApplication(t), emv.AIPDynamic|emv.AIPCombined, testKey(t, 1024))
	if err != nil {
		t.Fatal(err)
	}
	m := newTerminal(t, emv.NewCard(a))
	static := m.read()
	key, err := m.issuerKey(authority).Card(m.certificate(emv.TagCardCertificate, emv.TagCardRemainder, emv.TagCardExponent), static, testPAN, "2611")
	if err != nil {
		t.Fatal(err)
	}
	var sent []byte // for CDOL1 and CDOL2
	// combined asks for a cryptogram under a signature and verifies it.
	combined := func(kind byte, dolTag uint32) {
		t.Helper()
		dol, err := emv.ParseDOL(m.value(m.data, dolTag))
		if err != nil {
			t.Fatal(err)
		}
		data := dol.Build(m.data.Find)
		sent = append(sent, data...)
		answer := m.must(m.send(0x80, emv.INSGenerateAC, kind|0x10, 0, data, 0))
		inside, err := emv.Parse(answer[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		if _, clear := inside.Find(emv.TagCryptogram); clear {
			t.Fatal("the cryptogram is in clear")
		}
		signed := m.value(inside, emv.TagSignedDynamic)
		rest := slices.DeleteFunc(slices.Clone(inside), func(o emv.TLV) bool { return o.Tag == emv.TagSignedDynamic })
		transaction := oda.TransactionData(nil, sent, nil, rest.Encode())
		got, err := key.VerifyCombined(signed, fromHex(t, "11223344"), transaction, m.value(inside, emv.TagCID)[0])
		if err != nil || got.CID != kind {
			t.Fatalf("%02X: %+v, %v", kind, got, err)
		}
		m.data = append(emv.List{{Tag: emv.TagCryptogram, Value: got.Cryptogram[:]}}, m.data...)
		if _, err := key.VerifyCombined(signed, fromHex(t, "11223344"), append(transaction, 0), kind); !errors.Is(err, oda.ErrCombined) {
			t.Fatalf("other transaction data: %v", err)
		}
	}
	combined(emv.TypeARQC, emv.TagCDOL1)
	m.must(m.send(0x00, emv.INSExternalAuthenticate, 0, 0, issue(t, m.field55()), -1))
	m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")})
	combined(emv.TypeTC, emv.TagCDOL2)

	// An AAC is not signed.
	m.card.Reset()
	expect(t, m.card, selectAID, "9000", getGPO, "9000")
	if answer := send(t, m.card, "80AE10001D"+cdol1Data+"00"); !strings.Contains(answer, "9F2608") {
		t.Fatalf("AAC: %s", answer)
	}
}

func TestPersonaliseRejects(t *testing.T) {
	_, issuing := testChain(t)
	bad := testApplication(t)
	bad.PAN = "x"
	if _, err := issuing.Personalise(bad, emv.AIPStatic, nil); !errors.Is(err, emv.ErrApplication) {
		t.Errorf("a bad PAN: %v", err)
	}
	if _, err := issuing.Personalise(testApplication(t), emv.AIPDynamic, nil); !errors.Is(err, emv.ErrKey) {
		t.Errorf("no card key: %v", err)
	}
	a := testApplication(t)
	a.Auth.Methods = 0x10
	if err := a.Validate(); !errors.Is(err, emv.ErrApplication) {
		t.Errorf("an unknown method: %v", err)
	}
}
