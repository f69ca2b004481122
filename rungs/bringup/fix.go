package bringup

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// Fix says what to do about an error of an instrument, in words for somebody with a screwdriver; "" where
// the error says it itself.
func Fix(instrument string, l rigs.Line, err error) string {
	var alarm *grbl.AlarmError
	switch {
	case err == nil, errors.As(err, new(*calibration.ExpiredError)), errors.Is(err, grbl.ErrHomingDisabled), errors.Is(err, human.ErrNobody):
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "nothing is at " + l.String() + ": plug it in, and look with `assay rigs discover` what it is called"
	case errors.Is(err, fs.ErrPermission) || strings.Contains(strings.ToLower(err.Error()), "permission denied"):
		return "you may not use the device: join its group (sudo usermod -aG dialout $USER) and log in again"
	case errors.Is(err, serial.ErrInUse):
		return "another program has the device: end it, or wait"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another run: end it, or choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: use 0.0.0.0 and the port"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there: is the instrument on, are address and port right?"
	case errors.As(err, &alarm):
		return alarmFix(alarm.Code)
	case errors.Is(err, rigs.ErrLost):
		return "the line ended: look at the cable, the hub and the instrument's supply"
	case errors.Is(err, rigs.ErrNoAnswer):
		return fmt.Sprintf("nothing answers as the driver %s expects: is it on, is it the right port (`assay rigs discover`), is the baud rate right?", l.Driver)
	}
	return "see the README of the driver " + l.Driver
}

// alarmFix says what to do about an alarm of GRBL.
func alarmFix(code int) string {
	switch code {
	case 1:
		return "a limit switch was hit: look what is in the way, free the axis by hand, then run this again"
	case 2:
		return "the place lies outside the machine's travel: correct origin in the rig file or teach it (`assay rigs calibrate`), and look at $130 to $132"
	case 3, 6:
		return "the machine was stopped in motion: run this again; it homes first"
	case 7:
		return "the safety door is open: close it, or see to its input"
	case 8, 9:
		return "homing found no switch, or did not get off it: look at the switches' wiring ($5), the directions ($3, $23) and the travel ($130 to $132)"
	}
	return "see the alarm's meaning in the controller's manual"
}
