package chameleon

import (
	"bytes"
	"fmt"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
)

// Instruction bytes (EMV Book 3 §6.5, EMV Contactless Book C-2 for the last).
const (
	insSelect     byte = 0xA4
	insProcessing byte = 0xA8
	insRead       byte = 0xB2
	insGenerate   byte = 0xAE
	insChecksum   byte = 0x2A
)

// Tags that decide what a terminal asks.
const (
	tagDirectoryEntry uint32 = 0x61
	tagAID            uint32 = 0x4F
	tagUDOL           uint32 = 0x9F69
)

// ppse is the name of the directory of contactless applications (EMV Contactless Book B §3.3).
const ppse = "2PAY.SYS.DDF01"

// knownAIDs are tried on a card without the directory.
func knownAIDs() [][]byte {
	return [][]byte{
		{0xA0, 0x00, 0x00, 0x00, 0x03, 0x10, 0x10},       // Visa
		{0xA0, 0x00, 0x00, 0x00, 0x04, 0x10, 0x10},       // Mastercard
		{0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x01}, // UnionPay debit
		{0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x02}, // UnionPay credit
		{0xA0, 0x00, 0x00, 0x00, 0x25, 0x01},             // American Express
		{0xA0, 0x00, 0x00, 0x00, 0x65, 0x10, 0x10},       // JCB
		{0xA0, 0x00, 0x00, 0x01, 0x52, 0x30, 0x10},       // Discover
	}
}

// explorer asks a chip what a terminal will ask, and fills the table with the answers.
type explorer struct {
	chip  rigs.Chip
	table table
	live  []string // commands that a terminal will send and that no table can answer
	// applications is how many the card has.
	applications int
}

// explore resets the chip and asks it: the directory, the applications, the processing options with
// zeros for the terminal's data, and the records. It leaves the chip reset; a transaction counter
// has gone up by one. The live commands are left out of the table. Errors: *LimitError, card.ErrAnswer,
// *card.PanicError.
func explore(chip rigs.Chip) (t table, live []string, err error) {
	e := &explorer{chip: chip}
	if err := card.Guard("Reset", chip.Reset); err != nil {
		return nil, nil, err
	}
	aids, err := e.directory()
	if err != nil {
		return nil, nil, err
	}
	for _, aid := range aids {
		if err := e.application(aid); err != nil {
			return nil, nil, err
		}
	}
	if err := card.Guard("Reset", chip.Reset); err != nil {
		return nil, nil, err
	}
	if e.applications == 0 {
		return nil, nil, &LimitError{Reason: "the card has no application that it could be asked about: neither the directory " + ppse + " nor a known AID"}
	}
	return e.table, e.live, nil
}

// ask sends one command and says whether the chip answered with data that count.
func (e *explorer) ask(command []byte) (answer []byte, ok bool, err error) {
	if answer, err = card.Transmit(e.chip, command); err != nil {
		return nil, false, err
	}
	data, sw, err := emv.SplitResponse(answer)
	if err != nil { // a mute chip
		return nil, false, nil
	}
	return answer, len(data) > 0 && (sw == emv.SWOK || sw == emv.SWBlocked), nil
}

// directory selects the PPSE and gives the AIDs of its entries, or those that are known.
func (e *explorer) directory() ([][]byte, error) {
	answer, ok, err := e.ask(selectByName([]byte(ppse)))
	if err != nil || answer == nil {
		return knownAIDs(), err
	}
	if err := e.table.add(withoutLe(selectByName([]byte(ppse))), answer); err != nil {
		return nil, err
	}
	if !ok {
		return knownAIDs(), nil
	}
	fci, err := emv.Read(answer[:len(answer)-2])
	if err != nil {
		return nil, nil // the terminal is to see it as it is
	}
	return entries(fci.List), nil
}

