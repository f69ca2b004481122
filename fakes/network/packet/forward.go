package packet

import (
	"container/heap"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of a forwarder.
const (
	// maxHeld packets wait at the same time; what is beyond is lost, and the status says so.
	maxHeld = 4096
	// maxPacket is the longest IP packet, in bytes.
	maxPacket = 65535
)

// flight is a packet on its way.
type flight struct {
	segment
	packet    []byte
	at        time.Time // of its arrival
	lost      bool
	copies    int
	hold      time.Duration // from its arrival
	overtaken bool          // the next packet of its way goes first
	swap      *impairment   // that lets it be overtaken
	held      []*impairment // that hold it

	due    time.Time
	serial uint64 // order of what is due at the same time
	index  int    // in the queue
}

// way is a connection's direction.
type way struct {
	connection
	fromTerminal bool
}

func (f *flight) way() way { return way{f.connection, f.fromTerminal} }

// forwarder sends every packet of a device back into it, spoilt by its impairments. Packets of a
// connection keep their order in each direction, but for those that a fault swaps.
type forwarder struct {
	device   io.ReadWriteCloser
	terminal netip.Addr

	mu       sync.Mutex
	faults   []*impairment
	queue    flights
	last     map[way]time.Time // when the last packet held is due
	swapped  map[way]*flight   // waits to be overtaken
	serial   uint64
	overflow uint64
	failed   error // of the device
	closed   bool
	wake     chan struct{}
	tasks    sync.WaitGroup
}

func newForwarder(device io.ReadWriteCloser, terminal netip.Addr) *forwarder {
	w := &forwarder{device: device, terminal: terminal, last: map[way]time.Time{}, swapped: map[way]*flight{}, wake: make(chan struct{}, 1)}
	w.tasks.Go(w.read)
	w.tasks.Go(w.write)
	return w
}

// close ends the forwarder; packets held are lost with it.
func (w *forwarder) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	err := w.device.Close()
	w.signal()
	w.tasks.Wait()
	return err
}

func (w *forwarder) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// fail remembers the first trouble with the device, unless it is being closed.
func (w *forwarder) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed && w.failed == nil {
		w.failed = err
	}
}

// read takes packets from the device until it is closed.
func (w *forwarder) read() {
	buffer := make([]byte, maxPacket)
	for {
		n, err := w.device.Read(buffer)
		if err != nil {
			w.fail(fmt.Errorf("read packets: %w", err))
			return
		}
		w.take(slices.Clone(buffer[:n]), time.Now())
	}
}

// take decides on a packet and puts it into the queue.
func (w *forwarder) take(packet []byte, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &flight{packet: packet, at: now, copies: 1}
	var known bool
	if f.segment, known = parse(packet, w.terminal); known {
		for _, fault := range w.faults {
			if fault.judge(f, w.swapped[f.way()] != nil); f.lost {
				return
			}
		}
	}
	f.due = now.Add(f.hold)
	if f.swap == nil {
		w.order(f)
	}
	w.push(f)
	first := w.swapped[f.way()]
	switch {
	case f.swap != nil:
		w.swapped[f.way()] = f
	case known && first != nil:
		w.overtake(first, f)
	}
	for range f.copies - 1 {
		w.push(&flight{segment: f.segment, packet: packet, due: f.due, held: f.held})
	}
	w.signal()
}

// order keeps a packet behind those of its way that are held.
func (w *forwarder) order(f *flight) {
	if last := w.last[f.way()]; last.After(f.due) {
		f.due = last
	}
	w.last[f.way()] = f.due
}

// overtake lets a packet that waits for it go just after another.
func (w *forwarder) overtake(first, f *flight) {
	first.swap.count++
	delete(w.swapped, f.way())
	w.serial++
	first.due, first.serial, first.swap = f.due, w.serial, nil
	if first.index >= 0 {
		heap.Fix(&w.queue, first.index)
	}
}

func (w *forwarder) push(f *flight) {
	if len(w.queue) >= maxHeld {
		w.overflow++
		f.index = -1
		return
	}
	w.serial++
	f.serial = w.serial
	heap.Push(&w.queue, f)
}

// write sends packets when they are due, until the forwarder is closed.
func (w *forwarder) write() {
	for {
		due, wait, closed := w.pop(time.Now())
		if closed {
			return
		}
		for _, f := range due {
			if _, err := w.device.Write(f.packet); err != nil {
				w.fail(fmt.Errorf("send packets on: %w", err))
			}
		}
		if len(due) > 0 {
			continue
		}
		w.sleep(wait)
	}
}

// sleep waits for a time, or for news when it is 0 or while it lasts.
func (w *forwarder) sleep(d time.Duration) {
	if d <= 0 {
		<-w.wake
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.wake:
	}
}

// pop takes what is due out of the queue. Without any it tells how long until the next one; 0
// when the queue is empty.
func (w *forwarder) pop(now time.Time) (due []*flight, wait time.Duration, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 && !w.queue[0].due.After(now) {
		f := heap.Pop(&w.queue).(*flight)
		if w.swapped[f.way()] == f { // nobody came
			delete(w.swapped, f.way())
		}
		if !w.last[f.way()].After(f.due) {
			delete(w.last, f.way())
		}
		due = append(due, f)
	}
	if len(w.queue) > 0 {
		wait = w.queue[0].due.Sub(now)
	}
	return due, wait, w.closed
}

// add lets a fault act on packets from now on.
func (w *forwarder) add(fault *impairment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fault)
}

// remove ends a fault. What it holds goes on at once, in its order. It tells how many are left.
func (w *forwarder) remove(fault *impairment, now time.Time) (left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = slices.DeleteFunc(w.faults, func(i *impairment) bool { return i == fault })
	for _, f := range w.queue {
		if !slices.Contains(f.held, fault) {
			continue
		}
		f.due = now
		w.last[f.way()] = now
		if w.swapped[f.way()] == f {
			delete(w.swapped, f.way())
		}
	}
	heap.Init(&w.queue)
	w.signal()
	return len(w.faults)
}

// trouble is what makes a forwarder's evidence doubtful.
func (w *forwarder) trouble() error {
	if w.overflow > 0 {
		return fmt.Errorf("%d packets lost, for more than %d were held", w.overflow, maxHeld)
	}
	return w.failed
}

// flights is a heap of packets, what is due next first.
type flights []*flight

func (q flights) Len() int { return len(q) }

func (q flights) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].serial < q[j].serial
	}
	return q[i].due.Before(q[j].due)
}

func (q flights) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push and Pop are container/heap's.
func (q *flights) Push(x any) {
	f := x.(*flight)
	f.index = len(*q)
	*q = append(*q, f)
}

// Pop takes the last one.
func (q *flights) Pop() any {
	old := *q
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	f.index = -1
	return f
}
