package chameleon

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

// scripted is a chip made of prefixes and answers; what it does not know is 6A82.
type scripted struct {
	resets  int
	answers table
}

func (c *scripted) ATR() []byte { return nil }
func (c *scripted) Reset()      { c.resets++ }
func (c *scripted) Transmit(command []byte) []byte {
	if answer, ok := c.answers.find(command); ok {
		return answer
	}
	return []byte{0x6A, 0x82}
}

func ok(l emv.List) []byte { return append(l.Encode(), 0x90, 0x00) }

var aid = []byte{0xA0, 0x00, 0x00, 0x00, 0x03, 0x10, 0x10}

// magstripe is a contactless card that computes nothing: directory, application, options, records.
func magstripe(records int, extra emv.List) *scripted {
	entry := emv.List{{Tag: tagAID, Value: aid}}
	issuer := emv.List{{Tag: tagDirectoryEntry, Value: entry.Encode()}}
	prop := emv.List{{Tag: 0xBF0C, Value: issuer.Encode()}}
	c := &scripted{answers: table{
		{withoutLe(selectByName([]byte(ppse))), ok(emv.List{{Tag: emv.TagFCI, Value: emv.List{{Tag: emv.TagProprietary, Value: prop.Encode()}}.Encode()}})},
		{withoutLe(selectByName(aid)), ok(emv.List{{Tag: emv.TagFCI, Value: emv.List{
			{Tag: emv.TagDFName, Value: aid}, {Tag: emv.TagProprietary, Value: emv.List{{Tag: emv.TagPDOL, Value: []byte{0x9F, 0x66, 4}}}.Encode()},
		}.Encode()}})},
		{[]byte{0x80, 0xA8, 0, 0, 6, 0x83, 4}, ok(emv.List{{Tag: emv.TagResponse1, Value: []byte{0, 0, 1 << 3, 1, byte(records), 0}}})},
	}}
	for n := range records {
		l := append(emv.List{{Tag: emv.TagTrack2, Value: bytes.Repeat([]byte{byte(n)}, 19)}}, extra...)
		c.answers = append(c.answers, pair{[]byte{0, 0xB2, byte(n + 1), 1<<3 | 4}, ok(emv.List{{Tag: emv.TagRecord, Value: l.Encode()}})})
	}
	return c
}

func TestExplore(t *testing.T) {
	chip := magstripe(2, nil)
	got, live, err := explore(chip)
	if err != nil || len(live) != 0 {
		t.Fatalf("%v, live %v", err, live)
	}
	if len(got) != 5 || chip.resets != 2 {
		t.Fatalf("%d answers after %d resets, want 5 after 2", len(got), chip.resets)
	}
	// What a terminal sends, with its own data and with or without Le.
	for _, command := range [][]byte{
		selectByName([]byte(ppse)), withoutLe(selectByName(aid)), {0x80, 0xA8, 0, 0, 6, 0x83, 4, 1, 2, 3, 4, 0},
		{0, 0xB2, 2, 0x0C, 0},
	} {
		want := chip.Transmit(command)
		if answer, ok := got.find(command); !ok || !bytes.Equal(answer, want) {
			t.Errorf("%s is answered %x, want %x", name(command), answer, want)
		}
	}
	if got.String() != "table of 5 answers" {
		t.Errorf("a table shows its content: %v", got)
	}
}

func TestLimitsOfTheTable(t *testing.T) {
	big := magstripe(1, emv.List{{Tag: emv.TagName, Value: make([]byte, 226)}})
	two := magstripe(1, nil)
	other := append(bytes.Clone(aid[:6]), 0x11)
	both := emv.List{{Tag: tagDirectoryEntry, Value: emv.List{{Tag: tagAID, Value: aid}}.Encode()}, {Tag: tagDirectoryEntry, Value: emv.List{{Tag: tagAID, Value: other}}.Encode()}}
	two.answers[0].answer = ok(emv.List{{Tag: emv.TagFCI, Value: emv.List{{Tag: emv.TagProprietary, Value: both.Encode()}}.Encode()}})
	two.answers = append(two.answers, pair{withoutLe(selectByName(other)), two.answers[1].answer})
	pdol := magstripe(1, nil)
	pdol.answers[1].answer = ok(emv.List{{Tag: emv.TagPDOL, Value: []byte{0x9F}}})
	for _, c := range []struct {
		name string
		chip *scripted
		want string
	}{
		{"too many records", magstripe(10, nil), "more than 12 answers"},
		{"an answer too long", big, "at most 253"},
		{"two applications", two, "more than one application"},
		{"no application", &scripted{}, "no application"},
		{"a broken PDOL", pdol, "PDOL"},
	} {
		_, _, err := explore(c.chip)
		if limit := (*LimitError)(nil); !errors.As(err, &limit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a limit with %q", c.name, err, c.want)
		}
	}
	if _, _, err := explore(magstripe(9, nil)); err != nil {
		t.Errorf("12 answers: %v", err)
	}
}

func TestLiveCommands(t *testing.T) {
	withAC := magstripe(0, nil)
	withAC.answers[2].answer = ok(emv.List{{Tag: emv.TagResponse2, Value: emv.List{{Tag: emv.TagCryptogram, Value: make([]byte, 8)}}.Encode()}})
	for _, c := range []struct {
		name string
		chip *scripted
		want string
	}{
		{"CDOL1", magstripe(1, emv.List{{Tag: emv.TagCDOL1, Value: []byte{0x9F, 0x37, 4}}}), "GENERATE AC"},
		{"UDOL", magstripe(2, emv.List{{Tag: tagUDOL, Value: []byte{0x9F, 0x6A, 4}}}), "COMPUTE CRYPTOGRAPHIC CHECKSUM"},
		{"cryptogram in the options", withAC, "GET PROCESSING OPTIONS with a cryptogram"},
	} {
		table, live, err := explore(c.chip)
		if err != nil || len(live) != 1 || live[0] != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, live, err, c.want)
		}
		if _, ok := table.find([]byte{0x80, 0xA8, 0, 0, 6, 0x83}); ok == (c.name == "cryptogram in the options") {
			t.Errorf("%s: a stale cryptogram is in the table, or the options are not", c.name)
		}
	}
}

func TestPrefixClash(t *testing.T) {
	var full table
	long := bytes.Repeat([]byte{1}, MaxPrefix+1)
	if err := full.add(long, []byte{0x90, 0}); err != nil {
		t.Fatal(err)
	}
	if err := full.add(append(long[:MaxPrefix:MaxPrefix], 2), []byte{0x90, 0}); err != nil || len(full) != 1 {
		t.Errorf("same answer: %v, %d pairs", err, len(full))
	}
	if err := full.add(append(long[:MaxPrefix:MaxPrefix], 3), []byte{0x6A, 0x82}); err == nil {
		t.Error("two commands that differ in byte 17 only have different answers")
	}
}
