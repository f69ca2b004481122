package robot

import (
	"math"
	"time"
)

// Places in machine.coords after G54–G59.
const (
	coordCount = 6
	coordG28   = 6
	coordG30   = 7
)

// gcode parses and checks a line and gives the stages that carry it out. Nothing changes
// before the first stage runs, so that a line with an error has no effect at all.
func (m *machine) gcode(text string, jog bool) (int, []stage) {
	current := m.modal
	if jog {
		current.motion, current.feedUnits = 1, 94
	}
	b := &m.block
	if code := b.parse(text, current); code != 0 {
		return code, nil
	}
	target, code := m.check(b, jog)
	switch {
	case code != 0:
		return code, nil
	case jog:
		return m.jogTo(b, target)
	}
	return 0, m.plan(b, target)
}

// check does the firmware's error checks in its order, converts to millimetres and gives the
// target in machine coordinates.
func (m *machine) check(b *block, jog bool) (vector, int) {
	if b.anyAxis() && b.axes == axisNone {
		b.axes = axisMotion
	}
	if b.has('N') && b.val('N') > maxLineNumber {
		return vector{}, errLineNumber
	}
	if jog && !b.has('F') {
		return vector{}, errNoFeed
	}
	m.toMillimetres(b)
	if code := m.checkNonModal(b); code != 0 {
		return vector{}, code
	}
	if b.motion == noMotion && b.anyAxis() {
		return vector{}, errAxisUnused
	}
	if b.axes == axisMotion && b.motion == 1 && b.feed == 0 {
		return vector{}, errNoFeed
	}
	if jog {
		if !b.anyAxis() {
			return vector{}, errNoAxis
		}
		b.used("NF")
	} else {
		b.used("NFST")
	}
	target := m.target(b)
	if b.axes != axisNone {
		b.used("XYZ")
	}
	if b.words != 0 {
		return vector{}, errUnused
	}
	return target, 0
}

// toMillimetres converts lengths and takes over the block's feed, speed and tool.
func (m *machine) toMillimetres(b *block) {
	unit := 1.0
	if b.inch {
		unit = mmPerInch
	}
	for _, c := range []byte("XYZF") {
		b.set(c, b.val(c)*unit)
	}
	if b.has('F') {
		b.feed = b.val('F')
	}
	if b.has('S') {
		b.speed = b.val('S')
	}
	if b.has('T') {
		b.tool = int(b.val('T'))
	}
}

// checkNonModal checks the commands of group 0 and the tool length, and marks their words used.
func (m *machine) checkNonModal(b *block) int {
	if b.toolWord == gTool && (b.given != [axisCount]bool{axisZ: true}) {
		return errToolAxis
	}
	switch b.nonModal {
	case gDwell:
		if !b.has('P') {
			return errMissing
		}
		b.used("P")
	case gSetData:
		switch {
		case !b.anyAxis():
			return errNoAxis
		case !b.has('P') || !b.has('L'):
			return errMissing
		case int(b.val('P')) > coordCount:
			return errCoordSystem
		case b.val('L') != 2 && b.val('L') != 20, b.val('L') == 2 && b.has('R'):
			return errUnsupported
		}
		b.used("PL")
	case gOffset:
		if !b.anyAxis() {
			return errNoAxis
		}
	case gMachine:
		if b.motion == noMotion {
			return errG53
		}
	}
	return 0
}

// target is where the block's axis words lead, in machine coordinates.
func (m *machine) target(b *block) vector {
	to := m.gcPos
	for i := range to {
		if !b.given[i] {
			continue
		}
		v := b.val("XYZ"[i])
		switch {
		case b.nonModal == gMachine:
			to[i] = v
		case b.incremental:
			to[i] += v
		default:
			to[i] = v + m.coords[b.coord][i] + m.g92[i]
			if i == axisZ {
				to[i] += m.tlo
			}
		}
	}
	return to
}

// jogTo is a checked $J=.
func (m *machine) jogTo(b *block, target vector) (int, []stage) {
	allowed := uint32(1<<groupDistance | 1<<groupUnits | 1<<groupNonModal)
	if b.groups&^allowed != 0 || b.nonModal != 0 && b.nonModal != gMachine {
		return errJog, nil
	}
	if m.set[softLimits] != 0 && m.outside(target) {
		return errJogTravel, nil
	}
	m.gcPos = target
	return 0, m.enqueue(move{target: target, rate: b.feed, jog: true})
}

// plan turns a checked block into stages, in the firmware's order of execution.
func (m *machine) plan(b *block, target vector) []stage {
	script := m.spare()
	if m.waitsForPlanner(b) {
		script = append(script, stage{ready: (*machine).idlePlanner})
	}
	if b.nonModal == gDwell && m.state != stateCheck {
		script = append(script, stage{delay: m.dwell(b.val('P'))})
	}
	if len(script) == 0 && !b.hasFlow {
		m.modal = b.modal
		return m.act(b, target) // its turn is now
	}
	// No other line is parsed before this one has been carried out.
	script = append(script, stage{do: func(m *machine) {
		m.modal = m.block.modal
		m.before(m.act(&m.block, target))
	}})
	if b.hasFlow {
		script = append(script, stage{ready: (*machine).idlePlanner, do: func(m *machine) { m.endProgram(m.block.flow) }})
	}
	return script
}

// waitsForPlanner says that the command may only take effect when all motion has ended.
func (m *machine) waitsForPlanner(b *block) bool {
	switch b.nonModal {
	case gDwell, gSetData, gSet28, gSet30:
		return true
	}
	return b.spindle != m.modal.spindle || b.flood != m.modal.flood
}

