package packet

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// loop is a device in memory: what is sent in comes to the forwarder, what it writes comes out.
type loop struct {
	in, out chan []byte
	closed  chan struct{}
}

func (l loop) Read(b []byte) (int, error) {
	select {
	case packet := <-l.in:
		return copy(b, packet), nil
	case <-l.closed:
		return 0, io.EOF
	}
}

func (l loop) Write(b []byte) (int, error) {
	l.out <- b
	return len(b), nil
}

func (l loop) Close() error { close(l.closed); return nil }

// arrival is a packet by the first byte of its sequence number's low end, and when it came.
type arrival struct {
	seq uint32
	at  time.Duration
}

// bubble plays packets through a forwarder in virtual time: all are sent at once, the arrivals
// are gathered for a minute.
func bubble(t *testing.T, specs []Spec, packets []segment, then func(w *forwarder, faults []*impairment)) []arrival {
	t.Helper()
	var got []arrival
	synctest.Test(t, func(t *testing.T) {
		device := loop{make(chan []byte), make(chan []byte, 2*maxHeld), make(chan struct{})}
		w := newForwarder(device, terminalIP)
		var faults []*impairment
		for _, s := range specs {
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			fault := newImpairment(w, s.withDefaults())
			w.add(fault)
			faults = append(faults, fault)
		}
		begin := time.Now()
		for _, s := range packets {
			device.in <- raw(s, 0, 0)
		}
		synctest.Wait()
		if then != nil {
			then(w, faults)
		}
		enough := time.After(time.Minute)
		for gathering := true; gathering; {
			select {
			case packet := <-device.out:
				s, _ := parse(packet, terminalIP)
				got = append(got, arrival{s.seq, time.Since(begin)})
			case <-enough:
				gathering = false
			}
		}
		if err := w.close(); err != nil {
			t.Error(err)
		}
		if len(w.last)+len(w.swapped)+len(w.queue) != 0 {
			t.Errorf("left behind: %d times, %d swaps, %d packets", len(w.last), len(w.swapped), len(w.queue))
		}
	})
	return got
}

// data is n data packets of a connection, numbered from 1 by their sequence numbers.
func data(n int) []segment {
	var all []segment
	for i := range n {
		all = append(all, segment{connection: between(1), fromTerminal: true, seq: uint32(i + 1), data: 1, flags: flagACK})
	}
	return all
}

const ms = time.Millisecond

func TestForward(t *testing.T) {
	swap := Spec{Kind: Reorder}
	for name, c := range map[string]struct {
		specs []Spec
		send  []segment
		want  []arrival
	}{
		"nothing":      {nil, data(2), []arrival{{1, 0}, {2, 0}}},
		"loss":         {[]Spec{{Kind: Loss, Percent: 100}}, data(2), nil},
		"other way":    {[]Spec{{Kind: Loss, Percent: 100, Direction: FromHost}}, data(2), []arrival{{1, 0}, {2, 0}}},
		"other port":   {[]Spec{{Kind: Loss, Percent: 100, Port: 1}}, data(1), []arrival{{1, 0}}},
		"this port":    {[]Spec{{Kind: Loss, Percent: 100, Port: 8583}}, data(1), nil},
		"duplicate":    {[]Spec{{Kind: Duplicate}}, data(2), []arrival{{1, 0}, {1, 0}, {2, 0}, {2, 0}}},
		"delay":        {[]Spec{{Kind: Delay, By: 30 * ms}}, data(2), []arrival{{1, 30 * ms}, {2, 30 * ms}}},
		"two delays":   {[]Spec{{Kind: Delay, By: 30 * ms}, {Kind: Delay, By: 5 * ms}}, data(1), []arrival{{1, 35 * ms}}},
		"swap":         {[]Spec{swap}, data(2), []arrival{{2, 0}, {1, 0}}},
		"swap of four": {[]Spec{swap}, data(4), []arrival{{2, 0}, {1, 0}, {4, 0}, {3, 0}}},
		"swap alone":   {[]Spec{{Kind: Reorder, By: 70 * ms}}, data(1), []arrival{{1, 70 * ms}}},
		"swap late":    {[]Spec{swap, {Kind: Delay, By: 30 * ms}}, data(2), []arrival{{2, 30 * ms}, {1, 30 * ms}}},
		"delay, copy":  {[]Spec{{Kind: Delay, By: 30 * ms}, {Kind: Duplicate}}, data(1), []arrival{{1, 30 * ms}, {1, 30 * ms}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := bubble(t, c.specs, c.send, nil); !slices.Equal(got, c.want) {
				t.Errorf("arrived %v, want %v", got, c.want)
			}
		})
	}
}

