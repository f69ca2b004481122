package emv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

const testPAN = "4761739001010119"

func testApplication(t testing.TB) emv.Application {
	t.Helper()
	return emv.Application{
		ATR: fromHex(t, "3B6500002063CB6800"), AID: fromHex(t, "A0000000031010"), Label: "VISA CREDIT",
		PAN: testPAN, Expiry: "3112", Sequence: "01", Service: "201", Discretionary: "123456789",
		Name: "TEST/CARD", MasterKey: fromHex(t, "2315208C9110AD402315208C9110AD40"),
	}
}

const (
	selectAID = "00A4040007A000000003101000"
	getGPO    = "80A8000002830000"
	// data for CDOL1: 12.50, currency and country 156, 2026-11-22, unpredictable 11223344
	cdol1Data = "000000001250" + "000000000000" + "0156" + "8000048000" + "0156" + "261122" + "00" + "11223344"
	askARQC   = "80AE80001D" + cdol1Data + "00"
	askTC2    = "80AE40001F" + "3030" + cdol1Data + "00"
	badARPC   = "0082000008" + "00000000" + "00800000"
	goodARPC  = "0082000008" + "10BEBBA0" + "00800000" // for askARQC with ATC 1; see TestVerifyARQC
	declined  = "0082000008" + "07EB9A07" + "00000000" // right, of an issuer that does not approve
)

// send transmits hexadecimal and returns it.
func send(t testing.TB, c *emv.Card, command string) string {
	t.Helper()
	return strings.ToUpper(hex.EncodeToString(c.Transmit(fromHex(t, command))))
}

// expect runs a script of "command", "answer" pairs; an answer of four digits is a status word.
func expect(t *testing.T, c *emv.Card, script ...string) {
	t.Helper()
	for i := 0; i < len(script); i += 2 {
		got := send(t, c, script[i])
		if len(script[i+1]) == 4 {
			got = got[len(got)-4:]
		}
		if got != strings.ReplaceAll(script[i+1], " ", "") {
			t.Fatalf("command %s\ngot  %s\nwant %s", script[i], got, script[i+1])
		}
	}
}

// What the card says, byte for byte; composed by hand from the tags in the comments.
func TestCardAnswers(t *testing.T) {
	c := emv.NewCard(testApplication(t))
	if !bytes.Equal(c.ATR(), testApplication(t).ATR) {
		t.Fatalf("ATR %X", c.ATR())
	}
	expect(t, c,
		// 6F{84 A5{50 87}}
		selectAID, "6F1B 8407A0000000031010 A510 500B5649534120435245444954 870101 9000",
		// 77{82 94}
		getGPO, "770E 82021C00 9408 0801020010010100 9000",
		// 70{57 5F20}
		"00B2010C00", "701F 5711 4761739001010119D3112201123456789F 5F2009 544553542F43415244 9000",
		// 70{5A 5F24 5F34 5F30 5F28 9F07}
		"00B2020C00", "7023 5A084761739001010119 5F2403311231 5F340101 5F30020201 5F28020156 9F0702FF00 9000",
		// 70{8C 8D 8E 9F0D 9F0E 9F0F}
		"00B2011400", "7054 8C15 9F02069F03069F1A0295055F2A029A039C019F3704"+
			"8D17 8A029F02069F03069F1A0295055F2A029A039C019F3704 8E0A 00000000000000000203"+
			"9F0D05F040008800 9F0E050010000000 9F0F05F040049800 9000",
		// 77{9F27 9F36 9F26 9F10}; cryptograms computed with OpenSSL
		askARQC, "771E 9F270180 9F36020001 9F260876D5DAC91257A29B 9F100706011203A00000 9000",
		goodARPC, "9000",
		askTC2, "771E 9F270140 9F36020001 9F260887BDA73E8DFD70BE 9F100706011203600000 9000",
	)
}

