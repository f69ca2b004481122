package chameleon

import "fmt"

// command is a request of the firmware (data_cmd.h); an answer carries the same number.
type command uint16

const (
	cmdVersion     command = 1000 // → major, minor
	cmdSetMode     command = 1001 // 0 emulator, 1 reader
	cmdGetMode     command = 1002 // → mode
	cmdActiveSlot  command = 1003 // slot
	cmdSlotType    command = 1004 // slot, type of 2 bytes
	cmdSlotDefault command = 1005 // slot, type of 2 bytes
	cmdSlotEnable  command = 1006 // slot, sense, 0 or 1
	cmdSave        command = 1009
	cmdReceive     command = 6000 // → the last command APDU, or statusNoTag
	cmdAntiColl    command = 6002 // UID length, UID, ATQA, SAK, ATS length, ATS
	cmdStatic      command = 6003 // command length, command, answer length of 2 bytes, answer; 00 clears
)

func (c command) String() string {
	names := map[command]string{
		cmdVersion: "get version", cmdSetMode: "set mode", cmdGetMode: "get mode", cmdActiveSlot: "set active slot",
		cmdSlotType: "set slot type", cmdSlotDefault: "set slot default", cmdSlotEnable: "enable slot", cmdSave: "save slots",
		cmdReceive: "poll command", cmdAntiColl: "set anticollision", cmdStatic: "set static answer",
	}
	return fmt.Sprintf("command %d (%s)", uint16(c), names[c])
}

// Arguments of the commands.
const (
	modeEmulator byte = 0
	modeReader   byte = 1
	senseHF      byte = 2
	// typeHF14A4 is the slot type of an ISO/IEC 14443-4 card.
	typeHF14A4 uint16 = 3000
)

// status is the firmware's verdict on a request (app_status.h).
type status uint16

const (
	statusNoTag     status = 0x01
	statusParameter status = 0x60
	statusMode      status = 0x66
	statusUnknown   status = 0x67
	statusSuccess   status = 0x68
)

// StatusError is the emulator's refusal of a request.
type StatusError struct {
	Command uint16 // data_cmd.h
	Status  uint16 // app_status.h
}

func (e *StatusError) Error() string {
	what := fmt.Sprintf("emulator refused %v with status %02X", command(e.Command), e.Status)
	switch status(e.Status) {
	case statusParameter:
		return what + ": a parameter is wrong"
	case statusMode:
		return what + ": not in this mode; press no button on the emulator during a run"
	case statusUnknown:
		return what + ": its firmware does not know it; install one of April 2026 or later"
	}
	return what
}
