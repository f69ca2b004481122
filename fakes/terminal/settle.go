package terminal

import (
	"context"
	"fmt"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// keySettle is the menu's only entry.
const keySettle = "1"

// Answers of the host to a settlement, DE66.
const (
	inBalance    = "1"
	outOfBalance = "2"
)

// menu offers what is not a sale.
func (a *app) menu(ctx context.Context) error {
	for {
		a.show(promptMenu)
		key, err := a.waitKey(ctx)
		switch {
		case err != nil:
			return err
		case key == keyCancel:
			return endQuietly
		case key == keySettle:
			return a.settle(ctx)
		}
	}
}

// mustSettle says that the journal has no room for another sale.
func (a *app) mustSettle() bool { return a.memory.full() && a.profile.Has("settlement") }

// settle closes the batch when the host's books agree with the journal. Like sell it always
// ends with an error.
func (a *app) settle(ctx context.Context) error {
	if err := a.confirmTotals(ctx); err != nil {
		return err
	}
	if err := a.prepare(ctx); err != nil {
		return err
	}
	reply, err := a.do(ctx, exchange{
		request: a.settlementRequest(), dialling: promptConnecting, waiting: promptSettling,
	})
	if err != nil {
		return err
	}
	if code := reply.Fields[39]; code != approvedCode {
		return ending{a.promptForCode(code)}
	}
	switch reply.Fields[66] {
	case inBalance:
		slip := a.settlementSlip(now())
		a.memory.closeBatch()
		a.show(promptSettled)
		a.print(slip)
		return ending{promptSettled}
	case outOfBalance:
		return ending{promptSettleMismatch}
	}
	return errBadReply
}

// confirmTotals shows what would be settled and waits for ENTER.
func (a *app) confirmTotals(ctx context.Context) error {
	count, sum := a.memory.totals()
	for {
		a.show(promptSettleConfirm, line(a.words.count, fmt.Sprint(count)), line(a.words.total, a.money(sum)))
		key, err := a.waitKey(ctx)
		switch {
		case err != nil:
			return err
		case key == keyCancel:
			return endQuietly
		case key == keyEnter:
			return nil
		}
	}
}

func (a *app) settlementRequest() iso8583.Message {
	count, sum := a.memory.totals()
	return iso8583.Message{MTI: "0500", Fields: map[int]string{
		3:  "920000",
		7:  de7(now()),
		11: a.memory.nextSTAN(),
		41: a.profile.Identity.Terminal,
		42: a.profile.Identity.Merchant,
		49: a.profile.Identity.Currency,
		60: a.memory.batchNumber(),
		76: fmt.Sprintf("%010d", count),
		88: fmt.Sprintf("%016d", sum),
	}}
}
