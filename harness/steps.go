package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/wear"
)

// perform does the steps in order and records each.
func (r *run) perform(ctx context.Context, steps []scenarios.Step) error {
	for i, step := range steps {
		fields := map[string]string{"n": fmt.Sprint(i + 1), "step": step.String()}
		r.note("step", fields)
		if err := r.step(ctx, step); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, step, err)
		}
	}
	return nil
}

// step does one step. A step waits for the prompt that invites it, acts, and leaves what then must
// be shown to the expectations.
func (r *run) step(ctx context.Context, step scenarios.Step) error {
	switch {
	case step.Sale != nil:
		return r.sale(ctx, step.Sale.Amount)
	case step.Transaction != nil:
		return r.transact(ctx, *step.Transaction)
	case step.Type != nil:
		return r.typeInto(ctx, *step.Type)
	case step.Card != nil && step.Card.Remove:
		return r.removeCard(ctx)
	case step.Card != nil:
		return r.presentCard(ctx, *step.Card)
	case step.PIN != "":
		return r.pin(ctx, step.PIN)
	case step.Press != "":
		return r.press(ctx, step.Press, false)
	case step.Procedure != "":
		return r.procedure(ctx, step.Procedure)
	case step.Break != nil:
		return r.breakPart(ctx, *step.Break)
	case step.Await != nil && step.Await.Request != "":
		return r.awaitRequest(ctx, step.Await.Request)
	case step.Await != nil:
		return r.prompted(ctx, r.patience().online, step.Await.Prompt)
	default:
		return r.power(ctx, step.Power == "on")
	}
}

// sale types an amount and makes sure that the terminal understood it: what it shows is the
// witness that the keys went down.
func (r *run) sale(ctx context.Context, amount int64) error {
	if err := r.untilIdle(ctx); err != nil {
		return err
	}
	r.begin("sale", map[string]string{"amount": scenarios.Money(amount)})
	return r.typeAmount(ctx, amount)
}

// typeAmount types an amount and makes sure that the terminal shows it.
func (r *run) typeAmount(ctx context.Context, amount int64) error {
	if err := r.pressAll(ctx, fmt.Sprint(amount), false); err != nil {
		return err
	}
	want := scenarios.Money(amount)
	ok, err := r.session.until(ctx, r.patience().local, func(v *view) bool {
		return strings.Contains(strings.Join(v.screen, "\n"), want)
	})
	if err != nil {
		return err
	}
	if !ok {
		return r.missing(ctx, "the amount "+want)
	}
	return r.press(ctx, "ENTER", false)
}

// typeInto types a customer ID where the terminal asks for it, also from the complaint about the last
// one: re-entry must not mean starting over.
func (r *run) typeInto(ctx context.Context, t scenarios.Type) error {
	text := t.Text
	if t.Kind != "" {
		var err error
		if text, err = r.session.world.Profile.SampleID(t.Kind); err != nil {
			return blame(record.Config, "%w", err)
		}
	}
	invites := []string{t.Into}
	for id := range r.session.world.Profile.Prompts {
		if strings.HasPrefix(id, t.Into+"-") {
			invites = append(invites, id)
		}
	}
	slices.Sort(invites)
	if err := r.prompted(ctx, r.patience().local, invites...); err != nil {
		return err
	}
	if t.Enter {
		r.note("typed", map[string]string{"into": t.Into, "text": text})
	}
	if err := r.pressAll(ctx, text, false); err != nil || !t.Enter {
		return err
	}
	return r.press(ctx, "ENTER", false)
}

// pin types the PIN of the card that was presented last. Which keys were pressed is not
// recorded.
func (r *run) pin(ctx context.Context, which string) error {
	if err := r.prompted(ctx, r.patience().card, "pin"); err != nil {
		return err
	}
	card := r.session.card()
	if card == nil {
		return blame(record.Config, "no card was presented before the PIN")
	}
	pin := card.PIN
	if which == "wrong" {
		pin = wrongPIN(pin)
	}
	if err := r.pressAll(ctx, pin, true); err != nil {
		return err
	}
	r.session.wear(wear.PINTries)
	return r.press(ctx, "ENTER", false)
}

// wrongPIN differs from the right one in its last digit.
func wrongPIN(pin string) string {
	last := pin[len(pin)-1]
	return pin[:len(pin)-1] + string('0'+(last-'0'+1)%10)
}

func (r *run) pressAll(ctx context.Context, text string, secret bool) error {
	keys, err := r.session.world.Profile.KeysFor(text)
	if err != nil && secret {
		err = errors.New("the profile has no key for a digit of the PIN")
	}
	if err != nil {
		return blame(record.Config, "%w", err)
	}
	for _, key := range keys {
		if err := r.press(ctx, key, secret); err != nil {
			return err
		}
	}
	return nil
}

