package chameleon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// ErrAnswer is returned for an answer that has not the bytes that the command's has.
var ErrAnswer = errors.New("answer is not as the firmware's")

// frameGap is the longest pause inside of a frame. The firmware sends a frame in one go; what is unfinished
// after such a pause has lost bytes.
const frameGap = 100 * time.Millisecond

// read parses frames until the line ends.
func (d *Driver) read() {
	defer close(d.ended)
	var p parser
	var last time.Time
	for chunk := range d.line.Chunks() {
		if chunk.At.Sub(last) > frameGap {
			p.forget()
		}
		last = chunk.At
		for _, f := range p.feed(chunk.Data) {
			select {
			case d.answers <- f:
			default:
				d.count(func(s *Stats) { s.Late++ })
			}
		}
		d.count(func(s *Stats) { s.Skipped = p.skipped })
	}
}

// request sends a request that may be carried out twice without harm, as often as the limit says,
// and returns the answer's data. Errors: *StatusError, rigs.ErrNoAnswer, ctx's, the line's own. After any but the first
// the emulator may have acted or not.
func (d *Driver) request(ctx context.Context, c command, data []byte) ([]byte, error) {
	return d.exchange(ctx, c, data, d.cfg.Limits.Sendings)
}

func (d *Driver) exchange(ctx context.Context, c command, data []byte, sendings int) ([]byte, error) {
	b, err := frame{command: c, data: data}.encode()
	if err != nil {
		return nil, err
	}
	if err := d.take(ctx, d.turn); err != nil {
		return nil, err
	}
	defer func() { d.turn <- struct{}{} }()
	wait := d.cfg.Limits.Reply
	if c == cmdSave || c == cmdSlotDefault {
		wait = d.cfg.Limits.Flash
	}
	for sending := range sendings {
		if sending > 0 {
			d.count(func(s *Stats) { s.Repeats++ })
		}
		f, err := d.send(ctx, c, b, wait)
		if errors.Is(err, rigs.ErrNoAnswer) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return f.data, f.verdict()
	}
	return nil, fmt.Errorf("%v: %d sendings, %v each: %w", c, sendings, wait, rigs.ErrNoAnswer)
}

// verdict turns a status into an error. That there is no command to poll is none.
func (f frame) verdict() error {
	if f.status == statusSuccess || f.command == cmdReceive && f.status == statusNoTag {
		return nil
	}
	return &StatusError{Command: uint16(f.command), Status: uint16(f.status)}
}

// take waits for a token.
func (d *Driver) take(ctx context.Context, token chan struct{}) error {
	select {
	case <-token:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-d.ended:
		return d.endError()
	}
}

// send writes one frame and waits for its answer. Until there was one, the line is not trusted.
func (d *Driver) send(ctx context.Context, c command, b []byte, wait time.Duration) (frame, error) {
	if d.silent {
		if err := d.settle(ctx); err != nil {
			return frame{}, err
		}
	}
	d.silent = true
	if err := d.line.Write(ctx, b); err != nil {
		return frame{}, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case f := <-d.answers:
			if f.command == c {
				d.silent = false
				return f, nil
			}
			d.count(func(s *Stats) { s.Late++ })
		case <-timer.C:
			return frame{}, rigs.ErrNoAnswer
		case <-ctx.Done():
			return frame{}, context.Cause(ctx)
		case <-d.ended:
			return frame{}, d.endError()
		}
	}
}

// settle drops answers until none came for a while.
func (d *Driver) settle(ctx context.Context) error {
	limit := time.NewTimer(d.cfg.Limits.Settle)
	defer limit.Stop()
	quiet := time.NewTimer(d.cfg.Limits.Quiet)
	defer quiet.Stop()
	for {
		select {
		case <-d.answers:
			d.count(func(s *Stats) { s.Late++ })
			quiet.Reset(d.cfg.Limits.Quiet)
		case <-quiet.C:
			return nil
		case <-limit.C:
			return fmt.Errorf("the emulator talks without being asked for %v: %w", d.cfg.Limits.Settle, ErrAnswer)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-d.ended:
			return d.endError()
		}
	}
}

// endError says why the line ended.
func (d *Driver) endError() error {
	if err := d.line.Err(); err != nil {
		return err
	}
	return rigs.ErrLost
}
