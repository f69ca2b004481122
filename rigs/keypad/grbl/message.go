package grbl

import (
	"strconv"
	"strings"
	"time"
)

// kind is the class of a line from the controller.
type kind int

const (
	noise   kind = iota // nothing that GRBL says, or a line cut by a reset
	ok                  // response: the line was taken
	refused             // response: error:N
	alarm               // push: ALARM:N
	banner              // push: the controller has (re)started
	report              // push: <…> status
	setting             // push: $n=v, or $/name=v of FluidNC
	version             // push: [VER:…], the answer to $I
	info                // push: other […] feedback and >line:ok startup results, never counted
)

// message is one line from the controller.
type message struct {
	kind kind
	at   time.Time // arrival of its first byte
	code int       // of refused and alarm; unknownCode when it is no number
	text string    // the whole line
}

// unknownCode stands for an error or alarm without a readable number.
const unknownCode = -1

// answered is what comes more often than all the rest.
var answered = classify("ok")

// classify sorts a line, without its terminator, into its class. GRBL 1.1 "Interface":
// exactly one ok or error for each line sent, everything else is a push message.
func classify(line string) message {
	m := message{text: line}
	switch {
	case line == "ok":
		m.kind = ok
	case strings.HasPrefix(line, "error:"):
		m.kind, m.code = refused, code(line[len("error:"):])
	case strings.HasPrefix(line, "ALARM:"):
		m.kind, m.code = alarm, code(line[len("ALARM:"):])
	case strings.HasPrefix(line, "Grbl "):
		m.kind = banner // FluidNC's rest differs, and is a setting
	case strings.HasPrefix(line, "<") && strings.HasSuffix(line, ">"):
		m.kind = report
	case strings.HasPrefix(line, "[VER:"):
		m.kind = version
	case strings.HasPrefix(line, "["), strings.HasPrefix(line, ">"):
		m.kind = info
	case len(line) > 2 && line[0] == '$' && namesSetting(line[1:]):
		m.kind = setting
	}
	return m
}

// versionText is what $I says between [VER: and ].
func versionText(line string) string {
	return strings.TrimSuffix(strings.TrimPrefix(line, "[VER:"), "]")
}

func code(digits string) int {
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil || n < 0 {
		return unknownCode
	}
	return n
}

// parseSetting reads "$122=300.000", also with a description behind it, and FluidNC's
// "$/stepping/idle_ms=255"; false for anything else, such as "$N0=G20". The name is what stands between $ and =.
func parseSetting(line string) (name string, value float64, valid bool) {
	name, rest, found := strings.Cut(strings.TrimPrefix(line, "$"), "=")
	if !found || !namesSetting(name) {
		return "", 0, false
	}
	rest, _, _ = strings.Cut(rest, " ")
	switch rest {
	case "true":
		return name, 1, true
	case "false":
		return name, 0, true
	}
	value, err := strconv.ParseFloat(rest, 64)
	if err != nil || !finite(value) {
		return "", 0, false
	}
	return name, value, true
}

// namesSetting says whether a word after $ begins as a number or as a place in FluidNC's tree.
func namesSetting(word string) bool {
	return word != "" && (word[0] >= '0' && word[0] <= '9' || word[0] == '/')
}

// status is a status report. Its fields come in any order and not in every report.
type status struct {
	state string // without its sub-state: "Idle", "Run", "Hold", "Alarm" …
	mpos  *Point // machine position
	wpos  *Point // work position, where $10 asks for it instead
	wco   *Point // work coordinate offset, now and then: WPos = MPos − WCO
}

// parseStatus reads "<Idle|MPos:1.000,2.000,3.000|FS:0,0>"; false when the report is damaged.
func parseStatus(line string) (status, bool) {
	inner, hasEnd := strings.CutSuffix(line, ">")
	inner, hasStart := strings.CutPrefix(inner, "<")
	if !hasStart || !hasEnd {
		return status{}, false
	}
	state, rest, _ := strings.Cut(inner, "|")
	state, _, _ = strings.Cut(state, ":")
	s := status{state: state}
	if state == "" {
		return status{}, false
	}
	for field := range strings.SplitSeq(rest, "|") {
		name, value, _ := strings.Cut(field, ":")
		var place **Point
		switch name {
		case "MPos":
			place = &s.mpos
		case "WPos":
			place = &s.wpos
		case "WCO":
			place = &s.wco
		default:
			continue
		}
		p, valid := parsePoint(value)
		if !valid {
			return status{}, false
		}
		*place = &p
	}
	return s, true
}

// parsePoint reads "x,y,z"; further axes are ignored.
func parsePoint(text string) (Point, bool) {
	parts := strings.Split(text, ",")
	if len(parts) < 3 {
		return Point{}, false
	}
	var v [3]float64
	for i := range v {
		n, err := strconv.ParseFloat(parts[i], 64)
		if err != nil || !finite(n) {
			return Point{}, false
		}
		v[i] = n
	}
	return Point{X: v[0], Y: v[1], Z: v[2]}, true
}
