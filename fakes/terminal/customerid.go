package terminal

import (
	"context"
	"strings"
	"unicode"
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
	if a.defects.has(defectStaleID) {
		typed = a.lastID
	}
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
				a.lastID = typed
				return a.sentID(typed), nil
			}
			if a.defects.has(defectReentryRestarts) {
				return "", ending{fault}
			}
		case char != "":
			if fault != "" {
				typed = ""
			}
			typed, fault = a.typeCustomerID(rule, typed, char)
			if a.defects.has(defectErrorSwallowed) {
				fault = ""
			}
		}
	}
}

// typeCustomerID adds a character, or names the prompt that refuses it.
func (a *app) typeCustomerID(rule *terminals.CustomerID, typed, char string) (text, fault string) {
	allowed := strings.Contains(rule.Charset, char)
	if a.defects.has(defectFullWidth) {
		allowed = allowed || unicode.IsDigit([]rune(char)[0])
	}
	if !allowed {
		return typed, promptCustomerIDFormat
	}
	limit := rule.Max
	if a.defects.has(defectLengthUnchecked) {
		limit = maxCustomerID
	}
	if a.defects.has(defectOffByOne) {
		limit++
	}
	if utf8.RuneCountInString(typed) >= limit {
		return typed, promptCustomerIDLength
	}
	return typed + char, ""
}

// customerIDTooShort names the prompt that refuses a finished ID; "" when it is long enough.
func (a *app) customerIDTooShort(rule *terminals.CustomerID, typed string) (fault string) {
	switch {
	case a.defects.has(defectLengthUnchecked), a.defects.has(defectShortAccepted) && typed != "", utf8.RuneCountInString(typed) >= rule.Min:
		return ""
	case typed == "":
		return promptCustomerIDEmpty
	}
	return promptCustomerIDFormat
}

// sentID is the customer ID that goes to the host.
func (a *app) sentID(typed string) string {
	const kept = 8 // of defectIDTruncated
	if a.defects.has(defectIDTruncated) {
		return typed[:min(len(typed), kept)]
	}
	return typed
}
