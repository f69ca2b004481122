package emv

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Application is a payment application on a test card and its keys. The zero value of every field but AID,
// Label, PAN, Expiry, Service and MasterKey is a sound one.
type Application struct {
	// ATR is for NewCard alone; a Profile has its own.
	ATR           []byte
	AID           []byte // 5 to 16 bytes
	Label         string // 1 to 16 characters
	PAN           string // 8 to 19 digits
	Expiry        string // YYMM; the card expires on that month's last day
	Sequence      string // PAN sequence number, 2 digits; "" is "00"
	Service       string // service code, 3 digits
	Discretionary string // rest of track 2, digits; with PAN, expiry and service at most 36
	Name          string // cardholder, at most 26 characters; "" is " /" (unknown, ISO/IEC 7813)
	MasterKey     []byte // issuer master key for cryptograms, 16 bytes. A test key.
	// ScriptKey is the issuer master key for issuer scripts, 16 bytes; nil: MasterKey. A test key.
	ScriptKey []byte
	CVN       byte // cryptogram version: CVN10, CVN18 or CVN22; 0: CVN18

	Preferred string // preferred name (9F12), 1 to 16 bytes in the code table; "": none
	CodeTable byte   // part of ISO/IEC 8859 that Preferred is in (9F11); 0: none
	Priority  byte   // 1, the highest, to 15; 0: 1
	Confirm   bool   // not to be selected without the cardholder's confirmation

	Effective string  // YYMMDD, the first day on which the application is valid (5F25); "": none
	Country   string  // issuer country, ISO 3166-1 numeric; "": 156, China
	Currency  string  // application currency (9F42), ISO 4217 numeric; "": none
	Usage     []byte  // application usage control (9F07), 2 bytes; nil: FF00, everything
	Version   []byte  // application version number (9F08), 2 bytes; nil: none
	CVMList   []byte  // cardholder verification methods (8E); nil: online PIN, and no other
	Actions   Actions // when to decline, when to go online
	CDOL1     DOL     // what the first cryptogram is made of; nil: what every CVN needs
	CDOL2     DOL     // what the second one is made of; nil: response code and CDOL1
	PDOL      DOL     // what the card wants to know at the start; nil: nothing
	// Files replace records that the application would have, or are added to them and to the AFL.
	Files []File

	First      Decision   // on the first cryptogram
	Second     Decision   // on the second
	IssuerAuth IssuerAuth // what the card makes of the issuer's proof
	// Unable approves when the terminal could not go online and asks for an approval (response code Y3).
	Unable bool
	// LowerOffline and UpperOffline are how many transactions in a row may be approved offline (9F14, 9F23);
	// at the upper one the card goes online. UpperOffline 0: no limit.
	LowerOffline, UpperOffline byte
	// Counter and LastOnline are the transaction counter (ATC) and its value at the last online
	// transaction, with which the card begins.
	Counter, LastOnline uint16
	Blocked             bool           // SELECT says 6283, and every cryptogram is an AAC
	Auth                Authentication // of the contacts
	Contactless         *Contactless   // nil: not to be had on a reader
}

// Actions are the issuer action codes (EMV Book 3 §10.7), 5 bytes each. nil: online for every sale, decline
// where that is not possible.
type Actions struct {
	Default, Denial, Online []byte
}

// File is a record of one of the card's files.
type File struct {
	SFI, Number byte   // short file identifier, 1 to 30, and record number
	Data        []byte // with its template 70, at most 254 bytes; nothing sees to its being right
}

// Decision is what a card makes of the cryptogram that the terminal asks for.
type Decision byte

const (
	// AsAsked gives what is asked for; a second cryptogram is an approval only when the issuer is genuine and approves.
	AsAsked Decision = iota
	// Decline gives an AAC, whatever is asked for.
	Decline
	// GoOnline gives an ARQC where an approval is asked for.
	GoOnline
)

// IssuerAuth is what a card wants of the issuer before it approves.
type IssuerAuth byte

const (
	// AuthMandatory: EXTERNAL AUTHENTICATE, or no approval.
	AuthMandatory IssuerAuth = iota
	// AuthOptional: EXTERNAL AUTHENTICATE; without it, the terminal's word is enough. A wrong proof is none.
	AuthOptional
	// AuthInCryptogram: the second GENERATE AC brings the proof (CDOL2 asks for 91), and it must be right.
	AuthInCryptogram
)

