package chameleon

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
)

// Tap asks the chip for everything that a table can answer, loads that, and brings the card into the
// field. uid has 4, 7 or 10 bytes. Of the ATS only the historical bytes and the waiting times are
// kept: the firmware knows neither CID, NAD, chaining nor other bit rates, so the card announces
// frames of 256 bytes and 106 kbit/s. The chip is not asked again: its transaction counter has gone up
// by one, and a scenario sees what it was when the card was tapped. Errors: *LimitError,
// card.ErrUID, card.ErrATS, card.ErrAnswer, *card.PanicError, ErrNear, *StatusError, rigs.ErrNoAnswer, ctx's,
// the line's; after the last three the card may be in the field or not.
func (d *Driver) Tap(ctx context.Context, c rigs.Chip, uid, ats []byte) error {
	return rigs.Fault(Name, "tap", d.tap(ctx, c, uid, ats))
}

// ErrNear is returned by Tap when a card is in the field already.
var ErrNear = errors.New("a card is in the field already")

func (d *Driver) tap(ctx context.Context, c rigs.Chip, uid, ats []byte) error {
	if err := card.CheckUID(uid); err != nil {
		return err
	}
	answer, err := card.ParseATS(ats)
	if err != nil {
		return err
	}
	if err := d.take(ctx, d.move); err != nil {
		return err
	}
	defer func() { d.move <- struct{}{} }()
	if d.inField() != nil {
		return ErrNear
	}
	t, live, err := explore(c)
	if err != nil {
		return err
	}
	if len(live) > 0 && !d.cfg.Partial {
		return &LimitError{Live: live}
	}
	answer.FSCI, answer.TA, answer.TC = fsci256, rateBase, 0
	d.soil(true)
	if err := d.load(ctx, t, antiCollision(uid, answer.Encode())); err != nil {
		return err
	}
	d.enter(t)
	return nil
}

// What the firmware can do, for the ATS: frames of 256 bytes, and 106 kbit/s in both directions.
const (
	fsci256  byte = 8
	rateBase byte = 0x80
)

// antiCollision is the data of cmdAntiColl.
func antiCollision(uid, ats []byte) []byte {
	atqa := card.ATQA(uid)
	b := append([]byte{byte(len(uid))}, uid...)
	b = append(b, atqa[0], atqa[1], card.SAK, byte(len(ats)))
	return append(b, ats...)
}

// load sets the slot up, in the order that the firmware wants it, and switches to emulation.
func (d *Driver) load(ctx context.Context, t table, identity []byte) error {
	slot := byte(d.cfg.Slot)
	typed := binary.BigEndian.AppendUint16([]byte{slot}, typeHF14A4)
	for _, step := range []struct {
		command command
		data    []byte
	}{
		{cmdActiveSlot, []byte{slot}},
		{cmdSlotType, typed},
		{cmdSlotDefault, typed},
		{cmdSlotEnable, []byte{slot, senseHF, 1}},
		{cmdAntiColl, identity},
	} {
		if _, err := d.request(ctx, step.command, step.data); err != nil {
			return err
		}
	}
	if err := d.loadTable(ctx, t); err != nil {
		return err
	}
	if _, err := d.request(ctx, cmdSave, nil); err != nil {
		return err
	}
	_, err := d.request(ctx, cmdSetMode, []byte{modeEmulator})
	return err
}

// loadTable clears the table and adds the pairs. A pair whose answer was lost may be in or not. Sent
// again it may take a second place, which does no harm while there are free ones: the firmware
// says nothing when a table overflows. When there are none the table is loaded from the beginning.
func (d *Driver) loadTable(ctx context.Context, t table) error {
	var err error
	for range d.cfg.Limits.Sendings {
		if err = d.loadOnce(ctx, t); !errors.Is(err, rigs.ErrNoAnswer) {
			return err
		}
	}
	return err
}

