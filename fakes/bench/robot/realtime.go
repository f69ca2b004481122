package robot

import (
	"fmt"
	"time"
)

// Realtime bytes.
const (
	rtReset     = 0x18
	rtStatus    = '?'
	rtHold      = '!'
	rtResume    = '~'
	rtDoor      = 0x84
	rtJogCancel = 0x85
)

// realtime acts on a realtime byte; false when c is an ordinary character.
func (m *machine) realtime(c byte) bool {
	switch c {
	case rtReset:
		m.reset()
	case rtStatus:
		m.statusAsked = true
	case rtHold:
		m.hold()
	case rtResume:
		m.cycleStart()
	case rtDoor:
		m.door()
	case rtJogCancel:
		if m.state == stateJog && !m.braking {
			m.cancelJog()
		}
	default:
		if c <= 0x7F {
			return false
		}
		m.overrideBy(c) // what it does not know is dropped
	}
	return true
}

// answerStatus gives the report asked for, unless the firmware is in a loop that does not look.
func (m *machine) answerStatus() {
	deaf := m.stopped || len(m.script) > 0 && m.script[0].deaf || len(m.tx) > txLimit
	if m.statusAsked && !deaf {
		m.statusAsked = false
		m.reportStatus()
	}
}

// reset is 0x18.
func (m *machine) reset() {
	switch {
	case m.cfg.Faults.LosesFirstReset && !m.resetLost:
		m.resetLost = true
	case m.resetting:
	case m.stopped:
		m.reboot()
	case m.state == stateHome:
		m.alarm(alarmHomeReset)
	case m.leg != nil:
		m.alarm(alarmAbort)
	default:
		m.reboot()
	}
}

// alarm cuts the motion, reports, and resets after the pause. The machine is locked then.
func (m *machine) alarm(code int) {
	m.enterAlarm(code, (*machine).reboot)
}

// critical is a limit alarm: after the report nothing answers until 0x18. One that comes before the
// report is complete is lost.
func (m *machine) critical(code int) {
	m.enterAlarm(code, func(m *machine) {
		m.print("[MSG:Reset to continue]\r\n")
		m.resetting, m.stopped, m.statusAsked = false, true, false
	})
}

func (m *machine) enterAlarm(code int, then func(*machine)) {
	m.kill()
	m.queue, m.jogCancel, m.softLimit = nil, false, false
	m.restored = time.Time{}
	m.state, m.resetting, m.afterReply = stateAlarm, true, nil
	m.print(fmt.Sprintf("ALARM:%d\r\n", code))
	m.script = []stage{{delay: m.cfg.Motion.AlarmPause, deaf: true, do: then}}
}

// hold is '!'.
func (m *machine) hold() {
	switch {
	case m.state == stateIdle:
		m.state = stateHold
	case m.state == stateRun:
		m.state = stateHold
		m.stop()
	case m.state == stateJog && !m.braking:
		m.cancelJog()
	}
}

func (m *machine) cancelJog() {
	m.jogCancel = true
	m.stop()
}

// stop brakes if there is motion.
func (m *machine) stop() {
	if m.leg != nil && !m.braking {
		m.brake()
	}
}

// door is 0x84. There is no door switch, so the door is shut again at once.
func (m *machine) door() {
	switch m.state {
	case stateAlarm, stateCheck, stateSleep:
	case stateHome:
		m.alarm(alarmHomeDoor)
	default:
		m.print("[MSG:Check Door]\r\n")
		m.state, m.restored, m.jogCancel = stateDoor, time.Time{}, m.state == stateJog || m.jogCancel
		m.stop()
		if m.leg == nil {
			m.braked()
		}
	}
}

// cycleStart is '~'.
func (m *machine) cycleStart() {
	switch {
	case m.braking:
	case m.state == stateHold:
		m.resume()
	case m.state == stateDoor && m.restored.IsZero():
		m.print("[MSG:Restoring spindle]\r\n")
		m.restored = m.clock.Add(doorRestore)
	}
}

// resume goes on with what is queued.
func (m *machine) resume() {
	m.state = stateIdle
	m.startNext()
}

// braked is the end of a hold, a jog cancel, or the stop before a soft limit alarm.
func (m *machine) braked() {
	switch {
	case m.softLimit:
		m.critical(alarmSoftLimit)
	case m.jogCancel:
		m.jogCancel, m.queue, m.gcPos = false, nil, m.mpos
		if m.state == stateJog {
			m.state = stateIdle
		}
	}
}

// arrive ends the leg under way.
func (m *machine) arrive() {
	l := m.leg
	m.leg = nil
	finger := m.truth(along(l.from, l.to, l.reach))
	if l.reach < 1 {
		m.place(l.to, finger)
	} else {
		m.mpos = l.to
	}
	switch {
	case m.braking:
		m.braking = false
		m.braked()
	case m.state != stateHome:
		m.queue = m.queue[1:]
		m.startNext()
	}
}

// startNext begins the first move of the planner, if there is one.
func (m *machine) startNext() {
	for ; len(m.queue) > 0; m.queue = m.queue[1:] {
		if m.startLeg(m.queue[0]) {
			m.state = stateRun
			if m.queue[0].jog {
				m.state = stateJog
			}
			return
		}
	}
	if m.state == stateRun || m.state == stateJog {
		m.state = stateIdle
	}
}

// Override bytes and their ranges.
const (
	ovFeedReset, ovFeedUp10, ovFeedDown10, ovFeedUp1, ovFeedDown1 = 0x90, 0x91, 0x92, 0x93, 0x94
	ovRapid100, ovRapid50, ovRapid25                              = 0x95, 0x96, 0x97
	ovSpinReset, ovSpinUp10, ovSpinDown10, ovSpinUp1, ovSpinDown1 = 0x99, 0x9A, 0x9B, 0x9C, 0x9D

	ovMin, ovMax = 10, 200
)

// overrideBy changes an override; the change is reported at once.
func (m *machine) overrideBy(c byte) {
	o := m.override
	switch c {
	case ovFeedReset:
		o.feed = 100
	case ovFeedUp10:
		o.feed += 10
	case ovFeedDown10:
		o.feed -= 10
	case ovFeedUp1:
		o.feed++
	case ovFeedDown1:
		o.feed--
	case ovRapid100:
		o.rapid = 100
	case ovRapid50:
		o.rapid = 50
	case ovRapid25:
		o.rapid = 25
	case ovSpinReset:
		o.spindle = 100
	case ovSpinUp10:
		o.spindle += 10
	case ovSpinDown10:
		o.spindle -= 10
	case ovSpinUp1:
		o.spindle++
	case ovSpinDown1:
		o.spindle--
	}
	o.feed, o.spindle = min(max(o.feed, ovMin), ovMax), min(max(o.spindle, ovMin), ovMax)
	if o != m.override {
		m.override, m.untilOv = o, 0
	}
}
