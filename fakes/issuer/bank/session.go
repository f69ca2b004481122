package bank

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/pin"
	"github.com/assay-hil/assay/protocol/tdes"
)

// MaxTerminals bounds the terminals that the bank keeps a session of.
const MaxTerminals = 10_000

// kcvLength is how many bytes of a key's check value a sign-on's answer has.
const kcvLength = 4

// batchDigits is the length of a batch number that the bank gives.
const batchDigits = 6

// keyset are a terminal's working keys. It is never changed, only replaced.
type keyset struct {
	pin, macKey []byte
	mac         *mac.Maker  // nil: the dialect has none
	opener      *pin.Opener // of PIN blocks; nil: the dialect derives a key for each
}

// session is what the bank knows of a terminal.
type session struct {
	keys     *keyset
	signedOn bool
	at       time.Time
	batch    int // number of the current batch
	upload   *upload
	closed   *closed // what was settled last
	unended  bool    // it agreed, and its end is still to be told
}

// newKeyset prepares working keys for a host's dialect.
func newKeyset(h *hosts.Host, pinKey, macKey []byte) (*keyset, error) {
	k := &keyset{pin: pinKey, macKey: macKey}
	if m := h.Dialect.MAC; m != nil {
		var err error
		if k.mac, err = mac.New(m.Algorithm, macKey); err != nil {
			return nil, fmt.Errorf("the MAC key: %w", err)
		}
	}
	if h.Keys.BDK == nil {
		var err error
		if k.opener, err = pin.NewOpener(h.PINFormat, pinKey); err != nil {
			return nil, fmt.Errorf("the PIN key: %w", err)
		}
	}
	return k, nil
}

// initialKeys are those that terminals have before their first sign-on.
func initialKeys(h *hosts.Host) (*keyset, error) {
	if h.Keys.PIN != nil {
		return newKeyset(h, h.Keys.PIN, h.Keys.MAC)
	}
	return newKeyset(h, h.PINKey, h.Keys.MAC)
}

// keys are a terminal's, or those of one that has not signed on yet.
func (b *Bank) keys(terminal string) *keyset {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[terminal]; s != nil {
		return s.keys
	}
	return b.initial
}

// session finds a terminal's or begins it; nil when there are too many.
func (b *Bank) session(terminal string) *session {
	s := b.sessions[terminal]
	if s == nil && len(b.sessions) < MaxTerminals {
		s = &session{keys: b.initial, batch: 1}
		b.sessions[terminal] = s
	}
	return s
}

// signOn begins a terminal's session: new working keys where the dialect downloads them, and the number
// of its batch.
func (b *Bank) signOn(q *inquiry) outcome {
	fresh, download, err := b.newKeys(q.options.BadKCV)
	if err != nil {
		q.fault("the bank cannot make keys: %v", err)
		return outcome{reason: systemError}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.session(q.Terminal())
	if s == nil {
		q.fault("more than %d terminals", MaxTerminals)
		return outcome{reason: systemError}
	}
	if fresh != nil {
		s.keys = fresh
	}
	s.signedOn, s.at = true, time.Now()
	number := fmt.Sprintf("%0*d", batchDigits, s.batch)
	return outcome{reason: approved, effect: client.EffectSignedOn, change: func(reply *iso8583.Message) error {
		if !b.paths.batch.IsZero() {
			if err := b.codec.Set(reply, b.paths.batch, number); err != nil {
				return err
			}
		}
		if download == "" {
			return nil
		}
		return b.codec.Set(reply, b.paths.download, download)
	}}
}

// newKeys makes working keys and the value that carries them, each enciphered under the master key and
// followed by its check value; nil where the dialect has fixed keys.
func (b *Bank) newKeys(spoil bool) (*keyset, string, error) {
	if b.paths.download.IsZero() {
		return nil, "", nil
	}
	var keys [2][]byte // PIN, MAC
	var value strings.Builder
	for i, length := range []int{len(b.initial.pin), len(b.initial.macKey)} {
		if length == 0 {
			continue
		}
		key := make([]byte, length)
		if _, err := io.ReadFull(b.random, key); err != nil {
			return nil, "", err
		}
		key = tdes.OddParity(key)
		cipher, err := tdes.Encrypt(b.host.Keys.Master, key)
		if err != nil {
			return nil, "", err
		}
		check, err := tdes.KCV(key, kcvLength)
		if err != nil {
			return nil, "", err
		}
		if spoil {
			check[0] ^= 1
		}
		value.WriteString(hex.EncodeToString(cipher) + hex.EncodeToString(check))
		keys[i] = key
	}
	fresh, err := newKeyset(b.host, keys[0], keys[1])
	return fresh, strings.ToUpper(value.String()), err
}

// signOff ends a session; the keys stay until the next one.
func (b *Bank) signOff(q *inquiry) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[q.Terminal()]; s != nil {
		s.signedOn = false
	}
	return outcome{reason: approved, effect: client.EffectSignedOff}
}

// admitted gives the reason to refuse a terminal that has not signed on or works in another batch; "" for
// none. The lock is held.
func (b *Bank) admitted(q *inquiry) string {
	s := b.sessions[q.Terminal()]
	if b.policy.SignOn && !b.paths.download.IsZero() && (s == nil || !s.signedOn) {
		q.fault("the terminal has not signed on")
		return batchMismatch
	}
	if !b.policy.Batch || b.paths.batch.IsZero() {
		return ""
	}
	number, ok := b.codec.Get(q.Message, b.paths.batch)
	if want := fmt.Sprintf("%0*d", batchDigits, b.batchOf(s)); ok && number != want {
		q.fault("batch %.6q, the terminal is in %s", number, want)
		return batchMismatch
	}
	return ""
}

func (b *Bank) batchOf(s *session) int {
	if s == nil {
		return 1
	}
	return s.batch
}
