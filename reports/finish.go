package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/reports/scan"
)

// Limits of what ends a run.
const (
	maxLeaks    = 20
	scanLimit   = 30 * time.Minute
	notifyLimit = time.Minute
	saidLimit   = 4 << 10 // of what a notification command says, in bytes
)

// Render writes everything that is made of a run, for programs and for people. past may be nil.
func (r *Run) Render(past Past) error {
	write := func(name string, make func(*Run) ([]byte, error)) error {
		return replace(filepath.Join(r.Dir, name), func() ([]byte, error) { return make(r) })
	}
	return errors.Join(
		write(JUnitFile, JUnit),
		write(CTRFFile, CTRF),
		write(MetricsFile, Metrics),
		r.renderPages(past),
	)
}

// scan looks for card data in everything that the folder holds.
func (r *Run) scan() error {
	all, err := cards.All()
	if err != nil {
		return err
	}
	var known []scan.Card
	for _, c := range all {
		known = append(known, scan.Card{PAN: c.PAN, PIN: c.PIN})
	}
	ctx, cancel := context.WithTimeout(context.Background(), scanLimit)
	defer cancel()
	found, err := scan.New(known).Folder(ctx, r.Dir)
	r.Summary.Leaks = nil
	for _, f := range found[:min(len(found), maxLeaks)] {
		r.Summary.Leaks = append(r.Summary.Leaks, Leak{f.File, f.What, f.Line})
	}
	r.Summary.Scanned = err == nil
	if err != nil {
		return fmt.Errorf("the scan for card data: %w", err)
	}
	return nil
}

// Scan looks for card data in a run folder, again. Nothing is written.
func Scan(dir string) ([]Leak, error) {
	r := &Run{Dir: dir}
	err := r.scan()
	return r.Summary.Leaks, err
}

// leaked says in a sentence that card data was found.
func (s Summary) leaked() string {
	return fmt.Sprintf("Card data in clear was found in the run folder, in %s: keep it to yourself.", count(len(s.Leaks), "place"))
}

func (s Summary) leakLines() string {
	var b strings.Builder
	for _, l := range s.Leaks {
		fmt.Fprintf(&b, "%s:%d: %s\n", l.File, l.Line, l.What)
	}
	return b.String()
}

// Notify runs a command of the user's shell with the summary as JSON on its standard input and the most important of it in
// its environment: ASSAY_VERDICT, ASSAY_WORDS, ASSAY_FOLDER, ASSAY_PLANNED, ASSAY_FAILED, ASSAY_INCONCLUSIVE, ASSAY_NOT_RUN.
// It is bounded by notifyLimit.
func Notify(ctx context.Context, command, dir string, s Summary) error {
	input, err := json.Marshal(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stdin = bytes.NewReader(append(input, '\n'))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{&said, saidLimit}, &limited{&said, saidLimit}
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(),
		"ASSAY_VERDICT="+string(s.tone()), "ASSAY_WORDS="+s.Words(), "ASSAY_FOLDER="+dir, fmt.Sprintf("ASSAY_PLANNED=%d", s.Planned),
		fmt.Sprintf("ASSAY_FAILED=%d", s.Failed), fmt.Sprintf("ASSAY_INCONCLUSIVE=%d", s.Inconclusive), fmt.Sprintf("ASSAY_NOT_RUN=%d", s.NotRun))
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the notification command: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// limited takes the first bytes and drops the rest.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if n := min(len(p), l.left); n > 0 {
		if _, err := l.w.Write(p[:n]); err != nil {
			return 0, err
		}
		l.left -= n
	}
	return len(p), nil
}
