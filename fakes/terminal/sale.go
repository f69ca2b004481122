package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// sale is a purchase on its way.
type sale struct {
	amount     int64 // minor units
	customerID string
	card       card
	pinBlock   string // DE52; "" without PIN entry
	stan       string
	at         time.Time
	rrn, auth  string
}

// sell carries out a purchase, from the second digit of the amount to the receipt. It always
// ends with an error: an ending (approved is one of them) or the end of everything.
func (a *app) sell(ctx context.Context, firstDigit string) error {
	var s sale
	var err error
	if s.amount, err = a.askAmount(ctx, firstDigit); err != nil {
		return err
	}
	if s.customerID, err = a.askCustomerID(ctx); err != nil {
		return err
	}
	if s.card, err = a.readCard(ctx, s.amount); err != nil {
		return err
	}
	if s.pinBlock, err = a.askPIN(ctx, s.card.pan); err != nil {
		return err
	}
	if err = a.prepare(ctx); err != nil {
		return err
	}
	if err = a.purchase(ctx, &s); err != nil {
		return err
	}
	a.show(promptApproved)
	a.print(a.saleReceipt(&s))
	return ending{promptApproved}
}

// purchase takes the sale to the host and back. It returns nil when the sale is approved and
// in the journal.
func (a *app) purchase(ctx context.Context, s *sale) error {
	s.stan, s.at = a.memory.nextSTAN(), now()
	request := a.purchaseRequest(s)
	reversal := reversalOf(request)
	reply, err := a.do(ctx, exchange{
		request: request, dialling: promptConnecting, waiting: promptProcessing,
		beforeSend: func() {
			if !a.defects[defectSavedLate] {
				a.memory.savePending(reversal)
			}
		},
	})
	if err != nil {
		a.leaveUnknown(reversal, err)
		return err
	}
	if code := reply.Fields[39]; code != approvedCode {
		a.memory.dropPending()
		return ending{a.promptForCode(code)}
	}
	s.rrn, s.auth = reply.Fields[37], reply.Fields[38]
	if err := a.askCardAgain(ctx, s, reply); err != nil {
		a.undoApproval(reversal, s.auth, err)
		return err
	}
	a.memory.approve(journalRow{
		STAN: s.stan, Amount: s.amount, RRN: s.rrn, Auth: s.auth, Card: maskedPAN(s.card.pan), At: s.at,
	})
	return nil
}

// undoApproval has a sale reversed that the host approved and the card did not. When the power
// went meanwhile there is nobody to note it, and the record that was saved before sending must do.
func (a *app) undoApproval(reversal pendingReversal, auth string, err error) {
	var end ending
	if !errors.As(err, &end) {
		return
	}
	reversal.Reason = reasonOther
	if auth != "" {
		reversal.Fields[38] = auth
	}
	a.memory.savePending(reversal)
}

func (a *app) purchaseRequest(s *sale) iso8583.Message {
	fields := map[int]string{
		2:  s.card.pan,
		3:  "000000",
		4:  fmt.Sprintf("%012d", s.amount),
		7:  de7(s.at),
		11: s.stan,
		12: s.at.Format("150405"),
		13: s.at.Format("0102"),
		14: s.card.expiry,
		22: entryMode(s),
		25: "00",
		41: a.profile.Identity.Terminal,
		42: a.profile.Identity.Merchant,
		49: a.profile.Identity.Currency,
	}
	optional := map[int]string{35: s.card.track2, 48: s.customerID, 52: s.pinBlock}
	if s.card.chip != nil {
		optional[23] = s.card.chip.sequence
		optional[55] = s.card.chip.de55
	}
	for field, value := range optional {
		if value != "" {
			fields[field] = value
		}
	}
	return iso8583.Message{MTI: "0200", Fields: fields}
}

// entryMode is DE22: how the card was read (02 stripe, 05 chip), and whether a PIN was entered (1, 2).
func entryMode(s *sale) string {
	mode := "02"
	if s.card.chip != nil {
		mode = "05"
	}
	if s.pinBlock == "" {
		return mode + "2"
	}
	return mode + "1"
}
