// Package paper is the terminal's side of its receipt printer: it asks for the printer's status
// and sends ESC/POS bytes.
//
//	10 04 01  →  DLE EOT 1, "printer status"; the printer answers one byte, bits 0b0..1..10,
//	             of which bit 3 means offline
package paper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
	"github.com/assay-hil/assay/fakes/terminal"
)

const (
	// StatusWait is how long the terminal waits for the printer's status.
	StatusWait = 500 * time.Millisecond

	statusFixed = 0x93 // bits that are the same in every status byte …
	statusValue = 0x12 // … and what they are
	offline     = 0x08
)

// Why nothing was printed.
var (
	// ErrPaper: the printer is out of paper or offline.
	ErrPaper = fmt.Errorf("printer: %w", terminal.ErrPaper)
	// ErrHot: the head is too hot.
	ErrHot = errors.New("printer is too hot")
	// ErrNoStatus: the printer did not answer within StatusWait.
	ErrNoStatus = errors.New("printer does not answer")
	// ErrBusy: the printer takes no more bytes.
	ErrBusy = errors.New("printer takes no more bytes")
	// ErrClosed: the simulator was closed.
	ErrClosed = errors.New("printer line closed")
)

// Faults are ways in which the printer misbehaves.
type Faults struct {
	// OutOfPaper: every print fails and nothing is sent.
	OutOfPaper bool
}

// Config says how the printer behaves.
type Config struct {
	Faults Faults
}

// Paper is one printer line.
type Paper struct {
	line   *line.Line
	faults Faults
	turn   chan struct{} // holds one token: one print at a time
	out    atomic.Bool   // the sensor says that there is no paper
	hot    atomic.Bool   // the head is too hot to print
}

// SetOut takes the paper out or puts it in again, SetHot heats the head or lets it cool.
func (p *Paper) SetOut(out bool) { p.out.Store(out) }

// SetHot is described at SetOut.
func (p *Paper) SetHot(hot bool) { p.hot.Store(hot) }

// New starts the terminal's side of a printer line on the port, which belongs to it from then on.
func New(port io.ReadWriteCloser, cfg Config) *Paper {
	p := &Paper{line: line.Open(port), faults: cfg.Faults, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	return p
}

// Attach gives the printer of a terminal that has its supply until ctx ends; after that, and
// while it waits, Write fails with the context's error.
func (p *Paper) Attach(ctx context.Context) terminal.Printer { return printer{ctx, p} }

// Cut forgets what was not sent yet: the supply is gone.
func (p *Paper) Cut() { p.line.Discard() }

// Close closes the port and waits for the goroutines.
func (p *Paper) Close() error { return p.line.Close() }

type printer struct {
	supply context.Context
	paper  *Paper
}

// Write asks for the printer's status and sends b as one job. The error is ErrPaper, ErrNoStatus,
// ErrBusy, ErrClosed or the context's; then nothing of b was sent.
func (w printer) Write(b []byte) (int, error) {
	select {
	case <-w.paper.turn:
	case <-w.supply.Done():
		return 0, w.supply.Err()
	}
	defer func() { w.paper.turn <- struct{}{} }()
	switch {
	case w.paper.faults.OutOfPaper, w.paper.out.Load():
		return 0, ErrPaper
	case w.paper.hot.Load():
		return 0, ErrHot
	}
	if err := w.paper.ready(w.supply); err != nil {
		return 0, err
	}
	if !w.paper.line.Send(append([]byte(nil), b...)) {
		return 0, ErrBusy
	}
	return len(b), nil
}

// ready asks for the status; what the printer said before is not the answer.
func (p *Paper) ready(ctx context.Context) error {
	for drained := false; !drained; {
		select {
		case _, ok := <-p.line.Received():
			if !ok {
				return ErrClosed
			}
		default:
			drained = true
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !p.line.Send([]byte{0x10, 0x04, 0x01}) {
		return ErrBusy
	}
	wait := time.NewTimer(StatusWait)
	defer wait.Stop()
	for {
		select {
		case answer, ok := <-p.line.Received():
			if !ok {
				return ErrClosed
			}
			if status := answer[len(answer)-1]; status&statusFixed == statusValue {
				if status&offline != 0 {
					return ErrPaper
				}
				return nil
			}
		case <-wait.C:
			return ErrNoStatus
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
