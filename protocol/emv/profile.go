package emv

import (
	"errors"
	"fmt"
	"slices"
)

// Names of the directories (EMV Book 1 §12.2.2, EMV Contactless Book B §3.3).
const (
	PSE  = "1PAY.SYS.DDF01"
	PPSE = "2PAY.SYS.DDF01"
)

// Profile is a whole card: its applications, its directories, its PIN and how it misbehaves.
type Profile struct {
	ATR          []byte // answer to reset of the contact interface; empty for a mute chip
	Applications []Application
	// PSE is the directory that a terminal with contacts looks for; PPSE the one of contactless readers. It answers
	// on both interfaces, as on most cards that have two.
	PSE, PPSE bool
	// Languages are the cardholder's (5F2D), two letters each, the best first: "zhen". "": none.
	Languages string
	Blocked   bool // the whole card: every SELECT says 6A81
	// PIN is the reference PIN for verification by the card, 4 to 12 digits; "": the card has none.
	PIN string
	// PINTries are the wrong PINs left, PINLimit what a right one sets them to; PINLimit 0: 3, and 3 are left.
	PINTries, PINLimit byte
	Faults             []Fault
}

// Limits of a Profile.
const (
	// MaxApplications is the most applications of a card.
	MaxApplications = 8
	// MaxPINLimit is the most PIN tries of a card (the low nibble of 63Cx).
	MaxPINLimit    = 15
	defaultTries   = 3
	maxLanguages   = 8 // characters: 4 languages (EMV Book 3 Annex A1)
	maxFaults      = 16
	languageLength = 2
)

// ErrProfile means that a Profile can't be made a card. What is wrapped around it names the
// field and never its value.
var ErrProfile = errors.New("emv: invalid card profile")

// Validate returns an error wrapping ErrProfile, or ErrApplication, that names the first field that is not as documented.
func (p Profile) Validate() error {
	checks := []struct {
		field string
		ok    bool
	}{
		{"Applications", len(p.Applications) <= MaxApplications},
		{"Languages", len(p.Languages) <= maxLanguages && len(p.Languages)%languageLength == 0},
		{"PIN", p.PIN == "" || validPIN(p.PIN)},
		{"PINLimit", p.PINLimit <= MaxPINLimit},
		{"PINTries", p.PINTries <= p.limit()},
		{"Faults", len(p.Faults) <= maxFaults && !slices.ContainsFunc(p.Faults, func(f Fault) bool { return !f.valid() })},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrProfile, c.field)
		}
	}
	for i, a := range p.Applications {
		if err := a.Validate(); err != nil {
			return fmt.Errorf("application %d: %w", i+1, err)
		}
	}
	return nil
}

func (p Profile) limit() byte {
	if p.PINLimit == 0 {
		return defaultTries
	}
	return p.PINLimit
}

func (p Profile) tries() byte {
	if p.PINLimit == 0 && p.PINTries == 0 {
		return defaultTries
	}
	return p.PINTries
}

// sfiDirectory is the file of the PSE's directory.
const sfiDirectory = 1

// directoryFile is the PSE's directory: a record an application (EMV Book 1 §12.2.3).
func directoryFile(apps []*applet) []File {
	var files []File
	for i, a := range apps {
		files = append(files, record(sfiDirectory, byte(i+1), List{a.entry()}))
	}
	return files
}

// pseFCI is the answer to SELECT of the PSE.
func (p Profile) pseFCI() []byte {
	proprietary := List{{TagDirectorySFI, []byte{sfiDirectory}}}
	if p.Languages != "" {
		proprietary = append(proprietary, TLV{TagLanguages, []byte(p.Languages)})
	}
	return List{{TagFCI, List{
		{TagDFName, []byte(PSE)}, {TagProprietary, proprietary.Encode()},
	}.Encode()}}.Encode()
}

// ppseFCI is the answer to SELECT of the PPSE, with all of the directory in it.
func ppseFCI(apps []*applet) []byte {
	var entries List
	for _, a := range apps {
		entries = append(entries, a.entry())
	}
	return List{{TagFCI, List{
		{TagDFName, []byte(PPSE)},
		{TagProprietary, List{{TagIssuerData, entries.Encode()}}.Encode()},
	}.Encode()}}.Encode()
}

// entry is an application in a directory.
func (a *applet) entry() TLV {
	return TLV{TagEntry, append(List{{TagADFName, a.app.AID}}, a.app.choice()...).Encode()}
}
