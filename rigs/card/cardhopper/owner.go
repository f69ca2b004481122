package cardhopper

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// owner is the goroutine that owns the line and the block protocol.
type owner struct {
	*Driver
	protocol protocol
	app      *application
	// near says that the Proxmark is in card mode, unsure that nobody knows its mode.
	near, unsure bool
	// owed is when the frame came that the Proxmark holds the terminal for; zero: none.
	owed time.Time
	// heard is when the Proxmark last sent anything.
	heard time.Time
	// command is when the command came that the application works on; zero: it does not.
	command time.Time
	ready   []byte // the application's answer that could not be handed over yet
	extend  *time.Timer
}

func newOwner(d *Driver) *owner {
	o := &owner{Driver: d, unsure: true, extend: time.NewTimer(time.Hour)}
	o.extend.Stop()
	return o
}

// run works until Close. After the line's end it only answers calls.
func (o *owner) run() {
	defer func() { o.app.end() }() // nothing is left to do about a chip that hangs
	items := o.items
	for {
		select {
		case next, ok := <-items:
			if !ok {
				items = nil
				continue
			}
			o.hear(o.life, next)
		case c := <-o.calls:
			if items == nil {
				c.done <- o.endError()
				continue
			}
			c.done <- c.work(c.ctx, o)
		case r := <-o.app.answers():
			o.answered(r)
		case <-o.extend.C:
			o.postpone()
		case <-o.life.Done():
			return
		}
	}
}

// hear takes one packet outside of a conversation.
func (o *owner) hear(ctx context.Context, next item) {
	o.heard = time.Now()
	switch next.kind {
	case kindFrame:
		o.frame(ctx, next.data)
	case kindJunk:
		o.owed = time.Now()
		o.count(func(s *Stats) { s.Ignored++ })
		o.reply(ctx, nil)
	case kindRefusal:
		o.blame(ErrRefused)
	case kindAck: // of a packet that was given up
	}
}

// frame works on one frame of the terminal.
func (o *owner) frame(ctx context.Context, frame []byte) {
	if !o.near {
		o.unsure = true // nobody told it to be a card
		return
	}
	at := time.Now()
	o.owed = at
	what, reply := o.protocol.take(frame)
	switch what {
	case selected:
		o.command, o.ready, o.owed = time.Time{}, nil, time.Time{}
		o.app.reset(at)
		if o.cfg.AnswerRATS {
			o.reply(ctx, nil)
		}
	case commanded:
		o.begin(at)
	case askedAgain:
		o.repeat(ctx, reply)
	case deselected:
		o.events.Emit(rigs.CardEvent{At: at, Kind: "field-off"})
		o.reply(ctx, reply)
	case misaddressed:
		o.count(func(s *Stats) { s.Ignored++ })
		o.reply(ctx, nil)
	default:
		o.reply(ctx, reply)
	}
}

// begin gives a command to the application. Its answer, or the time for an extension, wakes the owner.
func (o *owner) begin(at time.Time) {
	command := o.protocol.taken()
	o.ready = nil
	if !o.app.ask(at, command) {
		o.blame(fmt.Errorf("%w: it still works on earlier ones", ErrSlow))
		o.reply(o.life, nil)
		return
	}
	o.command = at
	o.extend.Reset(waiting(o.cfg.FWI) / 2)
}

// answered hands the application's answer over, or keeps it until the terminal asks again.
func (o *owner) answered(r result) {
	if !r.at.Equal(o.command) {
		return // of a command that the terminal gave up
	}
	o.command = time.Time{}
	o.extend.Stop()
	switch {
	case len(r.response) == 0: // a mute chip
		if !o.owed.IsZero() {
			o.reply(o.life, nil)
		}
	case o.owed.IsZero():
		o.ready = r.response
	default:
		o.reply(o.life, o.protocol.answer(r.response))
	}
}

// postpone asks the terminal for more time. The Proxmark swallows the terminal's consent, and an
// answer that came then would go nowhere: so the answer waits until the terminal asks again.
func (o *owner) postpone() {
	if o.owed.IsZero() || o.command.IsZero() {
		return
	}
	if time.Since(o.command) > o.cfg.Limits.Command {
		o.command = time.Time{}
		o.blame(ErrSlow)
		o.reply(o.life, nil)
		return
	}
	o.count(func(s *Stats) { s.Extensions++ })
	o.reply(o.life, o.protocol.extend(1))
}

// repeat sends the last block again; where an answer is outstanding, that, as soon as it is there.
func (o *owner) repeat(ctx context.Context, last []byte) {
	o.count(func(s *Stats) { s.Repeats++ })
	switch {
	case o.ready != nil:
		response := o.ready
		o.ready = nil
		o.reply(ctx, o.protocol.answer(response))
	case !o.command.IsZero():
		o.extend.Reset(waiting(o.cfg.FWI) / 2)
	case o.protocol.waiting: // the application stays mute
		o.reply(ctx, nil)
	default:
		o.reply(ctx, last)
	}
}

// reply answers the frame that the Proxmark waits with; nothing leaves the terminal without an answer.
func (o *owner) reply(ctx context.Context, block []byte) {
	if took := time.Since(o.owed); !o.owed.IsZero() && len(block) > 0 && took > waiting(o.cfg.FWI) {
		o.blame(fmt.Errorf("%v, limit %v: %w", took.Round(time.Millisecond), waiting(o.cfg.FWI).Round(time.Millisecond), ErrLate))
	}
	o.owed = time.Time{}
	if _, err := o.send(ctx, block); err != nil {
		o.unsure = true
		o.blame(err)
	}
}

// send writes a packet and waits until the Proxmark has it. interrupted says that it sent a frame
// meanwhile, to which the packet became the answer. Errors: rigs.ErrNoAnswer, ErrRefused, ctx's, the line's.
func (o *owner) send(ctx context.Context, data []byte) (interrupted bool, err error) {
	b, err := packet(data)
	if err != nil {
		return false, err
	}
	if err := o.line.Write(ctx, b); err != nil {
		return false, err
	}
	limit := time.NewTimer(o.cfg.Limits.Ack)
	defer limit.Stop()
	for {
		select {
		case next, ok := <-o.items:
			if !ok {
				return false, o.endError()
			}
			o.heard = time.Now()
			switch next.kind {
			case kindAck:
				return interrupted, nil
			case kindRefusal:
				return interrupted, ErrRefused
			default:
				interrupted = o.crossed(next) || interrupted
			}
		case <-limit.C:
			return interrupted, fmt.Errorf("packet of %d bytes: no mark within %v: %w", len(data), o.cfg.Limits.Ack, rigs.ErrNoAnswer)
		case <-ctx.Done():
			return interrupted, context.Cause(ctx)
		}
	}
}

// crossed takes a frame that came while a packet was on its way, and says whether the packet became its
// answer. A frame that got a wrong answer is sent again by the terminal. RATS gets none, and must not be missed.
func (o *owner) crossed(next item) bool {
	if next.kind == kindFrame && isRATS(next.data) && o.near && !o.cfg.AnswerRATS {
		o.frame(o.life, next.data)
		return false
	}
	return true
}

// carrier is the field's frequency in Hz and slice the unit of waiting times in its cycles,
// ISO/IEC 14443-4 §5.2.5.
const (
	carrier = 13_560_000
	slice   = 4096
)

// waiting is the frame waiting time for an exponent.
func waiting(fwi byte) time.Duration { return time.Second * (slice << fwi) / carrier }