func (m *machine) idlePlanner() bool { return len(m.queue) == 0 && m.leg == nil }

// dwell rounds a pause up to whole steps.
func (m *machine) dwell(wanted float64) time.Duration {
	step := m.cfg.Motion.DwellStep
	if step <= 0 {
		return seconds(wanted)
	}
	// In single precision, as the firmware: 0.05 s is one step and not a hair above it.
	steps := math.Ceil(float64(float32(wanted / step.Seconds())))
	return time.Duration(math.Min(steps, math.MaxUint16)) * step
}

// act carries out everything but dwell and program flow, and gives the moves that follow.
func (m *machine) act(b *block, target vector) []stage {
	if b.toolWord != 0 {
		m.tlo = 0
		if b.toolWord == gTool {
			m.tlo = b.val('Z')
		}
		m.untilWCO = 0
	}
	if b.groups&(1<<groupCoord) != 0 {
		m.untilWCO = 0
	}
	switch b.nonModal {
	case gSetData:
		m.setCoordinates(b)
	case gOffset, gNoShift:
		m.shift(b)
	case gSet28:
		m.coords[coordG28] = m.gcPos
	case gSet30:
		m.coords[coordG30] = m.gcPos
	case gHome28:
		return m.goHome(b, target, m.coords[coordG28])
	case gHome30:
		return m.goHome(b, target, m.coords[coordG30])
	}
	if b.axes != axisMotion || b.motion == noMotion {
		return nil
	}
	m.gcPos = target
	return m.moveTo(move{target: target, rate: b.feed, rapid: b.motion == 0})
}

// setCoordinates is G10 L2 and L20.
func (m *machine) setCoordinates(b *block) {
	system := int(b.val('P')) - 1
	if system < 0 {
		system = b.coord
	}
	for i := range axisCount {
		if !b.given[i] {
			continue
		}
		v := b.val("XYZ"[i])
		if b.val('L') == 20 {
			v = m.gcPos[i] - m.g92[i] - v
			if i == axisZ {
				v -= m.tlo
			}
		}
		m.coords[system][i] = v
	}
	m.untilWCO = 0
}

// shift is G92 and G92.1.
func (m *machine) shift(b *block) {
	if b.nonModal == gNoShift {
		m.g92 = vector{}
	} else {
		for i := range axisCount {
			if b.given[i] {
				m.g92[i] = m.gcPos[i] - m.coords[b.coord][i] - b.val("XYZ"[i])
				if i == axisZ {
					m.g92[i] -= m.tlo
				}
			}
		}
	}
	m.untilWCO = 0
}

// goHome is G28 and G30: by way of the target to the stored place, only in the axes named.
func (m *machine) goHome(b *block, target, stored vector) []stage {
	var script []stage
	if b.anyAxis() {
		for i := range stored {
			if !b.given[i] {
				stored[i] = m.gcPos[i]
			}
		}
		script = m.moveTo(move{target: target, rapid: true})
	}
	m.gcPos = stored
	if len(script) == 0 {
		return m.moveTo(move{target: stored, rapid: true})
	}
	return append(script, m.inTurn(move{target: stored, rapid: true})...)
}

// moveTo is a straight move: soft limits first, then a place in the planner. What needs no waiting is done at once.
func (m *machine) moveTo(b move) []stage {
	within := m.set[softLimits] == 0 || !m.outside(b.target)
	if within && m.state != stateCheck && len(m.script) == 0 && m.room() {
		m.admit(b)
		return nil
	}
	return m.inTurn(b)
}

// inTurn is moveTo after what is still to be done.
func (m *machine) inTurn(b move) []stage {
	check := stage{do: func(m *machine) {
		if m.set[softLimits] != 0 && m.outside(b.target) {
			m.exceed()
		}
	}}
	if m.state == stateCheck {
		return []stage{check}
	}
	return append([]stage{check}, m.enqueue(b)...)
}

// exceed is a target beyond the soft limits: a controlled stop, then the alarm.
func (m *machine) exceed() {
	if m.leg == nil {
		m.critical(alarmSoftLimit)
		return
	}
	m.softLimit, m.state = true, stateHold
	m.stop()
}

// outside says whether a target is beyond the soft limits.
func (m *machine) outside(target vector) bool {
	for i, v := range target {
		if top := m.cfg.Motion.Max[i]; v > top || v < top-m.set[travel0+i] {
			return true
		}
	}
	return false
}

// enqueue waits for room in the planner, then adds the move; it begins at once if nothing moves.
func (m *machine) enqueue(b move) []stage {
	return []stage{{ready: (*machine).room, do: func(m *machine) { m.admit(b) }}}
}

// room says that the planner takes a move.
func (m *machine) room() bool { return len(m.queue) < planBlocks }

// admit gives a move its place in the planner.
func (m *machine) admit(b move) {
	for i := range b.target {
		b.target[i] = m.onStep(i, b.target[i])
	}
	last := m.mpos
	if n := len(m.queue); n > 0 {
		last = m.queue[n-1].target
	}
	if b.target == last {
		return // nothing to do, no block
	}
	m.queue = append(m.queue, b)
	if m.leg == nil {
		m.startNext()
	}
}

// endProgram is M0, which holds, and M2 and M30, which put some modes back.
func (m *machine) endProgram(flow int) {
	if flow == 0 {
		if m.state != stateCheck {
			m.state = stateHold
		}
		return
	}
	m.modal.motion, m.modal.plane, m.modal.incremental, m.modal.feedUnits = 1, 17, false, 94
	m.modal.coord, m.modal.spindle, m.modal.flood = 0, 5, false
	m.untilWCO = 0
	m.print("[MSG:Pgm End]\r\n")
}
