package marlin

import "errors"

// Errors of a Driver. They come inside an *rigs.Error; use errors.Is.
var (
	// ErrNotHomed: the position is not known. Call Home.
	ErrNotHomed = errors.New("re-home needed")
	// ErrMaybePressed: the key may or may not have been pushed; it must not be pressed again
	// in the same transaction.
	ErrMaybePressed = errors.New("the key may or may not have been pressed")
	// ErrHomesDown: Z has only a switch at its lower end, where the keys are.
	ErrHomesDown = errors.New("the machine homes Z downwards, onto the keys: fit a switch at the upper end and build Marlin with Z_HOME_DIR 1")
	// ErrKilled: the firmware has halted itself.
	ErrKilled = errors.New("the controller has halted itself (kill): remove the cause, then press its reset button")
	// ErrRefused: the controller does not do what it was told.
	ErrRefused = errors.New("the controller refused")
	// ErrEndstop: a switch was hit on the way.
	ErrEndstop = errors.New("an endstop was hit on the way: look what stood in the way, and check the keypad's origin")
	// ErrWaits: the firmware waits for a person at its own screen.
	ErrWaits = errors.New("the controller waits for a person at its screen: answer there")
	// ErrRestarted: the controller restarted by itself: a power cut, or a reset from outside.
	ErrRestarted = errors.New("the controller restarted unasked")
	// ErrHalted: the call was ended by Halt.
	ErrHalted = errors.New("stopped by Halt")
	// ErrOutOfStep: an answer came that no line asked for, or none came.
	ErrOutOfStep = errors.New("answers are out of step with the lines sent")
	// ErrPosition: the controller says that the finger is not where it was sent.
	ErrPosition = errors.New("the finger is not where it was sent: outside the soft endstops (M211), or steps were lost")
	// ErrNoise: a line was garbled on its way to the controller, too often or where it must not be sent again.
	ErrNoise = errors.New("a line arrived garbled at the controller: check cable and baud rate")
)
