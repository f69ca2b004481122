package robot

import (
	"maps"
	"slices"
	"time"
)

const (
	rxUsable    = 128     // bytes of the receive ring; more are lost silently
	lineUsable  = 79      // characters of a line after comments and blanks are taken out
	planBlocks  = 15      // moves the planner holds, the one under way included
	txLimit     = 4096    // unsent bytes above which the main program waits
	txMost      = 1 << 16 // unsent bytes that are kept at most
	stepsPerMM  = 250     // of the machine as built, $100–$102
	doorRestore = 4 * time.Second
)

// state is the machine's state as named in status reports.
type state string

const (
	stateIdle  state = "Idle"
	stateRun   state = "Run"
	stateHold  state = "Hold"
	stateJog   state = "Jog"
	stateAlarm state = "Alarm"
	stateDoor  state = "Door"
	stateCheck state = "Check"
	stateHome  state = "Home"
	stateSleep state = "Sleep"
)

// Alarm codes, doc/csv/alarm_codes_en_US.csv.
const (
	alarmHardLimit = 1
	alarmSoftLimit = 2
	alarmAbort     = 3
	alarmHomeReset = 6
	alarmHomeDoor  = 7
	alarmNoSwitch  = 9
)

// stage is one step of what the main program is busy with. The firmware waits in loops; here a
// wait is a stage that is not ready yet.
type stage struct {
	delay time.Duration       // from when the stage's turn comes
	ready func(*machine) bool // nil: always
	deaf  bool                // status requests wait as well
	do    func(*machine)      // may be nil
	armed bool
	due   time.Time
}

// machine is firmware and mechanics, driven from outside by bytes and by time. It starts no
// goroutine and reads no clock.
type machine struct {
	cfg     Config
	contact Contact
	clock   time.Time // the present; never goes back

	// Firmware.
	set         settings
	startup     [2]string // $N0, $N1
	state       state
	dead        bool
	resetLost   bool // Faults.LosesFirstReset has happened
	loseReply   bool // Faults.LoseReplyAtPress is happening
	resetting   bool // a reset is on its way: further 0x18 do nothing
	stopped     bool // critical alarm: nothing but 0x18 is heeded
	inLine      bool // a line is being executed and owes its response
	script      []stage
	afterReply  func()
	ring        []byte
	ended       []time.Time // when each line end in the ring came
	line        lineBuffer
	statusAsked bool
	tx          []byte
	sent        int // response bytes so far, for Faults.GarbleEvery

	// Parser.
	modal    modal
	gcPos    vector    // where the last accepted move ends
	coords   [8]vector // G54–G59, G28, G30
	g92      vector
	tlo      float64
	override overrides
	untilWCO int // reports until the field is due
	untilOv  int

	// Motion.
	queue     []move // the first is under way
	leg       *leg
	braking   bool
	jogCancel bool
	softLimit bool
	restored  time.Time // when a resume after the door takes effect; zero: none
	mpos      vector    // at rest, or where the leg began
	offset    vector    // true position = offset + scale·MPos
	plunged   int

	keys   []padKey // in the order of their names
	events []event  // the space of the last leg's, used again

	// Space that is used again: the stages of one line, its block, and what is sent to the host.
	stages []stage
	block  block
	report []byte
	// heard is the line whose turn comes next.
	heard struct {
		text     string
		overflow bool
	}
}

// padKey is a key under the plunger.
type padKey struct {
	name   string
	centre vector
	closed bool
}

type overrides struct{ feed, rapid, spindle int }

func newMachine(cfg Config, contact Contact) *machine {
	m := &machine{cfg: cfg, contact: contact, set: defaults(cfg.Motion), stages: make([]stage, 0, 4)}
	for _, name := range slices.Sorted(maps.Keys(cfg.Keypad.Keys)) {
		key := cfg.Keypad.Keys[name]
		m.keys = append(m.keys, padKey{name: name, centre: vector{cfg.Origin[axisX] + key.X, cfg.Origin[axisY] + key.Y, 0}})
	}
	return m
}

// powerUp starts the firmware. The finger is parked in the middle, near the top, but MPos is zero:
// it is not known where it is until homing.
func (m *machine) powerUp(now time.Time) {
	m.clock = now
	m.dead = m.cfg.Faults.Dead
	lo, hi := m.cfg.Motion.Min, m.cfg.Motion.Max
	park := along(lo, hi, 0.5)
	park[axisZ] = lo[axisZ] + 0.8*(hi[axisZ]-lo[axisZ])
	m.place(vector{}, park)
	m.state = stateIdle
	if m.set[homingOn] != 0 {
		m.state = stateAlarm
	}
	m.boot()
}

// boot is what follows power-up and every reset.
func (m *machine) boot() {
	m.resetting, m.stopped, m.inLine, m.statusAsked = false, false, false, false
	m.script, m.afterReply, m.ring, m.ended, m.line = nil, nil, nil, nil, lineBuffer{slash: m.fluid()}
	m.queue, m.leg, m.braking, m.jogCancel, m.softLimit = nil, nil, false, false, false
	m.restored = time.Time{}
	m.modal = modal{feedUnits: 94, plane: 17, spindle: 5}
	m.gcPos, m.g92, m.tlo = m.mpos, vector{}, 0
	m.override = overrides{100, 100, 100}
	m.untilWCO, m.untilOv = 0, 0
	m.print(m.greeting())
	if m.state == stateAlarm || m.state == stateSleep {
		m.state = stateAlarm
		m.print("[MSG:'$H'|'$X' to unlock]\r\n")
		return
	}
	m.state = stateIdle
	m.script = m.startupScript()
}

