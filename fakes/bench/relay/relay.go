// Package relay is a USB relay board in software that understands the Numato command set:
// lines of text that end with CR, echoed, answered and followed by a prompt.
//
//	relay on 0\r        →  relay on 0\n\r>
//	relay read 0\r      →  relay read 0\n\ron\n\r>
//	relay readall\r     →  relay readall\n\r01\n\r>
//	relay writeall ff\r →  relay writeall ff\n\r>
//	ver\r, id get\r     →  …\n\r00000008\n\r>
//
// The commands are from the maker's page; echo, line ends and prompt are from its sample
// programs. What a real board answers to a command that it does not know is not published: this
// one answers with the bare prompt and moves nothing.
package relay

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
)

const (
	// Channels is how many relays the board has, numbered from 0.
	Channels = 8
	// CommandLimit is the longest command; what goes beyond it makes the command unknown.
	CommandLimit = 32
	// Version and ID are what the board says of itself.
	Version = "00000008"
	ID      = "00000000"

	newline = "\n\r"
	prompt  = ">"
)

// Faults are ways in which the board misbehaves.
type Faults struct {
	// Dead: no echo, no answer, nothing moves.
	Dead bool
	// Stuck: commands are accepted but the contacts are welded where they are; a read tells
	// where they really are.
	Stuck bool
}

// Config says how the board starts. The zero value is a sound board with every relay off.
type Config struct {
	// On has bit n set when relay n is energised from the start.
	On uint8
	// Travel is how long a contact takes to move.
	Travel time.Duration
	Faults Faults
}

// Board is one relay board.
type Board struct {
	line    *line.Line
	faults  Faults
	travel  time.Duration
	moved   func(channel int, on bool)
	on      uint8
	command []byte
	ended   chan struct{}
}

// New starts a board on the port, which belongs to it from then on. moved is called from one
// goroutine each time a contact has moved, before the command is answered; it is not called for
// the state at the start.
func New(port io.ReadWriteCloser, cfg Config, moved func(channel int, on bool)) *Board {
	b := &Board{line: line.Open(port), faults: cfg.Faults, travel: cfg.Travel, moved: moved, on: cfg.On, ended: make(chan struct{})}
	go b.run()
	return b
}

// Close ends the board: closes the port and waits for its goroutines, so also for moved.
func (b *Board) Close() error {
	err := b.line.Close()
	<-b.ended
	return err
}

func (b *Board) run() {
	defer close(b.ended)
	for chunk := range b.line.Received() {
		if !b.faults.Dead {
			b.feed(chunk)
		}
	}
}

// feed takes what came in, a character at a time, as the board does.
func (b *Board) feed(chunk []byte) {
	var out []byte
	for _, c := range chunk {
		switch c {
		case '\r':
			answer := b.perform(string(b.command))
			b.command = b.command[:0]
			out = append(out, newline...)
			if answer != "" {
				out = append(out, answer+newline...)
			}
			out = append(out, prompt...)
		case '\n': // the makers' samples send one or none
		default:
			out = append(out, c)
			if len(b.command) <= CommandLimit {
				b.command = append(b.command, c)
			}
		}
	}
	if len(out) > 0 {
		b.line.Send(out)
	}
}

// perform carries out one command and returns its answer, "" for none.
func (b *Board) perform(command string) string {
	if len(command) > CommandLimit {
		return ""
	}
	words := strings.Fields(command)
	switch {
	case len(words) == 1 && words[0] == "ver":
		return Version
	case len(words) == 2 && words[0] == "id" && words[1] == "get":
		return ID
	case len(words) == 2 && words[0] == "relay" && words[1] == "readall":
		return fmt.Sprintf("%02x", b.on)
	case len(words) == 3 && words[0] == "relay":
		return b.relay(words[1], words[2])
	}
	return ""
}

func (b *Board) relay(verb, argument string) string {
	if verb == "writeall" {
		if mask, err := strconv.ParseUint(argument, 16, 8); err == nil && len(argument) == 2 {
			b.set(uint8(mask))
		}
		return ""
	}
	channel, err := strconv.ParseUint(argument, 10, 8)
	if err != nil || channel >= Channels {
		return ""
	}
	bit := uint8(1) << channel
	switch verb {
	case "on":
		b.set(b.on | bit)
	case "off":
		b.set(b.on &^ bit)
	case "read":
		if b.on&bit != 0 {
			return "on"
		}
		return "off"
	}
	return ""
}

func wait(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

// set moves the contacts that differ.
func (b *Board) set(want uint8) {
	if b.faults.Stuck {
		return
	}
	changed := b.on ^ want
	b.on = want
	for channel := range Channels {
		if bit := uint8(1) << channel; changed&bit != 0 {
			wait(b.travel)
			b.moved(channel, want&bit != 0)
		}
	}
}
