package terminal

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// noInstitution is an acquirer or forwarder in DE90 that the dialect doesn't use.
const noInstitution = "00000000000"

// reversalOf prepares the reversal of a request, for the case that its end stays unknown. It
// repeats the original without track, PIN and chip data (none of which may be stored).
func reversalOf(request iso8583.Message) pendingReversal {
	fields := map[int]string{}
	for _, field := range []int{2, 3, 4, 11, 12, 13, 14, 22, 25, 41, 42, 49} {
		if value, ok := request.Fields[field]; ok {
			fields[field] = value
		}
	}
	fields[90] = request.MTI + request.Fields[11] + request.Fields[7] + noInstitution + noInstitution
	return pendingReversal{Fields: fields, Reason: reasonNoReply}
}

// leaveUnknown keeps the reversal of a sale whose exchange failed: it was saved with reason 98 before
// the request left, and stays unless nothing was sent at all.
func (a *app) leaveUnknown(reversal pendingReversal, err error) {
	switch {
	case errors.Is(err, errNoReply) && a.defects[defectNoReversal]:
		a.memory.dropPending()
	case errors.Is(err, errBadReply):
		reversal.Reason = reasonOther
		a.memory.savePending(reversal)
	case a.defects[defectSavedLate] && (errors.Is(err, errNoReply) || errors.Is(err, errBroken)):
		a.memory.savePending(reversal)
	}
}

// sendPending reverses the sale whose end is unknown, if there is one. A connection that can't
// be had is a matter of the network and says so; a reversal that was sent Timers.ReversalTry
// times without being acknowledged ends with reversal-failed. In both cases the record stays
// and nothing else goes to the host.
func (a *app) sendPending(ctx context.Context) error {
	if a.memory.pending == nil {
		return nil
	}
	for range max(1, a.profile.Timers.ReversalTry) {
		acknowledged, err := a.sendReversal(ctx, *a.memory.pending)
		if acknowledged {
			a.memory.dropPending()
			return nil
		}
		if err != nil && !errors.Is(err, errNoReply) && !errors.Is(err, errBroken) && !errors.Is(err, errBadReply) {
			return err
		}
	}
	return ending{promptReversalFailed}
}

// sendReversal sends one 0400. The host acknowledges with 00 (reversed, or reversed before), 25 (it knows
// of no such sale) or 12 (it never accepted it).
func (a *app) sendReversal(ctx context.Context, p pendingReversal) (acknowledged bool, err error) {
	fields := maps.Clone(p.Fields)
	fields[7] = de7(now())
	fields[39] = p.Reason
	reply, err := a.do(ctx, exchange{
		request:  iso8583.Message{MTI: "0400", Fields: fields},
		dialling: promptReversing, waiting: promptReversing,
	})
	if err != nil {
		return false, err
	}
	return slices.Contains([]string{approvedCode, "25", "12"}, reply.Fields[39]), nil
}
