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
type AlarmError struct{ Code int }

func (e *AlarmError) Error() string {
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

// alarmMeanings is grbl 1.1 doc/csv/alarm_codes_en_US.csv in short.
var alarmMeanings = map[int]string{
	1: "hard limit switch hit", 2: "target outside the soft limits", 3: "reset while moving",
	4: "probe not in its initial state", 5: "probe made no contact", 6: "reset during homing",
	7: "door opened during homing", 8: "homing could not leave the switch",
	9: "homing found no switch", 10: "homing of a dual axis failed",
}

// errorMeanings is grbl 1.1 doc/csv/error_codes_en_US.csv in short, as far as this driver can cause them.
var errorMeanings = map[int]string{
	1: "expected a command letter", 2: "bad number", 3: "unknown $ command", 5: "homing is not enabled",
	7: "EEPROM read failed", 8: "not idle", 9: "locked by an alarm", 10: "soft limits need homing",
	11: "line too long", 13: "safety door open", 20: "unsupported G-code", 21: "two words of one modal group",
	22: "no feed rate", 26: "no axis word", 28: "missing value", 30: "G53 needs G0 or G1", 36: "unused words",
}
