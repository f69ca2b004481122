package rungs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/assay-hil/assay/rigs/serial"
)

const (
	// wireFolder is where a run's evidence has the shape of what passed each instrument's line.
	wireFolder = "wire"
	// wireFiles is how many logs of one instrument a run folder may hold: one for each time that the run went on.
	wireFiles = 100
)

// wires keeps a log of each instrument's line in a run's evidence. All worlds of a run write to the same files. The zero
// value, and nil, keep nothing.
type wires struct {
	evidence func(path string) (io.WriteCloser, error)

	mu     sync.Mutex
	traces map[string]serial.Trace
	files  []io.Closer
	err    error // the first fault: evidence that is missing has to be told
}

// of gives the options for the line of an instrument, by the name of the instrument and of its driver.
func (w *wires) of(name, driver string) []serial.Option {
	if w == nil || w.evidence == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	trace, known := w.traces[name]
	if !known {
		trace = w.open(name, driver)
	}
	if trace == nil {
		return nil
	}
	return []serial.Option{serial.WithTrace(trace)}
}

// open begins a log; nil when that failed.
func (w *wires) open(name, driver string) serial.Trace {
	file, err := w.create(name)
	var trace serial.Trace
	if err == nil {
		w.files = append(w.files, file)
		trace = serial.NewLog(file, harmless[driver]...)
	} else if w.err == nil {
		w.err = fmt.Errorf("wire log of the %s: %w", name, err)
	}
	if w.traces == nil {
		w.traces = map[string]serial.Trace{}
	}
	w.traces[name] = trace
	return trace
}

func (w *wires) create(name string) (io.WriteCloser, error) {
	for n := range wireFiles {
		file := name + ".log"
		if n > 0 {
			file = fmt.Sprintf("%s-%d.log", name, n+1) // a run that goes on has some already
		}
		f, err := w.evidence(filepath.Join(wireFolder, file))
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("the run folder has %d already", wireFiles)
}

// close ends the logs, and says what is missing of them.
func (w *wires) close() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	for _, f := range w.files {
		err = errors.Join(err, f.Close())
	}
	w.files, w.traces, w.evidence = nil, nil, nil
	return err
}

// harmless are the words of each driver's protocol that a wire log may show as they are: commands, answers and states,
// and nothing that comes from a card, a person or a screen.
var harmless = map[string][]string{
	"grbl":       grblWords,
	"fluidnc":    grblWords,
	"marlin":     {"ok", "echo", "busy", "processing", "paused", "for", "user", "Error", "start", "Marlin", "Resend", "X", "Y", "Z", "E", "Count"},
	"relay":      {"HELLO", "STATE", "SWIPE", "INSERT", "REMOVE", "TAP", "LEAVE", "RAPDU", "CAPDU", "HALT", "OK", "ERR", "ACK", "RESET", "COLD", "WARM", "POWER", "OFF", "FIELD", "ON", "LOST", "VERB", "ARGS", "CAP", "STALE", "empty", "inserted", "powered", "away", "near", "active"},
	"cardhopper": {"CARD", "ERR", "RESTART", "END"},
	"numato":     {"relay", "on", "off", "read", "readall", "writeall", "ver", "id", "get"},
	"scpi":       {"IDN", "CLS", "OUTP", "INST", "NSEL", "MEAS", "VOLT", "SYST", "ERR", "REM", "No", "error"},
}

var grblWords = []string{
	"ok", "error", "ALARM", "Grbl", "MSG", "VER", "OPT", "GC", "Idle", "Run", "Hold", "Jog", "Alarm", "Door", "Check", "Home", "Sleep",
	"MPos", "WPos", "WCO", "FS", "F", "Ov", "Bf", "Pn", "Ln", "A", "G", "X", "Y", "Z", "P", "H", "I", "for", "help", "Reset", "to", "continue", "unlock", "Caution", "Unlocked", "FluidNC",
}