func (d *Driver) loadOnce(ctx context.Context, t table) error {
	if _, err := d.request(ctx, cmdStatic, []byte{0}); err != nil {
		return err
	}
	free := MaxPairs - len(t)
	for _, p := range t {
		_, err := d.exchange(ctx, cmdStatic, p.encode(), 1)
		for tries := 1; errors.Is(err, rigs.ErrNoAnswer) && free > 0 && tries < d.cfg.Limits.Sendings; tries++ {
			free--
			_, err = d.exchange(ctx, cmdStatic, p.encode(), 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Leave takes the card out of the field and out of the emulator's memory. When that worked it
// returns the fault of the card's session, if there was one (see the package comment). Other errors:
// *StatusError, rigs.ErrNoAnswer, ctx's, the line's.
func (d *Driver) Leave(ctx context.Context) error {
	if err := d.away(ctx); err != nil {
		return rigs.Fault(Name, "leave", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return rigs.Fault(Name, "leave", d.fault)
}

// Halt takes the card out as Leave does and forgets the session's fault.
func (d *Driver) Halt(ctx context.Context) error {
	if err := d.away(ctx); err != nil {
		return rigs.Fault(Name, "halt", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
	return nil
}

// away ends the emulation by switching to reader mode, in which the field of the terminal is not
// answered and the emulator makes none. Then it empties the table, in flash too, so that an emulator
// that restarts has no card.
func (d *Driver) away(ctx context.Context) error {
	if err := d.take(ctx, d.move); err != nil {
		return err
	}
	defer func() { d.move <- struct{}{} }()
	if s := d.inField(); s != nil {
		s.stop()
		d.polling.Wait()
		d.poll(ctx, s.table) // what came since the last time
	}
	if _, err := d.request(ctx, cmdSetMode, []byte{modeReader}); err != nil {
		return err
	}
	d.mu.Lock()
	dirty := d.dirty
	d.near = nil
	d.mu.Unlock()
	if !dirty {
		return nil
	}
	if _, err := d.request(ctx, cmdStatic, []byte{0}); err != nil {
		return err
	}
	if _, err := d.request(ctx, cmdSave, nil); err != nil {
		return err
	}
	d.soil(false)
	return nil
}

// soil notes whether the emulator's memory may hold a card.
func (d *Driver) soil(dirty bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirty = dirty
}

// Probe asks for the emulator's mode and moves nothing. Besides a request's errors it returns
// ErrRestarted and the fault of the card's session.
func (d *Driver) Probe(ctx context.Context) error {
	return rigs.Fault(Name, "probe", d.probe(ctx))
}

// ErrRestarted is returned by Probe when the emulator is not in the mode that the driver left it in:
// it restarted, or somebody pressed its button. Halt brings it back.
var ErrRestarted = errors.New("emulator changed its mode by itself: it restarted, or its button was pressed")

func (d *Driver) probe(ctx context.Context) error {
	if err := d.take(ctx, d.move); err != nil {
		return err
	}
	defer func() { d.move <- struct{}{} }()
	if s := d.inField(); s != nil {
		d.poll(ctx, s.table)
	}
	answer, err := d.request(ctx, cmdGetMode, nil)
	if err != nil {
		return err
	}
	if len(answer) != 1 {
		return fmt.Errorf("%v: %w", cmdGetMode, ErrAnswer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if emulating := answer[0] == modeEmulator; emulating != (d.near != nil) {
		return errors.Join(ErrRestarted, d.fault)
	}
	return d.fault
}

func (d *Driver) inField() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.near
}

// enter notes that the card is in the field and listens for its commands.
func (d *Driver) enter(t table) {
	ctx, stop := context.WithCancel(d.life)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.near, d.fault = &session{table: t, stop: stop}, nil
	if ctx.Err() != nil {
		return // closed meanwhile
	}
	d.polling.Go(func() {
		tick := time.NewTicker(d.cfg.Limits.Poll)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				d.poll(ctx, t)
			case <-ctx.Done():
				return
			case <-d.ended:
				return
			}
		}
	})
}

// poll asks for the last command that the terminal sent. One that the table lacks is the session's
// fault. An emulator that does not answer is found by the next call, which must not wait for polls.
func (d *Driver) poll(ctx context.Context, t table) {
	at := time.Now()
	sent, err := d.exchange(ctx, cmdReceive, nil, 1)
	if err != nil || len(sent) == 0 {
		return
	}
	response, ok := t.find(sent)
	if !ok {
		d.blame(fmt.Errorf("%s: %w: a static table has no live answers", name(sent), ErrUnanswered))
	}
	d.events.Emit(rigs.CardEvent{At: at, Kind: "exchange", Exchange: &rigs.Exchange{At: at, Command: sent, Response: response}})
}
