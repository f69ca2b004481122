package terminal

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// maxStored bounds the messages that wait to be told; then the batch must be settled.
const maxStored = 100

// prepare does what must be done before a transaction or a settlement may go online: the terminal is signed
// on, results of issuer scripts are told, and then what is unknown is reversed.
func (a *app) prepare(ctx context.Context) error {
	if err := a.signOn(ctx); err != nil {
		return err
	}
	if a.defects.has(defectReversalFirst) {
		if err := a.sendPending(ctx); err != nil {
			return err
		}
	}
	if err := a.sendScripts(ctx); err != nil {
		return err
	}
	if a.defects.has(defectReversalAfter) {
		return nil
	}
	return a.sendPending(ctx)
}

// store keeps a request for later, with a STAN and time of its own.
func (a *app) store(o *hosts.Operation, s *sale, also map[int]string) (message, error) {
	s.stan, s.at, s.mti = a.memory.nextSTAN(), now(), o.Request
	request, err := a.compose(o, s)
	if err != nil {
		return message{}, err
	}
	maps.Copy(request.Fields, also)
	return message{Operation: o.Name, MTI: request.MTI, Fields: request.Fields}, nil
}

// keepScript has the result of an issuer script told before the next transaction. data is DE55 of the
// message in hexadecimal, s the transaction in whose answer the script came.
func (a *app) keepScript(s *sale, data string) error {
	o := a.dialect.operation(opScriptResult)
	if o == nil {
		return nil
	}
	row := a.row(s)
	told, err := a.store(o, &sale{kind: opScriptResult, amount: s.amount, card: s.card, original: &row}, map[int]string{55: data})
	if err != nil {
		return err
	}
	return a.memory.save(func(st *state) { st.Scripts = append(slices.Clone(st.Scripts), told) })
}

// sendScripts tells the results of issuer scripts. One that the host has answered, in whatever way, is done
// with; without an answer it stays.
func (a *app) sendScripts(ctx context.Context) error {
	for len(a.memory.Scripts) > 0 {
		if _, err := a.tell(ctx, a.memory.Scripts[0], promptScriptResult); err != nil {
			return err
		}
		if err := a.memory.save(func(s *state) { s.Scripts = slices.Clone(s.Scripts[1:]) }); err != nil {
			return err
		}
	}
	return nil
}

// sendAdvices tells the host what took place without it, oldest first. An advice is repeated until the host has
// answered it; the repeat says that it is one.
func (a *app) sendAdvices(ctx context.Context) error {
	for len(a.memory.Advices) > 0 {
		advice := a.memory.Advices[0]
		reply, err := a.tell(ctx, advice, promptSendingOffline)
		if err != nil {
			if sent(err) {
				_ = a.memory.save(func(s *state) {
					s.Advices = slices.Clone(s.Advices)
					s.Advices[0].MTI = repeatOf(advice.MTI)
				})
			}
			return err
		}
		err = a.memory.amend(advice.Fields[11], func(row *journalRow) {
			row.Offline, row.RRN = false, reply.Fields[37]
		}, func(s *state) { s.Advices = slices.Clone(s.Advices[1:]) })
		if err != nil {
			return err
		}
	}
	return nil
}

// repeatOf is the MTI of a repeat: 0220 → 0221.
func repeatOf(mti string) string {
	if original, repeat := iso8583.RepeatOf(mti); repeat {
		mti = original
	}
	return mti[:3] + string(mti[3]+1)
}

// tell sends a stored message.
func (a *app) tell(ctx context.Context, m message, prompt string) (iso8583.Message, error) {
	request := iso8583.Message{MTI: m.MTI, Fields: m.Fields}
	original := request
	if first, repeat := iso8583.RepeatOf(m.MTI); repeat {
		original.MTI = first
	}
	o := a.dialect.host.Operation(a.dialect.codec, original)
	if o == nil {
		return iso8583.Message{}, fmt.Errorf("stored %s: %w", m.Operation, ErrConfig)
	}
	return a.do(ctx, exchange{operation: o, request: request, dialling: prompt, waiting: prompt})
}

// acceptOffline enters a sale that the card approved without the host, and has the host told of it later.
func (a *app) acceptOffline(s *sale) error {
	o := a.dialect.operation(opAdvice)
	if o == nil || len(a.memory.Advices) >= maxStored {
		return ending{promptCardDeclined}
	}
	s.asked = s.amount
	advice, err := a.store(o, s, nil)
	if err != nil {
		return err
	}
	row := a.row(s)
	row.Offline = true
	return a.memory.save(func(st *state) {
		st.Journal = append(slices.Clone(st.Journal), row)
		st.Advices = append(slices.Clone(st.Advices), advice)
		st.Slip = a.newSlip(a.saleReceipt(s))
	})
}

// advise enters a completion that the dialect has as an advice. What the host does not answer now it
// is told again later: an advice tells of what stands already.
func (a *app) advise(ctx context.Context, o *hosts.Operation, s *sale) error {
	if err := a.prepare(ctx); err != nil {
		return err
	}
	advice, err := a.store(o, s, nil)
	if err != nil {
		return err
	}
	x := exchange{operation: o, request: iso8583.Message{MTI: advice.MTI, Fields: advice.Fields}, dialling: promptConnecting, waiting: promptProcessing}
	reply, err := a.do(ctx, x)
	later := func(*state) {}
	switch {
	case err == nil:
		s.code = reply.Fields[39]
		if approved, _ := a.dialect.approves(o, s.code); !approved {
			return a.declined(s)
		}
		s.rrn = reply.Fields[37]
	case unsent(err):
		return err
	case sent(err):
		advice.MTI = repeatOf(advice.MTI)
		later = func(st *state) { st.Advices = append(slices.Clone(st.Advices), advice) }
	default:
		return err
	}
	s.auth = s.originalAuth()
	return a.keepWith(s, later)
}
