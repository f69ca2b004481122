package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/emv"
)

// chip is a card of fixtures/cards as the kernel sees it.
type chip struct {
	card interface {
		ATR() []byte
		Reset()
		Transmit([]byte) []byte
	}
	sent []string
}

func (c *chip) PowerOn(context.Context) ([]byte, error) {
	atr := c.card.ATR()
	if len(atr) == 0 {
		return nil, errors.New("mute")
	}
	c.card.Reset()
	return atr, nil
}

func (c *chip) Transmit(_ context.Context, command []byte) ([]byte, error) {
	c.sent = append(c.sent, fmt.Sprintf("%X", command))
	answer := c.card.Transmit(command)
	if len(answer) == 0 {
		return nil, errors.New("no answer")
	}
	return answer, nil
}

func (c *chip) PowerOff() {}

// holder knows the card's PIN and takes the first application.
type holder struct {
	pin   string
	asked []string
}

func (h *holder) Choose(_ context.Context, labels []string) (int, error) {
	h.asked = append(h.asked, "choose "+strings.Join(labels, ","))
	return 0, nil
}

func (h *holder) OfflinePIN(_ context.Context, entry kernel.PINEntry) (string, error) {
	said := "card-pin"
	if entry.Last {
		said += " last"
	}
	h.asked = append(h.asked, said)
	return h.pin, nil
}

func (h *holder) OnlinePIN(context.Context, string) error {
	h.asked = append(h.asked, "host-pin")
	return nil
}

