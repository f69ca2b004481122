package terminal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
)

// cardTalk is what the kernel asks of cardholder and cashier.
type cardTalk struct {
	*app
	// pinBlock is DE52 after an online PIN.
	pinBlock string
}

var _ kernel.Dialogue = (*cardTalk)(nil)

// maxChoices is how many applications fit on the screen, one digit each.
const maxChoices = 6

// Choose shows the applications; a digit chooses one, ENTER the first.
func (t *cardTalk) Choose(ctx context.Context, labels []string) (int, error) {
	labels = labels[:min(len(labels), maxChoices)]
	rows := make([]string, len(labels))
	for i, label := range labels {
		rows[i] = fmt.Sprintf("%d %s", i+1, label)
	}
	t.drainKeys()
	for {
		t.show(promptChooseApplication, rows...)
		key, err := t.keyWithCard(ctx)
		if err != nil {
			return 0, err
		}
		digit, isDigit := t.digit(key)
		switch {
		case key == keyCancel:
			return 0, endCancelled
		case key == keyEnter:
			return 0, nil
		case isDigit && digit >= "1" && int(digit[0]-'1') < len(labels):
			return int(digit[0] - '1'), nil
		}
	}
}

// OfflinePIN asks for the PIN that the card checks.
func (t *cardTalk) OfflinePIN(ctx context.Context, entry kernel.PINEntry) (string, error) {
	var notes []string
	if entry.Wrong {
		notes = append(notes, promptPINAgain)
	}
	if entry.Last {
		notes = append(notes, promptPINLast)
	}
	return t.typeCardPIN(ctx, notes...)
}

// OnlinePIN asks for the PIN that the host checks.
func (t *cardTalk) OnlinePIN(ctx context.Context, pan string) error {
	typed, err := t.typeCardPIN(ctx)
	if err != nil {
		return err
	}
	t.pinBlock, err = t.sealPIN(typed, pan)
	return err
}

func (t *cardTalk) typeCardPIN(ctx context.Context, notes ...string) (string, error) {
	if !t.profile.Has("pin") || !t.padWorks() {
		return "", kernel.ErrPINPad
	}
	typed, err := t.typePIN(ctx, pinEntry{next: t.keyWithCard, notes: notes, bypass: t.profile.EMV.PINBypass})
	if err == nil && typed == "" {
		err = kernel.ErrPINBypassed
	}
	return typed, err
}

// keyWithCard is waitKey while a chip is being read: the card's leaving ends the transaction. A card in the field may leave.
func (t *cardTalk) keyWithCard(ctx context.Context) (string, error) {
	if !t.chipPresent() {
		return t.waitKey(ctx)
	}
	limit := time.NewTimer(t.profile.Timers.KeyWait)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case key := <-t.hw.Keys:
			return key, nil
		case <-limit.C:
			return "", endTimedOut
		case <-t.chipChanged():
			if !t.chipPresent() {
				return "", ending{promptCardRemoved}
			}
		}
	}
}

// isEnding says whether an error ends the transaction with a prompt.
func isEnding(err error) bool {
	var end ending
	return errors.As(err, &end)
}
