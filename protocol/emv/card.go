package emv

import (
	"bytes"
	"slices"
	"time"
)

// Card is a chip card on the level of APDUs: SELECT by name (with partial names and next occurrence, over one or
// several applications and the directories), GET PROCESSING OPTIONS, READ RECORD, GET DATA, GET CHALLENGE, VERIFY,
// INTERNAL AUTHENTICATE, GENERATE AC, EXTERNAL AUTHENTICATE and the script commands CARD BLOCK, APPLICATION BLOCK, APPLICATION
// UNBLOCK, PIN CHANGE/UNBLOCK and PUT DATA. What it decides and how it misbehaves are data, see Profile and Application.
//
// Its own methods are its contacts; Field is its other interface. A Card belongs to one goroutine at a time.
type Card struct {
	profile Profile
	valid   bool
	apps    []*applet

	// Memory that survives Reset.
	blocked bool // CARD BLOCK
	pin     string
	tries   byte
	faults  []faultState
	random  generator

	face    string // the interface that is alive
	session session
}

// applet is an application on a card, and its memory that survives Reset.
type applet struct {
	app      Application
	scheme   Scheme
	icc      []byte // card key for cryptograms
	messages []byte // card key for secure messaging
	contact  personality
	tapped   personality // zero without a contactless side

	counter    uint16 // ATC
	lastOnline uint16
	blocked    bool // APPLICATION BLOCK
	offline    byte // approvals in a row without the issuer
	// lower and upper are the limits of offline, which PUT DATA may change.
	lower, upper byte
	scripts      scriptReport // of the last transaction
	// verified: the phone's owner has identified himself; asked: the phone has asked for it.
	verified, asked bool
	locked          bool  // its owner has not seen to it since it came
	funds           int64 // offline, in minor units
}

// phase is how far a transaction has come.
type phase int

const (
	phaseReset     phase = iota // nothing selected
	phaseDirectory              // a directory is selected
	phaseSelected               // SELECT of an application done
	phaseInitiated              // GET PROCESSING OPTIONS done
	phaseOnline                 // an ARQC was given; the issuer's answer is awaited
	phaseDone                   // TC or AAC given
)

// issuerAuth is the outcome of issuer authentication.
type issuerAuth int

const (
	authNone issuerAuth = iota
	authPassed
	authFailed
)

// session is the card's volatile memory.
type session struct {
	phase  phase
	sought []byte // the name of the last SELECT, for the next occurrence
	next   int    // the application with which the next occurrence begins
	app    *applet
	files  []File

	auth      issuerAuth
	approved  bool    // by the issuer, where its answer says so
	online    bool    // there was an ARQC: sk and arqc are valid
	sk        []byte  // key of the ARQC
	arqc      [8]byte // the first cryptogram
	options   List    // what the PDOL brought
	first     List    // what CDOL1 brought
	second    List    // what CDOL2 brought
	dynamic   bool    // INTERNAL AUTHENTICATE was done, or a CDA signature made
	combined  bool    // a CDA signature was made
	types     byte    // CVR bits of the first cryptogram
	pinTried  bool
	pinRight  bool
	challenge []byte
	report    scriptReport // of the transaction before
}

// maxCounter is the ATC's end: it never wraps, such a card is worn out.
const maxCounter = 0xFFFF

// NewCard makes a card, freshly reset, that has one application and no directory. A card with an application
// that does not validate answers every command with 6F00; see Application.Validate.
func NewCard(a Application) *Card {
	c, err := New(Profile{ATR: a.ATR, Applications: []Application{a}})
	if err != nil {
		return &Card{profile: Profile{ATR: bytes.Clone(a.ATR)}}
	}
	return c
}

// New makes a card, freshly reset. Errors: those of Profile.Validate, ErrKey, ErrAccount.
func New(p Profile) (*Card, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.ATR = bytes.Clone(p.ATR)
	c := &Card{profile: p, valid: true, blocked: p.Blocked, pin: p.PIN, tries: p.tries()}
	for _, f := range p.Faults {
		c.faults = append(c.faults, faultState{Fault: f})
	}
	for _, a := range p.Applications {
		applet, err := newApplet(a)
		if err != nil {
			return nil, err
		}
		c.apps = append(c.apps, applet)
	}
	c.random = newGenerator(p)
	return c, nil
}

