package terminal

import (
	"context"
	"fmt"
)

// inquire shows what a card has.
func (a *app) inquire(ctx context.Context) error {
	s := &sale{kind: opBalance}
	if err := a.takeCard(ctx, s); err != nil {
		return err
	}
	if err := a.online(ctx, a.dialect.operation(opBalance), s); err != nil {
		return err
	}
	amount, err := balanceIn(s.balance)
	if err != nil {
		return err
	}
	if err := a.notice(ctx, promptBalance, a.money(amount)); err != nil {
		return err
	}
	return endQuietly
}

// balanceIn reads DE54: account and kind of amount (2 digits each), currency (3), C or D, 12 digits.
func balanceIn(value string) (int64, error) {
	const length = 20
	if len(value) < length {
		return 0, errBadReply
	}
	var amount int64
	if _, err := fmt.Sscanf(value[length-12:length], "%d", &amount); err != nil {
		return 0, errBadReply
	}
	if value[length-13] == 'D' {
		amount = -amount
	}
	return amount, nil
}
