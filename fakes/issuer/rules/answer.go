package rules

import (
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Limits of an answer.
const (
	MaxLate   = 10 * time.Minute // also of an unsolicited message and of a host that is down
	MaxGap    = time.Minute      // between two pieces
	MaxCopies = 16
	MaxJunk   = 1024 // bytes
	MaxScript = 128  // bytes of issuer script commands (EMV book 3, 10.10)
	MaxLength = 9999 // bytes that a wrong length may be wrong by
)

// answer is an answer made ready for use. It does not change.
type answer struct {
	source client.Answer
	plain  bool // the reply goes out as it is, at once or late
	copy   []iso8583.Path
	set    []assignment
	drop   []int
	noMAC  bool // the MAC field is one of those dropped
	arpc   iso8583.Path
	junk   []byte
	length func(iso8583.Framing, int) int // what the frame says of so many bytes; nil: the truth
}

// assignment is a value for a path.
type assignment struct {
	path  iso8583.Path
	value string
}

// plain says if an answer is by the books, at once and as it is. A list without entries asks for nothing.
func plain(a client.Answer) bool {
	v := reflect.ValueOf(a)
	for i := range v.NumField() {
		if !empty(v.Field(i)) {
			return false
		}
	}
	return true
}

// reader reads one answer.
type reader struct {
	terms Terms
	c     *complaints
	place []string
	out   *answer
}

func (r *reader) wrong(key, format string, args ...any) {
	r.c.add(at(r.place, key), format, args...)
}

func newAnswer(a client.Answer, t Terms, c *complaints, place []string) *answer {
	r := &reader{terms: t, c: c, place: place, out: &answer{source: a}}
	r.code(a)
	r.approve(a.Approve)
	r.message(a)
	r.bytes(a)
	r.delivery(a)
	r.exclusions(a)
	if a.Unsolicited != nil {
		r.unsolicited(*a.Unsolicited)
	}
	shape := a
	shape.Late, shape.Code, shape.Reason, shape.Approve, shape.Unsolicited, shape.Restart = 0, "", "", nil, nil, nil
	r.out.plain = plain(shape)
	return r.out
}

// code checks what a message is refused with.
func (r *reader) code(a client.Answer) {
	switch {
	case a.Code != "" && a.Reason != "":
		r.wrong("reason", "code and reason exclude each other")
	case a.Code != "":
		if !r.fits(fieldCode, a.Code) {
			r.wrong("code", "%q: want %d characters of field 39", a.Code, r.terms.Codec.Dialect().Fields[fieldCode].Length)
		}
	case a.Reason != "":
		if _, known := r.terms.Host.Codes[a.Reason]; !known {
			r.wrong("reason", "%s", strict.UnknownMessage("reason", a.Reason, slices.Sorted(maps.Keys(r.terms.Host.Codes))))
		}
	}
}

// fits says if the dialect can write this value of a field.
func (r *reader) fits(field int, value string) bool {
	_, err := r.terms.Codec.Pack(iso8583.Message{MTI: anyMTI, Fields: map[int]string{field: value}})
	return err == nil
}

// anyMTI stands in messages that are only made to see if they can be packed.
const anyMTI = "0210"

// shortestAPDU is a command's header (ISO/IEC 7816-4, 5.1).
const shortestAPDU = 4

// Fields of an approval.
const (
	fieldRRN           = 37
	fieldAuthorisation = 38
)

func (r *reader) approve(a *client.Approve) {
	if a == nil {
		return
	}
	if a.Authorisation != "" && !r.fits(fieldAuthorisation, a.Authorisation) {
		r.wrong("approve", "authorisation: not a value of field %d", fieldAuthorisation)
	}
	if a.RRN != "" && !r.fits(fieldRRN, a.RRN) {
		r.wrong("approve", "rrn: not a value of field %d", fieldRRN)
	}
	if a.Amount < 0 {
		r.wrong("approve", "amount %d: want minor units, or 0 for the whole amount", a.Amount)
	}
	total := 0
	for _, command := range a.Script {
		raw, err := hex.DecodeString(command)
		if err != nil || len(raw) < shortestAPDU {
			r.wrong("approve", "script: want commands of %d bytes or more in hexadecimal", shortestAPDU)
		}
		total += len(raw)
	}
	if total > MaxScript {
		r.wrong("approve", "script: %d bytes, at most %d", total, MaxScript)
	}
	if a.BadKCV && r.terms.Host.Keys.Download == "" {
		r.wrong("approve", "bad-kcv: a sign-on of this dialect downloads no keys")
	}
}

// message reads what changes fields.
func (r *reader) message(a client.Answer) {
	codec := r.terms.Codec
	for _, text := range a.Copy {
		p, err := codec.Path(text)
		if err != nil {
			r.wrong("copy", "%v", err)
		}
		r.out.copy = append(r.out.copy, p)
	}
	r.out.set = r.values(a.Set, "set")
	mac := codec.Dialect().MAC
	for i, text := range a.Drop {
		p, err := codec.Path(text)
		switch {
		case err != nil:
			r.wrong("drop", "%v", err)
			continue
		case text != strconv.Itoa(p.Field()):
			r.wrong("drop", "%q: want the number of a field, which goes as a whole", text)
		case slices.Contains(a.Drop[:i], text):
			r.wrong("drop", "field %s is given twice", text)
		}
		if _, set := a.Set[text]; set {
			r.wrong("drop", "field %s is set as well", text)
		}
		r.out.drop = append(r.out.drop, p.Field())
		r.out.noMAC = r.out.noMAC || mac != nil && mac.Field == p.Field()
	}
	for i, word := range a.Wrong {
		switch {
		case !slices.Contains(client.Wrongs, word):
			r.wrong("wrong", "%s", strict.UnknownMessage("word", word, client.Wrongs))
		case slices.Contains(a.Wrong[:i], word):
			r.wrong("wrong", "%q is given twice", word)
		case word == "mac" && (mac == nil || r.out.noMAC):
			r.wrong("wrong", "mac: the messages of this dialect, or this answer, have none")
		case word == "arpc":
			r.arpc()
		}
	}
}

// arpc finds the tag of issuer authentication data (EMV book 3, annex A: 91).
func (r *reader) arpc() {
	for _, n := range slices.Sorted(maps.Keys(r.terms.Codec.Dialect().Fields)) {
		if !r.terms.Codec.Dialect().Fields[n].TLV {
			continue
		}
		if p, err := r.terms.Codec.Path(fmt.Sprintf("%d.91", n)); err == nil {
			r.out.arpc = p
			return
		}
	}
	r.wrong("wrong", "arpc: the messages of this dialect have no chip data")
}

// values reads values by path.
func (r *reader) values(all map[string]string, key string) (list []assignment) {
	codec := r.terms.Codec
	for _, text := range slices.Sorted(maps.Keys(all)) {
		value := all[text]
		p, err := codec.Path(text)
		if err != nil {
			r.wrong(key, "%v", err)
			continue
		}
		f := codec.Dialect().Fields[p.Field()]
		if f.Type == "b" { // messages have it as hexadecimal in capitals
			value = strings.ToUpper(value)
		}
		whole := text == strconv.Itoa(p.Field())
		_, inside, _ := strings.Cut(text, ".")
		open := f.Sensitive == "" || f.TLV && (whole && OpenData(value) || !whole && !cardTag(inside))
		switch {
		case !open:
			r.wrong(key, "%s: card data are not written down", text)
			continue
		case key == "set" && codec.Dialect().MAC != nil && codec.Dialect().MAC.Field == p.Field():
			r.wrong(key, "%s: the MAC is made by the issuer; wrong: [mac] makes it wrong", text)
			continue
		}
		if whole || f.TLV || text == "mti" {
			trial := iso8583.Message{MTI: anyMTI, Fields: map[int]string{}}
			err := codec.Set(&trial, p, value)
			if err == nil {
				_, err = codec.Pack(trial)
			}
			if err != nil {
				r.wrong(key, "%v", err)
				continue
			}
		}
		list = append(list, assignment{p, value})
	}
	return list
}

// unsolicited reads a message that a rule sends.
func (r *reader) unsolicited(u client.Unsolicited) {
	if u.Terminal != "" {
		r.wrong("unsolicited", "terminal: a rule answers on the connection that was asked on")
	}
	if u.After < 0 || u.After > MaxLate {
		r.wrong("unsolicited", "after %v: want 0 to %v", u.After, MaxLate)
	}
	if _, err := r.terms.Codec.Pack(iso8583.Message{MTI: u.MTI, Fields: map[int]string{}}); err != nil {
		r.wrong("unsolicited", "mti %q: want four digits", u.MTI)
	}
	r.values(u.Fields, "unsolicited")
}
