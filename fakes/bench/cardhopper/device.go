// Package cardhopper is a Proxmark3 with the stand-alone firmware CardHopper in software, as its
// published source reads: packets with one byte of length on the host's line, and the part of a card that
// the Proxmark plays itself in the field (selection, answer to select, bit rates).
//
// As the firmware does, it holds the terminal until the host has answered a frame, takes whatever
// packet comes then for the answer, does not hear the field meanwhile, and swallows the
// terminal's consent to a waiting-time extension. None of this was seen on hardware.
package cardhopper

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
	"github.com/assay-hil/assay/fakes/bench/reader"
)

// Faults are ways in which the emulator misbehaves; 0 switches one off.
type Faults struct {
	// SilentAfter: dead after this many packets of the host; below 0 from the start.
	SilentAfter int
	// DropEvery: of the marks that it sends, every n-th is lost.
	DropEvery int
	// RefuseAt: the n-th packet is refused.
	RefuseAt int
	// WaitsAfterRATS: a firmware that wants an answer to RATS too.
	WaitsAfterRATS bool
}

// Config says how the emulator behaves. The zero value is a sound one.
type Config struct {
	Faults Faults
}

// listenGrace is how long a frame of the terminal finds the emulator listening again after an answer.
const listenGrace = 2 * time.Millisecond

// Device is one Proxmark.
type Device struct {
	cfg  Config
	line *line.Line
	done chan struct{}
	air  chan exchange

	// Of the goroutine.
	buf     []byte
	packets int
	marks   int

	mu   sync.Mutex
	card bool
	uid  []byte
	ats  []byte
	log  []string
}

// exchange is a frame of the terminal and where its answer goes.
type exchange struct {
	frame  []byte
	answer chan []byte
}

var _ reader.Card = (*Device)(nil)

// New starts an emulator on the port, which belongs to it from then on.
func New(port io.ReadWriteCloser, cfg Config) *Device {
	d := &Device{cfg: cfg, line: line.Open(port), done: make(chan struct{}), air: make(chan exchange)}
	go d.run()
	return d
}

// Close ends the emulator: closes the port and waits for its goroutines.
func (d *Device) Close() error {
	err := d.line.Close()
	<-d.done
	return err
}

// Modes lists the changes of mode: "card" and "out".
func (d *Device) Modes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.log...)
}

func (d *Device) run() {
	defer close(d.done)
	for {
		p, ok := d.packet()
		if !ok {
			return
		}
		if string(p) == "CARD" && !d.becomeCard() {
			return
		}
	}
}

// packet reads one from the host and marks it; not ok when the line has ended.
func (d *Device) packet() ([]byte, bool) {
	p, ok := d.read()
	if ok {
		d.mark()
	}
	return p, ok
}

// read reads a packet that is yet to be marked.
func (d *Device) read() ([]byte, bool) {
	for len(d.buf) == 0 || len(d.buf) < 1+int(d.buf[0]) {
		chunk, ok := <-d.line.Received()
		if !ok {
			return nil, false
		}
		d.buf = append(d.buf, chunk...)
	}
	size := 1 + int(d.buf[0])
	p := bytes.Clone(d.buf[1:size])
	d.buf = d.buf[size:]
	d.packets++
	return p, true
}

func (d *Device) dead() bool {
	n := d.cfg.Faults.SilentAfter
	return n < 0 || n > 0 && d.packets > n
}

func (d *Device) mark() {
	if d.dead() {
		return
	}
	d.marks++
	switch {
	case d.cfg.Faults.DropEvery > 0 && d.marks%d.cfg.Faults.DropEvery == 0:
	case d.cfg.Faults.RefuseAt == d.packets && d.packets > 0:
		d.line.Send([]byte("\xffERR"))
	default:
		d.line.Send([]byte{0xFE})
	}
}

// becomeCard plays a card until RESTART; false when the line has ended.
func (d *Device) becomeCard() bool {
	var setup [4][]byte
	for i := range setup {
		p, ok := d.read()
		if !ok {
			return false
		}
		if setup[i] = p; i == len(setup)-1 {
			d.play(setup[2], cook(p, setup[1])) // before the mark, so that who sees that finds the card
		}
		d.mark()
	}
	for {
		if len(d.buf) > 0 {
			p, ok := d.read()
			if !ok {
				return false
			}
			if string(p) == "RESTART" {
				d.play(nil, nil)
				d.mark()
				return true
			}
			d.mark()
			continue
		}
		select {
		case chunk, ok := <-d.line.Received():
			if !ok {
				return false
			}
			d.buf = append(d.buf, chunk...)
		case x := <-d.air:
			if !d.relay(x) {
				return false
			}
		}
	}
}

// play sets what Select answers; nil takes the card out.
func (d *Device) play(uid, ats []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.card, d.uid, d.ats = uid != nil, uid, ats
	if d.card {
		d.log = append(d.log, "card")
	} else {
		d.log = append(d.log, "out")
	}
}

// cook puts our waiting times and bit rates into the host's ATS.
func cook(ats, times []byte) []byte {
	if len(ats) < 2 || int(ats[0]) != len(ats) || len(times) != 2 {
		return ats
	}
	t0, rest, tc := ats[1], ats[2:], byte(0)
	for _, bit := range []byte{0x10, 0x20, 0x40} {
		if t0&bit != 0 && len(rest) > 0 {
			if bit == 0x40 {
				tc = rest[0]
			}
			rest = rest[1:]
		}
	}
	out := append([]byte{0, 0x70 | min(t0&0x0F, 8), 0x80, min(times[0]&0x0F, 14)<<4 | min(times[1]&0x0F, 14), tc}, rest...)
	out[0] = byte(len(out))
	return out
}

// relay answers one frame; false when the line has ended.
func (d *Device) relay(x exchange) bool {
	f := x.frame
	switch {
	case f[0]&0xF0 == 0xD0: // PPS
		x.answer <- f[:1]
		return true
	case f[0]&0xF7 == 0xF2: // consent to an extension
		x.answer <- nil
		return true
	}
	isRATS := f[0] == 0xE0 && len(f) == 2
	if isRATS {
		x.answer <- d.ats
	}
	d.line.Send(append([]byte{byte(len(f))}, f...))
	if isRATS && !d.cfg.Faults.WaitsAfterRATS {
		return true
	}
	p, ok := d.packet()
	if !isRATS {
		x.answer <- p // the channel has room: a terminal that has gone away does not hold us
	}
	return ok
}

// Select is the card's part in anticollision.
func (d *Device) Select() (uid []byte, sak byte, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.uid), 0x20, d.card
}

// Frame sends one frame to the emulator and waits for the answer. One that finds it busy is not heard.
func (d *Device) Frame(ctx context.Context, frame []byte, wait time.Duration) []byte {
	x := exchange{frame: bytes.Clone(frame), answer: make(chan []byte, 1)}
	limit := time.NewTimer(wait)
	defer limit.Stop()
	grace := time.NewTimer(listenGrace)
	defer grace.Stop()
	select {
	case d.air <- x:
	case <-grace.C:
		return silence(ctx, limit)
	case <-d.done:
		return silence(ctx, limit)
	}
	select {
	case answer := <-x.answer:
		if len(answer) == 0 {
			return silence(ctx, limit)
		}
		return answer
	case <-limit.C:
		return nil
	case <-ctx.Done():
		return nil
	}
}

// silence waits until the terminal has waited long enough.
func silence(ctx context.Context, limit *time.Timer) []byte {
	select {
	case <-limit.C:
	case <-ctx.Done():
	}
	return nil
}