// press pushes one key and records when it can have closed.
func (r *run) press(ctx context.Context, key string, secret bool) error {
	r.acted, r.lastKey = time.Now(), ""
	if char := r.session.world.Profile.Keypad.Keys[key].Char; !secret && (key == "ENTER" || strings.ContainsAny(char, "123456789")) {
		r.lastKey = key
	}
	r.session.wear(wear.Presses)
	p, err := r.session.world.Rig.Keypad.Press(ctx, key)
	name := key
	if secret {
		name = "*"
	}
	if err != nil {
		r.session.lostHome()
		return fmt.Errorf("press %s: %w", name, hidden(err, secret))
	}
	r.timeline.record(p.Begin, "keypad", "press", map[string]string{"key": name, "took_us": fmt.Sprint(p.End.Sub(p.Begin).Microseconds())})
	return nil
}

// hidden keeps a key of the PIN out of a driver's message; class and instrument stay.
func hidden(err error, secret bool) error {
	if fault := (*rigs.Error)(nil); secret && errors.As(err, &fault) {
		return &rigs.Error{Instrument: fault.Instrument, Op: "press *", Err: errors.New("the press failed")}
	}
	return err
}

// presentCard brings a card when the terminal asks for one.
func (r *run) presentCard(ctx context.Context, step scenarios.CardStep) error {
	s := r.session
	i := slices.IndexFunc(s.world.Cards, func(c *cards.Card) bool { return c.ID == step.Use })
	if i < 0 {
		return blame(record.Config, "no card %s", step.Use)
	}
	card := s.world.Cards[i]
	if err := r.prompted(ctx, r.patience().card, "card"); err != nil {
		return err
	}
	s.present(card)
	at := time.Now()
	r.acted = at
	var err error
	if step.By == "swipe" {
		var tracks rigs.Tracks
		if tracks, err = Stripe(card); err != nil {
			return blame(record.Config, "card %s: %w", card.ID, err)
		}
		s.wear(wear.Swipes)
		err = s.world.Rig.Card.Swipe(ctx, tracks)
	} else {
		var application rigs.Chip
		if application, err = s.chip(card); err != nil {
			return blame(record.Config, "card %s: %w", card.ID, err)
		}
		if step.By == "tap" {
			r.timeline.record(at, "card", step.By, map[string]string{"card": card.ID})
			return r.tap(ctx, card, application, step.Beside)
		}
		s.wear(wear.Inserts)
		err = s.world.Rig.Card.Insert(ctx, application)
		s.setSlot(err == nil)
	}
	r.timeline.record(at, "card", step.By, map[string]string{"card": card.ID, "took_us": fmt.Sprint(time.Since(at).Microseconds())})
	return err
}

// removeCard takes the card out. It is known to have gone between the beginning and the end of that: a terminal may have
// seen it go before the emulator says so.
func (r *run) removeCard(ctx context.Context) error {
	at := time.Now()
	if err := r.session.world.Rig.Card.Remove(ctx); err != nil {
		return err
	}
	r.session.setSlot(false)
	r.timeline.record(at, "card", "remove", map[string]string{"took_us": fmt.Sprint(time.Since(at).Microseconds())})
	return nil
}

// tidy takes the card out of the slot, as a cardholder does when the terminal is done with it.
func (r *run) tidy(ctx context.Context) error {
	if !r.session.inSlot() {
		return nil
	}
	return r.removeCard(ctx)
}

// power switches the terminal's supply.
func (r *run) power(ctx context.Context, on bool) error {
	p := r.session.world.Rig.Power
	at := time.Now()
	r.acted = at
	if !on {
		r.session.wear(wear.PowerCycles)
		err := p.Off(ctx)
		r.timeline.record(at, "power", "off", nil)
		r.session.update(func(v *view) { v.screen, v.prompts = nil, nil })
		return err
	}
	r.timeline.record(at, "power", "on", nil)
	return p.On(ctx)
}

// breakPart takes a part of the terminal out of order, or mends it. What is still broken at the end making safe mends.
func (r *run) breakPart(ctx context.Context, b scenarios.Break) error {
	breaker, ok := r.session.world.Rig.Power.(rigs.Breaker)
	if !ok {
		return blame(record.Config, "this rig has nothing to break the %s with: the scenario must need break-%s", b.Part, b.Part)
	}
	at := time.Now()
	if err := breaker.Break(ctx, b.Part, !b.Mend); err != nil {
		return err
	}
	kind := "broken"
	if b.Mend {
		kind = "mended"
	}
	r.timeline.record(at, "power", kind, map[string]string{"part": b.Part})
	return nil
}

// Chip makes the card's application, for a terminal whose timers are shortened by scale: a slow chip is as slow for it as
// it would be for one whose are not.
func Chip(c *cards.Card, scale float64) (rigs.Chip, error) {
	chip, err := c.NewChip()
	if err != nil {
		return nil, err
	}
	chip.Hasten(scale)
	return chip, nil
}

// Stripe writes the card's tracks, with its damage.
func Stripe(c *cards.Card) (rigs.Tracks, error) {
	tracks, err := c.Tracks()
	return rigs.Tracks(tracks), err
}

// wear counts for the rig's upkeep.
func (s *Session) wear(kind string) {
	if s.world.Wear != nil {
		s.world.Wear(kind)
	}
}

func (s *Session) present(c *cards.Card) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.presented = c
}

func (s *Session) card() *cards.Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presented
}

func (s *Session) setSlot(inserted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slot = inserted
}

func (s *Session) inSlot() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slot
}
