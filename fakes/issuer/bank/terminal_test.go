package bank

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/pin"
	"github.com/assay-hil/assay/protocol/tdes"
)

// pinBlock is DE52.
func (w *world) pinBlock(number, pan string, a args) string {
	key := w.terminal(a.get("terminal", testTerminal)).pin
	block, err := pin.Seal(w.host.PINFormat, key, number, pan, strings.NewReader(strings.Repeat("x", 64)))
	if err != nil {
		w.fatalf("%v", err)
	}
	return strings.ToUpper(hex.EncodeToString(block))
}

// chip is DE55 of a card, CVN 18; the answer's key is kept to check the answer by.
func (w *world) chip(f map[int]string, c cards.Card, a args) {
	value := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			w.fatalf("%v", err)
		}
		return b
	}
	amount := f[4]
	if amount == "" {
		amount = pad("0", 12)
	}
	l := emv.List{
		{Tag: emv.TagAmount, Value: value(amount)}, {Tag: emv.TagAmountOther, Value: make([]byte, 6)},
		{Tag: emv.TagTerminalCountry, Value: value("0156")}, {Tag: emv.TagTVR, Value: value(a.get("tvr", "0000000000"))},
		{Tag: emv.TagCurrency, Value: value(a.get("chip-currency", "0156"))}, {Tag: emv.TagDate, Value: value("000102")},
		{Tag: emv.TagType, Value: value("00")}, {Tag: emv.TagUnpredictable, Value: value("11223344")},
		{Tag: emv.TagAIP, Value: value("1800")}, {Tag: emv.TagATC, Value: value("0007")},
		{Tag: emv.TagIAD, Value: value("06011203A00000")},
	}
	for word, tag := range map[string]uint32{"cvm": emv.TagCVMResults, "cid": emv.TagCID} {
		if said := a.get(word, ""); said != "" {
			l = append(l, emv.TLV{Tag: tag, Value: value(said)})
		}
	}
	if script := a.get("script-result", ""); script != "" {
		l = append(l, emv.TLV{Tag: 0xDF31, Value: value(script)})
	}
	key, psn := []byte("no chip, no key!"), "00"
	if c.Chip != nil {
		key, psn = c.Chip.MasterKey, c.Chip.Sequence
	}
	iad, _ := l.Find(emv.TagIAD)
	s, err := emv.SchemeOf(iad)
	must := func(err error) {
		if err != nil {
			w.fatalf("%v", err)
		}
	}
	must(err)
	icc, err := s.CardKey(key, c.PAN, psn)
	must(err)
	sk, err := s.SessionKey(icc, [2]byte{0, 7})
	must(err)
	data, err := s.Data(l, iad)
	must(err)
	ac, err := s.Cryptogram(sk, data)
	must(err)
	l = append(l, emv.TLV{Tag: emv.TagCryptogram, Value: ac[:]})
	f[55] = strings.ToUpper(hex.EncodeToString(l.Encode()))
	w.pending = sent{key: sk, ac: ac, chip: l}
}

// pack writes a request as the terminal does, with its MAC.
func (w *world) pack(op *hosts.Operation, m iso8583.Message, spoil bool) []byte {
	if w.host.Dialect.MAC == nil || op != nil && op.Plain {
		b, err := w.bank.codec.Pack(m)
		if err != nil {
			w.fatalf("%v", err)
		}
		return b
	}
	b, err := w.bank.codec.Seal(m, func(data []byte) ([]byte, error) {
		sum, err := mac.Sum(w.host.Dialect.MAC.Algorithm, w.terminal(m.Fields[41]).mac, data)
		if spoil && err == nil {
			sum[0] ^= 1
		}
		return sum, err
	})
	if err != nil {
		w.fatalf("%v", err)
	}
	return b
}

// keys takes the working keys out of a sign-on's answer, if their check values are right.
func (w *world) keys(m iso8583.Message) error {
	p, err := w.bank.codec.Path(w.host.Keys.Download)
	if err != nil {
		return err
	}
	value, _ := w.bank.codec.Get(m, p)
	raw, err := hex.DecodeString(value)
	if err != nil {
		return err
	}
	term := w.terminal(m.Fields[41])
	var keys [2][]byte
	for i, n := range []int{len(term.pin), len(term.mac)} {
		if len(raw) < n+4 {
			return fmt.Errorf("%d bytes left", len(raw))
		}
		if keys[i], err = tdes.Decrypt(w.host.Keys.Master, raw[:n]); err != nil {
			return err
		}
		check, err := tdes.KCV(keys[i], 4)
		if err != nil {
			return err
		}
		if string(check) != string(raw[n:n+4]) {
			return fmt.Errorf("key %d: the check value is wrong", i+1)
		}
		raw = raw[n+4:]
	}
	term.pin, term.mac = keys[0], keys[1]
	return nil
}
