package emv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// Source: pyemv tests/test_sm_hsm.py, VIS PIN change with a transaction counter of FFFF; its MAC, not of
// VIS, is left out.
func TestPINChangePublished(t *testing.T) {
	card := func(imk string) []byte {
		key, err := emv.ICCMasterKey(fromHex(t, imk), "1234567890123456", "01")
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	m, err := emv.NewMessaging(card(publishedIMK), card("11111111111111112222222222222222"), [2]byte{0xFF, 0xFF}, [8]byte{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ pin, current, want string }{
		{"9999", "", "8424000218" + "D421231A6FD2F0FAEE671384F0D3A7B9"},
		{"9999", "8888", "8424000118" + "C29371CC36BA70C1EE671384F0D3A7B9"},
		{"999999999999", "888888888888", "8424000118" + "622066A74F1E974AEE671384F0D3A7B9"},
	} {
		command, err := m.PINChange(card("FEDCBA98765432100123456789ABCDEF"), tt.pin, tt.current)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "command", command[:len(command)-8], tt.want, nil)
	}
	for _, pins := range [][2]string{{"123", ""}, {"12345678901234", ""}, {"12A4", ""}, {"1234", "12"}} {
		if _, err := m.PINChange(card(publishedIMK), pins[0], pins[1]); !errors.Is(err, emv.ErrPIN) {
			t.Errorf("a bad PIN: %v", err)
		}
	}
}

func TestScript(t *testing.T) {
	s := emv.Script{Tag: emv.TagScript2, ID: []byte{1, 2, 3, 4}, Commands: [][]byte{fromHex(t, "841E000008 0102030405060708"), fromHex(t, "8418000000")}}
	// 72{9F18 86 86}
	want := "721D 9F180401020304 860D841E0000080102030405060708 86058418000000"
	got, err := s.Encode()
	same(t, "script", got, want, err)
	for name, prefix := range map[string]string{"alone": "", "behind the answer": "910A01020304050607083030", "padded": "0000"} {
		data, err := emv.Read(fromHex(t, prefix+want))
		if err != nil {
			t.Fatal(err)
		}
		back, err := emv.Scripts(data.List)
		if err != nil || len(back) != 1 || back[0].Tag != s.Tag || !bytes.Equal(back[0].ID, s.ID) || len(back[0].Commands) != 2 ||
			!bytes.Equal(back[0].Commands[1], s.Commands[1]) {
			t.Errorf("%s: %+v, %v", name, back, err)
		}
	}
}

func TestScriptRejects(t *testing.T) {
	for name, s := range map[string]emv.Script{
		"template 70":       {Tag: 0x70},
		"identifier of two": {Tag: emv.TagScript1, ID: []byte{1, 2}},
	} {
		if _, err := s.Encode(); !errors.Is(err, emv.ErrScript) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (emv.Script{Tag: emv.TagScript1, Commands: [][]byte{make([]byte, 126)}}).Encode(); !errors.Is(err, emv.ErrScriptLong) {
		t.Errorf("130 bytes: %v", err)
	}
	for name, text := range map[string]string{
		"identifier behind a command": "710C 8603841E00 9F180401020304",
		"identifier of two bytes":     "7105 9F18020102",
		"another object":              "7103 8A0100",
	} {
		if _, err := emv.Scripts(parsed(t, text)); !errors.Is(err, emv.ErrScript) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := emv.List{{Tag: emv.TagScript1, Value: []byte{0x86}}}
	if _, err := emv.Scripts(broken); !errors.Is(err, emv.ErrTruncated) {
		t.Errorf("a broken script: %v", err)
	}
	m, err := emv.NewMessaging(make([]byte, 16), make([]byte, 16), [2]byte{}, [8]byte{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Command(0x1E, 0, 0, make([]byte, 248)); !errors.Is(err, emv.ErrScriptLong) {
		t.Errorf("248 bytes of data: %v", err)
	}
	if _, err := m.Encipher(make([]byte, 240)); !errors.Is(err, emv.ErrScriptLong) {
		t.Errorf("240 bytes to encipher: %v", err)
	}
	for _, command := range []string{"", "841E0000", "841E000002FFFF", "801E0000080000000000000000"} {
		if _, err := m.Verify(fromHex(t, command)); !errors.Is(err, emv.ErrScript) {
			t.Errorf("command %s: %v", command, err)
		}
	}
}

// The card obeys a script with a right MAC, and only after an ARQC.
func TestCardScripts(t *testing.T) {
	for name, application := range versions(t) {
		t.Run(name, func(t *testing.T) { cardScripts(t, application) })
	}
}

func cardScripts(t *testing.T, application emv.Application) {
	application.ScriptKey = fromHex(t, smiKey)
	card := emv.NewCard(application)
	command := func(ins byte, m *terminal) []byte {
		key, err := emv.Scheme{CVN: application.CVN}.CardKey(application.ScriptKey, testPAN, "01")
		if err != nil {
			t.Fatal(err)
		}
		messages, err := emv.NewMessaging(key, key, [2]byte(m.value(m.data, emv.TagATC)), [8]byte(m.value(m.data, emv.TagCryptogram)))
		if err != nil {
			t.Fatal(err)
		}
		c, err := messages.Command(ins, 0, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	status := func(c []byte) string { return hexOf(card.Transmit(c)[:2]) }

	m := newTerminal(t, card)
	m.open()
	if got := status(fromHex(t, "841E0000080000000000000000")); got != "6985" {
		t.Fatalf("a script before the ARQC: %s", got)
	}
	m.generate(emv.TypeARQC, emv.TagCDOL1)
	wrong := command(emv.INSApplicationBlock, m)
	wrong[len(wrong)-1] ^= 1
	if got := status(wrong); got != "6988" {
		t.Fatalf("a wrong MAC: %s", got)
	}
	if got := status(command(emv.INSPINChange, m)); got != "9000" {
		t.Fatalf("PIN unblock: %s", got)
	}
	if got := status(command(emv.INSApplicationBlock, m)); got != "9000" {
		t.Fatalf("application block: %s", got)
	}
	card.Reset()
	if got := send(t, card, selectAID); got[len(got)-4:] != "6283" {
		t.Fatalf("SELECT of a blocked application: %s", got)
	}
	expect(t, card, getGPO, "9000")
	if got := send(t, card, askARQC); !strings.Contains(got, "9F270100") {
		t.Fatalf("a blocked application gives %s", got)
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name, in, strict string
		exact            bool
	}{
		{"strict", "9A03261122", "9A03261122", true},
		{"nothing", "", "", true},
		{"padding alone", "00FF00", "", false},
		{"before, between and after", "00009A03261122FF9C010000", "9A032611229C0100", false},
		{"lengths with needless bytes", "9A81032611229C82000100", "9A032611229C0100", false},
		{"in three bytes", "9A83000003261122", "9A03261122", false},
		{"a kernel's tag is no padding", "FF8105039C0100", "FF8105039C0100", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := fromHex(t, tt.in)
			got, err := emv.Read(in)
			if err != nil || hexOf(got.List.Encode()) != hexOf(fromHex(t, tt.strict)) {
				t.Fatalf("Read = %X, %v", got.List, err)
			}
			if got.Exact() != tt.exact || !bytes.Equal(got.Raw, fromHex(t, tt.in)) {
				t.Fatalf("exact %v, raw %X", got.Exact(), got.Raw)
			}
			clear(in)
			if !bytes.Equal(got.Raw, fromHex(t, tt.in)) {
				t.Fatal("Read shares memory with what it read")
			}
		})
	}
	// Inside of a template too, and its value is as it came.
	inside, err := emv.Read(fromHex(t, "7007 00 9A8103261122"))
	if err != nil {
		t.Fatal(err)
	}
	if date, ok := inside.List.Find(emv.TagDate); !ok || hexOf(date) != "261122" || inside.List.Encode()[2] != 0 {
		t.Fatalf("inside a template: %X", inside.List)
	}
}

func TestReadRejects(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"value cut":          {"9A0326", emv.ErrTruncated},
		"indefinite length":  {"7080 0000", emv.ErrLength},
		"four length bytes":  {"9A8400000001FF", emv.ErrLength},
		"padding in a tag":   {"9F", emv.ErrTruncated},
		"broken in template": {"70039A0326", emv.ErrTruncated},
	} {
		if _, err := emv.Read(fromHex(t, tt.in)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, err := emv.Read(make([]byte, emv.MaxSize+1)); !errors.Is(err, emv.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}

// FuzzRead: what Parse takes, Read takes alike; what Read takes keeps its bytes, and encoded is strict.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"00009A03261122FF9C010000", "9A83000003261122", "FF8105039C0100", "7007009A8103261122", "710C8603841E009F180401020304"} {
		f.Add(fromHex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := emv.Read(b)
		strict, strictErr := emv.Parse(b)
		if strictErr == nil && (err != nil || !bytes.Equal(strict.Encode(), got.List.Encode())) && !bytes.Contains(b, []byte{0xFF}) {
			t.Fatalf("strict takes it and lenient does not: %v", err)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(got.Raw, b) {
			t.Fatal("the bytes have changed")
		}
		if again, err := emv.Read(got.List.Encode()); err != nil || !bytes.Equal(again.List.Encode(), got.List.Encode()) {
			t.Fatalf("reading what was read: %v", err)
		}
		got.List.Find(emv.TagDate)
		if scripts, err := emv.Scripts(got.List); err == nil {
			for _, s := range scripts {
				if _, err := s.Encode(); err != nil && !errors.Is(err, emv.ErrScriptLong) {
					t.Fatalf("a script read can't be written: %v", err)
				}
			}
		}
	})
}
