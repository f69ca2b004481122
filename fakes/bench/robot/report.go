package robot

import (
	"fmt"
	"math"
	"strconv"
)

const mmPerInch = 25.4

// How many reports after which WCO and Ov are repeated.
const (
	wcoBusy, wcoIdle = 30, 10
	ovBusy, ovIdle   = 20, 10
)

// coord prints a length as the host wants it, $13.
func (m *machine) coord(b []byte, mm float64) []byte {
	if m.set[inches] != 0 {
		return strconv.AppendFloat(b, mm/mmPerInch, 'f', 4, 64)
	}
	return strconv.AppendFloat(b, mm, 'f', 3, 64)
}

// triple prints a place after a name.
func (m *machine) triple(b []byte, name string, v vector) []byte {
	b = append(b, name...)
	b = append(m.coord(b, v[axisX]), ',')
	b = append(m.coord(b, v[axisY]), ',')
	return m.coord(b, v[axisZ])
}

// rate prints mm/min without decimals.
func (m *machine) rate(b []byte, mmPerMin float64) []byte {
	if m.set[inches] != 0 {
		mmPerMin /= mmPerInch
	}
	return strconv.AppendFloat(b, mmPerMin, 'f', 0, 64)
}

// workOffset is the work coordinate offset: WPos = MPos − WCO.
func (m *machine) workOffset() vector {
	w := m.coords[m.modal.coord]
	for i := range w {
		w[i] += m.g92[i]
	}
	w[axisZ] += m.tlo
	return w
}

// reportStatus is the answer to '?'.
func (m *machine) reportStatus() {
	mpos, speed := m.position()
	for i := range mpos {
		mpos[i] = m.onStep(i, mpos[i])
	}
	b := append(append(m.report[:0], '<'), m.stateName()...)
	if mask := int(m.set[reportMask]); mask&reportMPos != 0 {
		b = m.triple(b, "|MPos:", mpos)
	} else {
		offset := m.workOffset()
		for i := range mpos {
			mpos[i] -= offset[i]
		}
		b = m.triple(b, "|WPos:", mpos)
	}
	if int(m.set[reportMask])&reportSpace != 0 {
		b = fmt.Appendf(b, "|Bf:%d,%d", planBlocks-len(m.queue), m.ringSize()-len(m.ring))
	}
	spindle := 0.0
	if m.modal.spindle != 5 {
		spindle = m.modal.speed
	}
	b = append(m.rate(append(b, "|FS:"...), speed*60), ',')
	b = strconv.AppendFloat(b, spindle, 'f', 0, 64)
	b = m.slowFields(append(b, m.pins()...))
	m.report = append(b, ">\r\n"...)
	m.print(string(m.report))
}

// stateName is the state with its sub-state.
func (m *machine) stateName() string {
	switch {
	case m.state == stateHold && m.braking:
		return "Hold:1"
	case m.state == stateHold:
		return "Hold:0"
	case m.state == stateDoor && !m.restored.IsZero():
		return "Door:3"
	case m.state == stateDoor && m.braking:
		return "Door:2"
	case m.state == stateDoor:
		return "Door:0"
	}
	return string(m.state)
}

// pins names the limit switches that are closed: the finger is at the end of the axis.
func (m *machine) pins() string {
	mpos, _ := m.position()
	finger, names := m.truth(mpos), ""
	for i, name := range "XYZ" {
		if finger[i] <= m.cfg.Motion.Min[i]+edge || finger[i] >= m.cfg.Motion.Max[i]-edge {
			names += string(name)
		}
	}
	if names == "" {
		return ""
	}
	return "|Pn:" + names
}

// slowFields adds the fields that only come now and then: WCO with the first report and
// Ov with the second.
func (m *machine) slowFields(b []byte) []byte {
	wco, ov := wcoIdle, ovIdle
	switch m.state {
	case stateHome, stateRun, stateHold, stateJog, stateDoor:
		wco, ov = wcoBusy, ovBusy
	}
	if m.untilWCO > 0 {
		m.untilWCO--
	} else {
		m.untilWCO = wco - 1
		m.untilOv = max(1, m.untilOv)
		b = m.triple(b, "|WCO:", m.workOffset())
	}
	if m.untilOv > 0 {
		m.untilOv--
		return b
	}
	m.untilOv = ov - 1
	b = fmt.Appendf(b, "|Ov:%d,%d,%d", m.override.feed, m.override.rapid, m.override.spindle)
	accessories := map[int]string{3: "S", 4: "C"}[m.modal.spindle]
	if m.modal.flood {
		accessories += "F"
	}
	if accessories != "" {
		b = append(append(b, "|A:"...), accessories...)
	}
	return b
}

// reportParameters is $#.
func (m *machine) reportParameters() {
	for i, v := range m.coords {
		name := 54 + i
		switch i {
		case coordG28:
			name = 28
		case coordG30:
			name = 30
		}
		m.print(fmt.Sprintf("[G%d:%s]\r\n", name, m.triple(nil, "", v)))
	}
	m.print(fmt.Sprintf("[G92:%s]\r\n", m.triple(nil, "", m.g92)))
	m.print(fmt.Sprintf("[TLO:%s]\r\n", m.coord(nil, m.tlo)))
	m.print(fmt.Sprintf("[PRB:%s:0]\r\n", m.triple(nil, "", vector{})))
}

// reportModes is $G.
func (m *machine) reportModes() {
	g := m.modal
	units, mode, coolant := 21, 90, 9
	if g.inch {
		units = 20
	}
	if g.incremental {
		mode = 91
	}
	if g.flood {
		coolant = 8
	}
	m.print(fmt.Sprintf("[GC:G%d G%d G%d G%d G%d G%d M%d M%d T%d F%s S%.0f]\r\n",
		g.motion, 54+g.coord, g.plane, units, mode, g.feedUnits, g.spindle, coolant, g.tool,
		m.rate(nil, g.feed), math.Trunc(g.speed)))
}

// response is a line's response: ok or error:n.
func response(code int) string {
	if code == 0 {
		return "ok\r\n"
	}
	return "error:" + strconv.Itoa(code) + "\r\n"
}

// print sends text to the host. It is lost when the host has long stopped reading.
func (m *machine) print(text string) {
	if !m.dead && len(m.tx)+len(text) <= txMost {
		from := len(m.tx)
		m.tx = append(m.tx, text...)
		m.garble(m.tx[from:])
	}
}

// garble is Faults.GarbleEvery.
func (m *machine) garble(out []byte) {
	n := m.cfg.Faults.GarbleEvery
	for i := 0; n > 0 && i < len(out); i++ {
		if m.sent++; m.sent%n == 0 {
			out[i] ^= 1
		}
	}
}
