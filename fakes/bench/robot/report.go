package robot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const mmPerInch = 25.4

// How many reports after which WCO and Ov are repeated.
const (
	wcoBusy, wcoIdle = 30, 10
	ovBusy, ovIdle   = 20, 10
)

// coord prints a length as the host wants it, $13.
func (m *machine) coord(mm float64) string {
	if m.set[inches] != 0 {
		return strconv.FormatFloat(mm/mmPerInch, 'f', 4, 64)
	}
	return strconv.FormatFloat(mm, 'f', 3, 64)
}

func (m *machine) triple(v vector) string {
	return m.coord(v[axisX]) + "," + m.coord(v[axisY]) + "," + m.coord(v[axisZ])
}

// rate prints mm/min without decimals.
func (m *machine) rate(mmPerMin float64) string {
	if m.set[inches] != 0 {
		mmPerMin /= mmPerInch
	}
	return strconv.FormatFloat(mmPerMin, 'f', 0, 64)
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
	var b strings.Builder
	mpos, speed := m.position()
	for i := range mpos {
		mpos[i] = m.onStep(i, mpos[i])
	}
	b.WriteString("<" + m.stateName())
	if mask := int(m.set[reportMask]); mask&reportMPos != 0 {
		b.WriteString("|MPos:" + m.triple(mpos))
	} else {
		offset := m.workOffset()
		for i := range mpos {
			mpos[i] -= offset[i]
		}
		b.WriteString("|WPos:" + m.triple(mpos))
	}
	if int(m.set[reportMask])&reportSpace != 0 {
		fmt.Fprintf(&b, "|Bf:%d,%d", planBlocks-len(m.queue), m.ringSize()-len(m.ring))
	}
	spindle := 0.0
	if m.modal.spindle != 5 {
		spindle = m.modal.speed
	}
	b.WriteString("|FS:" + m.rate(speed*60) + "," + strconv.FormatFloat(spindle, 'f', 0, 64))
	b.WriteString(m.pins())
	m.reportSlowFields(&b)
	m.print(b.String() + ">\r\n")
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

// reportSlowFields adds the fields that only come now and then: WCO with the first report and
// Ov with the second.
func (m *machine) reportSlowFields(b *strings.Builder) {
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
		b.WriteString("|WCO:" + m.triple(m.workOffset()))
	}
	if m.untilOv > 0 {
		m.untilOv--
		return
	}
	m.untilOv = ov - 1
	fmt.Fprintf(b, "|Ov:%d,%d,%d", m.override.feed, m.override.rapid, m.override.spindle)
	accessories := map[int]string{3: "S", 4: "C"}[m.modal.spindle]
	if m.modal.flood {
		accessories += "F"
	}
	if accessories != "" {
		b.WriteString("|A:" + accessories)
	}
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
		m.print(fmt.Sprintf("[G%d:%s]\r\n", name, m.triple(v)))
	}
	m.print("[G92:" + m.triple(m.g92) + "]\r\n")
	m.print("[TLO:" + m.coord(m.tlo) + "]\r\n")
	m.print("[PRB:" + m.triple(vector{}) + ":0]\r\n")
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
		m.rate(g.feed), math.Trunc(g.speed)))
}
