package relay

import "time"

const (
	// patience is how long the emulator keeps the terminal waiting for an answer, PROTOCOL.md §4.
	patience = 5 * time.Second
	// eventAge is how long after it happened an event can still come: three sendings 300 ms apart
	// (§3) of the one before it.
	eventAge = time.Second
)

// doubt is an answer that the emulator called stale for no reason known yet. The protocol has two: the
// card was reset or pulled, or the terminal gave up, upon which it resets the card or takes its
// supply away (EMV Book 1 §6.1.5). Either comes as an event, or is our own call.
type doubt struct {
	at    time.Time
	moves uint64
}

// suspect notes a stale answer; moves is the count of our own calls when the command came.
func (d *Driver) suspect(moves uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.moves == moves {
		d.doubt = &doubt{at: time.Now(), moves: moves}
	}
}

// explain drops the doubt: what came explains the stale answer, if it was on its way when that was
// refused. What came later is what a terminal does that got no answer.
func (d *Driver) explain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.convict(d.overdue())
	d.doubt = nil
}

// overdue says that no explanation can come any more. The caller holds the lock.
func (d *Driver) overdue() bool { return d.doubt != nil && time.Since(d.doubt.at) >= eventAge }

// contradict is called when the terminal goes on with a command: a terminal whose last command is
// unanswered does not, so the emulator was wrong.
func (d *Driver) contradict() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.convict(true)
}

// convict makes the doubt the session's fault when it is certain and no card was moved since. The
// caller holds the lock.
func (d *Driver) convict(certain bool) {
	if d.doubt == nil || !certain {
		return
	}
	if d.doubt.moves == d.moves && d.fault == nil {
		d.fault = ErrStale
	}
	d.doubt = nil
}

// unexpected takes an event that a terminal can only cause with a card that is not there. One that was
// under way when the card went is no fault.
func (d *Driver) unexpected(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at.Sub(d.gone) > eventAge && d.fault == nil {
		d.fault = ErrHeld
	}
}

// moved counts our own calls that move a card.
func (d *Driver) moved() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.moves
}
