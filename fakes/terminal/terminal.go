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
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/text/encoding"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
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
	// Trust are the authorities whose certificates are accepted; for models with TLS.
	Trust *x509.CertPool
}

// ErrConfig is returned by New for a configuration that no terminal can work with.
var ErrConfig = errors.New("terminal configuration")

// Terminal is a terminal with its application loaded. It holds nothing that changes while it works.
type Terminal struct {
	profile  *terminals.Profile
	lang     string
	firmware string
	dialect  *dialect
	words    wording
	paper    encoding.Encoding
	defects  planted
	trust    *x509.CertPool
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
		profile: cfg.Profile, lang: cfg.Lang, firmware: cfg.Firmware, defects: defects, trust: cfg.Trust, hw: hw,
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
	if e := t.profile.EMV; e != nil {
		if _, err := newKernel(t.profile, e.Parameters(), defects); err != nil {
			return nil, fmt.Errorf("%w: profile %q: %w", ErrConfig, t.profile.ID, err)
		}
	}
	if t.words, err = wordingIn(t.lang); err != nil {
		return nil, err
	}
	if t.paper, err = paperEncoding(t.profile.Receipt.Encoding); err != nil {
		return nil, err
	}
	if t.dialect, err = newDialect(cfg.Host); err != nil {
		return nil, err
	}
	return t, t.checkPIN()
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
		{"dialers by name", t.profile.Has("dns-name"), t.hw.DialAt != nil && t.hw.DialNames != nil},
		{"authorities to trust", t.profile.Has("tls"), t.trust != nil},
		{"NVRAM", true, t.hw.NVRAM != nil},
		{"a stripe reader", t.profile.Has("stripe"), t.hw.Stripe != nil},
		{"a chip reader", t.profile.Has("chip"), t.hw.Chip != nil},
		{"a contactless reader", t.profile.Has("contactless"), t.hw.Field != nil},
		{"chip applications", t.profile.Has("chip") || t.profile.Has("contactless"), t.profile.EMV != nil},
		{"a printer", t.profile.Has("printer"), t.hw.Printer != nil},
		{"a modem", t.profile.Has("modem"), t.hw.Modem != nil},
		{"a currency number of 3 digits", true, len(currency) == 3 && digits(currency)},
	}
	for _, part := range parts {
		if part.needed && !part.there {
			return fmt.Errorf("%w: profile %q needs %s", ErrConfig, t.profile.ID, part.name)
		}
	}
	return nil
}

// checkPIN makes sure that there is a key for PIN blocks, or a way to get one.
func (t *Terminal) checkPIN() error {
	h := t.dialect.host
	if t.profile.Has("pin") && h.Keys.Download == "" && len(h.PINKey) != pin.KeySize {
		return fmt.Errorf("%w: profile %q needs a PIN key of %d bytes", ErrConfig, t.profile.ID, pin.KeySize)
	}
	return nil
}

// app is the application between a power-on and the next cut: all that is in RAM.
type app struct {
	*Terminal
	memory   *memory
	kernel   *kernel.Kernel        // nil: its parameters are missing, or no chip is read at all
	shown    []string              // rows on the screen
	signedOn bool                  // the host knows us; not in NVRAM, as every boot signs on anew
	known    map[string]netip.Addr // where each uplink's host was reached last
	// refused: a sign-on brought keys that can't be used; the operator must see to it.
	refused bool
	// asked is what the host wants done when the transaction is over, a digit of its header; "" nothing.
	asked string
	// backupSince is when the backup uplink had to be taken; zero while the primary is used.
	backupSince time.Time
	// lastID is the customer ID of the last sale. Only a defect looks at it.
	lastID string
	// pressed counts keys, for the defects of the keyboard.
	pressed        int
	lastKey, again string
	keyAt          time.Time
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
// time. Any other error means that the application can't go on (a message that its own dialect can't carry).
func (t *Terminal) Run(ctx context.Context) error {
	limit := t.profile.Journal
	if limit == 0 {
		limit = defaultJournal
	}
	memory, err := loadMemory(t.hw.NVRAM, limit, t.defects)
	a := &app{Terminal: t, memory: memory, known: map[string]netip.Addr{}}
	if errors.Is(err, errMemory) {
		return a.outOfService(ctx)
	}
	if err != nil {
		return err
	}
	if err := a.loadKernel(); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	if err := a.boot(ctx); err != nil {
		return err
	}
	for {
		if err := a.idle(ctx); err != nil {
			return err
		}
	}
}

// outOfService is all that a terminal can do whose memory can't be trusted.
func (a *app) outOfService(ctx context.Context) error {
	a.show(promptMemoryError)
	<-ctx.Done()
	return ctx.Err()
}

// boot shows the firmware, signs on, and brings to an end what the power cut has interrupted. A failed sign-on is tried
// again before the first transaction.
func (a *app) boot(ctx context.Context) error {
	if a.defects.has(defectLostAtBoot) {
		_ = a.memory.dropPending()
	}
	a.show(promptBoot, "FW "+a.firmware)
	if err := a.pause(ctx, a.profile.Timers.Boot); err != nil {
		return err
	}
	if err := a.recoverSlip(ctx); err != nil {
		return err
	}
	err := a.signOnNow(ctx)
	if err == nil {
		err = a.resumeUpload(ctx)
	}
	return a.conclude(ctx, err)
}

// idle waits for the first key of a transaction and carries it out. Keys from before, while
// the terminal booted or was busy, begin none.
func (a *app) idle(ctx context.Context) error {
	if !a.defects.has(defectTypedAhead) {
		a.drainKeys()
	}
	a.show(promptIdle)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case key := <-a.hw.Keys:
		return a.begin(ctx, key)
	}
}

// begin carries out what a key at the idle screen stands for. A settlement or an upload that was
// interrupted comes before it.
func (a *app) begin(ctx context.Context, key string) error {
	digit, isDigit := a.digit(key)
	switch {
	case !isDigit && key != keyFunction:
		return nil
	case a.memory.Upload != nil:
		return a.conclude(ctx, a.resumeUpload(ctx))
	case isDigit && a.memory.Settling:
		return a.conclude(ctx, a.handIn(ctx))
	case isDigit && a.mustSettle():
		return a.conclude(ctx, a.settleFirst(ctx))
	case isDigit:
		return a.conclude(ctx, a.sell(ctx, digit))
	}
	return a.conclude(ctx, a.menu(ctx))
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
		if err := a.result(ctx, end.prompt); err != nil {
			return err
		}
	}
	// The transaction is over, whether the card is taken in time or not.
	if err := a.giveCardBack(ctx); err != nil && !errors.As(err, &end) {
		return err
	}
	if a.asked != "" {
		return a.conclude(ctx, a.obey(ctx))
	}
	return nil
}

// result shows how a transaction ended.
func (a *app) result(ctx context.Context, prompt string) error {
	if prompt != promptApproved {
		a.signal(SignalError)
	}
	if a.defects.has(defectNotIdle) && prompt != promptApproved {
		a.drainKeys()
		a.show(prompt)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.hw.Keys:
			return nil
		}
	}
	return a.notice(ctx, prompt)
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
