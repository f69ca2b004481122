package cardslot

import (
	"fmt"
	"slices"

	"github.com/assay-hil/assay/fakes/terminal"
)

// Replies (PROTOCOL.md §2).
const (
	replyOK    = "OK"
	errVerb    = "ERR VERB"
	errArgs    = "ERR ARGS"
	errState   = "ERR STATE"
	errStale   = "ERR STALE"
	replyLater = "" // comes when the work is done
)

// trackBits is how many bits a symbol has on each track.
var trackBits = [3]int{7, 5, 5}

// verb is one request: how many arguments it takes, and what it does.
type verb struct {
	args int
	act  func(s *Slot, m message) string
}

func verbOf(name string) (verb, bool) {
	switch name {
	case "HELLO":
		return verb{0, (*Slot).hello}, true
	case "STATE":
		return verb{0, (*Slot).state}, true
	case "SWIPE":
		return verb{3, (*Slot).startSwipe}, true
	case "INSERT":
		return verb{1, (*Slot).insert}, true
	case "REMOVE":
		return verb{0, (*Slot).remove}, true
	case "TAP":
		return verb{2, (*Slot).tap}, true
	case "BESIDE":
		return verb{1, (*Slot).beside}, true
	case "LEAVE":
		return verb{0, (*Slot).leave}, true
	case "RAPDU":
		return verb{2, (*Slot).answer}, true
	case "HALT":
		return verb{0, (*Slot).halt}, true
	}
	return verb{}, false
}

// hear works on one line from the host. What can't be trusted is dropped in silence.
func (s *Slot) hear(text []byte) {
	m, ok := parse(text)
	if !ok {
		return
	}
	switch m.kind {
	case kindAck:
		if m.verb == "ACK" && len(m.args) == 0 && !s.dead() {
			s.acknowledged(m.number)
		}
	case kindRequest:
		s.request(m)
	}
}

func (s *Slot) request(m message) {
	if m.body == s.kept.request {
		if s.kept.reply != replyLater && !s.dead() {
			s.send(kindReply, m.number, s.kept.reply)
		}
		return
	}
	s.heard++
	if s.dead() {
		return
	}
	s.kept = exchange{request: m.body}
	reply := s.perform(m)
	if m.verb == "HELLO" {
		s.kept = exchange{} // never taken for a repeat
	}
	if reply != replyLater {
		s.reply(m, reply)
	}
	s.hostAlive()
}

func (s *Slot) perform(m message) string {
	v, ok := verbOf(m.verb)
	switch {
	case !ok:
		return errVerb
	case len(m.args) != v.args:
		return errArgs
	}
	return v.act(s, m)
}

// reply answers a request and keeps the answer, unless a newer request came meanwhile.
func (s *Slot) reply(m message, text string) {
	if s.kept.request == m.body {
		s.kept.reply = text
	}
	s.send(kindReply, m.number, text)
}

func (s *Slot) hello(m message) string {
	s.events.restart()
	s.halt(m)
	return fmt.Sprintf("OK relay 1 %s stripe,chip,field,crowd", s.cfg.Firmware)
}

func (s *Slot) state(message) string {
	slot, field := "empty", "away"
	switch {
	case s.powered:
		slot = "powered"
	case s.present.Load():
		slot = "inserted"
	}
	switch {
	case s.field.active:
		field = "active"
	case s.field.Cards() > 0:
		field = "near"
	}
	return fmt.Sprintf("OK %s %s", slot, field)
}

func (s *Slot) startSwipe(m message) string {
	if s.present.Load() || s.swipe != nil {
		return errState
	}
	next := &swipe{request: m}
	for i, word := range m.args {
		symbols, ok := byteString(word)
		if !ok || slices.ContainsFunc(symbols, func(b byte) bool { return b>>trackBits[i] != 0 }) {
			return errArgs
		}
		next.tracks.Tracks[i] = symbols
	}
	s.swipe = next
	s.swiped.Reset(s.cfg.SwipeTime)
	return replyLater
}

// endSwipe offers what the head read and tells the host that the coil was driven.
func (s *Slot) endSwipe() {
	done := s.swipe
	s.swipe = nil
	if done == nil {
		return
	}
	if s.supplied {
		s.head = &terminal.Swipe{Tracks: done.tracks.Tracks}
		s.forget.Reset(HeadHold)
	}
	s.reply(done.request, replyOK)
}

func (s *Slot) insert(m message) string {
	atr, ok := byteString(m.args[0])
	if !ok || len(atr) > maxATR || len(atr) > 0 && len(atr) < minATR {
		return errArgs
	}
	if s.present.Load() || s.swipe != nil {
		return errState
	}
	s.atr = atr
	s.setPresent(true)
	return replyOK
}

func (s *Slot) remove(message) string {
	if s.cfg.Faults.Holds && s.present.Load() {
		return replyOK
	}
	s.abandonChip(ErrNoCard)
	s.powered = false // not an event: the terminal did not take the supply away
	s.setPresent(false)
	return replyOK
}

func (s *Slot) tap(m message) string {
	uid, uidOK := byteString(m.args[0])
	ats, atsOK := byteString(m.args[1])
	switch {
	case !uidOK || len(uid) != 4 && len(uid) != 7 && len(uid) != 10:
		return errArgs
	case !atsOK || len(ats) < minATS || len(ats) > maxATS:
		return errArgs
	case s.field.Cards() > 0:
		return errState
	}
	s.field.enter(ats)
	return replyOK
}

// beside has a second card come and go with the first.
func (s *Slot) beside(m message) string {
	uid, ok := byteString(m.args[0])
	if !ok || len(uid) != 0 && len(uid) != 4 && len(uid) != 7 && len(uid) != 10 {
		return errArgs
	}
	s.field.accompany(len(uid) > 0)
	return replyOK
}

func (s *Slot) leave(message) string {
	s.field.leave()
	return replyOK
}

func (s *Slot) answer(m message) string {
	number, numberOK := unhex(m.args[0])
	rapdu, ok := byteString(m.args[1])
	if !numberOK || len(number) != 1 || !ok || len(rapdu) < minAnswer || len(rapdu) > maxAnswer {
		return errArgs
	}
	if s.cfg.Faults.Stale || s.waiting == nil || s.waiting.number != int(number[0]) {
		return errStale
	}
	s.waiting.result <- result{rapdu: rapdu}
	s.waiting = nil
	return replyOK
}

// halt also breaks off a swipe; what asked for it gets no reply any more.
func (s *Slot) halt(m message) string {
	s.swipe = nil
	s.swiped.Stop()
	s.leave(m)
	return s.remove(m)
}
