package emv

import (
	"bytes"
	"crypto/subtle"
)

// Card is a contact chip card with one payment application: SELECT, GET PROCESSING OPTIONS, READ
// RECORD, GENERATE AC and EXTERNAL AUTHENTICATE, on the level of APDUs. It does no risk management
// of its own: the first cryptogram is of the type that the terminal asks for.
//
// A Card belongs to one goroutine at a time.
type Card struct {
	app     Application
	valid   bool
	icc     []byte // card key
	fci     []byte
	files   []record
	counter uint16 // ATC; survives Reset, as in a card's memory
	session session
}

// phase is how far a transaction has come.
type phase int

const (
	phaseReset     phase = iota // no application selected
	phaseSelected               // SELECT done
	phaseInitiated              // GET PROCESSING OPTIONS done
	phaseOnline                 // an ARQC was given; the issuer's answer is awaited
	phaseDone                   // TC or AAC given
)

// issuerAuth is the outcome of EXTERNAL AUTHENTICATE.
type issuerAuth int

const (
	authNone issuerAuth = iota
	authPassed
	authFailed
)

// session is the card's volatile memory.
type session struct {
	phase phase
	auth  issuerAuth
	sk    []byte  // session key of the ARQC
	arqc  [8]byte // valid from phaseOnline
}

const (
	expectedAuthData = 10     // ARPC and response code
	maxCounter       = 0xFFFF // the ATC never wraps: such a card is worn out
)

// NewCard makes a card, freshly reset, whose transaction counter is 0. A card with an application
// that does not validate answers every command with 6F00; see Application.Validate.
func NewCard(a Application) *Card {
	a.ATR = bytes.Clone(a.ATR)
	a.AID = bytes.Clone(a.AID)
	c := &Card{app: a}
	if a.Validate() != nil {
		return c
	}
	icc, err := ICCMasterKey(a.MasterKey, a.PAN, a.sequence())
	if err != nil {
		return c
	}
	c.icc, c.fci, c.files, c.valid = icc, a.fci(), a.records(), true
	return c
}

// ATR returns the answer to reset; empty for a mute chip.
func (c *Card) ATR() []byte { return bytes.Clone(c.app.ATR) }

// Reset is a cold or warm reset, or the return of power: the transaction under way is forgotten.
// The transaction counter stays.
func (c *Card) Reset() { c.session = session{} }

// Transmit answers one short command APDU (ISO/IEC 7816-4): data and two status bytes. It takes
// any bytes and answers at least a status word.
func (c *Card) Transmit(command []byte) []byte {
	data, sw := c.execute(command)
	return append(bytes.Clone(data), byte(sw>>8), byte(sw))
}

// handler is one instruction of the card. accepts checks P1 and P2; run does the work.
type handler struct {
	cla     byte
	accepts func(p1, p2 byte) bool
	run     func(c *Card, p1, p2 byte, data []byte) ([]byte, uint16)
}

func handlerOf(ins byte) (handler, bool) {
	zero := func(p1, p2 byte) bool { return p1 == 0 && p2 == 0 }
	switch ins {
	case INSSelect: // by name; first or next occurrence
		return handler{0x00, func(p1, p2 byte) bool { return p1 == 4 && p2&^2 == 0 }, (*Card).doSelect}, true
	case INSReadRecord: // P1 is a record number
		return handler{0x00, func(p1, p2 byte) bool { return p1 != 0 && p2&7 == 4 }, (*Card).readRecord}, true
	case INSExternalAuthenticate:
		return handler{0x00, zero, (*Card).externalAuthenticate}, true
	case INSGetProcessingOptions:
		return handler{0x80, zero, (*Card).processingOptions}, true
	case INSGenerateAC:
		return handler{0x80, func(p1, p2 byte) bool {
			return p2 == 0 && (p1 == TypeAAC || p1 == TypeTC || p1 == TypeARQC)
		}, (*Card).generateAC}, true
	}
	return handler{}, false
}

// execute checks a command's header and length, in the order of ISO/IEC 7816-4, and runs it.
func (c *Card) execute(command []byte) ([]byte, uint16) {
	if !c.valid {
		return nil, SWNoDiagnosis
	}
	if len(command) < 4 {
		return nil, SWWrongLength
	}
	cla, ins, p1, p2 := command[0], command[1], command[2], command[3]
	if cla != 0x00 && cla != 0x80 {
		return nil, SWWrongCLA
	}
	h, known := handlerOf(ins)
	if !known {
		return nil, SWWrongINS
	}
	if cla != h.cla {
		return nil, SWWrongCLA
	}
	if !h.accepts(p1, p2) {
		return nil, SWWrongP1P2
	}
	data, ok := commandData(command)
	if !ok {
		return nil, SWWrongLength
	}
	return h.run(c, p1, p2, data)
}

// doSelect finds the application by its name or the beginning of it (EMV Book 1 §11.3). There is
// one application, so there is never a next one.
func (c *Card) doSelect(_, p2 byte, name []byte) ([]byte, uint16) {
	if len(name) < minAIDLength || len(name) > maxAIDLength {
		return nil, SWWrongLength
	}
	if p2 != 0 || !bytes.HasPrefix(c.app.AID, name) {
		return nil, SWFileNotFound
	}
	c.session = session{phase: phaseSelected}
	return c.fci, SWOK
}

