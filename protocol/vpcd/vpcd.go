// Package vpcd speaks the protocol between a card in software and vpcd, the virtual smart card reader of the vsmartcard project,
// which a PC/SC stack takes for a real one (frankmorgner/vsmartcard, virtualsmartcard/src/vpcd: vpcd.h, vpcd.c; doc/api.txt).
// vpcd listens, the card connects; the end of the connection is the card's removal.
//
// A message is its length in two bytes, the greater one first, and so many bytes. From the reader, one byte is control:
//
//	00  power off       no answer
//	01  power on        no answer
//	02  reset           no answer
//	04  answer to reset wanted: the card sends it; vpcd asks several times a second, to see whether a card is there
//
// Anything longer is a command APDU (ISO/IEC 7816-4), and the card sends the response APDU. An empty message is the answer of a
// card that is mute.
package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Address is where vpcd listens by default.
const Address = "127.0.0.1:35963"

// Control is a message of one byte from the reader.
type Control byte

// What a reader wants of a card.
const (
	PowerOff Control = 0x00
	PowerOn  Control = 0x01
	Reset    Control = 0x02
	GetATR   Control = 0x04
)

const (
	headerSize = 2
	// MaxCommand is the longest message that is taken: an extended command APDU would be longer, and the cards know short ones only.
	MaxCommand = 4096
	maxMessage = 0xFFFF
)

var (
	// ErrControl is a control byte that is none.
	ErrControl = errors.New("vpcd: unknown control byte")
	// ErrLength is a message that is empty or too long.
	ErrLength = errors.New("vpcd: message is empty or too long")
	// ErrGone means that the reader has closed the connection.
	ErrGone = errors.New("vpcd: the reader has closed the connection")
)

// Chip is a card as it is plugged in.
type Chip interface {
	// ATR is the answer to reset; empty for a mute chip.
	ATR() []byte
	// Reset starts the card anew.
	Reset()
	// Transmit answers a command APDU; nil is no answer.
	Transmit(command []byte) []byte
}

// Read reads one message of a reader. Errors: ErrLength, io.EOF before a message, io.ErrUnexpectedEOF in it, those of r.
func Read(r io.Reader) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(header[:]))
	if n == 0 || n > MaxCommand {
		return nil, ErrLength
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(r, message); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return message, nil
}

// Write sends one message; it may be empty. Errors: ErrLength, those of w.
func Write(w io.Writer, message []byte) error {
	if len(message) > maxMessage {
		return ErrLength
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, headerSize+len(message)), uint16(len(message))), message...))
	return err
}

// Serve is the card's side of a connection, until ctx ends, which pulls the card and is no error, or the reader goes: ErrGone. It
// closes the connection. Other errors: ErrControl, ErrLength, those of the connection.
func Serve(ctx context.Context, conn net.Conn, chip Chip) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	err := serve(conn, chip)
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, io.EOF):
		return ErrGone
	}
	return err
}

func serve(conn io.ReadWriter, chip Chip) error {
	chip.Reset()
	atr := chip.ATR()
	for {
		message, err := Read(conn)
		if err != nil {
			return err
		}
		if len(message) > 1 {
			if err := Write(conn, chip.Transmit(message)); err != nil {
				return err
			}
			continue
		}
		switch control := Control(message[0]); control {
		case PowerOff:
			chip.Reset()
		case PowerOn, Reset:
			chip.Reset()
			atr = chip.ATR()
		case GetATR:
			if err := Write(conn, atr); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w %02X", ErrControl, byte(control))
		}
	}
}
