package wire

import (
	"errors"
	"net"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// job is an answer, or the rest of one, whose turn to be written has come: only its gaps make it wait.
type job struct {
	answer Answer
	from   int           // the first act of it
	to     int           // the act before which it waits again, or the end
	done   chan struct{} // closed when it is written, or will not be; nil: nobody waits
	failed *bool         // set before done is closed
}

// Send has an answer written that nobody asked for on this connection. It does not wait.
func (c *Conn) Send(a Answer) error {
	select {
	case <-c.gone:
		return ErrClosed
	default:
	}
	c.later(a)
	return nil
}

// answer writes what it can at once, in order, and leaves to a goroutine what must wait. Only the
// connection's own goroutine calls it.
func (c *Conn) answer(a Answer) {
	if a.Acts[0].Wait > 0 || waits(a.Acts) {
		c.later(a)
		return
	}
	c.submit(job{answer: a, to: len(a.Acts)}, !gaps(a.Acts))
}

// waits says whether an act after the first one waits for its time.
func waits(acts []rules.Act) bool {
	for _, act := range acts[1:] {
		if act.Wait > 0 {
			return true
		}
	}
	return false
}

// gaps says whether acts are written with pauses.
func gaps(acts []rules.Act) bool {
	for _, act := range acts {
		if act.Chunk > 0 && act.Gap > 0 && len(act.Bytes) > act.Chunk {
			return true
		}
	}
	return false
}

// later runs an answer in a goroutine of its own.
func (c *Conn) later(a Answer) {
	if c.engine.waiting.Add(1) > int64(c.engine.limits.MaxWaiting) {
		c.engine.waiting.Add(-1)
		fail(a.Note, ErrWaiting)
		return
	}
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		c.engine.waiting.Add(-1)
		fail(a.Note, ErrClosed)
		return
	}
	c.pending.Add(1)
	c.mu.Unlock()
	go func() {
		defer c.pending.Done()
		defer c.engine.waiting.Add(-1)
		c.run(a)
	}()
}

// run writes an answer with its waits: between two of them it has its turn on the line.
func (c *Conn) run(a Answer) {
	for from := 0; from < len(a.Acts); {
		if err := c.pause(a.Acts[from].Wait, a.Until); err != nil {
			fail(a.Note, err)
			return
		}
		to := from + 1
		for to < len(a.Acts) && a.Acts[to].Wait == 0 {
			to++
		}
		done, failed := make(chan struct{}), false
		c.submit(job{answer: a, from: from, to: to, done: done, failed: &failed}, true)
		<-done
		if failed {
			return
		}
		from = to
	}
}

// pause waits, at most until the connection ends or the answer is dropped.
func (c *Conn) pause(d time.Duration, until <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-until:
		return ErrDropped
	case <-c.gone:
		return ErrClosed
	}
}

