package chameleon

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
)

// memory is what a slot holds.
type memory struct {
	kind    uint16
	enabled bool
	uid     []byte
	atqa    [2]byte
	sak     byte
	ats     []byte
	pairs   []pair
}

type pair struct{ command, answer []byte }

func (m memory) clone() memory {
	m.uid, m.ats, m.pairs = slices.Clone(m.uid), slices.Clone(m.ats), slices.Clone(m.pairs)
	return m
}

// Device is one emulator.
type Device struct {
	cfg  Config
	line *line.Line
	done chan struct{}

	mu      sync.Mutex
	in      receiver
	emulate bool
	active  byte
	slots   [Slots]memory
	flash   [Slots]memory
	field   tcl
	heard   int
	sent    int
	saves   int
	log     []uint16
}

// New starts an emulator on the port, which belongs to it from then on.
func New(port io.ReadWriteCloser, cfg Config) *Device {
	d := &Device{cfg: cfg, line: line.Open(port), done: make(chan struct{}), emulate: true}
	go d.run()
	return d
}

// Close ends the emulator: closes the port and waits for its goroutines.
func (d *Device) Close() error {
	err := d.line.Close()
	<-d.done
	return err
}

// Restart is a power-up: the card is what was saved, and in the field at once.
func (d *Device) Restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.slots {
		d.slots[i] = d.flash[i].clone()
	}
	d.emulate, d.in, d.field = true, receiver{}, tcl{}
}

// Commands lists the numbers of the requests that were carried out.
func (d *Device) Commands() []uint16 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

// Saves is how often the flash was written.
func (d *Device) Saves() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.saves
}

// Pairs is how many answers the active slot has, in memory and in flash.
func (d *Device) Pairs() (memory, flash int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.slots[d.active].pairs), len(d.flash[d.active].pairs)
}

func (d *Device) run() {
	defer close(d.done)
	for chunk := range d.line.Received() {
		d.mu.Lock()
		request, ok := d.in.feed(chunk)
		if !ok || d.dead() {
			d.mu.Unlock()
			continue
		}
		d.heard++
		if d.dead() {
			d.mu.Unlock()
			continue
		}
		answer := d.perform(request)
		d.log = append(d.log, request.command)
		slow := request.command == 1009 || request.command == 1005
		d.mu.Unlock()
		if slow {
			<-time.After(SaveTime)
		}
		d.answer(answer)
	}
}

func (d *Device) dead() bool {
	after := d.cfg.Faults.SilentAfter
	return d.cfg.Faults.Silent || after > 0 && d.heard > after
}

// answer puts a frame on the line, or does to it what the faults want.
func (d *Device) answer(m message) {
	d.mu.Lock()
	d.sent++
	sent := d.sent
	d.mu.Unlock()
	out := m.encode()
	if n := d.cfg.Faults.DropEvery; n > 0 && sent%n == 0 {
		return
	}
	if n := d.cfg.Faults.GarbleEvery; n > 0 && sent%n == 0 {
		out[len(out)/2] ^= 0x10
	}
	d.line.Send(out)
}
