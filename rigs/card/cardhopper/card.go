package cardhopper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
)

const (
	// restarts is how often RESTART is sent: a frame of the terminal that crosses it takes it for its answer.
	restarts = 4
	// syncs is how often the Proxmark's mode is looked for.
	syncs = 4
	// settings is how many packets follow CARD.
	settings = 4
	// fsci128 is announced to the terminal: longer frames could not be told from the Proxmark's marks.
	fsci128 byte = 7
	// quietTime is how long the Proxmark must have been silent before Probe disturbs a card in the field.
	quietTime = time.Second
	// fillerWait is the wait for a mark after each byte that ends what an earlier host left unfinished.
	fillerWait = 10 * time.Millisecond
)

// Tap brings a live card into the field. uid has 4, 7 or 10 bytes. Of the ATS the historical bytes are
// kept, and that the card understands CID; the Proxmark puts the bit rate (106 kbit/s) and the waiting
// times in, and the card announces frames of at most 128 bytes. From then on the chip is reset and asked as
// the terminal wishes, on a goroutine of the driver. Errors: card.ErrUID, card.ErrATS, ErrNear, ErrRefused,
// rigs.ErrNoAnswer, ctx's, the line's; after the last three the card may be in the field or not.
func (d *Driver) Tap(ctx context.Context, c rigs.Chip, uid, ats []byte) error {
	if err := card.CheckUID(uid); err != nil {
		return rigs.Fault(Name, "tap", err)
	}
	answer, err := card.ParseATS(ats)
	if err != nil {
		return rigs.Fault(Name, "tap", err)
	}
	const cidOnly = 0x02
	answer.FSCI, answer.TC = min(answer.FSCI, fsci128), answer.TC&cidOnly
	return d.do(ctx, "tap", func(ctx context.Context, o *owner) error {
		return o.enter(ctx, c, uid, answer)
	})
}

// enter makes the Proxmark a card.
func (o *owner) enter(ctx context.Context, c rigs.Chip, uid []byte, ats card.ATS) error {
	if o.near && !o.unsure {
		return ErrNear
	}
	if err := errors.Join(o.sync(ctx), o.retire()); err != nil {
		return err
	}
	o.acquit()
	o.unsure = true
	for _, data := range [][]byte{
		[]byte(modeCard), {o.cfg.TagType}, {o.cfg.FWI, ats.TB & 0x0F}, uid, ats.Encode(),
	} {
		if _, err := o.send(ctx, data); err != nil {
			return err
		}
	}
	o.near, o.unsure, o.protocol = true, false, protocol{}
	o.app = start(o.Driver, c)
	return nil
}

// Leave takes the card out of the field. When that worked it returns the fault of the card's session,
// if there was one (see the package comment). Other errors: rigs.ErrNoAnswer, ctx's, the line's.
func (d *Driver) Leave(ctx context.Context) error {
	return d.do(ctx, "leave", func(ctx context.Context, o *owner) error {
		if err := o.leave(ctx); err != nil {
			return err
		}
		return o.session()
	})
}

// Halt takes the card out and forgets the session's fault. Errors as of Leave.
func (d *Driver) Halt(ctx context.Context) error {
	return d.do(ctx, "halt", func(ctx context.Context, o *owner) error {
		if err := o.leave(ctx); err != nil {
			return err
		}
		o.acquit()
		return nil
	})
}

// leave ends card mode, also when nobody thinks that a card is near, and then the application. Error
// besides a packet's: ErrSlow for a chip that hangs; the card is out all the same.
func (o *owner) leave(ctx context.Context) error {
	o.extend.Stop()
	if !o.owed.IsZero() {
		o.reply(ctx, nil)
	}
	err := o.sync(ctx)
	if err == nil && o.near {
		if err = o.restart(ctx); err != nil {
			o.unsure = true
		} else {
			o.near = false
		}
	}
	return errors.Join(err, o.retire())
}

// retire ends the application.
func (o *owner) retire() error {
	ended := o.app.end()
	o.app, o.command, o.ready, o.protocol = nil, time.Time{}, nil, protocol{}
	if !ended {
		return fmt.Errorf("%w: it still works %v after the card was taken out", ErrSlow, endLimit)
	}
	return nil
}

// restart ends card mode. A frame that the Proxmark sent before it looked has taken RESTART for its
// answer, so then it is sent again; where it was superfluous the Proxmark does nothing.
func (o *owner) restart(ctx context.Context) error {
	for range restarts {
		interrupted, err := o.send(ctx, []byte(modeRestart))
		if err != nil || !interrupted {
			return err
		}
	}
	return fmt.Errorf("card mode does not end after %d tries: %w", restarts, ErrRefused)
}

// sync finds the Proxmark's mode again. It may wait for the rest of a packet of an earlier host: then
// every byte is taken for a part of that packet, so it gets empty packets, one at a time, until it
// marks one. It may wait for settings of a card, or for an answer to a frame: RESTART is taken for
// those, so there is one for each and one more.
func (o *owner) sync(ctx context.Context) error {
	if !o.unsure {
		return nil
	}
	var err error
	for range syncs {
		if err = o.restartAll(ctx); err == nil {
			o.near, o.unsure = false, false
			return nil
		}
		if !errors.Is(err, rigs.ErrNoAnswer) {
			return err
		}
		if err := o.fill(ctx); err != nil {
			return err
		}
	}
	return err
}

// restartAll ends whatever packets an earlier host began.
func (o *owner) restartAll(ctx context.Context) error {
	o.drain()
	for range settings + 2 {
		if err := o.restart(ctx); err != nil {
			return err
		}
	}
	return nil
}

// drain drops what came before anybody knew the Proxmark's mode.
func (o *owner) drain() {
	for {
		select {
		case _, ok := <-o.items:
			if !ok {
				return // the next send finds it too
			}
		default:
			return
		}
	}
}

// fill sends empty packets until one is marked. Errors: rigs.ErrNoAnswer, ctx's, the line's.
func (o *owner) fill(ctx context.Context) error {
	for range maxPacket + 1 {
		if err := o.line.Write(ctx, []byte{0}); err != nil {
			return err
		}
		timer := time.NewTimer(fillerWait)
		select {
		case next, ok := <-o.items:
			timer.Stop()
			if !ok {
				return o.endError()
			}
			if next.kind == kindAck {
				return nil
			}
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("%d empty packets, no mark: %w: %w", maxPacket+1, rigs.ErrNoAnswer, errMode)
}

// Probe asks for a sign of life and moves nothing. With a card in the field that the terminal is
// using, the terminal's frames are the sign. Besides a packet's errors it returns the fault of the
// card's session.
func (d *Driver) Probe(ctx context.Context) error {
	return d.do(ctx, "probe", func(ctx context.Context, o *owner) error {
		if err := o.alive(ctx); err != nil {
			o.unsure = true
			return err
		}
		return o.session()
	})
}

// alive sends what does nothing: RESTART outside of card mode, an empty packet inside. That crosses with
// a frame only by bad luck; the terminal then asks again.
func (o *owner) alive(ctx context.Context) error {
	switch {
	case o.unsure:
		return o.sync(ctx)
	case !o.near:
		return o.restart(ctx)
	case !o.owed.IsZero() || time.Since(o.heard) < quietTime:
		return nil
	}
	_, err := o.send(ctx, nil)
	return err
}
