package network

import (
	"slices"

	"github.com/assay-hil/assay/fakes/network/client"
)

// word is one that events tell of a message: its fate, or a kind of fault. It is small, and refers to nothing.
type word uint8

// Fates of a message, as the event "message" tells them; else it is the kind of the fault that took it.
const (
	passed word = iota
	dropped
	held
	lost // the side that it is for was ended by a fault
	unchanged
	kinds // from here on those of client.Vocabulary
)

var words = append([]string{"passed", "dropped", "held", "lost", ""}, client.Kinds()...)

func (w word) String() string { return words[w] }

// wordOf is the word of a kind of fault.
func wordOf(kind string) word { return kinds + word(slices.Index(words[kinds:], kind)) }

// seen is a message that passes, as events tell it. Its fields are only made when somebody reads
// the feed: that is rarer than messages are.
type seen struct {
	connection *connection
	Identity
	fromHost bool
	fate     word
	changed  word // the kind of the fault that changed its bytes
	released bool // by healing
}

// direction is client.FromTerminal or client.FromHost.
func (s *seen) direction() string {
	if s.fromHost {
		return client.FromHost
	}
	return client.FromTerminal
}

// Fields implements feed.Fielder for the event "message".
func (s *seen) Fields() map[string]string {
	fields := s.identity()
	fields["fate"] = s.fate.String()
	return fields
}

// delivered are the same fields for the event "delivered".
type delivered seen

// Fields implements feed.Fielder.
func (d *delivered) Fields() map[string]string {
	fields := (*seen)(d).identity()
	if d.changed != unchanged {
		fields["changed"] = d.changed.String()
	}
	if d.released {
		fields["released"] = "healed"
	}
	return fields
}

// told notes that the message is delivered. It comes before the write: what the message leads to, on whatever
// connection, is told after it.
func (s *seen) told() { s.connection.server.log.AppendLater("delivered", (*delivered)(s)) }

// untold takes that back: the write failed.
func (s *seen) untold() { s.connection.server.log.AppendLater("undelivered", (*delivered)(s)) }

func (s *seen) identity() map[string]string {
	fields := s.connection.fields()
	fields["direction"], fields["mti"], fields["stan"] = s.direction(), s.MTI(), s.STAN()
	return fields
}

func sourceOf(direction string) string {
	if direction == client.FromTerminal {
		return client.Terminal
	}
	return client.Host
}
