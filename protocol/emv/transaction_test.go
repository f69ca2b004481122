package emv_test

import (
	"errors"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

// terminal is a test's terminal: it knows what a terminal knows, and asks the card for the rest.
type terminal struct {
	t    *testing.T
	card *emv.Card
	data emv.List // the terminal's own elements and what the card said
}

func newTerminal(t *testing.T, card *emv.Card) *terminal {
	return &terminal{t: t, card: card, data: emv.List{
		{Tag: emv.TagAmount, Value: fromHex(t, "000000001250")},
		{Tag: emv.TagAmountOther, Value: fromHex(t, "000000000000")},
		{Tag: emv.TagTerminalCountry, Value: fromHex(t, "0156")},
		{Tag: emv.TagTVR, Value: fromHex(t, "8000048000")},
		{Tag: emv.TagCurrency, Value: fromHex(t, "0156")},
		{Tag: emv.TagDate, Value: fromHex(t, "261122")},
		{Tag: emv.TagType, Value: fromHex(t, "00")},
		{Tag: emv.TagUnpredictable, Value: fromHex(t, "11223344")},
	}}
}

// send transmits a command and returns the answer's data, which it remembers, and status.
func (m *terminal) send(cla, ins, p1, p2 byte, data []byte, le int) (emv.List, uint16) {
	m.t.Helper()
	raw, sw, err := emv.SplitResponse(m.card.Transmit(emv.BuildCommand(cla, ins, p1, p2, data, le)))
	if err != nil {
		m.t.Fatal(err)
	}
	list, err := emv.Parse(raw)
	if err != nil {
		m.t.Fatal(err)
	}
	m.data = append(m.data, list...)
	return list, sw
}

func (m *terminal) must(list emv.List, sw uint16) emv.List {
	m.t.Helper()
	if sw != emv.SWOK {
		m.t.Fatalf("status %04X", sw)
	}
	return list
}

func (m *terminal) value(l emv.List, tag uint32) []byte {
	m.t.Helper()
	v, ok := l.Find(tag)
	if !ok {
		m.t.Fatalf("no tag %X", tag)
	}
	return v
}

// open selects the application and reads all records that the AFL names.
func (m *terminal) open() {
	m.t.Helper()
	m.must(m.send(0x00, emv.INSSelect, 4, 0, fromHex(m.t, "A0000000031010"), 0))
	options := m.must(m.send(0x80, emv.INSGetProcessingOptions, 0, 0, []byte{0x83, 0}, 0))
	if m.value(options, emv.TagAIP)[0]&0x04 == 0 {
		m.t.Fatal("the card does not announce EXTERNAL AUTHENTICATE")
	}
	for afl := m.value(options, emv.TagAFL); len(afl) >= 4; afl = afl[4:] {
		for number := afl[1]; number <= afl[2]; number++ {
			m.must(m.send(0x00, emv.INSReadRecord, number, afl[0]|4, nil, 0))
		}
	}
}

// generate asks for a cryptogram with the data that the card's DOL wants.
func (m *terminal) generate(kind byte, dolTag uint32) emv.List {
	m.t.Helper()
	dol, err := emv.ParseDOL(m.value(m.data, dolTag))
	if err != nil {
		m.t.Fatal(err)
	}
	return m.must(m.send(0x80, emv.INSGenerateAC, kind, 0, dol.Build(m.data.Find), 0))
}

// field55 is what the terminal sends to the issuer after the first cryptogram.
func (m *terminal) field55() []byte {
	m.t.Helper()
	var l emv.List
	for _, tag := range []uint32{
		emv.TagCryptogram, emv.TagCID, emv.TagIAD, emv.TagUnpredictable, emv.TagATC, emv.TagTVR, emv.TagDate,
		emv.TagType, emv.TagAmount, emv.TagCurrency, emv.TagAIP, emv.TagTerminalCountry, emv.TagAmountOther,
	} {
		l = append(l, emv.TLV{Tag: tag, Value: m.value(m.data, tag)})
	}
	return l.Encode()
}

// issue is the issuer: it verifies field 55 and returns the issuer authentication data (tag 91).
func issue(t *testing.T, field55 []byte) []byte {
	t.Helper()
	list, err := emv.Parse(field55)
	if err != nil {
		t.Fatal(err)
	}
	sk, ac, err := emv.VerifyARQC(testApplication(t).MasterKey, testPAN, "01", list)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := emv.IssuerResponse(list, sk, ac, [2]byte{'0', '0'}, true)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// versions are applications of every cryptogram version, and with every option of key derivation.
func versions(t *testing.T) map[string]emv.Application {
	all := map[string]emv.Application{}
	for _, cvn := range []byte{emv.CVN10, emv.CVN18, emv.CVN22} {
		a := testApplication(t)
		a.CVN = cvn
		all[emv.Scheme{CVN: cvn}.String()] = a
	}
	return all
}

func TestWholeTransaction(t *testing.T) {
	for name, application := range versions(t) {
		t.Run(name, func(t *testing.T) { threeTransactions(t, emv.NewCard(application)) })
	}
}

func threeTransactions(t *testing.T, card *emv.Card) {
	for session := range 3 {
		card.Reset()
		m := newTerminal(t, card)
		m.open()
		first := m.generate(emv.TypeARQC, emv.TagCDOL1)
		if m.value(first, emv.TagCID)[0] != emv.TypeARQC {
			t.Fatal("no ARQC")
		}
		if atc := m.value(first, emv.TagATC); int(atc[1]) != session+1 {
			t.Fatalf("ATC %X in session %d", atc, session+1)
		}
		answer := issue(t, m.field55())
		m.must(m.send(0x00, emv.INSExternalAuthenticate, 0, 0, answer, -1))
		m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")})
		second := m.generate(emv.TypeTC, emv.TagCDOL2)
		if m.value(second, emv.TagCID)[0] != emv.TypeTC {
			t.Fatal("no TC")
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	for name, application := range versions(t) {
		t.Run(name, func(t *testing.T) { everyFlippedBit(t, application) })
	}
}

func everyFlippedBit(t *testing.T, application emv.Application) {
	m := newTerminal(t, emv.NewCard(application))
	m.open()
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	issue(t, m.field55()) // passes untouched
	for _, tag := range []uint32{
		emv.TagAmount, emv.TagATC, emv.TagUnpredictable, // and the rest of what is covered:
		emv.TagAmountOther, emv.TagTerminalCountry, emv.TagTVR, emv.TagCurrency, emv.TagDate, emv.TagType,
		emv.TagAIP, emv.TagCryptogram, emv.TagIAD,
	} {
		first := 0
		if tag == emv.TagIAD {
			first = 8 * 4 // the CVR's results; what is before them tells how to read the rest
		}
		for bit := first; bit < 8*len(m.value(m.data, tag)); bit++ {
			list, err := emv.Parse(m.field55())
			if err != nil {
				t.Fatal(err)
			}
			m.value(list, tag)[bit/8] ^= 1 << (bit % 8)
			if _, _, err := emv.VerifyARQC(testApplication(t).MasterKey, testPAN, "01", list); !errors.Is(err, emv.ErrCryptogram) {
				t.Errorf("tag %X bit %d: %v", tag, bit, err)
			}
		}
	}
}

func TestFlippedResponseMakesTheCardDecline(t *testing.T) {
	for name, application := range versions(t) {
		t.Run(name, func(t *testing.T) {
			for bit, bits := 0, 1; bit < bits; bit++ { // ARPC and response code or card status update
				m := newTerminal(t, emv.NewCard(application))
				m.open()
				m.generate(emv.TypeARQC, emv.TagCDOL1)
				answer := issue(t, m.field55())
				bits = 8 * len(answer)
				answer[bit/8] ^= 1 << (bit % 8)
				if _, sw := m.send(0x00, emv.INSExternalAuthenticate, 0, 0, answer, -1); sw != emv.SWAuthFailed {
					t.Fatalf("bit %d: status %04X", bit, sw)
				}
				m.data = append(m.data, emv.TLV{Tag: emv.TagARC, Value: []byte("00")})
				if second := m.generate(emv.TypeTC, emv.TagCDOL2); m.value(second, emv.TagCID)[0] != emv.TypeAAC {
					t.Fatalf("bit %d: approved", bit)
				}
			}
		})
	}
}

func BenchmarkTransaction(b *testing.B) {
	card := emv.NewCard(testApplication(b))
	script := [][]byte{fromHex(b, selectAID), fromHex(b, getGPO), fromHex(b, "00B2010C00"), fromHex(b, askARQC)}
	for b.Loop() {
		card.Reset()
		for _, command := range script {
			card.Transmit(command)
		}
	}
}
