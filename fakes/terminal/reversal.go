package terminal

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// Reasons of a reversal, as 1987 writes them in DE39; 1993 has numbers of its own in DE25.
const (
	reasonNoReply = "98"
	reasonBadMAC  = "A0"
	reasonOther   = "06"
)

// pendingReversal is a transaction that the host may have booked and the terminal has not approved.
type pendingReversal struct {
	MTI string `json:"mti"`
	// Fields of the reversal by number, complete but for its reason and the time of its sending.
	Fields map[int]string `json:"fields"`
	Reason string         `json:"reason"`
}

// reversalOf prepares the reversal of a request, for the case that its end stays unknown. It
// repeats the original without track, PIN and chip data (none of which may be stored).
func (a *app) reversalOf(request iso8583.Message, s *sale) pendingReversal {
	o := a.dialect.reversal()
	fields := map[int]string{}
	for _, n := range slices.Concat(o.Require, []int{2, 3, 4, 11, 12, 13, 14, 22, 25, 38, 41, 42, 49}) {
		if value, ok := request.Fields[n]; ok {
			fields[n] = value
		} else if value := a.field(n, o, s); slices.Contains(o.Require, n) && value != "" {
			fields[n] = value // the original did not need it: the expiry of a card whose sale is voided
		}
	}
	if a.defects.has(defectTrackStored) && request.Fields[35] != "" {
		fields[35] = request.Fields[35]
	}
	original := journalRow{MTI: request.MTI, STAN: request.Fields[11], At: s.at, Batch: a.memory.batchNumber()}
	for _, n := range []int{56, 90} {
		if _, known := a.dialect.host.Dialect.Fields[n]; known {
			fields[n] = a.originalData(n, &sale{original: &original})
		}
	}
	if a.dialect.private {
		fields[60] = request.Fields[60]
	}
	for _, k := range o.When {
		if path, err := a.dialect.codec.Path(k.Path); err == nil && path.Field() > 0 {
			fields[path.Field()] = a.dialect.fill(k, path)
		}
	}
	return pendingReversal{MTI: o.Request, Fields: fields, Reason: reasonNoReply}
}

// keepReversal saves the reversal before its request leaves: from then on the host may have booked it.
func (a *app) keepReversal(reversal pendingReversal) error {
	if a.defects.has(defectSavedLate) {
		return nil
	}
	if a.defects.has(defectNotSaved) {
		a.memory.Pending = &reversal // in RAM only
		return nil
	}
	return a.memory.savePending(reversal)
}

// leaveUnknown rewrites the reason of a transaction whose exchange failed: it was saved with 98 before the request
// left, and stays unless nothing was sent at all.
func (a *app) leaveUnknown(reversal pendingReversal, err error) {
	var bad badReply
	late := a.defects.has(defectSavedLate) && (errors.Is(err, errNoReply) || errors.Is(err, errBroken) || errors.Is(err, errCut))
	switch {
	case errors.Is(err, errNoReply) && a.defects.has(defectNoReversal),
		errors.Is(err, errBroken) && a.defects.has(defectDeletedOnReset):
		_ = a.memory.dropPending()
	case errors.Is(err, errBadMAC) && !a.defects.has(defectWrongReason):
		reversal.Reason = reasonBadMAC
		_ = a.memory.savePending(reversal)
	case errors.As(err, &bad) && !a.defects.has(defectWrongReason):
		reversal.Reason = reasonOther
		_ = a.memory.savePending(reversal) // without a memory the record of before stands
	case late:
		_ = a.memory.savePending(reversal)
	}
}

// takeBack has a transaction reversed that the host approved and that came to nothing here: the card
// refused it, or it could not be kept. When the power went meanwhile there is nobody to note it, and the record that was saved
// before sending must do.
func (a *app) takeBack(reversal pendingReversal, auth string, err error) {
	var end ending
	if !errors.As(err, &end) {
		return
	}
	reversal.Reason = reasonOther
	reversal.Fields = maps.Clone(reversal.Fields)
	if auth != "" {
		reversal.Fields[38] = auth
	}
	if a.memory.savePending(reversal) != nil {
		a.memory.Pending = &reversal // as long as there is power
	}
}

// sendPending reverses the transaction whose end is unknown, if there is one. A connection that can't
// be had is a matter of the network and says so. A reversal that was sent Timers.ReversalTry
// times without being acknowledged ends with reversal-failed; the record stays and nothing else goes to the host,
// or, where the profile says so, is given up, which the journal keeps.
func (a *app) sendPending(ctx context.Context) error {
	if a.memory.Pending == nil {
		return nil
	}
	tries := max(1, a.profile.Timers.ReversalTry)
	if a.defects.has(defectTriedOnce) {
		tries = 1
	}
	for range tries {
		if err := a.signOn(ctx); err != nil { // again, when the host said that it does not know our keys
			return err
		}
		acknowledged, err := a.sendReversal(ctx, *a.memory.Pending)
		if acknowledged && a.defects.has(defectReversalTwice) {
			_, _ = a.sendReversal(ctx, *a.memory.Pending)
		}
		if acknowledged {
			return a.memory.dropPending()
		}
		if err != nil && !sent(err) {
			return err
		}
	}
	if !a.profile.ReversalDrop && !a.defects.has(defectTriedOnce) {
		return ending{promptReversalFailed}
	}
	return a.giveUpReversal()
}

// maxDropped bounds how many reversals that were given up are kept.
const maxDropped = 50

// giveUpReversal moves a reversal that nobody acknowledges out of the way, and keeps it for whoever looks into it.
func (a *app) giveUpReversal() error {
	err := a.memory.save(func(s *state) {
		if !a.defects.has(defectDropSilent) {
			s.Dropped = append(slices.Clone(s.Dropped), *s.Pending)
			s.Dropped = s.Dropped[max(0, len(s.Dropped)-maxDropped):]
		}
		s.Pending = nil
	})
	if err != nil {
		return err
	}
	return ending{promptReversalFailed}
}

// sent says whether a request that failed with err may have reached the host.
func sent(err error) bool {
	var bad badReply
	return errors.Is(err, errNoReply) || errors.Is(err, errBroken) || errors.Is(err, errCut) || errors.As(err, &bad)
}

// sendReversal sends a reversal once. The host acknowledges with its approval (reversed, or reversed before), or by
// saying that it knows of no such transaction (25) or never accepted it (12).
func (a *app) sendReversal(ctx context.Context, p pendingReversal) (acknowledged bool, err error) {
	o := a.dialect.reversal()
	request := iso8583.Message{MTI: p.MTI, Fields: maps.Clone(p.Fields)}
	if _, known := a.dialect.host.Dialect.Fields[7]; known {
		request.Fields[7] = de7(now())
	}
	if a.defects.has(defectNewSTAN) {
		request.Fields[11] = a.memory.nextSTAN()
	}
	if a.dialect.ed1993 {
		request.Fields[25] = map[string]string{reasonNoReply: "4021", reasonBadMAC: "4351", reasonOther: "4020"}[p.Reason]
	} else {
		request.Fields[39] = p.Reason
	}
	reply, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptReversing, waiting: promptReversing})
	if err != nil {
		return false, err
	}
	code := reply.Fields[39]
	a.distrust(code)
	approved, _ := a.dialect.approves(o, code)
	codes := a.dialect.host.Codes
	settled := code == codes["no-original"] || code == codes["invalid-transaction"]
	return approved || settled && !a.defects.has(defectReversal25), nil
}