func cardKernel(t testing.TB) *kernel.Kernel {
	t.Helper()
	cfg := kernel.Config{Type: 0x22, Capabilities: [3]byte{0xE0, 0xE8, 0xC8}, Country: "156", Currency: "156", Chooses: true, Wallets: true}
	authorities, err := cards.Authorities()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range authorities {
		cfg.Keys = append(cfg.Keys, kernel.CAKey{RID: a.RID, Index: a.Index, Modulus: a.Key.Modulus, Exponent: big.NewInt(int64(a.Key.Exponent)).Bytes()})
	}
	for _, aid := range [][]byte{{0xA0, 0, 0, 3, 0x33, 1, 1}, {0xA0, 0, 0, 0, 3, 0x10, 0x10}, {0xA0, 0, 0, 0, 3, 0x20, 0x10}, {0xA0, 0, 0, 0, 4, 0x10, 0x10}, {0xA0, 0, 0, 0, 4, 0x30, 0x60}, {0xA0, 0, 0, 0, 0x25, 1}, {0xA0, 0, 0, 0, 0x65, 0x10, 0x10}} {
		cfg.Applications = append(cfg.Applications, kernel.Application{
			AID: aid, Partial: true, Version: [2]byte{0, 0x96}, TACDefault: [5]byte{0xD8, 0x40, 0x04, 0xF8}, TACDenial: [5]byte{0x10, 0x70}, TACOnline: [5]byte{0xD8, 0x40, 0x04, 0xF8},
			Contactless: &kernel.Limits{Floor: 0, CVM: 30000, Transaction: 100000},
		})
	}
	k, err := kernel.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// saleOf is a sale of the day on which none of the sound cards has expired.
func saleOf(amount int64) kernel.Transaction {
	return kernel.Transaction{Amount: amount, At: time.Date(2026, 11, 22, 19, 33, 0, 0, time.UTC), Sequence: 1, Unpredictable: [4]byte{1, 2, 3, 4}, Draw: 50}
}

// prove checks a request cryptogram as the issuer does, and proves the issuer.
func prove(t *testing.T, c *cards.Card, r kernel.Result) emv.List {
	t.Helper()
	sk, ac, err := emv.VerifyARQC(c.Chip.MasterKey, r.PAN, r.Sequence, r.Data)
	if err != nil {
		t.Fatalf("the issuer refuses the cryptogram: %v", err)
	}
	proof, err := emv.IssuerResponse(r.Data, sk, ac, [2]byte{'0', '0'}, true)
	if err != nil {
		t.Fatal(err)
	}
	return emv.List{{Tag: emv.TagIssuerAuth, Value: proof}}
}

// told says how a result reads in the tables below.
func told(r kernel.Result) string {
	text := r.Outcome.String()
	if r.Reason != kernel.None {
		text += ": " + r.Reason.String()
	}
	return text
}

// TestCardsInTheSlot takes the house's test cards, which were written apart from the kernel, through a sale that the host approves. A
// cryptogram is checked by the issuer's keys.
func TestCardsInTheSlot(t *testing.T) {
	const approved = "online, approved"
	for _, tt := range []struct{ id, want, tvr, cvm, asked string }{
		{"chip", approved, "8000048000", "020300", "host-pin"},
		{"visa", approved, "0000048000", "420300", "host-pin"},
		{"visa-cvn22", approved, "0000048000", "020300", "host-pin"},
		{"maestro", approved, "0000048000", "020300", "host-pin"},
		{"unionpay-debit", approved, "0000048000", "020300", "host-pin"},
		{"no-authentication", approved, "8000048000", "020300", "host-pin"},
		{"no-directory", approved, "0000048000", "020300", "host-pin"},
		{"pdol", approved, "0000048000", "020300", "host-pin"},
		{"issuer-auth-in-cryptogram", approved, "0000048000", "020300", "host-pin"},
		{"no-cvm", approved, "0000008000", "1F0002", ""},
		{"signature", approved, "0000008000", "1E0300", ""},
		{"offline-pin", approved, "0000008000", "410302", "card-pin"},
		{"pin-last-try", approved, "0000008000", "010302", "card-pin last"},
		{"pin-blocked", approved, "0000208000", "1E0300", ""},
		{"bad-sda", approved, "4200048000", "020300", "host-pin"},
		{"bad-dda", approved, "0800048000", "020300", "host-pin"},
		{"bad-certificate", approved, "0400048000", "020300", "host-pin"},
		{"bad-cda", "declined: offline data authentication failed", "0400048000", "020300", "host-pin"},
		{"expired", "declined: application expired", "0040048000", "020300", "host-pin"},
		{"not-yet-effective", "declined: application not yet effective", "0020048000", "020300", "host-pin"},
		{"domestic-only", "declined: terminal refuses", "0010048000", "020300", "host-pin"},
		{"offline-decline", "declined: card refuses", "0000048000", "020300", "host-pin"},
		{"decline-after-approval", "online, declined: card refuses", "0000048000", "020300", "host-pin"},
		{"dies-after-approval", "online, ended: card error", "8000048000", "020300", "host-pin"},
		{"application-blocked", "ended: application blocked", "0000000000", "000000", ""},
		{"first-application-blocked", approved, "0000048000", "020300", "choose VISA CREDIT,VISA ELECTRON; host-pin"},
		{"two-applications", approved, "0000048000", "020300", "choose VISA CREDIT,VISA ELECTRON; host-pin"},
		{"card-blocked", "ended: card blocked", "0000000000", "000000", ""},
		{"no-common-aid", "fallback: no common application", "0000000000", "000000", ""},
		{"mute-chip", "fallback: mute chip", "0000000000", "000000", ""},
		{"gpo-refused", "fallback: card error", "0000000000", "000000", ""},
		{"gac-refused", "fallback: card error", "8000048000", "020300", "host-pin"},
		{"bad-record", "ended: bad card data", "0000000000", "000000", ""},
		{"cut-record", "ended: bad card data", "0000000000", "000000", ""},
		{"repeated-data", "ended: bad card data", "0000000000", "000000", ""},
	} {
		t.Run(tt.id, func(t *testing.T) {
			c, err := cards.Find(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			made, err := c.NewChip()
			if err != nil {
				t.Fatal(err)
			}
			h := &holder{pin: c.PIN}
			s, err := cardKernel(t).Contact(context.Background(), &chip{card: made}, h, saleOf(1250))
			if err != nil {
				t.Fatal(err)
			}
			r := s.Result()
			got := told(r)
			if r.Outcome == kernel.Online {
				last, err := s.Complete(context.Background(), kernel.Answer{Code: "00", Approved: true, Data: prove(t, c, r)})
				if err != nil {
					t.Fatal(err)
				}
				got += ", " + told(last)
			}
			asked := strings.Join(h.asked, "; ")
			if tvr, cvm := fmt.Sprintf("%X", r.TVR), fmt.Sprintf("%X", r.CVM); got != tt.want || tvr != tt.tvr || cvm != tt.cvm || asked != tt.asked {
				t.Errorf("%s, TVR %s, CVM %s, asked %q\nwant %s, %s, %s, %q", got, tvr, cvm, asked, tt.want, tt.tvr, tt.cvm, tt.asked)
			}
		})
	}
}

// TestCardsInTheField takes the contactless ones through a tap below and above the CVM limit.
func TestCardsInTheField(t *testing.T) {
	for _, tt := range []struct{ id, small, great string }{
		{"visa", "online", "online host-pin"},
		{"unionpay-credit", "online", "online host-pin"},
		{"visa-cvn22", "online", "online host-pin"},
		{"tap-decline", "declined: card refuses", "declined: card refuses"},
		{"tap-blocked", "ended: application blocked", "ended: application blocked"},
		{"tap-expired", "declined: application expired", "declined: application expired"},
		{"tap-other-interface", "other interface: card refuses", "other interface: card refuses"},
		{"tap-torn", "present again: card error", "present again: card error"},
		{"no-directory", "other interface: no common application", "other interface: no common application"},
		{"phone", "online device", "online device"},
		{"phone-locked", "see phone: no cardholder verification", "see phone: no cardholder verification"},
	} {
		t.Run(tt.id, func(t *testing.T) {
			c, err := cards.Find(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			for amount, want := range map[int64]string{1250: tt.small, 40000: tt.great} {
				made, err := c.NewChip()
				if err != nil {
					t.Fatal(err)
				}
				h := &holder{pin: c.PIN}
				r, err := cardKernel(t).Tap(context.Background(), &chip{card: made.Field()}, h, saleOf(amount))
				if err != nil {
					t.Fatal(err)
				}
				got := strings.TrimSpace(told(r) + " " + strings.Join(h.asked, ";"))
				if r.Outcome == kernel.Online {
					prove(t, c, r)
					if r.DeviceCVM {
						got += " device"
					}
				}
				if got != want {
					t.Errorf("%d: %s, want %s", amount, got, want)
				}
			}
		})
	}
}
