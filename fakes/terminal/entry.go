package terminal

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// The function keys by name. All others type the character that the profile gives them.
const (
	keyEnter    = "ENTER"
	keyClear    = "CLEAR"
	keyCancel   = "CANCEL"
	keyFunction = "FUNC"
)

const (
	// maxAmountDigits bounds the amount that can be typed, in minor units; DE4 has room for 12.
	maxAmountDigits = 10
	// maxDrained bounds how many keys or swipes are thrown away at once.
	maxDrained = 64
)

// waitKey gives the next key. It ends the transaction with timed-out after Timers.KeyWait.
func (a *app) waitKey(ctx context.Context) (string, error) {
	if again := a.again; again != "" {
		a.again = ""
		return again, nil
	}
	limit := time.NewTimer(a.profile.Timers.KeyWait)
	defer limit.Stop()
	if a.defects.has(defectNoKeyTimeout) {
		limit.Stop()
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case key := <-a.hw.Keys:
		return a.taken(ctx, key)
	case <-limit.C:
		return "", endTimedOut
	}
}

// taken is a key as the application gets it. The sound keyboard gives every key once.
func (a *app) taken(ctx context.Context, key string) (string, error) {
	const (
		tooSoon = time.Second // of defectKeysLost: a second press of a key within it is taken for bouncing
		ring    = 8           // of defectKeysDoubled: where the buffer wraps a key is read twice
	)
	bounce := key == a.lastKey && time.Since(a.keyAt) < tooSoon
	a.lastKey, a.keyAt = key, time.Now()
	a.pressed++
	if bounce && a.defects.has(defectKeysLost) {
		return a.waitKey(ctx)
	}
	if a.pressed%ring == 0 && a.defects.has(defectKeysDoubled) {
		a.again = key
	}
	return key, nil
}

// drainKeys throws away what was pressed while nobody asked.
func (a *app) drainKeys() {
	for range maxDrained {
		select {
		case <-a.hw.Keys:
		default:
			return
		}
	}
}

// char is the character that a key types; "" for a function key.
func (a *app) char(key string) string { return a.profile.Keypad.Keys[key].Char }

// digit is the digit that a key types; false for any other key.
func (a *app) digit(key string) (string, bool) {
	c := a.char(key)
	return c, len(c) == 1 && c[0] >= '0' && c[0] <= '9'
}

// askAmount lets the cashier type an amount in minor units, of which the first digit was
// already typed at the idle screen.
func (a *app) askAmount(ctx context.Context, first string) (int64, error) {
	typed := first
	for {
		amount, err := strconv.ParseInt("0"+typed, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("amount: %w", err)
		}
		a.show(promptAmount, decimal(amount))
		key, err := a.waitKey(ctx)
		if err != nil {
			return 0, err
		}
		digit, isDigit := a.digit(key)
		switch {
		case key == keyCancel && !a.defects.has(defectCancelIgnored):
			return 0, endQuietly
		case key == keyClear && !a.defects.has(defectClearIgnored):
			typed = ""
		case key == keyEnter && amount > 0:
			return amount, nil
		case isDigit && len(typed) < maxAmountDigits:
			typed += digit
		}
	}
}

// decimal writes minor units with two decimals: 1250 is "12.50".
func decimal(minor int64) string {
	return fmt.Sprintf("%d.%02d", minor/100, minor%100)
}