// TestJitterKeepsOrder: times differ within the bounds, the order of a connection stays.
func TestJitterKeepsOrder(t *testing.T) {
	got := bubble(t, []Spec{{Kind: Delay, By: 50 * ms, Jitter: 40 * ms, Seed: 9}}, data(200), nil)
	times := map[time.Duration]bool{}
	for i, a := range got {
		if a.seq != uint32(i+1) || a.at < 10*ms || a.at > 90*ms {
			t.Fatalf("arrival %d: %+v", i, a)
		}
		times[a.at] = true
	}
	if len(got) != 200 || len(times) < 3 {
		t.Errorf("%d arrivals at %d times", len(got), len(times))
	}
}

// TestHealLetsGo: healing sends on at once what the fault holds, in order, and the next packet
// is not late for those.
func TestHealLetsGo(t *testing.T) {
	for _, spec := range []Spec{{Kind: Delay, By: 20 * time.Second}, {Kind: Reorder, By: 20 * time.Second, Percent: 100}} {
		count := 3
		if spec.Kind == Reorder {
			count = 1
		}
		got := bubble(t, []Spec{spec}, data(count), func(w *forwarder, faults []*impairment) {
			<-time.After(time.Second)
			if err := faults[0].heal(); err != nil {
				t.Error(err)
			}
			w.take(raw(segment{connection: between(1), fromTerminal: true, seq: 9, data: 1}, 0, 0), time.Now())
		})
		var want []arrival
		for i := range count {
			want = append(want, arrival{uint32(i + 1), time.Second})
		}
		if want = append(want, arrival{9, time.Second}); !slices.Equal(got, want) {
			t.Errorf("%s: arrived %v, want %v", spec.Kind, got, want)
		}
	}
}

// TestFired: a fault counts what it did, and a swap only when another packet went first.
func TestFired(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		send int
		want uint64
	}{
		{Spec{Kind: Loss, Percent: 100}, 3, 3},
		{Spec{Kind: Loss, Percent: 100, Port: 7}, 3, 0},
		{Spec{Kind: Duplicate}, 3, 3},
		{Spec{Kind: Delay, By: ms}, 3, 3},
		{Spec{Kind: Reorder}, 1, 0},
		{Spec{Kind: Reorder}, 2, 1},
	} {
		bubble(t, []Spec{c.spec}, data(c.send), func(_ *forwarder, faults []*impairment) {
			if n, err := faults[0].fired(); n != c.want || err != nil {
				t.Errorf("%+v, %d packets: fired %d times, %v; want %d", c.spec, c.send, n, err, c.want)
			}
		})
	}
}

// TestHeldIsBounded: what is too much to hold is lost, and is told.
func TestHeldIsBounded(t *testing.T) {
	got := bubble(t, []Spec{{Kind: Delay, By: time.Second}}, data(maxHeld+5), func(_ *forwarder, faults []*impairment) {
		if _, err := faults[0].fired(); err == nil {
			t.Error("lost packets are not told of")
		}
	})
	if len(got) != maxHeld {
		t.Errorf("%d packets arrived, want %d", len(got), maxHeld)
	}
}
