package robot

import (
	"fmt"
	"strings"
)

// Error codes, doc/csv/error_codes_en_US.csv.
const (
	errLetter      = 1
	errNumber      = 2
	errStatement   = 3
	errNegative    = 4
	errHomingOff   = 5
	errPulse       = 6
	errNotIdle     = 8
	errLocked      = 9
	errNoHoming    = 10
	errOverflow    = 11
	errJogTravel   = 15
	errJog         = 16
	errUnsupported = 20
	errModalGroup  = 21
	errNoFeed      = 22
	errNotInteger  = 23
	errAxisClash   = 24
	errRepeated    = 25
	errNoAxis      = 26
	errLineNumber  = 27
	errMissing     = 28
	errCoordSystem = 29
	errG53         = 30
	errAxisUnused  = 31
	errUnused      = 36
	errToolAxis    = 37
	errTool        = 38
)

const help = "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]\r\n"

// system is a line that begins with $.
func (m *machine) system(text string) (int, []stage) {
	rest := text[1:]
	switch {
	case rest == "":
		m.print(help)
		return 0, nil
	case rest[0] == 'J':
		return m.jog(rest)
	case rest[0] == '/' && m.fluid():
		if !m.tree(rest) {
			return errStatement, nil
		}
		return 0, nil
	case strings.ContainsRune("$GCX", rune(rest[0])):
		if len(rest) > 1 {
			return errStatement, nil
		}
		return m.short(rest[0]), nil
	case m.state != stateIdle && m.state != stateAlarm:
		return errNotIdle, nil
	}
	switch rest[0] {
	case '#':
		if rest != "#" {
			return errStatement, nil
		}
		m.reportParameters()
	case 'H':
		return m.home(rest)
	case 'S':
		if rest != "SLP" {
			return errStatement, nil
		}
		m.afterReply = m.sleep
	case 'I':
		if rest != "I" { // $I= writes EEPROM: a build option
			return errStatement, nil
		}
		m.build()
	case 'R':
		return m.restore(rest), nil
	case 'N':
		return m.startupLine(rest)
	default:
		return m.assign(rest), nil
	}
	return 0, nil
}

// short is $$, $G, $C or $X.
func (m *machine) short(c byte) int {
	switch c {
	case '$':
		if m.state == stateRun || m.state == stateHold {
			return errNotIdle
		}
		for _, n := range settingNumbers {
			if m.hidden(n) {
				continue
			}
			m.print(fmt.Sprintf("$%d=%s\r\n", n, m.set.format(n)))
		}
	case 'G':
		m.reportModes()
	case 'C':
		switch m.state {
		case stateCheck:
			m.print("[MSG:Disabled]\r\n")
			m.afterReply = m.reboot
		case stateIdle:
			m.state = stateCheck
			m.print("[MSG:Enabled]\r\n")
		default:
			return errNotIdle
		}
	case 'X':
		if m.state == stateAlarm {
			m.state = stateIdle
			m.print("[MSG:Caution: Unlocked]\r\n")
		}
	}
	return 0
}

// jog is $J=….
func (m *machine) jog(rest string) (int, []stage) {
	if m.state != stateIdle && m.state != stateJog {
		return errNotIdle, nil
	}
	line, ok := strings.CutPrefix(rest, "J=")
	if !ok {
		return errStatement, nil
	}
	return m.gcode(line, true)
}

func (m *machine) sleep() {
	m.state = stateSleep
	m.print("[MSG:Sleeping]\r\n")
}

// restore is $RST=$, # or *.
func (m *machine) restore(rest string) int {
	what, ok := strings.CutPrefix(rest, "RST=")
	if !ok || len(what) != 1 || !strings.Contains("$#*", what) {
		return errStatement
	}
	if what != "#" {
		for n, v := range defaults(m.cfg.Motion) {
			m.store(n, v)
		}
		m.set = defaults(m.cfg.Motion) // whatever order the values were taken in
	}
	if what != "$" {
		m.coords = [8]vector{}
	}
	if what == "*" {
		m.startup = [2]string{}
	}
	m.print("[MSG:Restoring defaults]\r\n")
	m.afterReply = m.reboot
	return 0
}

// startupLine is $N, which lists the startup blocks, or $Nn=block, which executes and keeps one.
func (m *machine) startupLine(rest string) (int, []stage) {
	if rest == "N" {
		for i, text := range m.startup {
			m.print(fmt.Sprintf("$N%d=%s\r\n", i, text))
		}
		return 0, nil
	}
	if m.state != stateIdle {
		return errNotIdle, nil
	}
	n, left, ok := number(rest[1:])
	if !ok {
		return errNumber, nil
	}
	text, ok := strings.CutPrefix(left, "=")
	if !ok || int(n) < 0 || int(n) >= len(m.startup) {
		return errStatement, nil
	}
	code, stages := 0, []stage(nil)
	if text != "" {
		code, stages = m.gcode(text, false)
	}
	if code == 0 {
		m.startup[int(n)] = text
	}
	return code, stages
}

// assign is $n=value.
func (m *machine) assign(rest string) int {
	n, left, ok := number(rest)
	if !ok {
		return errNumber
	}
	left, ok = strings.CutPrefix(left, "=")
	if !ok {
		return errStatement
	}
	value, left, ok := number(left)
	switch {
	case !ok:
		return errNumber
	case left != "" || n < 0 || n > 255 || m.hidden(int(n)):
		return errStatement
	case m.fluid() && int(n) >= softLimits:
		return errReadOnly
	}
	return m.store(int(n), value)
}