// submit gives a job its turn: at once when nobody writes and the caller may wait for the peer to take
// the bytes, else after those before it.
func (c *Conn) submit(j job, here bool) {
	c.mu.Lock()
	switch {
	case c.over, c.stalled, j.done == nil && len(c.queue) >= maxQueued: // with done, MaxWaiting is the limit
		err := ErrWaiting
		if c.over {
			err = ErrClosed
		} else if c.stalled {
			err = ErrStalled
		}
		c.mu.Unlock()
		j.fail(err)
		return
	case c.busy:
		c.queue = append(c.queue, j)
		c.mu.Unlock()
		return
	}
	c.busy = true
	if !here {
		c.queue = append(c.queue, j)
		c.hand()
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.perform(j)
	c.mu.Lock()
	if len(c.queue) == 0 {
		c.busy = false
	} else {
		c.hand()
	}
	c.mu.Unlock()
}

// hand gives the turn to a goroutine that empties the queue. The caller holds mu and the turn.
func (c *Conn) hand() {
	c.pending.Add(1)
	go func() {
		defer c.pending.Done()
		for {
			c.mu.Lock()
			if len(c.queue) == 0 {
				c.busy = false
				c.mu.Unlock()
				return
			}
			j := c.queue[0]
			c.queue = c.queue[1:]
			c.mu.Unlock()
			c.perform(j)
		}
	}()
}

// perform writes a job. The caller has the turn.
func (c *Conn) perform(j job) {
	err := c.write(j)
	if err == nil {
		if j.answer.After != nil && j.to == len(j.answer.Acts) {
			j.answer.After()
		}
		if j.done != nil {
			close(j.done)
		}
		return
	}
	if !errors.Is(err, ErrDropped) && !errors.Is(err, ErrStalled) && !errors.Is(err, errUnwanted) {
		c.end(ended(err), false)
	}
	j.fail(err)
}

func (j job) fail(err error) {
	if !errors.Is(err, errUnwanted) {
		fail(j.answer.Note, err)
	}
	if j.done != nil {
		*j.failed = true
		close(j.done)
	}
}

func fail(n Note, err error) {
	if n != nil {
		n.Failed(err)
	}
}

// write writes the acts of a job.
func (c *Conn) write(j job) error {
	c.mu.Lock()
	over, stalled := c.over, c.stalled
	c.mu.Unlock()
	switch {
	case over:
		return net.ErrClosed
	case stalled:
		return ErrStalled
	}
	if j.from > 0 || j.answer.Acts[0].Wait > 0 { // what was prompt is written even when its turn comes late
		select {
		case <-j.answer.Until:
			return ErrDropped
		default:
		}
	}
	if j.from == 0 && j.answer.Note != nil && !j.answer.Note.Begin() {
		return errUnwanted
	}
	for _, act := range j.answer.Acts[j.from:j.to] {
		if act.Hold && c.hold(act.Bytes, j.answer.Note) {
			continue
		}
		if err := c.act(act, j.answer.Until); err != nil {
			return err
		}
	}
	return nil
}

// act writes one act's bytes and does what follows them.
func (c *Conn) act(act rules.Act, until <-chan struct{}) error {
	if err := c.bytes(act, until); err != nil {
		return err
	}
	switch act.End {
	case rules.Close:
		c.end("closed by a rule", false)
	case rules.Reset:
		c.end("reset by a rule", true)
	case rules.Stall:
		c.mu.Lock()
		c.stalled = true
		c.mu.Unlock()
	}
	return nil
}

// bytes writes an act's bytes with its gaps. What drops the answer ends the gaps, not the bytes: the stream
// stays whole.
func (c *Conn) bytes(act rules.Act, until <-chan struct{}) error {
	rest := c.unheld(act.Bytes)
	size := act.Chunk
	if size <= 0 {
		size = len(rest)
	}
	for len(rest) > 0 {
		n := min(size, len(rest))
		if err := c.conn.SetWriteDeadline(time.Now().Add(c.engine.limits.WriteLimit)); err != nil {
			return err
		}
		if _, err := c.conn.Write(rest[:n]); err != nil {
			return err
		}
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
		switch err := c.pause(act.Gap, until); {
		case errors.Is(err, ErrDropped):
			size = len(rest)
		case err != nil:
			return net.ErrClosed
		}
	}
	return nil
}

// hold keeps bytes back for the next ones; false when there are too many. The caller has the turn.
func (c *Conn) hold(b []byte, n Note) bool {
	if len(c.held)+len(b) > maxHeld {
		return false
	}
	c.held = append(c.held, b...)
	if n != nil {
		c.kept = append(c.kept, n)
	}
	return true
}

// unheld puts what was kept back before these bytes. The caller has the turn.
func (c *Conn) unheld(b []byte) []byte {
	if len(c.held) == 0 || len(b) == 0 {
		return b
	}
	b = append(c.held, b...)
	c.held, c.kept = nil, nil
	return b
}
