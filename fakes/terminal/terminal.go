// Package terminal is a payment terminal's application: the fake device under test. It is a
// real application on an abstract Hardware (keys, display, card readers, printer, a network,
// memory that survives a power cut). It knows nothing of scenarios, of the harness or of the
// bench that simulates its hardware; on a board with drivers for Hardware it would take
// payments.
//
// The application is one goroutine that walks through a transaction as a cashier sees it:
// idle, amount, customer ID, card, PIN, host, result. Every wait (key, card, host, screen) is
// a select with the profile's timer and the power, so that it runs in real time and in a
// testing/synctest bubble alike. How a transaction ended early is an error of type ending,
// which carries the prompt that tells the cashier why.
//
// Wording, timers, keys, the customer ID rule and capabilities come from the profile; field
// table, framing and keys from the host fixture. Defects are bugs planted on purpose, so that a
// harness can prove that it finds them.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/text/encoding"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/pin"
)

// defaultFirmware is the version of a terminal whose Config names none.
const defaultFirmware = "1.0.0"

// Config is what is burnt into a terminal before it is switched on.
type Config struct {
	// Profile is the model. It is shared and never changed.
	Profile *terminals.Profile
	// Lang is the language of screens and receipts, "zh" or "en"; "" takes the profile's default.
	Lang string
	// Host is the dialect and the keys shared with the host.
	Host *hosts.Host
	// Defects are the names of the bugs to plant; see Defects.
	Defects []string
	// Firmware is the version shown while booting; "" means "1.0.0".
	Firmware string
}

// ErrConfig is returned by New for a configuration that no terminal can work with.
var ErrConfig = errors.New("terminal configuration")

// Terminal is a terminal with its application loaded. It holds nothing that changes while it works.
type Terminal struct {
	profile  *terminals.Profile
	lang     string
	firmware string
	codec    *iso8583.Codec
	pinKey   []byte
	words    wording
	paper    encoding.Encoding
	defects  map[string]bool
	hw       Hardware
}

// New loads the application. It returns an *UnknownDefectError, ErrPrompt when the profile
// lacks wording, or ErrConfig when profile, host and hardware don't fit together.
func New(cfg Config, hw Hardware) (*Terminal, error) {
	if cfg.Profile == nil || cfg.Host == nil {
		return nil, fmt.Errorf("%w: a profile and a host are needed", ErrConfig)
	}
	defects, err := plant(cfg.Defects)
	if err != nil {
		return nil, err
	}
	t := &Terminal{
		profile: cfg.Profile, lang: cfg.Lang, firmware: cfg.Firmware,
		pinKey: cfg.Host.PINKey, defects: defects, hw: hw,
	}
	if t.lang == "" && len(t.profile.Languages) > 0 {
		t.lang = t.profile.Languages[0]
	}
	if t.firmware == "" {
		t.firmware = defaultFirmware
	}
	if err := t.checkParts(); err != nil {
		return nil, err
	}
	if err := checkPrompts(t.profile, t.lang); err != nil {
		return nil, err
	}
	if t.words, err = wordingIn(t.lang); err != nil {
		return nil, err
	}
	if t.paper, err = paperEncoding(t.profile.Receipt.Encoding); err != nil {
		return nil, err
	}
	if t.codec, err = iso8583.NewCodec(cfg.Host.Dialect); err != nil {
		return nil, fmt.Errorf("%w: host %q: %w", ErrConfig, cfg.Host.ID, err)
	}
	return t, nil
}

// checkParts compares what the profile promises with what is there.
func (t *Terminal) checkParts() error {
	currency := t.profile.Identity.Currency
	parts := []struct {
		name   string
		needed bool
		there  bool
	}{
		{"keys", true, t.hw.Keys != nil},
		{"a display", true, t.hw.Display != nil},
		{"a dialer", true, t.hw.Dial != nil},
		{"NVRAM", true, t.hw.NVRAM != nil},
		{"a stripe reader", t.profile.Has("stripe"), t.hw.Stripe != nil},
		{"a chip reader", t.profile.Has("chip"), t.hw.Chip != nil},
		{"a printer", t.profile.Has("printer"), t.hw.Printer != nil},
		{"a PIN key of 16 bytes", t.profile.Has("pin"), len(t.pinKey) == pin.KeySize},
		{"a currency number of 3 digits", true, len(currency) == 3 && digits(currency)},
	}
	for _, part := range parts {
		if part.needed && !part.there {
			return fmt.Errorf("%w: profile %q needs %s", ErrConfig, t.profile.ID, part.name)
		}
	}
	return nil
}

// app is the application between a power-on and the next cut: all that is in RAM.
type app struct {
	*Terminal
	memory   *memory
	shown    []string // rows on the screen
	signedOn bool     // the host knows us; not in NVRAM, as every boot signs on anew
}

// ending is how a transaction ends before its time: with the prompt that tells why, or with
// none, straight to the idle screen.
type ending struct{ prompt string }

func (e ending) Error() string { return fmt.Sprintf("transaction ends with prompt %q", e.prompt) }

var (
	endQuietly   = ending{}
	endCancelled = ending{promptCancelled}
	endTimedOut  = ending{promptTimedOut}
)

// Run works from power-on until ctx is cancelled, which is the power cut, and then returns
// ctx.Err(). All RAM is lost; what was committed to NVRAM stays. Connections are left as they
// are: a terminal without power can't close them. Run may be called again, but not twice at a
// time. Any other error means that the application can't go on (a broken NVRAM record, a
// message that its own dialect can't carry).
func (t *Terminal) Run(ctx context.Context) error {
	memory, err := loadMemory(t.hw.NVRAM)
	if err != nil {
		return err
	}
	a := &app{Terminal: t, memory: memory}
	if err := a.boot(ctx); err != nil {
		return err
	}
	for {
		if err := a.idle(ctx); err != nil {
			return err
		}
	}
}

// boot shows the firmware and signs on. A failed sign-on is tried again before the first
// transaction.
func (a *app) boot(ctx context.Context) error {
	a.show(promptBoot, "FW "+a.firmware)
	if err := a.pause(ctx, a.profile.Timers.Boot); err != nil {
		return err
	}
	return a.conclude(ctx, a.signOn(ctx))
}

// idle waits for the first key of a transaction and carries it out. Keys from before, while
// the terminal booted or was busy, begin none.
func (a *app) idle(ctx context.Context) error {
	a.drainKeys()
	a.show(promptIdle)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case key := <-a.hw.Keys:
		digit, isDigit := a.digit(key)
		switch {
		case isDigit && a.mustSettle():
			return a.conclude(ctx, a.settle(ctx))
		case isDigit:
			return a.conclude(ctx, a.sell(ctx, digit))
		case key == keyFunction && a.profile.Has("settlement"):
			return a.conclude(ctx, a.menu(ctx))
		}
		return nil
	}
}

// conclude shows how a transaction ended and gives the card back. Errors that are no ending are
// returned as they are.
func (a *app) conclude(ctx context.Context, err error) error {
	var end ending
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &end):
		return err
	case end.prompt != "":
		if err := a.notice(ctx, end.prompt); err != nil {
			return err
		}
	}
	// The transaction is over, whether the card is taken in time or not.
	if err := a.giveCardBack(ctx); err != nil && !errors.As(err, &end) {
		return err
	}
	return nil
}

// pause waits, unless the power goes.
func (a *app) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
