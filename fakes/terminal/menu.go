package terminal

import (
	"context"
	"strings"
)

// entry is a line of the menu.
type entry struct {
	key string
	// needs is the capability of the profile without which the line isn't there; "" none.
	needs string
	do    func(*app, context.Context) error
}

func entries() []entry {
	return []entry{
		{"1", "settlement", (*app).settle},
		{"2", "void", (*app).voidSale},
		{"3", "refund", (*app).refund},
		{"4", "pre-authorisation", (*app).authorise},
		{"5", "pre-authorisation", (*app).complete},
		{"6", "balance", (*app).inquire},
		{"7", "printer", (*app).reprint},
		{"8", "", (*app).logon},
		{"9", "", (*app).echo},
		{"0", "", (*app).about},
		{"*", "parameter-download", (*app).downloadAll},
	}
}

// menu offers what is not a sale.
func (a *app) menu(ctx context.Context) error {
	for {
		a.show(promptMenu)
		key, err := a.waitKey(ctx)
		if err != nil {
			return err
		}
		if key == keyCancel {
			return endQuietly
		}
		for _, e := range entries() {
			if a.char(key) == e.key && (e.needs == "" || a.profile.Has(e.needs)) {
				return a.choose(ctx, e)
			}
		}
	}
}

// choose does what was chosen. What is entered into a batch waits for a settlement whose verdict is not known; a full journal must be settled before anything else is entered into it.
func (a *app) choose(ctx context.Context, e entry) error {
	enters := strings.Contains(" void refund pre-authorisation ", " "+e.needs+" ")
	if enters && a.memory.Settling {
		return a.handIn(ctx)
	}
	if enters && a.mustSettle() {
		return a.settleFirst(ctx)
	}
	return e.do(a, ctx)
}

// settleFirst says that the journal is full, and settles.
func (a *app) settleFirst(ctx context.Context) error {
	if err := a.notice(ctx, promptJournalFull); err != nil {
		return err
	}
	return a.settle(ctx)
}

// askPassword lets the operator prove to be one; it never shows what is typed.
func (a *app) askPassword(ctx context.Context) error {
	want := a.profile.OperatorPassword
	if want == "" {
		return nil
	}
	const most = 12
	typed, err := a.askDigits(ctx, promptPassword, most, func(s string) string { return strings.Repeat("*", len(s)) })
	if err != nil {
		return err
	}
	if typed != want && !a.defects.has(defectPasswordIgnored) {
		return ending{promptPasswordWrong}
	}
	return nil
}

// logon signs on when the operator wants to, also when the terminal had been refused.
func (a *app) logon(ctx context.Context) error {
	if err := a.signOnNow(ctx); err != nil {
		return err
	}
	return ending{promptSignedOn}
}

// echo asks whether the host is there.
func (a *app) echo(ctx context.Context) error {
	o := a.dialect.operation(opEcho)
	if o == nil {
		return endQuietly
	}
	request, err := a.compose(o, &sale{kind: opEcho, stan: a.memory.nextSTAN(), at: now()})
	if err != nil {
		return err
	}
	reply, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptConnecting, waiting: promptEcho})
	if err != nil {
		return err
	}
	if approved, _ := a.dialect.approves(o, reply.Fields[39]); !approved {
		return ending{a.promptForCode(reply.Fields[39])}
	}
	return ending{promptEchoAnswered}
}

// about shows what this terminal is, until a key.
func (a *app) about(ctx context.Context) error {
	a.show(promptAbout, "FW "+a.firmware, a.profile.Identity.Terminal, a.profile.Identity.Merchant)
	for {
		key, err := a.waitKey(ctx)
		if err != nil {
			return err
		}
		if key == keyEnter || !a.defects.has(defectAboutStays) {
			return endQuietly
		}
	}
}