// Limits of an Application.
const (
	minAIDLength    = 5
	maxAIDLength    = 16
	maxLabelLength  = 16
	minPANLength    = 8
	maxNameLength   = 26
	maxTrack2Digits = 36 // 37 characters with the separator (EMV Book 3: 57 has up to 19 bytes)
	maxPriority     = 15
	maxCodeTable    = 10
	maxSFI          = 30
	maxRecordSize   = 254
	maxCVMList      = 252
	minCVMList      = 10
	actionCodeSize  = 5
)

// ErrApplication means that an Application can't be put on a card. What is wrapped around it
// names the field and never its value.
var ErrApplication = errors.New("emv: invalid card application")

// Validate returns an error wrapping ErrApplication that names the first field that is not as
// documented.
func (a Application) Validate() error {
	_, expiryErr := time.Parse("0601", a.Expiry)
	checks := []struct {
		field string
		ok    bool
	}{
		{"AID", len(a.AID) >= minAIDLength && len(a.AID) <= maxAIDLength},
		{"Label", len(a.Label) >= 1 && len(a.Label) <= maxLabelLength},
		{"PAN", len(a.PAN) >= minPANLength && len(a.PAN) <= maxPANLength && decimal(a.PAN)},
		{"Expiry", len(a.Expiry) == 4 && decimal(a.Expiry) && expiryErr == nil},
		{"Sequence", a.Sequence == "" || len(a.Sequence) == 2 && decimal(a.Sequence)},
		{"Service", len(a.Service) == 3 && decimal(a.Service)},
		{"Discretionary", decimal(a.Discretionary) &&
			len(a.PAN)+len(a.Expiry)+len(a.Service)+len(a.Discretionary) <= maxTrack2Digits},
		{"Name", len(a.Name) <= maxNameLength},
		{"MasterKey", len(a.MasterKey) == keySize},
		{"ScriptKey", a.ScriptKey == nil || len(a.ScriptKey) == keySize},
		{"CVN", a.CVN == 0 || a.CVN == CVN10 || a.CVN == CVN18 || a.CVN == CVN22},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrApplication, c.field)
		}
	}
	return a.validateChoices()
}

// validateChoices is Validate for the fields that may be left out.
func (a Application) validateChoices() error {
	_, effectiveErr := time.Parse("060102", a.Effective)
	optional := func(b []byte, size int) bool { return b == nil || len(b) == size }
	numeric := func(s string) bool { return s == "" || len(s) == 3 && decimal(s) }
	files := true
	for _, f := range a.Files {
		files = files && f.SFI >= 1 && f.SFI <= maxSFI && f.Number >= 1 && len(f.Data) <= maxRecordSize
	}
	checks := []struct {
		field string
		ok    bool
	}{
		{"Preferred", len(a.Preferred) <= maxLabelLength},
		{"CodeTable", a.CodeTable <= maxCodeTable},
		{"Priority", a.Priority <= maxPriority},
		{"Effective", a.Effective == "" || effectiveErr == nil},
		{"Country", numeric(a.Country)},
		{"Currency", numeric(a.Currency)},
		{"Usage", optional(a.Usage, 2)},
		{"Version", optional(a.Version, 2)},
		{"CVMList", a.CVMList == nil || len(a.CVMList) >= minCVMList && len(a.CVMList) <= maxCVMList && len(a.CVMList)%2 == 0},
		{"Actions", optional(a.Actions.Default, actionCodeSize) && optional(a.Actions.Denial, actionCodeSize) && optional(a.Actions.Online, actionCodeSize)},
		{"CDOL1", a.CDOL1.Length() <= MaxDOLData},
		{"CDOL2", a.CDOL2.Length() <= MaxDOLData},
		{"PDOL", a.PDOL.Length() <= MaxDOLData},
		{"Files", files},
		{"UpperOffline", a.LowerOffline <= a.UpperOffline},
		{"LastOnline", a.LastOnline <= a.Counter},
		{"Auth", a.Auth.Methods&^authMethods == 0},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrApplication, c.field)
		}
	}
	return a.Contactless.validate()
}

func (a Application) sequence() string {
	if a.Sequence == "" {
		return "00"
	}
	return a.Sequence
}

func (a Application) version() byte {
	if a.CVN == 0 {
		return CVN18
	}
	return a.CVN
}

func (a Application) scriptKey() []byte {
	if a.ScriptKey == nil {
		return a.MasterKey
	}
	return a.ScriptKey
}

// lastDay is the expiry as YYMMDD. Years are of this century, as for every EMV card now alive.
func (a Application) lastDay() string {
	year, _ := strconv.Atoi(a.Expiry[:2])
	month, _ := strconv.Atoi(a.Expiry[2:])
	return time.Date(2000+year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Format("060102")
}
