package marlin

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// execute carries out one line; what takes time becomes a wait of the current task.
func (r *Robot) execute(text string) {
	word, rest, _ := strings.Cut(text, " ")
	args := parse(rest)
	switch word {
	case "G0", "G1":
		r.goTo(args, args)
	case "G4":
		r.current.drain, r.current.wait = true, time.Duration(args['P']*float64(time.Millisecond))
	case "G28":
		r.home(rest)
	case "G21", "G90", "M110":
	case "M84":
		if s, given := args['S']; given {
			r.timeout = time.Duration(s * float64(time.Second))
		} else {
			r.letGo(r.clock)
		}
	case "M400":
		r.current.drain = true
	case "M410":
		r.quickStop(r.clock)
	case "M114":
		r.say(r.placeReport())
	case "M115", "M119", "M211", "M503":
		r.about(word)
	default:
		r.say(fmt.Sprintf("echo:Unknown command: %q", text))
	}
}

func parse(text string) map[byte]float64 {
	args := map[byte]float64{}
	for _, word := range strings.Fields(text) {
		if v, err := strconv.ParseFloat(word[1:], 64); err == nil {
			args[word[0]] = v
		}
	}
	return args
}

func mm(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

func (r *Robot) placeReport() string {
	p := r.mpos
	return fmt.Sprintf("X:%s Y:%s Z:%s E:0.00 Count X:%.0f Y:%.0f Z:%.0f", mm(p[0]), mm(p[1]), mm(p[2]), 80*p[0], 80*p[1], 400*p[2])
}

// goTo is G0 and G1: a target outside the axes is clipped without a word.
func (r *Robot) goTo(args, feed map[byte]float64) {
	if r.homed != (vector{1, 1, 1}) {
		r.say("echo:Home XYZ First")
		return
	}
	if len(r.moves) >= plannerSize {
		r.current.drain, r.current.after = true, func() { r.goTo(args, feed) }
		return
	}
	to := r.mpos
	for i, axis := range []byte("XYZ") {
		if v, given := args[axis]; given {
			to[i] = min(max(0, v), r.cfg.Motion.Box[i])
		}
	}
	if to == r.mpos {
		return
	}
	speed := math.Inf(1)
	if f, given := feed['F']; given && f > 0 {
		speed = f / 60
	}
	v := newMove(r.mpos, to, speed, r.cfg.Motion)
	if len(r.moves) == 0 {
		v.begin(r.clock.Add(r.cfg.Motion.FirstMove))
	}
	r.moves, r.mpos, r.powered = append(r.moves, v), to, true
}

// home is G28: X and Y to their lower end, Z to its upper one.
func (r *Robot) home(axes string) {
	if r.cfg.Faults.NoSwitch {
		r.current.wait, r.current.after = r.homingTime(r.cfg.Motion.Box[2]), func() {
			r.say("Error:Homing Failed")
			r.kill()
		}
		return
	}
	place, target, far := r.truth(r.mpos), vector{0, 0, r.cfg.Motion.Box[2]}, 0.0
	var homed []int
	for i, axis := range "XYZ" {
		if strings.TrimSpace(axes) == "" || strings.ContainsRune(axes, axis) {
			far = max(far, math.Abs(place[i]-target[i]))
			homed = append(homed, i)
		}
	}
	down := place[2] <= r.plane()
	r.powered = true
	r.current.wait, r.current.after = r.homingTime(far), func() {
		for _, i := range homed {
			r.homed[i], r.mpos[i], r.offset[i] = 1, target[i], 0
		}
		if down && r.homed[2] == 1 {
			r.touch(place, false, r.clock)
		}
		r.rested = r.clock
		r.say(r.placeReport())
	}
}

// homingTime is the way to the switch, and a second, slower touch.
func (r *Robot) homingTime(mm float64) time.Duration {
	const bump = 5 // mm there and back
	return time.Duration((mm + 3*bump) / r.cfg.Motion.HomingRate * float64(time.Second))
}

// about answers the questions of a driver that wants to know the machine.
func (r *Robot) about(word string) {
	m := r.cfg.Motion
	lines := map[string][]string{
		"M115": {
			"FIRMWARE_NAME:Marlin 2.1.2.4 (Jul 18 2024) SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:Finger EXTRUDER_COUNT:1",
			"Cap:SERIAL_XON_XOFF:0", "Cap:EMERGENCY_PARSER:" + map[bool]string{true: "0", false: "1"}[r.cfg.Faults.NoEmergency],
		},
		"M119": {"Reporting endstop status", "x_min: open", "y_min: open", "z_max: open"},
		"M211": {"echo:Soft endstops: On  Min:  X0.00 Y0.00 Z0.00   Max:  X" + mm(m.Box[0]) + " Y" + mm(m.Box[1]) + " Z" + mm(m.Box[2])},
		"M503": {
			"echo:; Linear Units:", "echo:  G21 ; (mm)", "echo:; Maximum feedrates (units/s):",
			fmt.Sprintf("echo:  M203 X%s Y%s Z%s E25.00", mm(m.Rate[0]), mm(m.Rate[1]), mm(m.Rate[2])),
			"echo:; Maximum Acceleration (units/s2):",
			fmt.Sprintf("echo:  M201 X%s Y%s Z%s E10000.00", mm(m.Accel[0]), mm(m.Accel[1]), mm(m.Accel[2])),
			"echo:; Acceleration (units/s2) (P<print-accel> R<retract-accel> T<travel-accel>):",
			fmt.Sprintf("echo:  M204 P%s R3000.00 T%s", mm(m.Accel[0]), mm(m.Accel[0])),
		},
	}[word]
	if word == "M119" && r.cfg.Faults.ZMinOnly {
		lines[3] = "z_min: open"
	}
	for _, text := range lines {
		r.say(text)
	}
}