// reboot ends a reset: the line under execution returns with ok first, then comes the banner.
func (m *machine) reboot() {
	if m.inLine {
		m.print("ok\r\n")
	}
	m.boot()
}

// next is the next instant at which something happens by itself.
func (m *machine) next() (time.Time, bool) {
	var at time.Time
	earliest := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if m.dead {
		return at, false
	}
	if m.leg != nil && len(m.leg.events) > 0 {
		earliest(m.leg.events[0].at)
	} else if m.leg != nil {
		earliest(m.leg.end())
	}
	if !m.restored.IsZero() {
		earliest(m.restored)
	}
	if len(m.script) > 0 && m.script[0].armed && m.script[0].due.After(m.clock) {
		earliest(m.script[0].due)
	}
	return at, !at.IsZero()
}

// advance lets everything happen that happens until now, each at its own instant.
func (m *machine) advance(now time.Time) {
	for {
		at, ok := m.next()
		if !ok || at.After(now) {
			break
		}
		if at.After(m.clock) {
			m.clock = at
		}
		m.happen()
		m.progress()
	}
	if now.After(m.clock) {
		m.clock = now
	}
	m.progress()
}

// happen handles one thing that is due.
func (m *machine) happen() {
	switch l := m.leg; {
	case l != nil && len(l.events) > 0 && !l.events[0].at.After(m.clock):
		e := l.events[0]
		l.events = l.events[1:]
		m.happenOnWay(e)
	case l != nil && len(l.events) == 0 && !l.end().After(m.clock):
		m.arrive()
	case !m.restored.IsZero() && !m.restored.After(m.clock):
		m.restored = time.Time{}
		m.resume()
	}
}

// feed takes bytes from the host. Realtime bytes act at once and never enter the ring.
func (m *machine) feed(p []byte, now time.Time) {
	m.advance(now)
	for _, c := range p {
		if m.dead {
			return
		}
		if !m.realtime(c) && len(m.ring) < m.ringSize() {
			m.ring = append(m.ring, c)
			if c == '\n' || c == '\r' {
				m.ended = append(m.ended, m.clock)
			}
		}
		m.progress()
	}
}

// progress is the main program: it goes on as far as it can at this instant.
func (m *machine) progress() {
	for !m.dead {
		m.answerStatus()
		switch {
		case m.stopped || m.softLimit || m.suspended() || len(m.tx) > txLimit:
			return
		case len(m.script) > 0:
			if !m.stageDone() {
				return
			}
		case m.inLine:
			m.reply()
		case !m.readLine():
			return
		}
	}
}

// suspended says that the firmware sits in its suspend loop: only realtime bytes are heeded.
func (m *machine) suspended() bool {
	return m.state == stateHold || m.state == stateDoor || m.state == stateSleep || m.jogCancel
}

// stageDone carries the first stage out if its time has come.
func (m *machine) stageDone() bool {
	s := &m.script[0]
	if !s.armed {
		s.armed, s.due = true, m.clock.Add(s.delay)
	}
	if s.due.After(m.clock) || s.ready != nil && !s.ready(m) {
		return false
	}
	do := s.do
	m.script = m.script[1:]
	if do != nil {
		do(m)
	}
	return true
}

// reply gives the response of a line that went well.
func (m *machine) reply() {
	m.inLine = false
	if !m.loseReply {
		m.print("ok\r\n")
	}
	m.loseReply = false
	if after := m.afterReply; after != nil {
		m.afterReply = nil
		after()
	}
}

// readLine takes a line from the ring and begins to execute it. False when there is none.
func (m *machine) readLine() bool {
	for i, c := range m.ring {
		if !m.line.add(c) {
			continue
		}
		m.ring = append(m.ring[:0], m.ring[i+1:]...)
		m.heard.text, m.heard.overflow = m.line.take()
		wait := m.cfg.Motion.Line - m.clock.Sub(m.ended[0]) // none where it had its time in the ring
		m.ended = append(m.ended[:0], m.ended[1:]...)
		m.stages = append(m.stages[:0], stage{delay: max(0, wait), do: (*machine).execute})
		m.script = m.stages
		return true
	}
	m.ring = m.ring[:0]
	return false
}

// execute is the turn of the line heard.
func (m *machine) execute() {
	code, stages := errOverflow, []stage(nil)
	if !m.heard.overflow {
		m.inLine = true
		code, stages = m.dispatch(m.heard.text)
	}
	if code != 0 {
		m.inLine = false
		m.print(response(code))
		return
	}
	m.before(stages)
}

// before puts stages before what is left of the script.
func (m *machine) before(stages []stage) {
	if len(stages) > 0 {
		m.script = append(stages, m.script...)
	}
}

// spare is space for the stages of a line that is being executed.
func (m *machine) spare() []stage {
	if len(m.script) > 0 {
		return nil // it is in use
	}
	return m.stages[:0]
}

// dispatch parses a line and gives the stages that carry it out, or an error code.
func (m *machine) dispatch(text string) (int, []stage) {
	switch {
	case text == "":
		return 0, nil
	case text[0] == '$':
		return m.system(text)
	case m.state == stateAlarm || m.state == stateJog:
		return errLocked, nil
	}
	return m.gcode(text, false)
}

// startupScript runs the stored startup blocks; their responses are not counted as responses.
func (m *machine) startupScript() []stage {
	var script []stage
	for _, text := range m.startup {
		if text == "" {
			continue
		}
		script = append(script, stage{deaf: true, do: func(m *machine) {
			code, stages := m.gcode(text, false)
			m.before(append(stages, stage{do: func(m *machine) { m.print(">" + text + ":" + response(code)) }}))
		}})
	}
	return script
}
