package marlin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	rxSize      = 128 // bytes of the receive buffer; more are lost
	queueSize   = 4   // lines that wait for execution
	plannerSize = 16  // movements that wait, the one under way included
	lineMax     = 96  // bytes of a line; the rest is dropped
)

// firmware is what the controller knows; it belongs to Run.
type firmware struct {
	clock   time.Time
	booted  time.Time // when the greeting comes; zero: it has come
	hung    bool
	halted  bool // by kill
	homed   vector
	timeout time.Duration // of the motors; 0: never

	ring      []byte
	text      []byte // the unfinished line
	heard     int    // lines so far
	lastN     int
	queue     []string
	current   *task
	until     time.Time // the current task goes on then
	busyAt    time.Time
	blocked   bool // the current task has begun to wait
	loseReply bool
}

// task is the line under execution.
type task struct {
	taken bool          // Line has passed
	wait  time.Duration // once the planner is empty, where drain is set
	drain bool
	after func()
}

func (r *Robot) say(text string) {
	if !r.hung && !r.cfg.Faults.Dead {
		r.line.Send([]byte(text + "\n"))
	}
}

// restart is power-up, or a reset.
func (r *Robot) restart(now time.Time) {
	r.firmware = firmware{clock: now, booted: now.Add(r.cfg.Motion.Boot), timeout: r.cfg.Motion.IdleTimeout}
	r.offset = r.truth(r.mpos)
	r.mpos, r.powered = vector{}, false
}

func (r *Robot) greet() {
	r.booted = time.Time{}
	for _, text := range []string{
		"start", "echo:Marlin 2.1.2.4", "", "echo: Last Updated: 2024-07-18 | Author: (none, default config)",
		"echo: Free Memory: 3482  PlannerBufferBytes: 1152", "echo:Hardcoded Default Settings Loaded",
	} {
		r.say(text)
	}
}

func (r *Robot) kill() {
	r.say("Error:Printer halted. kill() called!")
	r.halted, r.queue, r.current, r.until, r.blocked = true, nil, nil, time.Time{}, false
}

// hear takes bytes from the host.
func (r *Robot) hear(p []byte, now time.Time) {
	r.advance(now)
	for _, c := range p {
		if r.hung || r.halted || !r.booted.IsZero() {
			return // the boot loader, or nobody
		}
		if len(r.ring) < rxSize {
			r.ring = append(r.ring, c)
		}
		r.work(now)
	}
}

// work is the main program: it goes on as far as it can at this instant.
func (r *Robot) work(now time.Time) {
	for !r.hung && !r.halted && r.booted.IsZero() {
		r.read(now)
		if r.current == nil {
			if len(r.queue) == 0 {
				return
			}
			r.take(now)
		}
		if !r.until.IsZero() || !r.goOn(now) {
			return
		}
	}
}

// read moves lines from the receive buffer into the queue while it has room.
func (r *Robot) read(now time.Time) {
	for len(r.queue) < queueSize && len(r.ring) > 0 {
		c := r.ring[0]
		r.ring = r.ring[1:]
		if c != '\n' && c != '\r' {
			if len(r.text) < lineMax {
				r.text = append(r.text, c)
			}
			continue
		}
		text := r.text
		r.text = nil
		if len(text) == 0 {
			continue
		}
		r.heard++
		if n := r.cfg.Faults.GarbleLine; n > 0 && r.heard%n == 0 {
			text[len(text)/2] ^= 1
		}
		r.accept(strings.TrimSpace(string(text)), now)
	}
}

// accept checks number and checksum of a line and queues it.
func (r *Robot) accept(text string, now time.Time) {
	if strings.HasPrefix(text, "N") {
		body, sum, has := cutLast(text, '*')
		head, rest, _ := strings.Cut(body, " ")
		number, err := strconv.Atoi(head[1:])
		if at := strings.LastIndexByte(rest, 'N'); strings.Contains(rest, "M110") && at >= 0 {
			number, err = strconv.Atoi(strings.TrimSpace(rest[at+1:]))
		} else if err == nil && number != r.lastN+1 {
			r.resend("Line Number is not Last Line Number+1")
			return
		}
		switch {
		case !has:
			r.resend("No Checksum with line number")
			return
		case err != nil || sum != strconv.Itoa(int(checksum(body))):
			r.resend("checksum mismatch")
			return
		}
		r.lastN, text = number, strings.TrimSpace(rest)
	}
	if text == "M410" && !r.cfg.Faults.NoEmergency {
		r.quickStop(now)
	}
	r.queue = append(r.queue, text)
}

func (r *Robot) resend(why string) {
	r.ring, r.text = nil, nil
	r.say(fmt.Sprintf("Error:%s, Last Line: %d", why, r.lastN))
	r.say(fmt.Sprintf("Resend: %d", r.lastN+1))
	if r.cfg.Faults.ExtraOK {
		r.say("ok")
	}
}

func cutLast(text string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(text, sep); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

func checksum(text string) byte {
	sum := byte(0)
	for i := range len(text) {
		sum ^= text[i]
	}
	return sum
}

// quickStop ends movement and the waiting for it, wherever the main program is.
func (r *Robot) quickStop(now time.Time) {
	if len(r.moves) > 0 {
		r.freeze(now)
	}
	if r.current != nil && r.current.taken {
		r.current.after, r.until = nil, time.Time{}
	}
}

// take begins the next line of the queue.
func (r *Robot) take(now time.Time) {
	text := r.queue[0]
	r.queue = r.queue[1:]
	r.current = &task{after: func() { r.execute(text) }}
	r.until = now.Add(r.cfg.Motion.Line)
}

// goOn goes on with the current task; false while it has to wait.
func (r *Robot) goOn(now time.Time) bool {
	t := r.current
	if t.taken && t.drain && len(r.moves) > 0 {
		r.wait(now)
		return false
	}
	if wait := t.wait; t.taken && wait > 0 {
		t.wait, r.until = 0, now.Add(wait)
		r.wait(now)
		return false
	}
	after := t.after
	t.after = nil
	if after != nil {
		t.taken = true
		after()
		return true
	}
	r.current, r.blocked = nil, false
	if r.loseReply {
		r.loseReply = false
		return true
	}
	if !r.halted {
		r.say("ok")
	}
	return true
}

func (r *Robot) wait(now time.Time) {
	if !r.blocked {
		r.blocked, r.busyAt = true, now.Add(r.cfg.Motion.BusyEvery)
	}
}
