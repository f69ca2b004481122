package issuer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/journal"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fakes/issuer/wire"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// handler is the issuer as package wire sees it.
type handler struct{ *Server }

// Connected implements wire.Handler.
func (h handler) Connected(c *wire.Conn) {
	h.log.Debug("connected", "connection", c.ID(), "remote", c.Remote())
	h.events.Append(client.EventConnected, map[string]string{"connection": c.ID()})
}

// Disconnected implements wire.Handler.
func (h handler) Disconnected(c *wire.Conn, why string) {
	h.log.Debug("disconnected", "connection", c.ID(), "why", why)
	h.events.Append(client.EventDisconnected, map[string]string{"connection": c.ID(), "why": why})
}

// BadFrame implements wire.Handler.
func (h handler) BadFrame(_ *wire.Conn, err error) { h.violated("bad frame: %v", err) }

// Refused implements wire.Handler.
func (h handler) Refused() {
	h.violated("more than %d connections at one time", h.wire.Limits().MaxConnections)
}

// Message implements wire.Handler: it decides on one message and records it. Nothing is sent before.
func (h handler) Message(c *wire.Conn, payload []byte) wire.Answer {
	a, faults := h.exchange(c, payload)
	for _, fault := range faults {
		h.log.Warn("violation", "text", fault)
	}
	return a
}

// exchange handles one message within one era. It gives the answer, and the violations that it recorded.
func (s *Server) exchange(c *wire.Conn, payload []byte) (a wire.Answer, faults []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.era
	at := time.Now()
	req, _ := e.bank.Understand(payload) // Process answers what could not be read
	d := s.decide(&req)
	res := e.result(req, d)
	received := journal.Record{
		At: at, In: true, Connection: c.ID(), Payload: payload, Message: s.shown(&req), Operation: req.Operation,
		Card: res.Card, Rule: d.Rule, Effect: res.Effect, Reason: res.Reason,
	}
	s.journal.Append(received)
	s.tell(client.EventReceived, &received)
	faults = res.Faults
	if d.Unexpected {
		faults = append(faults, label(req.Message)+": no rule expects it")
	}
	if req.Err == nil {
		c.Tag(req.Terminal())
	}
	a, err := s.answer(c, e, &req, d, res)
	if err != nil { // a rule that cannot be applied to this reply
		faults = append(faults, fmt.Sprintf("%s: the issuer cannot write its answer: %v", label(req.Message), err))
	}
	for _, fault := range faults {
		s.violate(e, fault)
	}
	return a, faults
}

// shown is what may be recorded of a message. In one that could not be read, parts of a card number
// may stand in any field: only what tells it from others is shown.
func (s *Server) shown(req *bank.Request) iso8583.Message {
	if req.Err == nil {
		return req.Message
	}
	m := iso8583.Message{Fields: make(map[int]string)}
	id, _ := s.codec.Identify(req.Payload) // as far as it goes
	m.MTI = id.MTI
	for n, value := range map[int]string{fieldSTAN: id.STAN, fieldTerminal: id.Terminal} {
		if value != "" {
			m.Fields[n] = value
		}
	}
	return m
}

// decide asks the rules. A message that the bank does not understand is answered by the books.
func (s *Server) decide(req *bank.Request) rules.Decision {
	if req.Operation == nil {
		return rules.Decision{}
	}
	return s.rules.Next(rules.View{Message: req.Message, Operation: req.Operation, Card: req.Card})
}

// result asks the bank, as the rules have decided.
func (e *era) result(req bank.Request, d rules.Decision) bank.Result {
	switch a := d.Answer.Approve; {
	case d.Code != "":
		return e.bank.Refuse(req, d.Code)
	case a != nil:
		return e.bank.ProcessWith(req, options(a))
	}
	return e.bank.Process(req)
}

// options are the values of an approval that a rule wants.
func options(a *client.Approve) bank.Options {
	o := bank.Options{Authorisation: a.Authorisation, RRN: a.RRN, Amount: a.Amount, BadKCV: a.BadKCV}
	for _, text := range a.Script {
		command, _ := hex.DecodeString(text) // was checked when it was loaded
		o.Script = append(o.Script, command)
	}
	return o
}