// processingOptions starts a transaction (EMV Book 3 §6.5.8). There is no PDOL, so the command
// data are the empty template.
func (c *Card) processingOptions(_, _ byte, data []byte) ([]byte, uint16) {
	switch {
	case len(data) != 2:
		return nil, SWWrongLength
	case c.session.phase != phaseSelected || c.counter == maxCounter:
		return nil, SWConditions
	case data[0] != byte(TagCommand) || data[1] != 0:
		return nil, SWWrongData
	}
	c.counter++
	c.session.phase = phaseInitiated
	return template(List{{TagAIP, aip[:]}, {TagAFL, afl[:]}}), SWOK
}

// readRecord reads one record of the files that the AFL names (EMV Book 3 §6.5.11).
func (c *Card) readRecord(p1, p2 byte, data []byte) ([]byte, uint16) {
	if len(data) != 0 {
		return nil, SWWrongLength
	}
	if c.session.phase < phaseInitiated {
		return nil, SWConditions
	}
	for _, r := range c.files {
		if r.file == p2>>3 && r.number == p1 {
			return r.data, SWOK
		}
	}
	return nil, SWRecordNotFound
}

// externalAuthenticate checks the issuer's response cryptogram (EMV Book 3 §6.5.4), once a
// transaction and only after an ARQC.
func (c *Card) externalAuthenticate(_, _ byte, data []byte) ([]byte, uint16) {
	if len(data) != expectedAuthData {
		return nil, SWWrongLength
	}
	if c.session.phase != phaseOnline || c.session.auth != authNone {
		return nil, SWConditions
	}
	want, err := ResponseCryptogram(c.session.sk, c.session.arqc, [2]byte(data[8:]))
	if err != nil || subtle.ConstantTimeCompare(want[:], data[:8]) != 1 {
		c.session.auth = authFailed
		return nil, SWAuthFailed
	}
	c.session.auth = authPassed
	return nil, SWOK
}

// generateAC computes the first or the second cryptogram of a transaction (EMV Book 3 §6.5.5).
func (c *Card) generateAC(p1, _ byte, data []byte) ([]byte, uint16) {
	switch c.session.phase {
	case phaseInitiated:
		return c.firstAC(p1, data)
	case phaseOnline:
		return c.secondAC(p1, data)
	}
	return nil, SWConditions
}

// firstAC answers with the type asked for. After TC or AAC the transaction is over.
func (c *Card) firstAC(asked byte, data []byte) ([]byte, uint16) {
	values, ok := cdol1().Split(data)
	if !ok {
		return nil, SWWrongLength
	}
	answer, sk, ac, err := c.cryptogram(asked, cvrSecondNone|asked>>2, values)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	if asked == TypeARQC {
		c.session.phase, c.session.sk, c.session.arqc = phaseOnline, sk, ac
	} else {
		c.session.phase = phaseDone
	}
	return answer, SWOK
}

// secondAC approves when the terminal asks for it and the issuer proved itself; else it declines.
func (c *Card) secondAC(asked byte, data []byte) ([]byte, uint16) {
	values, ok := cdol2().Split(data)
	if !ok {
		return nil, SWWrongLength
	}
	given := TypeAAC
	if asked == TypeTC && c.session.auth == authPassed {
		given = TypeTC
	}
	results := given | TypeARQC>>2
	if c.session.auth == authFailed {
		results |= cvrAuthFailed
	}
	answer, _, _, err := c.cryptogram(given, results, values)
	if err != nil {
		return nil, SWNoDiagnosis
	}
	c.session.phase = phaseDone
	return answer, SWOK
}

// Bits of the CVR's first result byte (VIS): bits 8-7 the type of the second cryptogram (10: not
// asked for yet), bits 6-5 the type of the first, bit 4 issuer authentication failed.
const (
	cvrSecondNone byte = 0x80
	cvrAuthFailed byte = 0x08
)

// cryptogram builds the answer to GENERATE AC. results is the CVR's first result byte.
func (c *Card) cryptogram(kind, results byte, values List) (answer, sk []byte, ac [8]byte, err error) {
	atc := [2]byte{byte(c.counter >> 8), byte(c.counter)}
	iad := []byte{iadBodyLength, 0x01, cvn10, 0x03, results, 0x00, 0x00}
	data, err := CryptogramData(append(values, TLV{TagAIP, aip[:]}, TLV{TagATC, atc[:]}), iad)
	if err != nil {
		return nil, nil, ac, err
	}
	sk, ac, err = seal(c.icc, atc, data)
	if err != nil {
		return nil, nil, ac, err
	}
	return template(List{
		{TagCID, []byte{kind}}, {TagATC, atc[:]}, {TagCryptogram, ac[:]}, {TagIAD, iad},
	}), sk, ac, nil
}

// template wraps a response in format 2.
func template(l List) []byte { return List{{TagResponse2, l.Encode()}}.Encode() }
