package rigs

import "time"

// Instruments are what a rig file says about each instrument; one that is not there is nil. Which
// options a driver takes is in the table of drivers.
type Instruments struct {
	Keypad  *KeypadLine  `yaml:"keypad"`
	Card    *CardLine    `yaml:"card"`
	Display *DisplayLine `yaml:"display"`
	Power   *PowerLine   `yaml:"power"`
	Printer *PrinterLine `yaml:"printer"`
}

// USB names a device by what it says about itself, so that it is found on any socket.
type USB struct {
	VID    string `yaml:"vid,required"` // 4 hexadecimal digits
	PID    string `yaml:"pid,required"` // 4 hexadecimal digits
	Serial string `yaml:"serial"`       // serial number; needed where two of a kind are plugged in
	// Interface of a device with several serial ports, from 0; "" where it has one.
	Interface string `yaml:"interface"`
}

// Line is which driver an instrument has and where it is: exactly one of Port, USB and TCP, and none
// of them for a driver that needs no line, such as a person.
type Line struct {
	Driver string
	Port   string // a device that keeps its name: /dev/serial/by-id/…
	USB    *USB
	TCP    string // host:port of a serial server or of the instrument itself
	Baud   int    // 0: the driver's usual
}

// KeypadLine is a robot, or a person, at the keypad.
type KeypadLine struct {
	Driver  string        `yaml:"driver,required"` // grbl, fluidnc, marlin, human
	Port    string        `yaml:"port"`
	USB     *USB          `yaml:"usb"`
	TCP     string        `yaml:"tcp"`
	Baud    int           `yaml:"baud"`
	Origin  Origin        `yaml:"origin"`  // without a calibration: where the keypad lies
	Contact time.Duration `yaml:"contact"` // how long a key is held; 0: the driver's usual
	// Overtravel is how far the finger goes below the contact plane, mm; 0: the driver's usual.
	Overtravel float64 `yaml:"overtravel"`
	PlungeFeed float64 `yaml:"plunge-feed"` // speed downwards, mm/min; 0: the driver's usual
	// Homing is how long the machine may take to find its zero; 0: the driver's usual, which is generous.
	Homing time.Duration `yaml:"homing"`
	// Patience is how long a person may take for what is asked; 0: the driver's usual.
	Patience time.Duration `yaml:"patience"`
}

// Origin is the keypad's zero in the robot's machine coordinates, mm.
type Origin struct {
	X float64 `yaml:"x,required"`
	Y float64 `yaml:"y,required"`
	Z float64 `yaml:"z,required"`
}

// CardLine is a card emulator.
type CardLine struct {
	Driver string `yaml:"driver,required"` // relay, chameleon-ultra, cardhopper
	Port   string `yaml:"port"`
	USB    *USB   `yaml:"usb"`
	TCP    string `yaml:"tcp"`
	Baud   int    `yaml:"baud"`
	// Partial lets a ChameleonUltra show cards whose cryptograms it can't answer, for scenarios that end before them.
	Partial bool `yaml:"partial"`
	Slot    int  `yaml:"slot"` // ChameleonUltra: which of its slots is used, 1 to 8; 0: the first
	FWI     int  `yaml:"fwi"`  // CardHopper: frame waiting time integer, ISO/IEC 14443-4, 1 to 14; 0: the driver's usual
}

// DisplayLine is what reads the terminal's screen.
type DisplayLine struct {
	Driver   string        `yaml:"driver,required"` // debug-line, human
	Port     string        `yaml:"port"`
	USB      *USB          `yaml:"usb"`
	TCP      string        `yaml:"tcp"`
	Baud     int           `yaml:"baud"` // 0: the profile's
	Patience time.Duration `yaml:"patience"`
}

// PowerLine is what switches the terminal's supply.
type PowerLine struct {
	Driver         string `yaml:"driver,required"` // numato, scpi, command
	Port           string `yaml:"port"`
	USB            *USB   `yaml:"usb"`
	TCP            string `yaml:"tcp"`
	Baud           int    `yaml:"baud"`
	Channel        int    `yaml:"channel"`         // relay or output that carries the terminal's supply
	NormallyClosed bool   `yaml:"normally-closed"` // energised means that the terminal is off
	// Parts are relays that take parts of the terminal out of order while they are energised, by one of rigs.Parts.
	Parts map[string]int `yaml:"parts"`
	// Volts is what a supply must measure when it is on; 0: only that it is not zero.
	Volts float64 `yaml:"volts"`
	// On, Off and Read are argument lists of programs (no shell). Their words may refer to secrets: ${NAME} or file:path.
	On   []string `yaml:"on"`
	Off  []string `yaml:"off"`
	Read []string `yaml:"read"` // prints on or off; optional
	// Limit bounds one run of a program; 0: the driver's usual.
	Limit time.Duration `yaml:"limit"`
	// Check allows `assay rigs check` to switch the terminal off and on again.
	Check bool `yaml:"check"`
}

// PrinterLine takes what the terminal prints.
type PrinterLine struct {
	Driver string `yaml:"driver,required"` // esc-pos
	Port   string `yaml:"port"`
	USB    *USB   `yaml:"usb"`
	TCP    string `yaml:"tcp"`
	Baud   int    `yaml:"baud"`
}

// Lines gives the line of each instrument that is there, by its name.
func (i Instruments) Lines() map[string]Line {
	all := map[string]Line{}
	if l := i.Keypad; l != nil {
		all["keypad"] = Line{l.Driver, l.Port, l.USB, l.TCP, l.Baud}
	}
	if l := i.Card; l != nil {
		all["card"] = Line{l.Driver, l.Port, l.USB, l.TCP, l.Baud}
	}
	if l := i.Display; l != nil {
		all["display"] = Line{l.Driver, l.Port, l.USB, l.TCP, l.Baud}
	}
	if l := i.Power; l != nil {
		all["power"] = Line{l.Driver, l.Port, l.USB, l.TCP, l.Baud}
	}
	if l := i.Printer; l != nil {
		all["printer"] = Line{l.Driver, l.Port, l.USB, l.TCP, l.Baud}
	}
	return all
}

// options gives what the file says about an instrument, as a pointer to its struct; nil where it is not there.
func (i Instruments) options(name string) any {
	switch {
	case name == "keypad" && i.Keypad != nil:
		return i.Keypad
	case name == "card" && i.Card != nil:
		return i.Card
	case name == "display" && i.Display != nil:
		return i.Display
	case name == "power" && i.Power != nil:
		return i.Power
	case name == "printer" && i.Printer != nil:
		return i.Printer
	}
	return nil
}
