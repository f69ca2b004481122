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

// Has says whether the rig has a capability that a scenario may need. Other words are the terminal
// profile's.
func (r *Rig) Has(capability string) bool {
	switch capability {
	case "keypad":
		return r.Keypad != nil
	case "card-emulator", "stripe", "chip":
		return r.Card != nil
	case "display":
		return r.Display != nil
	case "power":
		return r.Power != nil
	case "printer-sink", "printer":
		return r.Printer != nil
	}
	return true
}
