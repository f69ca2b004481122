// Package supply is a programmable bench supply in software: SCPI lines of text that end with LF. Sets are not
// answered; what is wrong with one is kept in the error queue.
//
//	*IDN?         →  ASSAY,PS-SIM,0001,1.0
//	INST:NSEL 2   →
//	OUTP ON       →
//	OUTP?         →  1
//	MEAS:VOLT?    →  +5.00000000E+00
//	SYST:ERR?     →  +0,"No error"
//
// Short and long forms, any case, and several commands in a line with ; between them, as in IEEE 488.2 and SCPI 1999.
// Everything else is error -113 (SCPI 1999, volume 2, 21.8.9).
package supply

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
)

const (
	// Outputs is how many outputs there are, numbered from 1.
	Outputs = 3
	// Identity is the answer to *IDN?.
	Identity = "ASSAY,PS-SIM,0001,1.0"
	// LineLimit is the longest line; a longer one is error -363.
	LineLimit = 256
	// queueLimit is how many errors are kept; the last becomes -350 when more come.
	queueLimit = 20
)

// Faults are ways in which the supply misbehaves.
type Faults struct {
	// Dead: no answer, nothing switches.
	Dead bool
	// Stuck: sets are taken, and the output stays as it is; it tells where it really is.
	Stuck bool
	// Tripped: the output says that it is on and gives no volts, as behind a blown fuse or at a current limit.
	Tripped bool
	// Locked: sets are refused with error -203, as while the front panel rules.
	Locked bool
	// Talks sends a line unasked before each answer, as with another device on the same line.
	Talks bool
	// Garbled flips a bit of each byte sent.
	Garbled bool
	// SwallowsAnswer is the answer that is kept back and sent together with the next one, counted from 1; 0: none.
	SwallowsAnswer int
}

// Config says how the supply starts. The zero value is sound, with every output off at 5 V.
type Config struct {
	// Volts is what an output gives when it is on; 0: 5.
	Volts float64
	// Rise is how long an output takes to have its volts, linearly.
	Rise time.Duration
	// On has bit n set when output n+1 is on from the start.
	On     uint8
	Faults Faults
}

// Supply is one bench supply.
type Supply struct {
	line     *line.Line
	cfg      Config
	switched func(output int, on bool)
	on       uint8
	since    [Outputs]time.Time // when an output was switched on
	selected int                // from 0
	errors   []string
	text     []byte
	answers  int
	kept     []byte
	ended    chan struct{}
}

// New starts a supply on the port, which belongs to it from then on. switched is called from one goroutine each time
// an output has been switched, numbered from 1, before anything more is answered.
func New(port io.ReadWriteCloser, cfg Config, switched func(output int, on bool)) *Supply {
	if cfg.Volts == 0 {
		cfg.Volts = 5
	}
	s := &Supply{line: line.Open(port), cfg: cfg, switched: switched, on: cfg.On, ended: make(chan struct{})}
	go s.run()
	return s
}

// Close ends the supply: closes the port and waits for its goroutines, so also for switched.
func (s *Supply) Close() error {
	err := s.line.Close()
	<-s.ended
	return err
}

func (s *Supply) run() {
	defer close(s.ended)
	for chunk := range s.line.Received() {
		if s.cfg.Faults.Dead {
			continue
		}
		for _, c := range chunk {
			s.take(c)
		}
	}
}

// take adds a character to the line, and carries the line out at its end.
func (s *Supply) take(c byte) {
	if c != '\n' {
		if len(s.text) <= LineLimit {
			s.text = append(s.text, c)
		}
		return
	}
	text := string(s.text)
	s.text = s.text[:0]
	if len(text) > LineLimit {
		s.fail(`-363,"Input buffer overrun"`)
		return
	}
	var answers []string
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		if answer := s.perform(strings.ToUpper(strings.TrimPrefix(words[0], ":")), words[1:]); answer != "" {
			answers = append(answers, answer)
		}
	}
	if len(answers) > 0 {
		s.answer(strings.Join(answers, ";") + "\n")
	}
}

// answer sends, with what is wrong about it.
func (s *Supply) answer(text string) {
	s.answers++
	out := append(s.kept, text...)
	s.kept = nil
	switch {
	case s.cfg.Faults.Talks:
		out = append([]byte("temperature 31.5\n"), out...)
	case s.answers == s.cfg.Faults.SwallowsAnswer:
		s.kept = out
		return
	case s.cfg.Faults.Garbled:
		for i := range out {
			out[i] ^= 0x10
		}
	}
	s.line.Send(out)
}

func (s *Supply) fail(entry string) {
	if len(s.errors) == queueLimit {
		s.errors[queueLimit-1] = `-350,"Queue overflow"`
		return
	}
	s.errors = append(s.errors, entry)
}

// perform carries out one command; its answer is "" for a set.
func (s *Supply) perform(header string, arguments []string) string {
	switch header {
	case "*IDN?":
		return Identity
	case "*CLS":
		s.errors = nil
	case "SYST:REM", "SYSTEM:REMOTE":
	case "SYST:ERR?", "SYSTEM:ERROR?":
		if len(s.errors) == 0 {
			return `+0,"No error"`
		}
		oldest := s.errors[0]
		s.errors = s.errors[1:]
		return oldest
	case "INST:NSEL", "INSTRUMENT:NSELECT":
		s.selectOutput(arguments)
	case "INST:NSEL?", "INSTRUMENT:NSELECT?":
		return strconv.Itoa(s.selected + 1)
	case "OUTP", "OUTPUT", "OUTP:STAT", "OUTPUT:STATE":
		s.output(arguments)
	case "OUTP?", "OUTPUT?", "OUTP:STAT?", "OUTPUT:STATE?":
		if s.on&(1<<s.selected) != 0 {
			return "1"
		}
		return "0"
	case "MEAS:VOLT?", "MEASURE:VOLTAGE?", "MEAS?":
		return fmt.Sprintf("%+.8E", s.volts(time.Now()))
	default:
		s.fail(`-113,"Undefined header"`)
	}
	return ""
}

func (s *Supply) selectOutput(arguments []string) {
	if len(arguments) != 1 {
		s.fail(`-109,"Missing parameter"`)
		return
	}
	n, err := strconv.Atoi(arguments[0])
	if err != nil || n < 1 || n > Outputs {
		s.fail(`-222,"Data out of range"`)
		return
	}
	s.selected = n - 1
}

func (s *Supply) output(arguments []string) {
	if len(arguments) != 1 {
		s.fail(`-109,"Missing parameter"`)
		return
	}
	var on bool
	switch strings.ToUpper(arguments[0]) {
	case "1", "ON":
		on = true
	case "0", "OFF":
	default:
		s.fail(`-224,"Illegal parameter value"`)
		return
	}
	if s.cfg.Faults.Locked {
		s.fail(`-203,"Command protected"`)
		return
	}
	bit := uint8(1) << s.selected
	if s.cfg.Faults.Stuck || s.on&bit != 0 == on {
		return
	}
	s.on ^= bit
	s.since[s.selected] = time.Now()
	s.switched(s.selected+1, on)
}

// volts is what the selected output gives.
func (s *Supply) volts(now time.Time) float64 {
	switch {
	case s.on&(1<<s.selected) == 0, s.cfg.Faults.Tripped:
		return 0
	case s.cfg.Rise > 0:
		return s.cfg.Volts * min(1, float64(now.Sub(s.since[s.selected]))/float64(s.cfg.Rise))
	}
	return s.cfg.Volts
}