func TestCardSelect(t *testing.T) {
	tests := []struct{ name, command, want string }{
		{"full name", selectAID, "9000"},
		{"without Le, as T=0 sends it", "00A4040007A0000000031010", "9000"},
		{"beginning of the name", "00A4040005A00000000300", "9000"},
		{"another name", "00A4040007A000000004101000", "6A82"},
		{"longer than the name", "00A4040008A00000000310100100", "6A82"},
		{"payment system environment", "00A404000E315041592E5359532E444446303100", "6A82"},
		{"next occurrence", "00A4040205A00000000300", "6A82"},
		{"by file identifier", "00A40000023F0000", "6A86"},
		{"last occurrence", "00A4040105A00000000300", "6A86"},
		{"no name", "00A4040000", "6700"},
		{"four bytes", "00A4040004A000000000", "6700"},
		{"seventeen bytes", "00A4040011A0000000031010000000000000000000000000", "6700"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, emv.NewCard(testApplication(t)), tt.command, tt.want)
		})
	}
}

func TestCardRejects(t *testing.T) {
	open := []string{selectAID, "9000", getGPO, "9000"}
	online := append(append([]string{}, open...), askARQC, "9000")
	tests := []struct {
		name   string
		before []string
		script []string
	}{
		{"nothing", nil, []string{"", "6700"}},
		{"half a header", nil, []string{"00A404", "6700"}},
		{"unknown class", nil, []string{"90A4040007A000000003101000", "6E00"}},
		{"class of another instruction", nil, []string{"80A4040007A000000003101000", "6E00", "00A8000002830000", "6E00"}},
		{"unknown instruction", nil, []string{"00860000", "6D00", "80CC9F3600", "6D00", "00D6000000", "6D00"}},
		{"GET CHALLENGE, GET DATA, VERIFY first", nil, []string{"00840000", "6985", "80CA9F3600", "6985", "00200080082412347FFFFFFFFF", "6985"}},
		{"Lc above the data", nil, []string{"00A4040008A0000000031010", "6700", "00A4040009A0000000031010", "6700"}},
		{"Lc below the data", nil, []string{"00A4040005A0000000031010", "6700"}},
		{"extended length", nil, []string{"00A40400000007A0000000031010", "6700"}},
		{"Le of a number", open, []string{"00B2010C10", "6700", "00B2010C00", "9000"}},

		{"GPO first", nil, []string{getGPO, "6985"}},
		{"GPO twice", open, []string{getGPO, "6985"}},
		{"GPO with P1", []string{selectAID, "9000"}, []string{"80A8010002830000", "6A86"}},
		{"GPO without template", []string{selectAID, "9000"}, []string{"80A8000000", "6700", "80A8000002840000", "6A80"}},
		{"GPO with PDOL data", []string{selectAID, "9000"}, []string{"80A800000383010000", "6700"}},

		{"READ RECORD first", []string{selectAID, "9000"}, []string{"00B2010C00", "6985"}},
		{"no such record", open, []string{"00B2030C00", "6A83", "00B2021400", "6A83", "00B2011C00", "6A83"}},
		{"record by identifier", open, []string{"00B2010800", "6A86", "00B2000C00", "6A86"}},
		{"READ RECORD with data", open, []string{"00B2010C010000", "6700"}},

		{"GENERATE AC first", []string{selectAID, "9000"}, []string{askARQC, "6985"}},
		{"combined DDA asked for", open, []string{strings.Replace(askARQC, "80AE80", "80AE90", 1), "6A86"}},
		{"reserved type", open, []string{strings.Replace(askARQC, "80AE80", "80AEC0", 1), "6A86"}},
		{"CDOL1 data too short", open, []string{"80AE800003000000", "6700", askARQC, "9000"}},
		{"CDOL2 data at first", open, []string{askTC2, "6700"}},
		{"CDOL1 data at second", online, []string{strings.Replace(askARQC, "80AE80", "80AE40", 1), "6700", askTC2, "9000"}},
		{"third GENERATE AC", online, []string{askTC2, "9000", askTC2, "6985"}},
		{"second after offline approval", open, []string{strings.Replace(askARQC, "80AE80", "80AE40", 1), "9000", askTC2, "6985"}},
		{"second after offline decline", open, []string{strings.Replace(askARQC, "80AE80", "80AE00", 1), "9000", askTC2, "6985"}},

		{"EXTERNAL AUTHENTICATE too early", open, []string{goodARPC, "6985"}},
		{"EXTERNAL AUTHENTICATE twice", online, []string{goodARPC, "9000", goodARPC, "6985"}},
		{"no second try", online, []string{badARPC, "6300", goodARPC, "6985"}},
		{"EXTERNAL AUTHENTICATE too late", online, []string{askTC2, "9000", goodARPC, "6985"}},
		{"ARPC of seven bytes", online, []string{"0082000007" + "10BEBBA0008000", "6700", goodARPC, "9000"}},
		{"ARPC of seventeen bytes", online, []string{"0082000011" + strings.Repeat("10", 17), "6700", goodARPC, "9000"}},
		{"EXTERNAL AUTHENTICATE with P2", online, []string{"0082000110", "6A86"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := emv.NewCard(testApplication(t))
			expect(t, c, tt.before...)
			expect(t, c, tt.script...)
		})
	}
}

