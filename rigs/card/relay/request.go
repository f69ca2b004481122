package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// request sends one request, repeats it as PROTOCOL.md §2 says, and returns the arguments of OK.
// Errors: *ReplyError, ErrReply, rigs.ErrNoAnswer, ctx's, or the line's own. After any but the
// first the emulator may have acted or not.
func (d *Driver) request(ctx context.Context, verb string, args ...string) ([]string, error) {
	if err := d.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer func() { d.turn <- struct{}{} }()

	c := d.begin(verb)
	defer d.forget(c)
	line, err := message{kind: request, seq: c.seq, words: append([]string{verb}, args...)}.encode()
	if err != nil {
		return nil, err
	}
	wait := d.limits.Reply
	if verb == "SWIPE" {
		wait = d.limits.SwipeReply
	}
	for sending := range d.limits.Sendings {
		if sending > 0 {
			d.count(func(s *Stats) { s.Repeats++ })
		}
		if err := d.line.Write(ctx, line); err != nil {
			return nil, err
		}
		words, err := d.await(ctx, c, wait)
		if err != nil {
			return nil, err
		}
		if words != nil {
			return verdict(words)
		}
	}
	return nil, fmt.Errorf("%s: %d sendings, %v each: %w", verb, d.limits.Sendings, wait, rigs.ErrNoAnswer)
}

// takeTurn waits until no other request is outstanding.
func (d *Driver) takeTurn(ctx context.Context) error {
	select {
	case <-d.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-d.ended:
		return d.endError()
	}
}

// begin registers a new request under the next number.
func (d *Driver) begin(verb string) *call {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &call{seq: d.seq, hello: verb == "HELLO", reply: make(chan []string, 1)}
	d.seq++
	d.pending = c
	return c
}

// forget makes the reader ignore replies to c that come from now on.
func (d *Driver) forget(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == c {
		d.pending = nil
	}
}

// await waits for the reply to one sending; nil words mean that none came in time.
func (d *Driver) await(ctx context.Context, c *call, wait time.Duration) ([]string, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case words := <-c.reply:
		return words, nil
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-d.ended:
		return nil, d.endError()
	}
}

// verdict splits a reply into arguments or refusal.
func verdict(words []string) ([]string, error) {
	switch {
	case words[0] == "OK":
		return words[1:], nil
	case words[0] == "ERR" && len(words) == 2:
		return nil, &ReplyError{Code: words[1]}
	}
	return nil, fmt.Errorf("neither OK nor ERR: %w", ErrReply)
}

// endError says why the line ended.
func (d *Driver) endError() error {
	if err := d.line.Err(); err != nil {
		return err
	}
	return rigs.ErrLost
}
