package rungs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// evidence opens files as a run folder does: never one that is there.
func evidence(dir string) func(string) (io.WriteCloser, error) {
	return func(path string) (io.WriteCloser, error) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	}
}

// TestEveryLineIsInTheEvidence without a flag, and nothing in it tells a number.
func TestEveryLineIsInTheEvidence(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(Options{Rig: Sim, Benches: 1, Evidence: evidence(dir)})
	if err != nil {
		t.Fatal(err)
	}
	if result := runOne(t, r, "SALE-PLAIN"); result.Verdict != record.Pass && result.Verdict != record.Marginal {
		t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"keypad": "> $H\\n", "card": "# INSERT #", "display": "<", "power": "relay on #", "printer": "<"} {
		data, err := os.ReadFile(filepath.Join(dir, "wire", name+".log"))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, no %q in %s", name, err, want, data)
		}
		for line := range strings.Lines(string(data)) {
			if _, wire, _ := strings.Cut(line, " "); strings.ContainsAny(wire, "0123456789") {
				t.Errorf("%s: a number in %s", name, line)
			}
		}
	}
}

func TestWires(t *testing.T) {
	note := func(w *wires) {
		ours, far := memnet.Pipe()
		line := serial.New("x", ours, w.of("power", "numato")...)
		if err := line.Write(t.Context(), []byte("ver\r")); err != nil {
			t.Error(err)
		}
		if err := errors.Join(line.Close(), far.Close()); err != nil {
			t.Error(err)
		}
	}
	dir := t.TempDir()
	for range 2 { // the second time as a run that goes on
		w := &wires{evidence: evidence(dir)}
		note(w)
		note(w) // another world, the same file
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"power.log", "power-2.log"} {
		data, err := os.ReadFile(filepath.Join(dir, "wire", name))
		if err != nil || strings.Count(string(data), "> ver\\r\n") != 2 {
			t.Errorf("%s: %v, %s", name, err, data)
		}
	}
	full := &wires{evidence: func(string) (io.WriteCloser, error) { return nil, fs.ErrPermission }}
	note(full)
	if err := full.close(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "wire log of the power") {
		t.Errorf("%v", err)
	}
	var none *wires
	note(none)
	if err := none.close(); err != nil {
		t.Error(err)
	}
}

// TestHarmlessWords: a word with a digit in it would be dropped in silence, a driver that is not there is a slip.
func TestHarmlessWords(t *testing.T) {
	for driver, words := range harmless {
		known := false
		for _, specs := range rigs.Drivers() {
			_, has := specs[driver]
			known = known || has
		}
		if !known {
			t.Errorf("no driver %s", driver)
		}
		for _, word := range words {
			var b strings.Builder
			serial.NewLog(&b, word)(time.Time{}, true, []byte(word))
			if !strings.HasSuffix(b.String(), " > "+word+"\n") {
				t.Errorf("%s: %q is not shown: %s", driver, word, b.String())
			}
		}
	}
}
