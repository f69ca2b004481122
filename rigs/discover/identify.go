package discover

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/protocol/mask"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

const (
	// bannerLimit is how long a board may take to greet after its port was opened, which restarts many.
	bannerLimit = 2500 * time.Millisecond
	// answerLimit is how long the answer to one question is waited for.
	answerLimit = 600 * time.Millisecond
	// heardMax bounds what is kept of what came in, in bytes.
	heardMax = 4096
	// saidMax is how much of a line that nobody knows is shown, in characters.
	saidMax = 60
)

// Found is what is known about one port.
type Found struct {
	Path string
	// Device is what the kernel says; nil for a port that was named by hand.
	Device *Device
	// Instrument and Driver are the words of a rig file; "" where nothing known answered.
	Instrument, Driver string
	// Says is what it said about itself, in a line for people.
	Says string
	// Err is why the port could not be asked.
	Err error
}

// question is something that can be asked without anything moving.
type question struct {
	ask                []byte
	answer             *regexp.Regexp // over everything heard since; its group is what the instrument says of itself
	instrument, driver string
	says               string // in front of what the group found
}

// greetings are what instruments say by themselves when their port is opened.
func greetings() []question {
	return []question{
		{answer: regexp.MustCompile(`(?m)^(Grbl [^\r\n]*FluidNC[^\r\n]*)`), instrument: "keypad", driver: "fluidnc"},
		{answer: regexp.MustCompile(`(?m)^(Grbl [^\r\n]*)`), instrument: "keypad", driver: "grbl"},
		{answer: regexp.MustCompile(`(?m)^((?:echo:)?Marlin [^\r\n]*)`), instrument: "keypad", driver: "marlin"},
		{answer: regexp.MustCompile(`(?m)^[<!][0-9A-F]{2} [A-Z]+[^\r\n]*\*[0-9A-F]{4}`), instrument: "card", driver: "relay", says: "lines of the card relay protocol"},
	}
}

// questions in the order in which a port is asked. None of them makes anything move: GRBL reports its
// status and its build, ChameleonUltra its version, Numato its version, Marlin and a supply their names.
func questions() []question {
	return []question{
		{ask: []byte("?"), answer: regexp.MustCompile(`<((?:Idle|Run|Hold|Jog|Alarm|Door|Check|Home|Sleep)[:|>][^>\r\n]*)`), instrument: "keypad", driver: "grbl", says: "GRBL, status "},
		{ask: []byte("\n$I\n"), answer: regexp.MustCompile(`\[(VER:[^\]\r\n]*)\]`), instrument: "keypad", driver: "grbl", says: "GRBL "},
		// GET_APP_VERSION (1000); in its answer, with status 0x68, a dot stands for a byte above 7F, which is
		// no character.
		{ask: []byte{0x11, 0xef, 0x03, 0xe8, 0, 0, 0, 0, 0x15, 0}, answer: regexp.MustCompile(`(?s)\x11.\x03.\x00\x68\x00\x02.(..)`), instrument: "card", driver: "chameleon-ultra", says: "ChameleonUltra firmware "},
		{ask: []byte("\rver\r"), answer: regexp.MustCompile(`ver[\r\n]+([0-9A-Fa-f]+)[\r\n]+>`), instrument: "power", driver: "numato", says: "Numato firmware "},
		{ask: []byte("M115\n"), answer: regexp.MustCompile(`(FIRMWARE_NAME:\s*Marlin[^\r\n]*)`), instrument: "keypad", driver: "marlin"},
		{ask: []byte("*IDN?\n"), answer: regexp.MustCompile(`(?m)^([^,\r\n]+,[^,\r\n]+,[^,\r\n]*,[^,\r\n]+)\r?$`), instrument: "power", driver: "scpi"},
	}
}

// fits says whether a question may be put to a device, by what is known of its kind: one whose maker we
// know is asked nothing else.
func (q question) fits(d *Device) bool {
	if d == nil {
		return true
	}
	only := map[string]string{"2a19": "numato", "6868": "chameleon-ultra", "9ac4": "cardhopper"}[d.VID]
	return only == "" || q.driver == only
}

// Identify opens a port, listens and asks until something known answers.
func Identify(ctx context.Context, path string, d *Device) Found {
	f := Found{Path: path, Device: d}
	if d != nil && d.VID == "9ac4" {
		f.Instrument, f.Driver, f.Says = "card", "cardhopper", "Proxmark3, not asked: in card mode it talks by itself"
		return f
	}
	line, err := serial.Open(path, serial.Mode{})
	if err != nil {
		f.Err = err
		return f
	}
	f.converse(ctx, line)
	return f
}

