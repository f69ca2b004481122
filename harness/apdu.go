package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/mask"
	"github.com/assay-hil/assay/rigs"
)

// Instructions of ISO/IEC 7816-4 and EMV Book 3 whose data can be told apart.
const (
	insVerify     = 0x20
	insSelect     = 0xA4
	insGenerateAC = 0xAE
	insGPO        = 0xA8
)

// shownTags are the data objects whose values may be recorded: none of them is card or cardholder data.
// What is not listed is recorded as its length.
var shownTags = []uint32{
	0x4F, 0x50, 0x80, 0x82, 0x84, 0x87, 0x88, 0x8A, 0x8C, 0x8D, 0x8E, 0x8F, 0x91, 0x94, 0x95, 0x9A, 0x9B, 0x9C,
	0x5F28, 0x5F2A, 0x5F2D, 0x5F30, 0x5F34, 0x5F36,
	0x9F02, 0x9F03, 0x9F06, 0x9F07, 0x9F08, 0x9F09, 0x9F0D, 0x9F0E, 0x9F0F, 0x9F10, 0x9F11, 0x9F12, 0x9F15,
	0x9F1A, 0x9F1B, 0x9F1E, 0x9F21, 0x9F26, 0x9F27, 0x9F32, 0x9F33, 0x9F34, 0x9F35, 0x9F36, 0x9F37, 0x9F38, 0x9F40,
	0x9F41, 0x9F42, 0x9F44, 0x9F4A, 0x9F4C, 0x9F4D, 0x9F4E, 0x9F4F, 0x9F66, 0x9F6C, 0xDF31,
}

// groupBytes is after how many bytes a value's hexadecimal has a slash: so no value makes a run of digits as long
// as a card number, which package mask would hide.
const groupBytes = 4

// apduTrace writes down what passed between terminal and card: a line for each data object, indented by
// depth, as "TAG HEX" or "TAG [n bytes]" where the value is not for the record. It remembers the
// card's object lists, by which a terminal's data are split.
type apduTrace struct {
	pdol, cdol emv.DOL
	cdol2      emv.DOL
	generated  bool
}

// fields tells of an event at the card. Of a reset or the like there is nothing to tell.
func (t *apduTrace) fields(e rigs.CardEvent, card *cards.Card) map[string]string {
	x := e.Exchange
	if x == nil {
		*t = apduTrace{}
		return nil
	}
	f := map[string]string{
		"command_bytes":  strconv.Itoa(len(x.Command)),
		"response_bytes": strconv.Itoa(len(x.Response)),
		"took_us":        strconv.FormatInt(x.Took.Microseconds(), 10),
	}
	if len(x.Command) >= 2 {
		f["instruction"] = upper(x.Command[:2])
	}
	if len(x.Command) >= 4 {
		f["parameters"] = upper(x.Command[2:4])
	}
	if n := len(x.Response); n >= 2 {
		f["status"] = upper(x.Response[n-2:])
	}
	secret := secretOf(card)
	f["command"] = t.command(x.Command, secret)
	f["response"] = t.response(x, secret)
	return f
}

func upper(b []byte) string {
	const digits = "0123456789ABCDEF"
	var most [512]byte
	h := most[:0]
	for _, c := range b {
		h = append(h, digits[c>>4], digits[c&0xF])
	}
	return string(h)
}

// secret is the card number in the forms in which a value can hide it.
type secret struct{ pan, ascii string }

func secretOf(card *cards.Card) secret {
	if card == nil {
		return secret{}
	}
	return secret{card.PAN, upper([]byte(card.PAN))}
}

func (s secret) in(value []byte) bool {
	h := upper(value)
	return s.pan != "" && (strings.Contains(h, s.pan) || strings.Contains(h, s.ascii))
}

// command tells a command's data: by what the instruction is, for data objects are named only by the card.
func (t *apduTrace) command(c []byte, s secret) string {
	if len(c) < 6 || len(c) < 5+int(c[4]) || c[4] == 0 {
		return ""
	}
	data := c[5 : 5+int(c[4])]
	switch c[1] {
	case insVerify:
		return bytesHidden(data)
	case insSelect:
		return line(0, 0x4F, data, s)
	case insGPO:
		if list, err := emv.Parse(data); err == nil && len(list) == 1 && list[0].Tag == emv.TagCommand {
			return "83\n" + t.split(t.pdol, list[0].Value, s)
		}
	case insGenerateAC:
		list := t.cdol
		if t.generated && t.cdol2 != nil {
			list = t.cdol2
		}
		t.generated = true
		return t.split(list, data, s)
	}
	return bytesHidden(data)
}

// split names the parts of data that were sent without tags, by the list with which the card asked for
// them.
func (t *apduTrace) split(dol emv.DOL, data []byte, s secret) string {
	list, ok := dol.Split(data)
	if !ok || dol == nil {
		return bytesHidden(data)
	}
	return write(list, 1, s)
}

// response tells the answer's data objects, and keeps the lists that are among them.
func (t *apduTrace) response(x *rigs.Exchange, s secret) string {
	if len(x.Response) <= 2 {
		return ""
	}
	data := x.Response[:len(x.Response)-2]
	read, err := emv.Read(data)
	if err != nil {
		return bytesHidden(data)
	}
	for tag, dol := range map[uint32]*emv.DOL{emv.TagPDOL: &t.pdol, emv.TagCDOL1: &t.cdol, emv.TagCDOL2: &t.cdol2} {
		if value, ok := read.List.Find(tag); ok {
			if parsed, err := emv.ParseDOL(value); err == nil {
				*dol = parsed
			}
		}
	}
	return write(read.List, 0, s)
}

func write(list emv.List, depth int, s secret) string {
	var lines []string
	for _, o := range list {
		if constructedTag(o.Tag) {
			if inside, err := emv.Read(o.Value); err == nil {
				lines = append(lines, strings.Repeat(" ", depth)+fmt.Sprintf("%X", o.Tag))
				if len(inside.List) > 0 {
					lines = append(lines, write(inside.List, depth+1, s))
				}
				continue
			}
		}
		lines = append(lines, line(depth, o.Tag, o.Value, s))
	}
	return strings.Join(lines, "\n")
}

// constructedTag reports whether a tag's value is a list itself: bit 6 of its first byte (ISO/IEC 8825-1, 8.1.2.5).
func constructedTag(tag uint32) bool {
	for tag > 0xFF {
		tag >>= 8
	}
	return tag&0x20 != 0
}

func line(depth int, tag uint32, value []byte, s secret) string {
	shown := bytesHidden(value)
	digits, _, _ := strings.Cut(strings.TrimRight(upper(value), "F"), "D")
	switch {
	case tag == emv.TagPAN || tag == emv.TagTrack2:
		shown = mask.PAN(digits)
	case slices.Contains(shownTags, tag) && !s.in(value):
		shown = grouped(tag, value)
	}
	return strings.Repeat(" ", depth) + fmt.Sprintf("%X %s", tag, shown)
}

// grouped is a value's hexadecimal with slashes: in an AID between the provider's identifier (5 bytes, ISO/IEC
// 7816-5) and its extension.
func grouped(tag uint32, value []byte) string {
	first := groupBytes
	if tag == 0x4F || tag == emv.TagDFName || tag == 0x9F06 {
		first = 5
	}
	var parts []string
	for len(value) > first {
		parts = append(parts, upper(value[:first]))
		value, first = value[first:], groupBytes
	}
	return strings.Join(append(parts, upper(value)), "/")
}

func bytesHidden(b []byte) string { return fmt.Sprintf("[%d bytes]", len(b)) }
