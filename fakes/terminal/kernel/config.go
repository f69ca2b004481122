package kernel

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/protocol/emv/oda"
)

// Config is what is loaded into a kernel: the terminal's data of EMV Book 4 and its applications.
type Config struct {
	// Type is 9F35 (Book 4 annex A1): 22 attended, offline with online capability; 25 unattended.
	Type byte
	// Capabilities is 9F33 (Book 4 annex A2): card input, verification methods, data authentication.
	Capabilities [3]byte
	// Additional is 9F40 (Book 4 annex A3).
	Additional [5]byte
	// Country (9F1A, ISO 3166-1) and Currency (5F2A, ISO 4217) are numeric, 3 digits.
	Country, Currency string
	// Chooses says that the cardholder can be asked which application to use, and to confirm one.
	Chooses bool
	// Applications in the terminal's order.
	Applications []Application
	// Keys are the certification authorities' public keys. Test keys only.
	Keys []CAKey
	// Exceptions is the exception file: card numbers that are to be refused.
	Exceptions []string
	// Wallets says that phones and other devices that are no cards are accepted in the field.
	Wallets bool
	// Defects are the bugs planted; see Defects.
	Defects map[string]bool
}

// Application is one that the terminal supports, with its acquirer's settings. Amounts are minor units.
type Application struct {
	AID []byte // 5 to 16 bytes
	// Partial says that a longer name on the card beginning with AID is also this application
	// (Book 1 §12.3.1, application selection indicator).
	Partial bool
	// Version is 9F09.
	Version [2]byte
	// FloorLimit: from this amount on a sale goes online (Book 3 §10.6.1).
	FloorLimit int64
	// Random selection of smaller sales (Book 3 §10.6.2).
	Random Random
	// The terminal action codes (Book 3 §10.7).
	TACDefault, TACDenial, TACOnline [5]byte
	// Contactless is nil for an application that is not accepted in the field.
	Contactless *Limits
}

// Random says which sales below the floor limit go online all the same: Target percent of those below
// Threshold, growing up to Max percent at the floor limit.
type Random struct {
	Threshold   int64
	Target, Max int
}

// Limits are those of contactless sales, minor units.
type Limits struct {
	// Floor: above it the card is asked for an online cryptogram.
	Floor int64
	// CVM: above it the cardholder must be verified.
	CVM int64
	// Transaction: above it the sale isn't done in the field at all.
	Transaction int64
}

// CAKey is a certification authority's public key.
type CAKey struct {
	RID      [5]byte
	Index    byte
	Modulus  []byte
	Exponent []byte // 03 or 010001
}

// Transaction is one sale as the terminal knows it when the card comes.
type Transaction struct {
	Amount, Other int64 // minor units
	Type          byte  // 9C: 00 purchase, 01 cash, 09 purchase with cashback, 20 refund
	At            time.Time
	// Sequence is 9F41.
	Sequence int
	// Unpredictable is 9F37.
	Unpredictable [4]byte
	// Draw decides random selection, 1 to 99.
	Draw int
	// ForceOnline is the merchant's wish to have the sale online.
	ForceOnline bool
}

// ErrConfig is returned by New for settings that no kernel can work with.
var ErrConfig = errors.New("kernel configuration")

// Kernel is a loaded kernel. It holds nothing that changes and may be used by several goroutines.
type Kernel struct{ cfg Config }

// New checks the settings. Error: ErrConfig, naming what is wrong.
func New(cfg Config) (*Kernel, error) {
	if len(cfg.Country) != 3 || len(cfg.Currency) != 3 || !decimal(cfg.Country+cfg.Currency) {
		return nil, fmt.Errorf("%w: country and currency have 3 digits each", ErrConfig)
	}
	for _, app := range cfg.Applications {
		if len(app.AID) < 5 || len(app.AID) > 16 {
			return nil, fmt.Errorf("%w: application %X: an AID has 5 to 16 bytes", ErrConfig, app.AID)
		}
		if app.Random.Target > app.Random.Max || app.Random.Max > 99 {
			return nil, fmt.Errorf("%w: application %X: random selection needs target ≤ max ≤ 99", ErrConfig, app.AID)
		}
	}
	for _, key := range cfg.Keys {
		if len(key.Modulus) < oda.MinModulus || len(key.Modulus) > oda.MaxModulus || len(key.Exponent) == 0 || len(key.Exponent) > maxExponent {
			return nil, fmt.Errorf("%w: key %X of %X: a modulus has %d to %d bytes, an exponent 1 to %d", ErrConfig, key.Index, key.RID, oda.MinModulus, oda.MaxModulus, maxExponent)
		}
	}
	for name := range cfg.Defects {
		if !known(name) {
			return nil, fmt.Errorf("%w: no defect %q", ErrConfig, name)
		}
	}
	return &Kernel{cfg: cfg}, nil
}

func (k *Kernel) bad(defect string) bool { return k.cfg.Defects[defect] }

func decimal(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
