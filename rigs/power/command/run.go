package command

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// outputMax is how much of what a program prints is kept, in bytes, of each stream.
	outputMax = 4096
	// quoteMax is how much of it an error repeats, in characters.
	quoteMax = 200
	// waitDelay is how long a killed program's pipes may stay open, held by what it started.
	waitDelay = time.Second
)

// run runs a program to its end and gives what it printed.
func (d *Driver) run(ctx context.Context, program []string) (string, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, d.cfg.Limit, errSlow)
	defer cancel()
	cmd := exec.CommandContext(bounded, d.path(program[0]), program[1:]...)
	cmd.Dir = d.cfg.Dir
	cmd.WaitDelay = waitDelay
	isolate(cmd)
	var out, errs head
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	switch {
	case err == nil:
		return string(out.kept), nil
	case errors.Is(context.Cause(bounded), errSlow):
		err = fmt.Errorf("%w for %v: killed", rigs.ErrNoAnswer, d.cfg.Limit)
	case bounded.Err() != nil:
		return "", context.Cause(bounded)
	}
	said := ""
	for _, text := range []string{string(errs.kept), string(out.kept)} {
		if said == "" && strings.TrimSpace(text) != "" {
			said = "; it says " + d.quote(text)
		}
	}
	return "", fmt.Errorf("%s: %w: %w%s", d.name(program), ErrProgram, d.hidden(err), said)
}

var errSlow = errors.New("the program takes too long")

// find looks whether a program is there.
func (d *Driver) find(program []string) error {
	if _, err := exec.LookPath(d.path(program[0])); err != nil {
		return fmt.Errorf("%w: %w", ErrProgram, d.hidden(err))
	}
	return nil
}

// path takes a program with a slash in its name as relative to the driver's folder.
func (d *Driver) path(program string) string {
	if strings.Contains(program, "/") && !filepath.IsAbs(program) {
		return filepath.Join(d.cfg.Dir, program)
	}
	return program
}

// name is how an error calls a program: without its arguments, which may be secrets.
func (d *Driver) name(program []string) string { return d.mask(filepath.Base(program[0])) }

// hiddenError is an error whose text has no secrets in it.
type hiddenError struct {
	text string
	err  error
}

func (e hiddenError) Error() string { return e.text }
func (e hiddenError) Unwrap() error { return e.err }

func (d *Driver) hidden(err error) error { return hiddenError{d.mask(err.Error()), err} }

// mask hides the secrets in a text.
func (d *Driver) mask(text string) string {
	for _, secret := range d.cfg.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// quote is the beginning of what a program printed, on one line, without secrets.
func (d *Driver) quote(text string) string {
	text = strings.Join(strings.Fields(d.mask(text)), " ")
	if runes := []rune(text); len(runes) > quoteMax {
		text = string(runes[:quoteMax]) + "…"
	}
	return strconv.Quote(text)
}

// head keeps the beginning of what is written to it, and drops the rest.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), outputMax-len(h.kept))]...)
	return len(p), nil
}
