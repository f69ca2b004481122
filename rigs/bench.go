package rigs

import "time"

// Rig is one bench: a terminal and the instruments around it. A nil instrument is not there;
// scenarios that need it are skipped with that reason.
type Rig struct {
	Name    string
	Keypad  Keypad
	Card    CardEmulator
	Display Display
	Power   Power
	Printer Printer
	// Uncertainty of a time measured between two instruments of this rig.
	Uncertainty time.Duration
}

// Instruments lists what is there, in the order in which they are made safe: the finger first.
func (r *Rig) Instruments() []Instrument {
	var all []Instrument
	if r.Keypad != nil {
		all = append(all, r.Keypad)
	}
	if r.Card != nil {
		all = append(all, r.Card)
	}
	if r.Display != nil {
		all = append(all, r.Display)
	}
	if r.Printer != nil {
		all = append(all, r.Printer)
	}
	if r.Power != nil {
		all = append(all, r.Power)
	}
	return all
}

// needs names the instrument (or the address, in a rig file's words) without which a rig lacks a capability that a scenario may need. A
// capability that is not listed is the terminal profile's alone.
var needs = map[string]string{
	"keypad": "keypad", "customer-id": "keypad", "pin": "keypad", "settlement": "keypad",
	"card-emulator": "card", "stripe": "card", "chip": "card", "contactless": "card", "two-cards": "card",
	"display": "display", "power": "power",
	"printer-sink": "printer", "printer": "printer",
	"break-battery": "parts: battery", "break-memory": "parts: memory", "break-paper": "parts: paper", "break-pin-pad": "parts: pin-pad", "break-printer": "parts: printer",
	"break-antenna": "parts: antenna", "break-sim": "parts: sim",
	"backup-uplink": "listen-backup", "dns-name": "listen-names", "tls": "tls",
}

// Has says whether a rig with these instruments has a capability that a scenario may need.
func Has(there func(instrument string) bool, capability string) bool {
	instrument, known := needs[capability]
	return !known || there(instrument)
}