// The second cryptogram's type and CVR: the card approves only when asked and sure of the issuer.
func TestSecondCryptogram(t *testing.T) {
	tests := []struct{ name, auth, ask, kind, results string }{
		{"authenticated, approval", goodARPC, "40", "40", "60"},
		{"authenticated, decline", goodARPC, "00", "00", "20"},
		{"authenticated, issuer declines", declined, "40", "00", "20"},
		{"authenticated, ARQC again", goodARPC, "80", "00", "20"},
		{"wrong ARPC", badARPC, "40", "00", "28"},
		{"no ARPC", "", "40", "00", "20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := emv.NewCard(testApplication(t))
			expect(t, c, selectAID, "9000", getGPO, "9000", askARQC, "9000")
			if tt.auth != "" {
				send(t, c, tt.auth)
			}
			answer := send(t, c, "80AE"+tt.ask+askTC2[6:])
			if !strings.Contains(answer, "9F2701"+tt.kind) || !strings.Contains(answer, "06011203"+tt.results+"0000") {
				t.Fatalf("answer %s", answer)
			}
		})
	}
}

func TestResetForgetsTheSessionNotTheCounter(t *testing.T) {
	c := emv.NewCard(testApplication(t))
	expect(t, c, selectAID, "9000", getGPO, "9000", askARQC, "9000")
	c.Reset()
	expect(t, c, goodARPC, "6985", askTC2, "6985", "00B2010C00", "6985", getGPO, "6985")
	expect(t, c, selectAID, "9000", getGPO, "9000")
	if answer := send(t, c, askARQC); !strings.Contains(answer, "9F36020002") {
		t.Fatalf("second session: %s", answer)
	}
	// The first session's ARPC proves nothing in the second.
	expect(t, c, goodARPC, "6300")
	// Selecting again without a reset begins a new transaction as well.
	expect(t, c, selectAID, "9000", askTC2, "6985", getGPO, "9000")
	if answer := send(t, c, askARQC); !strings.Contains(answer, "9F36020003") {
		t.Fatalf("third session: %s", answer)
	}
}

