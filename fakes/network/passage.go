package network

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// passage is a message that something happens to on its way.
type passage struct {
	*seen
	flow  *flow
	plan  *plan
	entry *entry // the fault that has it in hand
	image image  // the frame as it goes on
}

// forever is for a wait that only healing or the connection's end ends.
const forever = time.Duration(math.MaxInt64)

// handle lets a message pass as its plan and its connection want it.
func (f *flow) handle(m *passage, choice choice) error {
	f.from.received(m.image)
	var reports []func()
	for _, e := range choice.shapes {
		m.entry = e
		reshaped, err := e.fault.(shape).shape(m)
		if err != nil {
			reports = append(reports, func() { e.unproven(m.plan, m.identity(), err) })
			continue
		}
		m.image, m.fate, m.changed = reshaped, wordOf(e.spec.Kind), wordOf(e.spec.Kind)
		reports = append(reports, func() { e.fire(m.plan, m.identity()) })
	}
	silenced := f.connection.silenced()
	m.entry = choice.delivery
	switch {
	case silenced:
		m.fate = wordOf("silence")
	case f.ended():
		m.fate = lost
	case m.entry != nil:
		m.fate = fate(m.entry.spec.Kind)
	}
	f.connection.server.log.AppendLater("message", m.seen)
	for _, report := range reports {
		report()
	}
	switch {
	case silenced, m.fate == lost:
		return nil
	case m.entry != nil:
		return m.entry.fault.(delivery).deliver(m)
	}
	return m.out()
}

// fate is what the event "message" says of one that a kind of fault takes.
func fate(kind string) word {
	switch kind {
	case "drop":
		return dropped
	case "delay":
		return held
	}
	return wordOf(kind)
}

// out delivers the message: its fault, if it has one, has acted.
func (m *passage) out() error {
	if m.flow.ended() {
		return nil
	}
	if err := m.flow.emit(m); err != nil {
		return err
	}
	m.flow.connection.count(m)
	return nil
}

// emit writes a message, and the one that was kept for it.
func (f *flow) emit(m *passage) error {
	f.to.writing.Lock()
	defer f.to.writing.Unlock()
	k := f.kept.Swap(nil)
	if k == nil {
		return m.put(m.image)
	}
	close(k.taken)
	k.passage.fire()
	if k.join {
		k.passage.told()
		m.told()
		err := f.wrote(f.to.put(k.passage.image.and(m.image)))
		if err != nil {
			k.passage.untold()
			m.untold()
		}
		return err
	}
	if err := m.put(m.image); err != nil {
		return err
	}
	return k.passage.put(k.passage.image)
}

// put writes the message's last bytes, for who holds the side's lock, and tells of the delivery.
func (m *passage) put(i image) error {
	m.told()
	err := m.flow.wrote(m.flow.to.put(i))
	if err != nil {
		m.untold()
	}
	return err
}

// fire tells that the fault has acted on the message, unproven that it could not.
func (m *passage) fire()              { m.entry.fire(m.plan, m.identity()) }
func (m *passage) unproven(err error) { m.entry.unproven(m.plan, m.identity(), err) }

// hold waits; ok is false when the connection ended meanwhile. A message that healing lets go is
// noted as released.
func (m *passage) hold(d time.Duration) (ok bool) {
	var expired <-chan time.Time
	if d < forever {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-expired:
	case <-m.plan.healed:
		m.released = true
	case <-m.flow.connection.ctx.Done():
		return false
	}
	return m.flow.connection.ctx.Err() == nil
}

// own gives the passage bytes of its own: the flow's are overwritten when it returns.
func (m *passage) own() *passage {
	own, copied := *m, *m.seen
	own.seen, own.image = &copied, m.image.clone()
	return &own
}

// kept is a message that waits for the next one of its direction.
type kept struct {
	passage *passage
	join    bool // both go in one write; else the next goes first
	taken   chan struct{}
}

// keep holds the message back for the next one. It is the next one itself where another waits.
func (m *passage) keep(join bool) error {
	f := m.flow
	if f.kept.Load() != nil {
		return m.out()
	}
	k := &kept{passage: m.own(), join: join, taken: make(chan struct{})}
	f.kept.Store(k)
	f.connection.server.spawn(func() {
		select {
		case <-k.taken:
		case <-m.plan.healed:
			f.releaseKept(true)
		case <-f.connection.ctx.Done():
		}
	})
	return nil
}

// releaseKept lets a kept message go although none followed it.
func (f *flow) releaseKept(healed bool) {
	f.to.writing.Lock()
	defer f.to.writing.Unlock()
	k := f.kept.Swap(nil)
	if k == nil {
		return
	}
	close(k.taken)
	k.passage.released = healed
	k.passage.unproven(errNoneFollowed)
	_ = k.passage.put(k.passage.image) // the connection's end is told
}

// silenced says that nothing passes on the connection.
func (c *connection) silenced() bool {
	p := c.silent.Load()
	if p == nil {
		return false
	}
	if p.over.Load() {
		c.silent.CompareAndSwap(p, nil)
		return false
	}
	return true
}

// count counts a delivered message and ends the connection after the last that a fault allows.
func (c *connection) count(m *passage) {
	l := c.limit.Load()
	if l == nil || l.plan.over.Load() || l.left.Add(-1) != 0 {
		return
	}
	if err := c.finish(l.entry.spec.ID, ""); err != nil {
		l.entry.unproven(l.plan, m.identity(), err)
		return
	}
	l.entry.fire(l.plan, m.identity())
}

// messageLimit is a fault's word on how many messages a connection lives.
type messageLimit struct {
	plan  *plan
	entry *entry
	left  atomic.Int64
}

// gateOf is the gate in front of reading from a side.
func (c *connection) gateOf(side string) *atomic.Pointer[plan] {
	if side == client.Host {
		return &c.gates[1]
	}
	return &c.gates[0]
}
