package dns

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// query is what is known of a query after reading its header and its one question.
type query struct {
	header   dnsmessage.Header
	question dnsmessage.Question // as it was asked: the answer keeps the name's case
	asked    asked
	code     dnsmessage.RCode // what is wrong with it, so that nothing is looked up
}

// reply is what is answered: nothing, a response code, or addresses.
type reply struct {
	silent bool
	code   dnsmessage.RCode
	addrs  []netip.Addr
}

// parse reads a query. It is not ok for what can't be answered at all: without a whole header, or
// itself an answer (answering those makes two servers talk for ever).
func (s *Server) parse(msg []byte) (query, bool) {
	var p dnsmessage.Parser
	header, err := p.Start(msg)
	if err != nil || header.Response || len(msg) > maxQuery {
		return query{}, false
	}
	q := query{header: header}
	if header.OpCode != 0 {
		q.code = dnsmessage.RCodeNotImplemented
		return q, true
	}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) != 1 {
		q.code = dnsmessage.RCodeFormatError
		return q, true
	}
	q.question = questions[0]
	name, ok := canonical(q.question.Name.String())
	q.asked = asked{name, strings.TrimPrefix(q.question.Type.String(), "Type")}
	switch {
	case !ok:
		q.code = dnsmessage.RCodeNameError
	case q.question.Class != dnsmessage.ClassINET:
		q.code = dnsmessage.RCodeRefused
	}
	return q, true
}

// resolve looks up what is asked for, or does what the fault says that the question meets.
func (s *Server) resolve(ctx context.Context, q query, peer string) reply {
	if q.code != dnsmessage.RCodeSuccess {
		return reply{code: q.code}
	}
	set := s.current()
	fault := set.meet(q.asked)
	if fault == nil {
		return s.lookUp(q)
	}
	set.fire(fault, q.asked, peer)
	switch fault.Kind {
	case noName:
		return reply{code: dnsmessage.RCodeNameError}
	case failure:
		return reply{code: dnsmessage.RCodeServerFailure}
	case timeout:
		return reply{silent: true}
	case stale:
		old := []netip.Addr{Nowhere, Nowhere6}
		if addr, err := netip.ParseAddr(fault.Address); err == nil {
			old = []netip.Addr{addr}
		}
		return reply{addrs: fitting(old, q.question.Type)}
	}
	late := time.NewTimer(fault.By)
	defer late.Stop()
	select {
	case <-late.C:
	case <-set.healed:
	case <-ctx.Done():
		return reply{silent: true}
	}
	return s.lookUp(q)
}

func (s *Server) lookUp(q query) reply {
	addrs, known := s.names[q.asked.name]
	if !known {
		return reply{code: dnsmessage.RCodeNameError}
	}
	return reply{addrs: fitting(addrs, q.question.Type)}
}

// fitting are the addresses that a record of the type can hold.
func fitting(addrs []netip.Addr, kind dnsmessage.Type) (fit []netip.Addr) {
	for _, a := range addrs {
		if v4 := a.Unmap().Is4(); v4 && kind == dnsmessage.TypeA || !v4 && kind == dnsmessage.TypeAAAA {
			fit = append(fit, a.Unmap())
		}
	}
	return fit
}

// result is the reply in a word.
func (r reply) result() string {
	if r.silent {
		return "silence"
	}
	return strings.TrimPrefix(r.code.String(), "RCode")
}

// pack gives the reply's bytes, nil for silence.
func (r reply) pack(q query, ttl uint32) []byte {
	if r.silent {
		return nil
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{
		ID: q.header.ID, Response: true, OpCode: q.header.OpCode, Authoritative: r.code != dnsmessage.RCodeFormatError,
		RecursionDesired: q.header.RecursionDesired, RecursionAvailable: true, RCode: r.code,
	}}
	if q.question.Name.Length > 0 {
		m.Questions = []dnsmessage.Question{q.question}
	}
	header := dnsmessage.ResourceHeader{Name: q.question.Name, Class: dnsmessage.ClassINET, TTL: ttl}
	for _, a := range r.addrs {
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: a.As16()}
		if a.Is4() {
			body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: body})
	}
	b, err := m.Pack()
	if err != nil { // a name that was read can be written; were it not, silence is the safe answer
		return nil
	}
	return b
}