// answer makes the answer that goes out.
func (s *Server) answer(c *wire.Conn, e *era, req *bank.Request, d rules.Decision, res bank.Result) (wire.Answer, error) {
	terminal := req.Terminal()
	plan, err := d.Plan(s.codec, res.Reply, func(m iso8583.Message) ([]byte, error) { return e.bank.Seal(m, terminal) })
	if err != nil {
		return wire.Answer{}, err
	}
	n := &note{server: s, era: e, late: d.Answer.Late > 0, sent: journal.Record{
		Connection: c.ID(), Payload: plan.Payload, Message: plan.Message, Operation: req.Operation,
		Card: res.Card, Rule: d.Rule, Effect: res.Effect, Reason: res.Reason,
	}}
	if req.Err != nil { // its fields are echoes of what may be card data
		n.sent.Payload, n.sent.Message = nil, s.shown(req)
		n.sent.Message.MTI, n.sent.Message.Fields[fieldCode] = plan.Message.MTI, plan.Message.Fields[fieldCode]
	}
	a := wire.Answer{Acts: plan.Acts, Until: e.replaced, Note: n}
	if d.Answer.Unsolicited != nil || d.Answer.Restart != nil {
		a.After = s.follow(c, terminal, d.Answer)
		if len(a.Acts) == 0 {
			a.Acts = []rules.Act{{Wait: d.Answer.Late}}
		}
	}
	return a, nil
}

// follow is what comes after an answer.
func (s *Server) follow(c *wire.Conn, terminal string, a client.Answer) func() {
	return func() {
		if a.Unsolicited != nil {
			if err := s.sendOn(c, terminal, *a.Unsolicited); err != nil {
				s.violated("unsolicited %s: %v", a.Unsolicited.MTI, err)
			}
		}
		if a.Restart != nil {
			s.restart(a.Restart.Down)
		}
	}
}

// note records what becomes of an answer; it implements wire.Note.
type note struct {
	server *Server
	era    *era
	late   bool
	sent   journal.Record
}

// Begin records an answer right before it is written. A late one is not written after a new setup.
func (n *note) Begin() bool {
	s := n.server
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n.late && s.era != n.era {
		return false
	}
	if n.sent.Message.MTI == "" {
		return true
	}
	n.sent.At = time.Now()
	if s.era == n.era { // the journal is the new setup's
		s.journal.Append(n.sent)
	}
	s.tell(client.EventSent, &n.sent)
	return true
}

// Failed records an answer that the terminal cannot have received.
func (n *note) Failed(err error) {
	if errors.Is(err, wire.ErrWaiting) {
		n.server.violated("more than %d late answers at one time", n.server.wire.Limits().MaxWaiting)
	}
	s := n.server
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.era != n.era || errors.Is(err, wire.ErrDropped) || n.sent.Message.MTI == "" {
		return
	}
	n.sent.At, n.sent.Effect = time.Now(), client.EffectUndelivered
	s.journal.Append(n.sent)
	s.tell(client.EventUndelivered, &n.sent)
}

// tell writes a message into the feed.
func (s *Server) tell(kind string, r *journal.Record) {
	f := r.Message.Fields
	operation := ""
	if r.Operation != nil {
		operation = r.Operation.Name
	}
	fields := make(map[string]string, 7)
	for _, x := range [...]struct{ name, value string }{
		{"mti", r.Message.MTI}, {"stan", f[fieldSTAN]}, {"terminal", f[fieldTerminal]}, {"code", f[fieldCode]},
		{"operation", operation}, {"rule", r.Rule}, {"effect", r.Effect}, {"reason", reason(r)},
	} {
		if x.value != "" {
			fields[x.name] = x.value
		}
	}
	s.events.Append(kind, fields)
}

// reason is why a transaction is taken back, where the dialect has a field of its own for it (ISO 8583:1993, DE25).
func reason(r *journal.Record) string {
	if o := r.Operation; o != nil && strings.HasPrefix(o.Name, "reversal") && strings.HasPrefix(o.Request, "1") {
		return r.Message.Fields[fieldReason]
	}
	return ""
}

// Data elements that events show (ISO 8583).
const (
	fieldSTAN     = 11
	fieldReason   = 25
	fieldCode     = 39
	fieldTerminal = 41
)
