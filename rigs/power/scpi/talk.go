package scpi

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// answerMax is the longest answer, in bytes, that makes sense: IEEE 488.2, 10.14 allows an identification 72.
const answerMax = 256

// talk is what must be known from one conversation to the next.
type talk struct {
	// synced is false at first and after a question that got no answer.
	synced bool
}

// converse does something with the line while nobody else speaks, in step with the supply.
func (d *Driver) converse(ctx context.Context, do func(context.Context) error) error {
	var state talk
	select {
	case state = <-d.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { d.turn <- state }()
	if err := d.discard(ctx, state.synced); err != nil {
		return err
	}
	state.synced = false
	err := do(ctx)
	state.synced = err == nil
	return err
}

// tell sends a command that is not answered.
func (d *Driver) tell(ctx context.Context, command string) error {
	if err := d.line.Write(ctx, []byte(command+"\n")); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// ask sends a question and gives the line that answers it, without its end and blanks around it.
func (d *Driver) ask(ctx context.Context, question string) (string, error) {
	if err := d.tell(ctx, question); err != nil {
		return "", err
	}
	text, err := d.listen(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", question, err)
	}
	return text, nil
}

// listen waits for one line.
func (d *Driver) listen(ctx context.Context) (string, error) {
	limit := time.NewTimer(d.cfg.Limits.Answer)
	defer limit.Stop()
	var got []byte
	for {
		select {
		case chunk, open := <-d.line.Chunks():
			if !open {
				return "", d.endError()
			}
			got = append(got, chunk.Data...)
			line, rest, whole := bytes.Cut(got, []byte("\n"))
			switch {
			case len(line) > answerMax, whole && len(bytes.TrimSpace(rest)) > 0:
				return "", ErrAnswer // two lines for one question: something else talks
			case whole:
				return printable(line)
			}
		case <-limit.C:
			return "", fmt.Errorf("%w for %v", rigs.ErrNoAnswer, d.cfg.Limits.Answer)
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// printable gives a line's text; a line with other bytes than ASCII text is none.
func printable(line []byte) (string, error) {
	text := strings.TrimSpace(string(line))
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", ErrAnswer
	}
	return text, nil
}

// discard throws away what came unasked. Unless the conversation is in step it also ends a half-sent command with a
// bare LF and waits until the line is quiet.
func (d *Driver) discard(ctx context.Context, synced bool) error {
	if synced {
		return d.drop()
	}
	if err := d.line.Write(ctx, []byte("\n")); err != nil {
		return err
	}
	settle := time.NewTimer(d.cfg.Limits.Settle)
	defer settle.Stop()
	for {
		quiet := time.NewTimer(d.cfg.Limits.Quiet)
		select {
		case _, open := <-d.line.Chunks():
			quiet.Stop()
			if !open {
				return d.endError()
			}
		case <-quiet.C:
			return nil
		case <-settle.C:
			quiet.Stop()
			return fmt.Errorf("the line is not quiet for %v: %w", d.cfg.Limits.Settle, ErrAnswer)
		case <-ctx.Done():
			quiet.Stop()
			return context.Cause(ctx)
		}
	}
}

// drop throws away what is there now.
func (d *Driver) drop() error {
	for range serial.ChunkBuffer {
		select {
		case _, open := <-d.line.Chunks():
			if !open {
				return d.endError()
			}
		default:
			return nil
		}
	}
	return nil
}

// endError says why the line ended.
func (d *Driver) endError() error {
	if err := d.line.Err(); err != nil {
		return err
	}
	return rigs.ErrLost
}

// parseState reads the answer to OUTP?: a boolean, SCPI 1999 volume 1, 7.3.
func parseState(text string) (on bool, err error) {
	switch strings.ToUpper(text) {
	case "1", "ON":
		return true, nil
	case "0", "OFF":
		return false, nil
	}
	return false, fmt.Errorf("OUTP?: %w", ErrAnswer)
}

// voltsMax is more than any supply for a terminal gives; SCPI's 9.9E37 means that nothing was measured.
const voltsMax = 1000

// parseVolts reads the answer to MEAS:VOLT?: a number, by some supplies with its unit.
func parseVolts(text string) (float64, error) {
	number := strings.TrimSpace(strings.TrimRight(text, "Vv"))
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > voltsMax {
		return 0, fmt.Errorf("MEAS:VOLT?: %w", ErrAnswer)
	}
	return v, nil
}
