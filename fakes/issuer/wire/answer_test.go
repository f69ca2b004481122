package wire

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// note counts what an answer is told.
type note struct {
	mu     sync.Mutex
	begun  int
	refuse bool
	failed []error
}

func (n *note) Begin() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begun++
	return !n.refuse
}

func (n *note) Failed(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed = append(n.failed, err)
}

func (n *note) is(t *testing.T, begun int, failed error) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.begun != begun || (failed == nil) != (len(n.failed) == 0) || len(n.failed) > 1 ||
		failed != nil && !errors.Is(n.failed[0], failed) {
		t.Errorf("begun %d, failed %v; want %d, %v", n.begun, n.failed, begun, failed)
	}
}

func TestNotesSayWhatBecameOfAnAnswer(t *testing.T) {
	until := make(chan struct{})
	var n *note
	answer := Answer{Acts: []rules.Act{{Wait: time.Hour, Bytes: frame("x")}}, Until: until}
	h := &host{answer: func(*Conn, []byte) Answer { a := answer; a.Note = n; return a }}
	bubble(t, Limits{IdleLimit: 3 * time.Hour, MaxWaiting: 1}, h, func(t *testing.T, w *world) {
		until = make(chan struct{}) // of the bubble
		answer.Until = until
		conn := w.dial()
		ask := func() *note {
			n = &note{}
			send(t, conn, "ask")
			synctest.Wait()
			return n
		}
		first := ask()
		ask().is(t, 0, ErrWaiting)
		receive(t, conn, "x")
		synctest.Wait() // the bytes are here before the answer has given its place back
		first.is(t, 1, nil)
		n = &note{refuse: true}
		unwanted := n
		send(t, conn, "ask")
		silent(t, conn, 2*time.Hour)
		unwanted.is(t, 1, nil)
		dropped := ask()
		close(until)
		synctest.Wait()
		dropped.is(t, 0, ErrDropped)
		answer.Until = nil
		gone := ask()
		_ = conn.Close()
		synctest.Wait() // at once, not in an hour
		gone.is(t, 0, ErrClosed)
		if got := w.engine.waiting.Load(); got != 0 {
			t.Errorf("%d answers wait", got)
		}
	})
}

// What drops an answer that is being dribbled ends its gaps: a message is never left in half.
func TestDroppedDribbleIsFinished(t *testing.T) {
	var until chan struct{}
	h := &host{answer: func(*Conn, []byte) Answer {
		return Answer{Acts: []rules.Act{{Bytes: frame("slowly"), Chunk: 1, Gap: time.Second}}, Until: until}
	}}
	bubble(t, Limits{}, h, func(t *testing.T, w *world) {
		until = make(chan struct{})
		conn, begin := w.dial(), time.Now()
		send(t, conn, "x")
		<-time.After(2500 * time.Millisecond)
		close(until)
		receive(t, conn, "slowly")
		if took := time.Since(begin); took != 2500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestHeldBytesGoOutWithTheNext(t *testing.T) {
	n := &note{}
	acts := map[string][]rules.Act{"hold": {{Bytes: frame("kept"), Hold: true}}, "go": {{Bytes: frame("next")}}}
	h := &host{answer: func(_ *Conn, b []byte) Answer { return Answer{Acts: acts[string(b)], Note: n} }}
	bubble(t, Limits{}, h, func(t *testing.T, w *world) {
		conn := w.dial()
		send(t, conn, "hold")
		silent(t, conn, time.Minute)
		send(t, conn, "go")
		synctest.Wait()
		all := make([]byte, 100)
		if got, err := conn.Read(all); err != nil || string(all[:got]) != string(frame("kept"))+string(frame("next")) {
			t.Errorf("%q, %v", all[:got], err)
		}
		n.is(t, 2, nil)
		send(t, conn, "hold")
		synctest.Wait()
		_ = conn.Close()
		synctest.Wait()
		n.is(t, 3, ErrClosed)
	})
}

func TestSendUnasked(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn := w.dial()
		synctest.Wait()
		var c *Conn
		w.engine.Each(func(one *Conn) { c = one })
		if err := c.Send(Answer{Acts: []rules.Act{{Bytes: frame("news")}}}); err != nil {
			t.Fatal(err)
		}
		receive(t, conn, "news")
		_ = conn.Close()
		synctest.Wait()
		if err := c.Send(Answer{Acts: []rules.Act{{Bytes: frame("news")}}}); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
