package terminal

import (
	"context"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
)

// fieldCard is the contactless reader as the kernel sees it.
type fieldCard struct{ reader FieldReader }

func (c fieldCard) PowerOn(ctx context.Context) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	ats, err := c.reader.Activate(limited)
	return ats, c.told(err)
}

func (c fieldCard) Transmit(ctx context.Context, capdu []byte) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	answer, err := c.reader.Transmit(limited, capdu)
	return answer, c.told(err)
}

func (c fieldCard) PowerOff() { c.reader.Release() }

func (c fieldCard) told(err error) error {
	if err != nil && c.reader.Cards() == 0 {
		return kernel.ErrRemoved
	}
	return err
}

// fieldCards is how many cards are in the field; 0 where it is not in use.
func (a *app) fieldCards(r *search) int {
	if !a.profile.Has("contactless") || r.insert {
		return 0
	}
	return a.hw.Field.Cards()
}

// fieldChanged never fires where the field is not in use.
func (a *app) fieldChanged(r *search) <-chan int {
	if !a.profile.Has("contactless") || r.insert {
		return nil
	}
	return a.hw.Field.Changed()
}

// fieldMoved says whether cards came or went since it was asked last: one that left and is back within a notice is a new tap.
func (a *app) fieldMoved(r *search) bool {
	select {
	case <-a.fieldChanged(r):
		return true
	default:
		return false
	}
}

// readField takes a card in the field through its one pass. Nothing of a pass that the card didn't stay for is used: the next tap,
// of the same card or another, begins anew.
func (a *app) readField(ctx context.Context, r *search, near int) (card, error) {
	if near > 1 && !a.defects.has(defectTwoCards) {
		return card{}, retryTwo
	}
	if a.kernel == nil {
		return card{}, ending{promptParametersMissing}
	}
	talk := &cardTalk{app: a}
	result, err := a.kernel.Tap(ctx, fieldCard{a.hw.Field}, talk, a.cardSale(r))
	if ctx.Err() == nil {
		a.hw.Field.Release()
	}
	if err != nil {
		return card{}, err
	}
	if err := a.fieldEnd(result); err != nil {
		return card{}, err
	}
	return a.chipOf(nil, result, talk)
}

// fieldEnd says what comes of a tap that can't go online: an ending, or another try.
func (a *app) fieldEnd(r kernel.Result) error {
	switch r.Outcome {
	case kernel.Online, kernel.Approved:
		return nil
	case kernel.Again:
		return cardRetry{prompt: promptPresentAgain}
	case kernel.Phone:
		return cardRetry{prompt: promptSeePhone}
	case kernel.OtherInterface:
		if a.profile.Has("chip") || a.profile.Has("stripe") {
			return cardRetry{prompt: promptInsertCard, insert: true}
		}
		return ending{promptInsertCard}
	}
	switch r.Reason {
	case kernel.NotAccepted:
		return ending{promptWalletRefused}
	case kernel.CardRefused:
		return ending{promptCardRefused} // in the field the card decides by itself, which has a wording of its own (payments C-07)
	}
	return ending{promptForReason(r.Reason)}
}
