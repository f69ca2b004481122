package terminal

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// maxCustomerID is what DE48 can carry, in characters. Only the defect id-length-unchecked
// gets near to it.
const maxCustomerID = 255

// askCustomerID lets the cashier type the customer ID and checks it while it is typed. A
// screen that says what is wrong stays until the next key; the amount is kept, and the host
// hears nothing of it.
func (a *app) askCustomerID(ctx context.Context) (string, error) {
	rule := a.profile.CustomerID
	if rule == nil {
		return "", nil
	}
	typed, fault := "", ""
	for {
		if fault != "" {
			a.show(fault)
		} else {
			a.show(promptCustomerID, typed)
		}
		key, err := a.waitKey(ctx)
		if err != nil {
			return "", err
		}
		char := a.char(key)
		switch {
		case key == keyCancel:
			return "", endQuietly
		case key == keyClear, key == keyEnter && fault != "":
			typed, fault = "", ""
		case key == keyEnter:
			if fault = a.customerIDTooShort(rule, typed); fault == "" {
				return typed, nil
			}
		case char != "":
			if fault != "" {
				typed = ""
			}
			typed, fault = a.typeCustomerID(rule, typed, char)
		}
	}
}

// typeCustomerID adds a character, or names the prompt that refuses it.
func (a *app) typeCustomerID(rule *terminals.CustomerID, typed, char string) (text, fault string) {
	if !strings.Contains(rule.Charset, char) {
		return typed, promptCustomerIDFormat
	}
	limit := rule.Max
	if a.defects[defectLengthUnchecked] {
		limit = maxCustomerID
	}
	if utf8.RuneCountInString(typed) >= limit {
		return typed, promptCustomerIDLength
	}
	return typed + char, ""
}

// customerIDTooShort names the prompt that refuses a finished ID; "" when it is long enough.
func (a *app) customerIDTooShort(rule *terminals.CustomerID, typed string) (fault string) {
	switch {
	case a.defects[defectLengthUnchecked], utf8.RuneCountInString(typed) >= rule.Min:
		return ""
	case typed == "":
		return promptCustomerIDEmpty
	}
	return promptCustomerIDFormat
}
