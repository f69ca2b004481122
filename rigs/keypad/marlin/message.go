package marlin

import (
	"strconv"
	"strings"
	"time"
)

// kind is the class of a line from the controller.
type kind int

const (
	noise    kind = iota // temperatures, host actions, anything else that is said by itself
	ok                   // answer: the line was taken; also "ok N5 P15 B3" (ADVANCED_OK)
	resend               // Resend: n, the line must be sent again
	damaged              // Error: about line number or checksum; a Resend follows
	failed               // Error: anything else
	killed               // Error: the firmware has halted
	busy                 // echo:busy: processing, a sign of life while a line takes long
	paused               // echo:busy: paused for user or input
	started              // start, the first word after a reset
	unknown              // echo:Unknown command
	unhomed              // echo:Home X Y Z First
	endstop              // echo:endstops hit
	position             // X:… Y:… Z:… E:… Count …, the answer to M114
	firmware             // FIRMWARE_NAME:…, the answer to M115
	info                 // Cap:…, settings and switches
)

// message is one line from the controller.
type message struct {
	kind kind
	at   time.Time // arrival of its first byte
	line int       // of resend; -1 when it is no number
	text string
}

// prefixes are the beginnings of lines, in the order in which they are tried.
var prefixes = []struct {
	text string
	kind kind
}{
	{"echo:busy: paused", paused}, {"echo:busy:", busy}, {"echo:Unknown command", unknown},
	{"echo:endstops hit", endstop}, {"FIRMWARE_NAME:", firmware}, {"Cap:", info},
	{"Resend:", resend}, {"rs ", resend},
	{"Error:Line Number is not", damaged}, {"Error:checksum mismatch", damaged}, {"Error:No Checksum", damaged},
	{"Error:No Line Number", damaged}, {"Error:Printer halted", killed}, {"Error:Printer stopped", killed}, {"Error:", failed},
}

// classify sorts a line, without its terminator, into its class.
func classify(line string) message {
	m := message{text: line, line: -1}
	switch {
	case line == "ok" || strings.HasPrefix(line, "ok "):
		m.kind = ok
		return m
	case line == "start":
		m.kind = started
		return m
	}
	for _, p := range prefixes {
		rest, found := strings.CutPrefix(line, p.text)
		if !found {
			continue
		}
		m.kind = p.kind
		if n, err := strconv.Atoi(strings.TrimSpace(rest)); m.kind == resend && err == nil {
			m.line = n
		}
		return m
	}
	lower := strings.ToLower(line)
	switch {
	case strings.HasPrefix(lower, "echo:home ") && strings.HasSuffix(lower, " first"):
		m.kind = unhomed
	case strings.HasPrefix(line, "X:"):
		m.kind = position
	case isSetting(lower):
		m.kind = info
	}
	return m
}

// isSetting tells the lines of M503, M119 and M211 that the driver wants, in lower case.
func isSetting(lower string) bool {
	for _, word := range []string{"m201 ", "m203 ", "m204 ", "m211 ", "soft endstops:", "_min:", "_max:"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// parsePosition reads "X:1.00 Y:2.00 Z:3.00 E:0.00 Count X:80 Y:160 Z:1200": the planner's place, before Count.
func parsePosition(line string) (Point, bool) {
	place, _, _ := strings.Cut(line, "Count")
	v := words(strings.ReplaceAll(place, ":", ""))
	x, hasX := v['X']
	y, hasY := v['Y']
	z, hasZ := v['Z']
	return Point{X: x, Y: y, Z: z}, hasX && hasY && hasZ
}

// words reads the letters of a line and the numbers behind them, as in "M203 X500.00 Z5".
func words(line string) map[byte]float64 {
	v := map[byte]float64{}
	for _, word := range strings.Fields(line) {
		if len(word) < 2 {
			continue
		}
		if n, err := strconv.ParseFloat(word[1:], 64); err == nil && finite(n) {
			v[word[0]] = n
		}
	}
	return v
}

// wordless drops the numbers of an error's text, which could tell a place, and shortens it.
func wordless(text string) string {
	const most = 60
	text = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r < ' ' || r > '~' {
			return -1
		}
		return r
	}, strings.TrimPrefix(text, "Error:"))
	return text[:min(len(text), most)]
}