func TestApplicationValidate(t *testing.T) {
	change := map[string]func(a *emv.Application){
		"AID":           func(a *emv.Application) { a.AID = a.AID[:4] },
		"Label":         func(a *emv.Application) { a.Label = "" },
		"PAN":           func(a *emv.Application) { a.PAN = "4761739O01010119" },
		"Expiry":        func(a *emv.Application) { a.Expiry = "3113" },
		"Sequence":      func(a *emv.Application) { a.Sequence = "1" },
		"Service":       func(a *emv.Application) { a.Service = "20" },
		"Discretionary": func(a *emv.Application) { a.Discretionary = strings.Repeat("1", 14) },
		"Name":          func(a *emv.Application) { a.Name = strings.Repeat("N", 27) },
		"MasterKey":     func(a *emv.Application) { a.MasterKey = a.MasterKey[:8] },
		"ScriptKey":     func(a *emv.Application) { a.ScriptKey = a.MasterKey[:8] },
		"CVN":           func(a *emv.Application) { a.CVN = 22 },
	}
	for field, damage := range change {
		t.Run(field, func(t *testing.T) {
			a := testApplication(t)
			damage(&a)
			err := a.Validate()
			if !errors.Is(err, emv.ErrApplication) || !strings.HasSuffix(err.Error(), field) {
				t.Fatalf("err = %v", err)
			}
			expect(t, emv.NewCard(a), selectAID, "6F00", "", "6F00")
		})
	}
	if err := testApplication(t).Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestCardDates(t *testing.T) {
	for expiry, want := range map[string]string{"2802": "280229", "2902": "290228", "3004": "300430", "9912": "991231"} {
		a := testApplication(t)
		a.Expiry = expiry
		c := emv.NewCard(a)
		expect(t, c, selectAID, "9000", getGPO, "9000")
		if answer := send(t, c, "00B2020C00"); !strings.Contains(answer, "5F2403"+want) {
			t.Errorf("expiry %s: %s", expiry, answer)
		}
	}
}

func TestMinimalApplication(t *testing.T) {
	a := testApplication(t)
	a.ATR, a.Name, a.Sequence, a.Discretionary, a.PAN = nil, "", "", "", "476173900101011"
	c := emv.NewCard(a)
	if len(c.ATR()) != 0 {
		t.Fatal("a mute chip answers reset")
	}
	expect(t, c, selectAID, "9000", getGPO, "9000",
		"00B2010C00", "7013 570C 476173900101011D3112201F 5F2002 202F 9000")
	if answer := send(t, c, "00B2020C00"); !strings.Contains(answer, "5A08476173900101011F") ||
		!strings.Contains(answer, "5F340100") {
		t.Fatalf("record 2: %s", answer)
	}
}

// FuzzTransmit feeds a card a sequence of commands, each behind a length byte; length 0 is a reset, after which the next command
// comes over the other interface.
func FuzzTransmit(f *testing.F) {
	script := func(commands ...string) []byte {
		var b []byte
		for _, c := range commands {
			raw := fromHex(f, c)
			b = append(append(b, byte(len(raw))), raw...)
		}
		return b
	}
	f.Add(script(selectAID, getGPO, "00B2010C00", askARQC, goodARPC, askTC2))
	f.Add(script(selectAID, getGPO, askARQC, badARPC, askTC2, "", selectAID))
	f.Add(script("00A4", "80AE80001D", "00000000"))
	f.Add(script(selectPSE, "00B2010C00", selectPPSE, "00A4040006A0000000031000", "00A4040206A0000000031000", "80CA9F1700", "0084000000", "0020008008241235FFFFFFFFFF"))
	f.Add(script("", selectPPSE, selectAID, "80A8000023832127008000000000001250000000000000015600000000000156261122001122334400", "00B2010C00"))
	p := twoApplications(f)
	p.Applications[0].Contactless = &emv.Contactless{Phone: true, OnlinePIN: true, Funds: 5000}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, near := newProfile(t, p), false
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			command := b[1 : 1+n]
			b = b[1+n:]
			if n == 0 {
				c.Reset()
				near = !near
			}
			transmit := c.Transmit
			if near {
				transmit = c.Field().Transmit
			}
			answer := transmit(command)
			data, sw, err := emv.SplitResponse(answer)
			if err != nil || len(answer) > 258 {
				t.Fatalf("an answer of %d bytes", len(answer))
			}
			if sw != emv.SWOK && sw != emv.SWBlocked && len(data) != 0 {
				t.Fatalf("data with status %04X", sw)
			}
			if len(command) > 1 && command[1] == emv.INSGetChallenge {
				continue
			}
			if _, err := emv.Parse(data); err != nil {
				t.Fatalf("answer is no TLV: %v", err)
			}
		}
	})
}
