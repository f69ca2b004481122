package network

import "github.com/assay-hil/assay/fakes/network/client"

// Fates of a message, as the event "message" tells them; else it is the kind of the fault that took it.
const (
	passed  = "passed"
	dropped = "dropped"
	held    = "held"
	// lost: the side that it is for was ended by a fault.
	lost = "lost"
)

// seen is a message that passes, as events tell it. Its fields are only made when somebody reads
// the feed: that is rarer than messages are.
type seen struct {
	connection *connection
	direction  string // client.FromTerminal or client.FromHost
	mti, stan  string
	fate       string
	changed    string // the kind of the fault that changed its bytes
	released   bool   // by healing
}

// Fields implements feed.Fielder for the event "message".
func (s *seen) Fields() map[string]string {
	fields := s.identity()
	fields["fate"] = s.fate
	return fields
}

// delivered are the same fields for the event "delivered".
type delivered seen

// Fields implements feed.Fielder.
func (d *delivered) Fields() map[string]string {
	fields := (*seen)(d).identity()
	if d.changed != "" {
		fields["changed"] = d.changed
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
	fields["direction"], fields["mti"], fields["stan"] = s.direction, s.mti, s.stan
	return fields
}

func sourceOf(direction string) string {
	if direction == client.FromTerminal {
		return client.Terminal
	}
	return client.Host
}