// converse finds out what is at the other end of a line, and closes it.
func (f *Found) converse(ctx context.Context, line *serial.Line) {
	l := &listener{line: line}
	err := f.ask(ctx, l)
	if err == nil && f.Driver == "" {
		f.Says = l.said()
	}
	f.Err = errors.Join(err, line.Close())
}

func (f *Found) ask(ctx context.Context, l *listener) error {
	if f.settle(l.wait(ctx, bannerLimit, greetings())) {
		return f.refine(ctx, l)
	}
	for _, q := range questions() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !q.fits(f.Device) {
			continue
		}
		l.heard = nil
		if err := l.line.Write(ctx, q.ask); err != nil {
			return err
		}
		if f.settle(l.wait(ctx, answerLimit, []question{q})) {
			return f.refine(ctx, l)
		}
	}
	return l.line.Err()
}

// refine asks a GRBL for its build: FluidNC greets with whatever it was configured to.
func (f *Found) refine(ctx context.Context, l *listener) error {
	if f.Driver != "grbl" || strings.Contains(f.Says, "VER:") {
		f.isFluid()
		return nil
	}
	build := questions()[1]
	l.heard = nil
	if err := l.line.Write(ctx, build.ask); err != nil {
		return err
	}
	before := f.Says
	if f.settle(l.wait(ctx, answerLimit, []question{build})) {
		f.Says = before + ", " + strings.TrimPrefix(f.Says, build.says)
	}
	f.isFluid()
	return nil
}

func (f *Found) isFluid() {
	if strings.Contains(f.Says, "FluidNC") {
		f.Driver = "fluidnc"
	}
}

// settle takes over what answered; false when nothing did.
func (f *Found) settle(q *question, what string) bool {
	if q == nil {
		return false
	}
	f.Instrument, f.Driver, f.Says = q.instrument, q.driver, q.says+what
	return true
}

// listener keeps what a port says.
type listener struct {
	line  *serial.Line
	heard []byte
	all   []byte // everything, for people
}

// wait listens until one of the questions is answered, or limit.
func (l *listener) wait(ctx context.Context, limit time.Duration, of []question) (*question, string) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case chunk, open := <-l.line.Chunks():
			if !open {
				return nil, ""
			}
			l.heard = keep(append(l.heard, chunk.Data...))
			l.all = keep(append(l.all, chunk.Data...))
		case <-timer.C:
			return nil, ""
		case <-ctx.Done():
			return nil, ""
		}
		for i, q := range of {
			m := q.answer.FindSubmatch(l.heard)
			switch {
			case m == nil:
				continue
			case len(m) == 1:
				return &of[i], ""
			case q.driver == "chameleon-ultra":
				return &of[i], fmt.Sprintf("%d.%d", m[1][0], m[1][1])
			}
			return &of[i], printable(string(m[1]))
		}
	}
}

// keep bounds what is kept to its end.
func keep(b []byte) []byte { return b[max(0, len(b)-heardMax):] }

// said gives the last line that nobody knows, for people; "" when nothing came. It is masked: a debug line
// can tell a card's number.
func (l *listener) said() string {
	rows := strings.FieldsFunc(string(l.all), func(r rune) bool { return r == '\r' || r == '\n' })
	rows = slices.DeleteFunc(rows, func(row string) bool { return strings.TrimSpace(row) == "" })
	if len(rows) == 0 {
		return ""
	}
	return "unknown: " + mask.Text(printable(rows[len(rows)-1]))
}

// printable makes a line from outside safe to show.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), saidMax)]
}

// All asks every port at once: the named paths, or without any what List gives.
func All(ctx context.Context, p Places, paths []string) ([]Found, error) {
	var asked []Found
	for _, path := range paths {
		asked = append(asked, Found{Path: path})
	}
	if len(paths) == 0 {
		devices, err := List(p)
		if err != nil {
			return nil, err
		}
		for i := range devices {
			asked = append(asked, Found{Path: devices[i].Name(), Device: &devices[i]})
		}
	}
	done := make(chan struct{})
	for i := range asked {
		go func() {
			asked[i] = Identify(ctx, asked[i].Path, asked[i].Device)
			done <- struct{}{}
		}()
	}
	for range asked {
		<-done
	}
	return asked, nil
}

// Instruments turns what was found into the instruments of a rig file: the first of each kind.
func Instruments(found []Found) map[string]rigs.Line {
	lines := map[string]rigs.Line{}
	for _, f := range found {
		if _, taken := lines[f.Instrument]; f.Driver != "" && f.Err == nil && !taken {
			lines[f.Instrument] = rigs.Line{Driver: f.Driver, Port: f.Path}
		}
	}
	return lines
}
