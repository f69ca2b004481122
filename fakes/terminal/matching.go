package terminal

import (
	"github.com/assay-hil/assay/protocol/iso8583"
)

// badReply is a reply that is none to its request. It ends the transaction with a prompt that says what
// differs.
type badReply struct{ ending }

// Unwrap lets a badReply end a transaction.
func (b badReply) Unwrap() error { return b.ending }

var (
	errBadReply = badReply{ending{promptReplyInvalid}} // no message, or without a code
	errBadMAC   = badReply{ending{promptReplyMAC}}
)

// understand reads an answer and makes sure that it belongs to the request and comes from the host.
func (a *app) understand(x exchange, answer []byte) (iso8583.Message, error) {
	reply, err := a.dialect.codec.Unpack(answer)
	if err != nil {
		return reply, errBadReply
	}
	if a.defects.has(defectCodeMissing) && reply.Fields[39] == "" {
		reply.Fields[39] = a.dialect.host.Code(x.operation, "approved")
	}
	if err := a.matches(x.request, reply); err != nil {
		return reply, err
	}
	if err := a.authentic(x.operation, reply, answer); err != nil {
		return reply, err
	}
	a.heed(reply)
	return reply, nil
}

// matches says what of a reply differs from its request: MTI + 10, then the repeated fields where the
// request has them. An approval of less than was asked for has another amount, and a decline need not
// repeat terminal and merchant right.
func (a *app) matches(request, reply iso8583.Message) error {
	if a.defects.has(defectReplyUnchecked) {
		return nil
	}
	code := reply.Fields[39]
	if code == "" {
		return errBadReply
	}
	for _, k := range []struct {
		field  int
		prompt string
		waived bool
	}{
		{0, promptReplyMTI, a.defects.has(defectMTIUnchecked)},
		{3, promptReplyProcessing, a.defects.has(defectSTANOnly)},
		{11, promptReplyTrace, a.defects.has(defectLateAccepted)},
		{41, promptReplyTerminal, a.defects.has(defectSTANOnly) || a.defects.has(defectTerminalUnchecked)},
		{42, promptReplyMerchant, a.defects.has(defectSTANOnly)},
		{4, promptReplyAmount, code == a.dialect.host.Codes["partial"] || a.defects.has(defectSTANOnly) || a.defects.has(defectAmountUnchecked)},
	} {
		sent, got := request.Fields[k.field], reply.Fields[k.field]
		if k.field == 0 {
			sent, got = replyMTI(request.MTI), reply.MTI
		}
		if sent != "" && sent != got && !k.waived {
			return badReply{ending{k.prompt}}
		}
	}
	return nil
}

// replyMTI changes the function digit from request to response: 0200 → 0210. A repeat is answered as the
// original is: 0221 → 0230.
func replyMTI(request string) string {
	if original, repeat := iso8583.RepeatOf(request); repeat {
		request = original
	}
	return request[:2] + string(request[2]+1) + request[3:]
}
