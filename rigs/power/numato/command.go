package numato

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// command is one command and what makes sense as its answer.
type command struct {
	text string
	// accept says whether an answer can belong to the command; nil takes any. A prompt that
	// the board sent unasked, or late, is told apart by it.
	accept func(answer) bool
}

// run sends commands one after the other, each when the one before was answered, and
// returns the last one's answer.
func (d *Driver) run(ctx context.Context, commands ...command) (answer, error) {
	var state talk
	select {
	case state = <-d.turn:
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
	defer func() { d.turn <- state }()

	if err := d.discard(ctx, state.synced); err != nil {
		return answer{}, err
	}
	state.synced = false
	var last answer
	for _, c := range commands {
		var err error
		if last, err = d.exchange(ctx, c); err != nil {
			return answer{}, fmt.Errorf("%s: %w", c.text, err)
		}
	}
	state.synced = true
	return last, nil
}

// exchange sends one command and waits for its prompt.
func (d *Driver) exchange(ctx context.Context, c command) (answer, error) {
	if err := d.line.Write(ctx, []byte(c.text+"\r")); err != nil {
		return answer{}, err
	}
	limit := time.NewTimer(d.cfg.Limits.Answer)
	defer limit.Stop()
	silent := fmt.Errorf("%v without a prompt: %w", d.cfg.Limits.Answer, rigs.ErrNoAnswer)
	var a answer
	for {
		select {
		case chunk, ok := <-d.line.Chunks():
			if !ok {
				return answer{}, d.endError()
			}
			done, stray, err := c.scan(&a, chunk.Data)
			if done || err != nil {
				return a, err
			}
			if stray {
				silent = fmt.Errorf("only other answers for %v: %w", d.cfg.Limits.Answer, ErrAnswer)
			}
		case <-limit.C:
			return answer{}, silent
		case <-ctx.Done():
			return answer{}, context.Cause(ctx)
		}
	}
}

// scan adds what came to the answer. Answers that can't belong to the command are dropped and
// reported as stray.
func (c command) scan(a *answer, data []byte) (done, stray bool, err error) {
	for len(data) > 0 {
		var complete bool
		if data, complete, err = a.feed(data); err != nil {
			return false, stray, err
		}
		if !complete {
			continue
		}
		if c.accept == nil || c.accept(*a) {
			return true, stray, nil
		}
		*a, stray = answer{}, true
	}
	return false, stray, nil
}

// discard throws away what the board said unasked. Unless the conversation is in step it also
// ends a half-sent command with a bare CR and waits until the line is quiet.
func (d *Driver) discard(ctx context.Context, synced bool) error {
	quiet := d.cfg.Limits.Quiet
	if synced {
		quiet = 0
	} else if err := d.line.Write(ctx, []byte("\r")); err != nil {
		return err
	}
	settle := time.NewTimer(d.cfg.Limits.Settle)
	defer settle.Stop()
	for {
		heard, err := d.hear(ctx, quiet)
		if err != nil || !heard {
			return err
		}
		select {
		case <-settle.C:
			return fmt.Errorf("board talks without an end: %w", ErrAnswer)
		default:
		}
	}
}

// hear reports whether a chunk came within wait, and throws it away. Without a wait it only looks.
func (d *Driver) hear(ctx context.Context, wait time.Duration) (bool, error) {
	if wait == 0 {
		select {
		case _, ok := <-d.line.Chunks():
			return ok, d.endErrorUnless(ok)
		default:
			return false, nil
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case _, ok := <-d.line.Chunks():
		return ok, d.endErrorUnless(ok)
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// endErrorUnless is nil for a chunk, and says why the line ended otherwise.
func (d *Driver) endErrorUnless(ok bool) error {
	if ok {
		return nil
	}
	return d.endError()
}

// endError says why the line ended.
func (d *Driver) endError() error {
	if err := d.line.Err(); err != nil {
		return err
	}
	return rigs.ErrLost
}
