package relay

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/assay-hil/assay/rigs"
	cards "github.com/assay-hil/assay/rigs/card"
)

// technicalProblem is SW 6F00, "no precise diagnosis" (ISO/IEC 7816-4): what the terminal gets
// when the chip failed us.
var technicalProblem = [2]byte{0x6F, 0x00}

// worker is the state of the goroutine that runs the chip.
type worker struct {
	*Driver
	// alive is the chip that the terminal powered; nil until the first reset.
	alive rigs.Chip
}

// work handles the emulator's events in order. It stays until Close, because only it may
// close the stream that it sends to.
func (d *Driver) work() {
	defer close(d.done)
	defer close(d.events)
	w := worker{Driver: d}
	for in := range d.queue {
		w.handle(in)
	}
	<-d.life.Done()
}

func (w *worker) handle(in incoming) {
	verb, args := in.words[0], in.words[1:]
	switch {
	case verb == "RESET" && len(args) == 1:
		w.start(in.at, "reset", w.inSlot())
	case verb == "FIELD" && len(args) == 1 && args[0] == "ON":
		w.start(in.at, "field-on", w.inField())
	case verb == "FIELD" && len(args) == 1 && args[0] == "OFF":
		w.finish(in.at, "field-off")
	case verb == "POWER" && len(args) == 1 && args[0] == "OFF":
		w.finish(in.at, "power-off")
	case verb == "CAPDU" && len(args) == 1:
		w.exchange(in, args[0])
	case verb == "LOST" && len(args) == 1:
		w.lost(args[0])
	default:
		w.count(func(s *Stats) { s.Unknown++ })
	}
}

// start begins a session of the card's application.
func (w *worker) start(at time.Time, kind string, chip rigs.Chip) {
	w.alive = chip
	w.explain()
	if chip == nil {
		w.unexpected(at)
	} else {
		if err := cards.Guard("Reset", chip.Reset); err != nil {
			w.blame(err)
		}
	}
	w.emit(rigs.CardEvent{At: at, Kind: kind})
}

// finish ends it.
func (w *worker) finish(at time.Time, kind string) {
	w.alive = nil
	w.explain()
	w.emit(rigs.CardEvent{At: at, Kind: kind})
}

// exchange lets the chip answer one command. A chip that answers with nothing stays mute: the
// emulator then gives the terminal up by itself (§4).
func (w *worker) exchange(in incoming, arg string) {
	command, ok := parseBytes(arg)
	if !ok {
		w.count(func(s *Stats) { s.Unknown++ })
		return
	}
	w.contradict()
	moves := w.moved()
	response, err := w.transmit(command)
	if err != nil {
		w.blame(err)
		response = technicalProblem[:]
	}
	if len(response) > 0 {
		w.answer(in, response, moves)
	}
	w.emit(rigs.CardEvent{At: in.at, Kind: "exchange", Exchange: &rigs.Exchange{
		At:       in.at,
		Took:     time.Since(in.at),
		Command:  command,
		Response: response,
	}})
}

// transmit asks the chip. An event that announced it may have been lost, so the card that
// was put in is taken when no reset was seen.
func (w *worker) transmit(command []byte) ([]byte, error) {
	chip := w.alive
	if chip == nil {
		chip = w.inSlot()
	}
	if chip == nil {
		chip = w.inField()
	}
	if chip == nil {
		return nil, ErrNoCard
	}
	return cards.Transmit(chip, command)
}

// answer hands a response to the emulator. That it is stale may be the terminal's doing, or ours when a
// card was moved since; else it is doubtful.
func (w *worker) answer(in incoming, response []byte, moves uint64) {
	_, err := w.request(w.life, "RAPDU", fmt.Sprintf("%02X", in.seq), byteString(response))
	refused := (*ReplyError)(nil)
	switch {
	case errors.As(err, &refused) && refused.Code == "STALE":
		w.count(func(s *Stats) { s.Stale++ })
		if time.Since(in.at) < patience {
			w.suspect(moves)
		}
	case err != nil:
		w.blame(fmt.Errorf("answer to a command: %w", err))
	}
}

// lost notes that the emulator dropped events: the record of the session has a gap.
func (w *worker) lost(arg string) {
	n, err := strconv.ParseUint(arg, 10, 16)
	if err != nil {
		w.count(func(s *Stats) { s.Unknown++ })
		return
	}
	w.count(func(s *Stats) { s.Lost += int(n) })
	w.explain()
	w.blame(fmt.Errorf("%d: %w", n, ErrEventsLost))
}

// emit hands out an event. When nobody reads, the oldest makes room.
func (w *worker) emit(e rigs.CardEvent) {
	for {
		select {
		case w.events <- e:
			return
		default:
		}
		select {
		case <-w.events:
			w.count(func(s *Stats) { s.Dropped++ })
		default: // a reader was quicker
		}
	}
}

// blame keeps the first fault of the card's session.
func (w *worker) blame(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil {
		w.fault = err
	}
}

func (d *Driver) inSlot() rigs.Chip {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slot.chip
}

func (d *Driver) inField() rigs.Chip {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.near.chip
}
