package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// sale is a transaction on its way: a purchase, or anything else that the operation says.
type sale struct {
	kind       string // the operation
	mti        string // of the request, once it is composed
	amount     int64  // minor units; after a partial approval what was approved
	asked      int64  // what was asked for
	customerID string
	card       card
	pinBlock   string // DE52; "" without PIN entry
	stan       string
	at         time.Time
	rrn, auth  string
	code       string // DE39 of the reply
	balance    string // DE54 of the reply
	// original is what a void, completion or refund is about.
	original *journalRow
}

func (s *sale) originalRRN() string {
	if s.original == nil {
		return ""
	}
	return s.original.RRN
}

func (s *sale) originalAuth() string {
	if s.original == nil {
		return ""
	}
	return s.original.Auth
}

// sell carries out a purchase, from the second digit of the amount to the receipt. It always
// ends with an error: an ending (approved is one of them) or the end of everything.
func (a *app) sell(ctx context.Context, firstDigit string) error {
	s := sale{kind: opPurchase}
	var err error
	if s.amount, err = a.askAmount(ctx, firstDigit); err != nil {
		return err
	}
	if s.customerID, err = a.askCustomerID(ctx); err != nil {
		return err
	}
	if err = a.takeCard(ctx, &s); err != nil {
		return err
	}
	take := func() error { return a.online(ctx, a.dialect.operation(opPurchase), &s) }
	if s.card.approvedOffline() {
		take = func() error { return a.acceptOffline(&s) }
	}
	if err = take(); err != nil {
		return err
	}
	return a.finish(ctx, &s)
}

// takeCard reads a card and asks for the PIN. Where keys come with the sign-on there would be
// no PIN block without, so the terminal signs on before; and nobody is asked for a card by one that has never signed on.
func (a *app) takeCard(ctx context.Context, s *sale) error {
	var err error
	if !a.dialect.download.IsZero() || a.memory.logon == nil {
		if err = a.signOn(ctx); err != nil {
			return err
		}
	}
	if s.card, err = a.readCard(ctx, s); err != nil {
		return err
	}
	s.pinBlock, err = a.verifyHolder(ctx, s.card)
	return err
}

// online takes a transaction to the host and back. It returns nil when it is approved and
// in the journal; a balance inquiry moves no money and is in none.
func (a *app) online(ctx context.Context, o *hosts.Operation, s *sale) error {
	if err := a.prepare(ctx); err != nil {
		return err
	}
	s.stan, s.at, s.mti, s.asked = a.memory.nextSTAN(), now(), o.Request, s.amount
	request, err := a.compose(o, s)
	if err != nil {
		return err
	}
	if a.defects.has(defectReceiptEarly) && s.kind == opPurchase {
		_ = a.print(a.saleReceipt(s))
	}
	a.debug(fmt.Sprintf("[APP] %s %s amount %d card %s", o.Name, s.stan, s.amount, a.loggedPAN(s.card.pan)))
	reversal := a.reversalOf(request, s)
	x := exchange{operation: o, request: request, dialling: promptConnecting, waiting: promptProcessing}
	if s.kind != opBalance { // an inquiry is never reversed
		x.beforeSend = func() error { return a.keepReversal(reversal) }
	}
	reply, err := a.do(ctx, x)
	if errors.Is(err, errNoReply) && a.defects.has(defectTimeoutAsID) {
		a.leaveUnknown(reversal, err)
		return ending{promptCustomerIDLength}
	}
	if err != nil {
		if s.kind != opBalance {
			a.leaveUnknown(reversal, err)
		}
		return a.unanswered(ctx, s, err)
	}
	return a.decided(ctx, o, s, reversal, reply)
}

// unanswered lets the card know that the host said nothing that can be used, or something that is not wanted.
func (a *app) unanswered(ctx context.Context, s *sale, err error) error {
	if !isEnding(err) {
		return err
	}
	return cmp.Or(a.tellCard(ctx, s, iso8583.Message{}), err)
}

// decided does what the host's answer says.
func (a *app) decided(ctx context.Context, o *hosts.Operation, s *sale, reversal pendingReversal, reply iso8583.Message) error {
	s.code = reply.Fields[39]
	approved, partly := a.dialect.approves(o, s.code)
	approved = approved && !(a.defects.has(defectApprovals00) && s.code != a.dialect.host.Code(o, "approved") && !partly)
	if !approved && !a.unknownApproved(s.code) {
		if s.kind != opBalance {
			if err := a.memory.dropPending(); err != nil {
				return err
			}
		}
		if err := a.tellCard(ctx, s, reply); err != nil {
			return err
		}
		return cmp.Or(a.scriptsOf(s), a.declined(s))
	}
	s.rrn, s.auth, s.balance = reply.Fields[37], reply.Fields[38], reply.Fields[54]
	if partly {
		if err := a.takePart(ctx, s, reversal, reply); err != nil {
			return a.unanswered(ctx, s, err)
		}
	}
	err := a.askCardAgain(ctx, s, reply)
	if err == nil {
		err = a.keep(s)
	}
	if err != nil {
		a.takeBack(reversal, s.auth, err)
		return cmp.Or(a.scriptsOf(s), err)
	}
	return a.scriptsOf(s)
}

// scriptsOf has the results of issuer scripts told, where any ran. The transaction is decided already: what can't be kept
// is lost.
func (a *app) scriptsOf(s *sale) error {
	data := s.card.scriptData()
	if data == "" {
		return nil
	}
	err := a.keepScript(s, data)
	if isEnding(err) {
		return nil
	}
	return err
}

// unknownApproved is a defect: codes that the table doesn't list fall through to the approval.
func (a *app) unknownApproved(code string) bool {
	_, listed := a.profile.Codes[code]
	return !listed && a.defects.has(defectUnknownApproved)
}

// declined ends a transaction with what its code means here. Codes that say that keys or batch are not
// those of the host make the terminal sign on before it goes on.
func (a *app) declined(s *sale) error {
	a.distrust(s.code)
	return ending{a.promptForCode(s.code)}
}

// distrust has the terminal sign on before it goes on, when a code says that keys or batch are not those of the host.
func (a *app) distrust(code string) {
	codes := a.dialect.host.Codes
	switch code {
	case codes["batch-mismatch"], codes["mac-error"], codes["pin-format"]:
		a.signedOn = false
	}
}

// keep enters an approved transaction into the journal, with its receipt still to be printed.
func (a *app) keep(s *sale) error { return a.keepWith(s, func(*state) {}) }

// keepWith is keep with what else is to change in the same write.
func (a *app) keepWith(s *sale, also func(*state)) error {
	switch s.kind {
	case opBalance:
		return nil
	case opVoid:
		return a.keepVoid(s)
	}
	if a.defects.has(defectApprovedReversed) {
		return a.memory.save(func(st *state) { st.Journal = append(st.Journal, a.row(s)) })
	}
	original := ""
	if s.original != nil {
		original = s.original.STAN
	}
	err := a.memory.enter(a.row(s), original, a.newSlip(a.saleReceipt(s)), also)
	if a.defects.has(defectWriteIgnored) {
		return nil
	}
	return err
}

// finish shows and prints an approval.
func (a *app) finish(ctx context.Context, s *sale) error {
	prompt := a.approvalPrompt(s.code)
	a.signal(SignalApproved)
	a.show(prompt)
	if err := a.printSlip(ctx); err != nil {
		return err
	}
	return ending{prompt}
}

// approvalPrompt is approved, unless the profile has something to add for a code.
func (a *app) approvalPrompt(code string) string {
	if prompt, ok := a.profile.Codes[code]; ok {
		return prompt
	}
	return promptApproved
}
