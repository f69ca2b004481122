package terminal

import "context"

// authorise holds an amount on a card.
func (a *app) authorise(ctx context.Context) error {
	s := &sale{kind: opAuthorisation}
	var err error
	if s.amount, err = a.askAmount(ctx, ""); err != nil {
		return err
	}
	if err := a.takeCard(ctx, s); err != nil {
		return err
	}
	if err := a.online(ctx, a.dialect.operation(opAuthorisation), s); err != nil {
		return err
	}
	return a.finish(ctx, s)
}

// complete charges what an authorisation holds, or less.
func (a *app) complete(ctx context.Context) error {
	row, err := a.askTrace(ctx, opAuthorisation)
	if err != nil {
		return err
	}
	if row.Closed {
		return ending{promptAlreadyVoided}
	}
	amount, err := a.askAmount(ctx, "")
	if err != nil {
		return err
	}
	if amount > row.Amount {
		return ending{promptRefundLimit}
	}
	s := &sale{kind: opCompletion, amount: amount, original: row, card: card{pan: row.PAN, expiry: row.Expiry}}
	o := a.dialect.operation(opCompletion)
	if other := a.dialect.operationOf(opCompletion, "", "24=202"); other != nil && amount != row.Amount {
		o = other
	}
	take := a.online
	if o.Request[2] == '2' {
		take = a.advise
	}
	if err := take(ctx, o, s); err != nil {
		return err
	}
	return a.finish(ctx, s)
}
