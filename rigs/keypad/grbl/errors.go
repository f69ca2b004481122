package grbl

import (
	"errors"
	"fmt"
)

// Errors of a Driver. They come inside an *rigs.Error; use errors.Is.
var (
	// ErrNotHomed: the position is not known. Call Home.
	ErrNotHomed = errors.New("re-home needed")
	// ErrMaybePressed: the key may or may not have been pushed; it must not be pressed again
	// in the same transaction.
	ErrMaybePressed = errors.New("the key may or may not have been pressed")
	// ErrHomingDisabled: the controller has no homing cycle.
	ErrHomingDisabled = errors.New("homing is disabled on the controller: fit limit switches and set $22=1")
	// ErrRestarted: the controller restarted by itself: a power cut, or a reset from outside.
	ErrRestarted = errors.New("the controller restarted unasked")
	// ErrHalted: the call was ended by Halt.
	ErrHalted = errors.New("stopped by Halt")
	// ErrOutOfStep: an answer came that no line asked for, or none came; a reset is needed.
	ErrOutOfStep = errors.New("answers are out of step with the lines sent")
	// ErrPosition: the controller says that the finger is not where it was sent.
	ErrPosition = errors.New("the finger is not where it was sent")
)

// AlarmError is ALARM:N. The position is lost; only Home ends it.
type AlarmError struct {
	Code  int
	fluid bool // FluidNC counts on where GRBL ends, and has another 10
}

func (e *AlarmError) Error() string {
	if text, differs := fluidAlarms[e.Code]; e.fluid && differs {
		return fmt.Sprintf("ALARM:%d (%s)", e.Code, text)
	}
	return fmt.Sprintf("ALARM:%d (%s)", e.Code, meaning(alarmMeanings, e.Code))
}

// RefusedError is error:N in answer to a line; nothing was carried out. It does not quote the
// line, whose coordinates would tell the key.
type RefusedError struct{ Code int }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("error:%d (%s)", e.Code, meaning(errorMeanings, e.Code))
}

func meaning(table map[int]string, code int) string {
	if text, known := table[code]; known {
		return text
	}
	return "not in the list of GRBL 1.1"
}

// alarmMeanings is grbl 1.1 doc/csv/alarm_codes_en_US.csv in short, with what to do where it is
// not simply to home again.
var alarmMeanings = map[int]string{
	1: "hard limit switch hit: look what stood in the way", 2: "target outside the soft limits: check the keypad's origin",
	3: "reset while moving", 4: "probe not in its initial state", 5: "probe made no contact", 6: "reset during homing",
	7: "door opened during homing", 8: "homing could not leave the switch: is it stuck? raise $27",
	9: "homing found no switch: check its wiring, $5, and that $130 to $132 span the axes", 10: "homing of a dual axis failed",
}

// fluidAlarms are those of FluidNC (ExecAlarm in its sources) that GRBL has not, or has otherwise.
var fluidAlarms = map[int]string{
	10: "spindle control failed", 11: "a control or limit input is active at the start: release it",
	12: "homing found two switches of one axis closed", 13: "hard stop", 14: "not homed yet",
	15: "starting up", 16: "an expander was reset", 17: "bad G-code in a stored program", 18: "limit switch hit while probing",
}

// errorMeanings is grbl 1.1 doc/csv/error_codes_en_US.csv in short.
var errorMeanings = map[int]string{
	1: "expected a command letter", 2: "bad number", 3: "unknown $ command", 4: "negative value", 5: "homing is not enabled",
	6: "step pulse shorter than 3 µs", 7: "EEPROM read failed: its settings are back at their defaults", 8: "not idle",
	9: "locked by an alarm", 10: "soft limits need homing", 11: "line too long", 12: "step rate too high",
	13: "safety door open", 14: "startup line too long", 15: "jog target outside the travel", 16: "bad jog command",
	17: "laser mode needs PWM", 20: "unsupported G-code", 21: "two words of one modal group", 22: "no feed rate",
	23: "value must be whole", 24: "two commands want the axis words", 25: "word given twice", 26: "no axis word",
	27: "bad line number", 28: "missing value", 29: "work coordinate system beyond G59", 30: "G53 needs G0 or G1",
	31: "axis words without use", 32: "arc without axis word in its plane", 33: "arc target can't be reached",
	34: "arc radius error", 35: "arc without offset in its plane", 36: "unused words", 37: "tool offset on the wrong axis",
	38: "tool number too high",
}