func newApplet(a Application) (*applet, error) {
	a.AID = bytes.Clone(a.AID)
	x := &applet{app: a, scheme: Scheme{a.version()}, contact: a.contact(), counter: a.Counter, lastOnline: a.LastOnline,
		blocked: a.Blocked, lower: a.LowerOffline, upper: a.UpperOffline}
	var err error
	if x.icc, err = x.scheme.CardKey(a.MasterKey, a.PAN, a.sequence()); err != nil {
		return nil, err
	}
	if x.messages, err = x.scheme.CardKey(a.scriptKey(), a.PAN, a.sequence()); err != nil {
		return nil, err
	}
	if t := a.Contactless; t != nil {
		x.tapped, x.verified, x.locked, x.funds = a.tapped(), t.Verified, t.Phone && !t.Verified, t.Funds
	}
	return x, nil
}

// ATR returns the answer to reset; empty for a mute chip. Each call is a reset for the card's faults: a chip that
// fails now and then is mute for some calls.
func (c *Card) ATR() []byte {
	f := c.struck(OnReset, OnContact)
	wait(f.Delay)
	if f.Mute {
		return nil
	}
	return bytes.Clone(c.profile.ATR)
}

// Reset is a cold or warm reset, or the return of power: the transaction under way is forgotten.
// Counters, blocks and the PIN's tries stay. A phone that has asked its owner for verification gets it.
func (c *Card) Reset() {
	c.session = session{}
	for _, a := range c.apps {
		a.verified, a.locked, a.asked = a.verified || a.asked, a.locked && !a.asked, false
	}
}

// Transmit answers one short command APDU (ISO/IEC 7816-4): data and two status bytes. It takes
// any bytes and answers at least a status word, unless a fault makes the card mute: nil.
func (c *Card) Transmit(command []byte) []byte { return c.transmit(command, OnContact) }

func (c *Card) transmit(command []byte, face string) []byte {
	if face != c.face {
		c.Reset()
		c.face = face
	}
	f := c.struck(momentOf(command), face)
	wait(f.Delay)
	var data []byte
	sw := f.Status
	if sw == 0 {
		data, sw = c.execute(command)
	}
	if f.Mute {
		return nil
	}
	return append(slices.Clone(damaged(data, f.Damage)), byte(sw>>8), byte(sw))
}

func wait(d time.Duration) {
	if d > 0 {
		time.Sleep(d)
	}
}

// handler is one instruction of the card. accepts checks P1 and P2; run does the work.
type handler struct {
	cla     byte
	accepts func(p1, p2 byte) bool
	run     func(c *Card, p1, p2 byte, data []byte) ([]byte, uint16) // nil: a script command
}

func zero(p1, p2 byte) bool { return p1 == 0 && p2 == 0 }

func handlerOf(ins byte) (handler, bool) {
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
			kind := p1 &^ combinedWanted
			return p2 == 0 && (kind == TypeAAC || kind == TypeTC || kind == TypeARQC)
		}, (*Card).generateAC}, true
	case INSInternalAuthenticate:
		return handler{0x00, zero, (*Card).internalAuthenticate}, true
	case INSVerify:
		return handler{0x00, func(p1, p2 byte) bool { return p1 == 0 && p2 == PlaintextPIN }, (*Card).verify}, true
	case INSGetChallenge:
		return handler{0x00, zero, (*Card).getChallenge}, true
	case INSGetData:
		return handler{0x80, func(byte, byte) bool { return true }, (*Card).getData}, true
	}
	return scriptHandler(ins)
}

func scriptHandler(ins byte) (handler, bool) {
	switch ins {
	case INSCardBlock, INSApplicationBlock, INSApplicationUnblock:
		return handler{claSecure, zero, nil}, true
	case INSPINChange:
		return handler{claSecure, func(p1, p2 byte) bool { return p1 == 0 && p2 <= PINChangeNew }, nil}, true
	case INSPutData:
		return handler{claSecureISO, func(byte, byte) bool { return true }, nil}, true
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
	if cla != 0x00 && cla != 0x80 && cla != claSecure && cla != claSecureISO {
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
	if h.run == nil {
		return nil, c.script(command)
	}
	return h.run(c, p1, p2, data)
}

// readRecord reads one record of the selected directory, or of the files that the AFL names (EMV Book 3 §6.5.11).
func (c *Card) readRecord(p1, p2 byte, data []byte) ([]byte, uint16) {
	if len(data) != 0 {
		return nil, SWWrongLength
	}
	if c.session.phase == phaseReset || c.session.phase == phaseSelected {
		return nil, SWConditions
	}
	for _, r := range c.session.files {
		if r.SFI == p2>>3 && r.Number == p1 {
			return r.Data, SWOK
		}
	}
	return nil, SWRecordNotFound
}

// template wraps a response in format 2.
func template(l List) []byte { return List{{TagResponse2, l.Encode()}}.Encode() }
