package debugline

import (
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// reader is the goroutine that turns the line's chunks into screens.
type reader struct {
	*Driver
	rows   serial.Assembler
	parser parser
	last   time.Time // arrival of the last chunk
}

// run reads until the line ends.
func (r *reader) run() {
	defer close(r.done)
	defer close(r.screens)
	timer := time.NewTimer(r.quiet)
	defer timer.Stop()
	for {
		chunk, state := r.next(timer)
		switch state {
		case ended:
			r.hand(r.settle())
			return
		case silent:
			r.hand(r.settle())
		case heard:
			r.hand(r.feed(chunk))
			timer.Reset(r.quiet)
		}
	}
}

// What next found.
const (
	heard = iota
	silent
	ended
)

// next waits for a chunk, or for the line to be quiet. A chunk that waited while nobody took
// screens comes before the timer that ran out meanwhile.
func (r *reader) next(timer *time.Timer) (serial.Chunk, int) {
	select {
	case chunk, ok := <-r.line.Chunks():
		return chunk, state(ok)
	default:
	}
	select {
	case chunk, ok := <-r.line.Chunks():
		return chunk, state(ok)
	case <-timer.C:
		return serial.Chunk{}, silent
	}
}

func state(ok bool) int {
	if ok {
		return heard
	}
	return ended
}

// feed takes one chunk. That the line was quiet before it shows in the chunks' own times, so the
// screens do not depend on when this goroutine ran.
func (r *reader) feed(chunk serial.Chunk) []rigs.Screen {
	var screens []rigs.Screen
	if chunk.At.Sub(r.last) >= r.quiet {
		screens = r.settle()
	}
	r.last = chunk.At
	for _, row := range r.rows.Feed(chunk) {
		screens = append(screens, r.parser.line(row.At, r.decoder.text(row.Bytes))...)
	}
	return screens
}

// settle hands out what is unfinished: the open screen, then the unfinished line as noise.
func (r *reader) settle() []rigs.Screen {
	screens := r.parser.flush()
	if rest := r.rows.Pending(); len(rest.Bytes) > 0 {
		screens = append(screens, r.parser.noise(rest.At, r.decoder.text(rest.Bytes))...)
	}
	r.rows.Drop()
	return screens
}

// hand waits until the screens are taken, or Close.
func (r *reader) hand(screens []rigs.Screen) {
	for _, s := range screens {
		select {
		case r.screens <- s:
		case <-r.life.Done():
			return
		}
	}
}