// entries collects the AIDs of directory entries at any depth.
func entries(l emv.List) [][]byte {
	var aids [][]byte
	for _, object := range l {
		inside, err := emv.Read(object.Value)
		if err != nil {
			continue
		}
		switch object.Tag {
		case tagDirectoryEntry:
			if aid, ok := inside.List.Find(tagAID); ok {
				aids = append(aids, bytes.Clone(aid))
			}
		case emv.TagFCI, emv.TagProprietary, 0xBF0C:
			aids = append(aids, entries(inside.List)...)
		}
	}
	return aids
}

// application asks one application. One that is not there is answered like that.
func (e *explorer) application(aid []byte) error {
	command := selectByName(aid)
	answer, ok, err := e.ask(command)
	if err != nil || !ok {
		return err
	}
	if e.applications++; e.applications > 1 {
		return &LimitError{Reason: "the card has more than one application, and a table can't tell whose processing options are asked for"}
	}
	if err := e.table.add(withoutLe(command), answer); err != nil {
		return err
	}
	fci, err := emv.Read(answer[:len(answer)-2])
	if err != nil {
		return nil
	}
	return e.processing(fci.List)
}

// processing asks for the processing options and then for the records that they name.
func (e *explorer) processing(fci emv.List) error {
	length := 0
	if pdol, ok := fci.Find(emv.TagPDOL); ok {
		dol, err := emv.ParseDOL(pdol)
		if err != nil {
			return &LimitError{Reason: "the card's PDOL can't be read"}
		}
		length = dol.Length()
	}
	data := emv.List{{Tag: emv.TagCommand, Value: make([]byte, length)}}.Encode()
	answer, ok, err := e.ask(emv.BuildCommand(0x80, insProcessing, 0, 0, data, 0))
	if err != nil || answer == nil {
		return err
	}
	options, _ := emv.Read(answer[:len(answer)-2])
	if _, cryptogram := options.List.Find(emv.TagCryptogram); cryptogram {
		e.need("GET PROCESSING OPTIONS with a cryptogram")
	} else if err := e.table.add([]byte{0x80, insProcessing, 0, 0}, answer); err != nil {
		return err
	}
	if !ok {
		return nil
	}
	return e.records(locator(options.List))
}

// locator finds the application file locator in either format of the answer (EMV Book 3 §6.5.8.4).
func locator(options emv.List) []byte {
	const aipSize = 2
	if afl, ok := options.Find(emv.TagAFL); ok {
		return afl
	}
	if value, ok := options.Find(emv.TagResponse1); ok && len(value) > aipSize {
		return value[aipSize:]
	}
	return nil
}

// records reads every record that the locator names.
func (e *explorer) records(afl []byte) error {
	for ; len(afl) >= 4; afl = afl[4:] {
		file, first, last := afl[0]>>3, afl[1], afl[2]
		for n := int(first); n <= int(last) && n > 0; n++ {
			command := emv.BuildCommand(0x00, insRead, byte(n), file<<3|4, nil, 0)
			answer, _, err := e.ask(command)
			if err != nil {
				return err
			}
			if answer == nil {
				continue
			}
			if err := e.table.add(withoutLe(command), answer); err != nil {
				return err
			}
			e.demands(answer)
		}
	}
	return nil
}

// demands notes what a record makes a terminal ask.
func (e *explorer) demands(answer []byte) {
	record, err := emv.Read(answer[:len(answer)-2])
	if err != nil {
		return
	}
	if _, ok := record.List.Find(emv.TagCDOL1); ok {
		e.need("GENERATE AC")
	}
	if _, ok := record.List.Find(tagUDOL); ok {
		e.need("COMPUTE CRYPTOGRAPHIC CHECKSUM")
	}
}

func (e *explorer) need(live string) {
	for _, known := range e.live {
		if known == live {
			return
		}
	}
	e.live = append(e.live, live)
}

// selectByName is SELECT by name, first occurrence.
func selectByName(name []byte) []byte {
	return emv.BuildCommand(0x00, insSelect, 0x04, 0x00, name, 0)
}

// withoutLe drops the last byte of a command that ends with Le, so that a terminal may leave it out.
func withoutLe(command []byte) []byte { return command[:len(command)-1] }

// String keeps a table's content out of every message.
func (t table) String() string { return fmt.Sprintf("table of %d answers", len(t)) }
