package kernel

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/oda"
	"github.com/assay-hil/assay/protocol/track"
)

// Session is one card's transaction. It belongs to one goroutine.
type Session struct {
	*Kernel
	card Card
	talk Dialogue
	tx   Transaction

	app      Application       // the terminal's settings of the chosen one
	terminal map[uint32][]byte // what the terminal knows
	said     map[uint32][]byte // what the card has said, the newest
	static   []byte            // records that take part in offline data authentication
	tvr      TVR
	tsi      TSI
	cvm      [3]byte
	method   method
	iccKey   *oda.PublicKey // for CDA
	asked    [3][]byte      // data of PDOL, CDOL1 and CDOL2 as they were sent
	kind     byte           // of the last cryptogram
	result   Result
	over     bool // Complete was called, or there is nothing to complete
}

// begin makes a session with what is known before the card says anything.
func (k *Kernel) begin(card Card, talk Dialogue, tx Transaction) *Session {
	s := &Session{Kernel: k, card: card, talk: talk, tx: tx, said: map[uint32][]byte{}}
	s.terminal = map[uint32][]byte{
		emv.TagAmount:          digits(fmt.Sprintf("%012d", tx.Amount)),
		emv.TagAmountOther:     digits(fmt.Sprintf("%012d", tx.Other)),
		emv.TagCurrency:        digits("0" + k.cfg.Currency),
		emv.TagTerminalCountry: digits("0" + k.cfg.Country),
		emv.TagDate:            digits(tx.At.Format("060102")),
		tagTime:                digits(tx.At.Format("150405")),
		emv.TagType:            {tx.Type},
		emv.TagCapabilities:    k.cfg.Capabilities[:],
		tagAdditional:          k.cfg.Additional[:],
		emv.TagTerminalType:    {k.cfg.Type},
		emv.TagUnpredictable:   tx.Unpredictable[:],
		tagTransactionCounter:  digits(fmt.Sprintf("%08d", tx.Sequence)),
	}
	return s
}

// Tags that package emv has no name for.
const (
	tagPreferredName      uint32 = 0x9F12
	tagCodeTable          uint32 = 0x9F11
	tagADFName            uint32 = 0x4F
	tagDirectoryEntry     uint32 = 0x61
	tagSFI                uint32 = 0x88
	tagEffective          uint32 = 0x5F25
	tagTerminalVersion    uint32 = 0x9F09
	tagCardVersion        uint32 = 0x9F08
	tagLowerLimit         uint32 = 0x9F14
	tagUpperLimit         uint32 = 0x9F23
	tagLastOnline         uint32 = 0x9F13
	tagPINCounter         uint32 = 0x9F17
	tagAppCurrency        uint32 = 0x9F42
	tagTime               uint32 = 0x9F21
	tagAdditional         uint32 = 0x9F40
	tagTransactionCounter uint32 = 0x9F41
	tagTTQ                uint32 = 0x9F66
	tagCTQ                uint32 = 0x9F6C
	tagFormFactor         uint32 = 0x9F6E
	tagAuthRelated        uint32 = 0x9F69
)

// Result is what is known by now.
func (s *Session) Result() Result { return s.result }

// lookup finds a data object; what the terminal knows the card can't redefine.
func (s *Session) lookup(tag uint32) ([]byte, bool) {
	switch tag { // these change all the time
	case emv.TagTVR:
		return s.tvr[:], true
	case emv.TagTSI:
		return s.tsi[:], true
	case emv.TagCVMResults:
		return s.cvm[:], true
	}
	if value, ok := s.terminal[tag]; ok {
		return value, true
	}
	value, ok := s.said[tag]
	return value, ok
}

// dol builds the data that a list of the card asks for. A card without the list gets none.
func (s *Session) dol(list []byte) ([]byte, error) {
	wanted, err := emv.ParseDOL(list)
	if err != nil {
		return nil, stopData
	}
	return wanted.Build(s.lookup), nil
}

// hear keeps what the card said, the inside of templates too; a newer value replaces an older one.
func (s *Session) hear(objects emv.List) {
	for _, o := range objects {
		if template(o.Tag) {
			if inside, err := emv.Read(o.Value); err == nil {
				s.hear(inside.List)
				continue
			}
		}
		s.said[o.Tag] = o.Value
	}
}

// template says whether a tag is of a constructed object (bit 6 of its first byte).
func template(tag uint32) bool {
	for tag > 0xFF {
		tag >>= 8
	}
	return tag&0x20 != 0
}

// settle turns what ended the work into the session's result; other errors are the caller's.
func (s *Session) settle(err error) error {
	var end stop
	if err != nil && !errors.As(err, &end) {
		return err
	}
	s.describe()
	if err != nil {
		s.result.Outcome, s.result.Reason = end.outcome, end.reason
		s.over = true
	}
	return nil
}

// describe brings the result up to date.
func (s *Session) describe() {
	r := &s.result
	r.TVR, r.TSI, r.CVM = s.tvr, s.tsi, s.cvm
	r.AID = s.said[emv.TagDFName]
	r.Label = s.label(s.said)
	r.PAN, r.Expiry, r.Track2, r.Sequence = s.account()
	r.Data = s.data()
}

// account reads the card's number and dates, from tag 57 where others are missing. What can't be right is left out.
func (s *Session) account() (pan, expiry, track2, sequence string) {
	if equivalent, ok := s.said[emv.TagTrack2]; ok {
		text := strings.TrimSuffix(strings.ToUpper(hex.EncodeToString(equivalent)), "F")
		if t, err := track.Parse2(strings.Replace(text, "D", "=", 1)); err == nil {
			pan, expiry, track2 = t.PAN, t.Expiry, t.String()
		}
	}
	if number, ok := s.said[emv.TagPAN]; ok {
		pan = strings.TrimRight(strings.ToUpper(hex.EncodeToString(number)), "F")
	}
	if date := s.said[emv.TagExpiry]; len(date) == 3 {
		expiry = hex.EncodeToString(date[:2])
	}
	if value := s.said[emv.TagSequence]; len(value) == 1 {
		sequence = hex.EncodeToString(value)
	}
	return pan, expiry, track2, sequence
}

// usable says that number and dates can go into a message.
func (s *Session) usable() bool {
	pan, expiry, _, sequence := s.account()
	return len(pan) >= 8 && len(pan) <= 19 && decimal(pan) && len(expiry) == 4 && decimal(expiry) && decimal(sequence)
}

// maxData is what DE55 can carry, in bytes.
const maxData = 255

// data are the objects for the host: the cryptogram and all that its checking takes (EMV Book 4 §12.1.1).
func (s *Session) data() emv.List {
	var data emv.List
	size := 0
	for _, tag := range []uint32{
		emv.TagCryptogram, emv.TagCID, emv.TagIAD, emv.TagUnpredictable, emv.TagATC, emv.TagTVR,
		emv.TagDate, emv.TagType, emv.TagAmount, emv.TagCurrency, emv.TagAIP, emv.TagTerminalCountry,
		emv.TagAmountOther, emv.TagCapabilities, emv.TagCVMResults, emv.TagTerminalType,
		emv.TagDFName, tagTerminalVersion, tagTransactionCounter, tagFormFactor,
	} {
		value, ok := s.lookup(tag)
		if !ok {
			continue
		}
		object := emv.TLV{Tag: tag, Value: value}
		if size += len(emv.List{object}.Encode()); size > maxData {
			return nil
		}
		data = append(data, object)
	}
	return data
}

// complete says whether everything is there that the issuer needs to check the cryptogram.
func (s *Session) checkable() bool {
	for _, tag := range []uint32{emv.TagCryptogram, emv.TagCID, emv.TagIAD, emv.TagATC, emv.TagAIP} {
		if _, ok := s.said[tag]; !ok {
			return false
		}
	}
	return s.data() != nil
}

// digits packs decimal or hexadecimal digits, which here are numbers and dates of the terminal's own making.
func digits(text string) []byte {
	packed, err := hex.DecodeString(text)
	if err != nil {
		panic(fmt.Sprintf("kernel: %d characters are no packed digits", len(text)))
	}
	return packed
}

// powerOn resets the card.
func (s *Session) powerOn(ctx context.Context) error {
	switch _, err := s.card.PowerOn(ctx); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrRemoved):
		return stopRemoved
	}
	return stop{Fallback, Mute}
}

// forget clears what another application of the card said.
func (s *Session) forget() {
	clear(s.said)
	s.static = nil
}

func (s *Session) choose(app Application, fci map[uint32][]byte) {
	s.forget()
	s.app = app
	maps.Copy(s.said, fci)
	s.terminal[tagTerminalVersion] = app.Version[:]
}
