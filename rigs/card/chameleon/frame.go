package chameleon

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The frame of the firmware (utils/netdata.h): start and its LRC, command, status and length
// big-endian, the LRC of these nine bytes less the first sum, data, the LRC of the data.
const (
	frameStart = 0x11
	startLRC   = 0xEF
	headerSize = 9
	// maxData is the most data bytes of a frame.
	maxData = 4096
	// maxFrame is the longest frame.
	maxFrame = headerSize + maxData + 1
)

// frame is one message; status is 0 in requests.
type frame struct {
	command command
	status  status
	data    []byte
}

// ErrTooLong is returned for data that do not go into one frame.
var ErrTooLong = errors.New("data longer than a frame")

// lrc is the two's complement of the sum of all bytes.
func lrc(b []byte) byte {
	var sum byte
	for _, c := range b {
		sum += c
	}
	return -sum
}

// encode gives the frame's bytes. Error: ErrTooLong.
func (f frame) encode() ([]byte, error) {
	if len(f.data) > maxData {
		return nil, fmt.Errorf("%v: %d bytes: %w", f.command, len(f.data), ErrTooLong)
	}
	b := make([]byte, 0, headerSize+len(f.data)+1)
	b = append(b, frameStart, startLRC)
	b = binary.BigEndian.AppendUint16(b, uint16(f.command))
	b = binary.BigEndian.AppendUint16(b, uint16(f.status))
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.data)))
	b = append(b, lrc(b))
	b = append(b, f.data...)
	return append(b, lrc(f.data)), nil
}

// parser finds frames in what comes in. What is no frame is skipped byte by byte, so that a frame
// behind garbage is found. Its memory is bounded by one frame.
type parser struct {
	buf     []byte
	skipped int // bytes that were part of no frame
}

// feed takes what came in and returns the frames that are complete now.
func (p *parser) feed(chunk []byte) []frame {
	var frames []frame
	for _, c := range chunk {
		p.buf = append(p.buf, c)
		for len(p.buf) > 0 {
			f, done, ok := parseFrame(p.buf)
			if !ok {
				p.buf = p.buf[1:]
				p.skipped++
				continue
			}
			if done {
				frames = append(frames, f)
				p.buf = nil
			}
			break
		}
	}
	return frames
}

// forget drops an unfinished frame.
func (p *parser) forget() {
	p.skipped += len(p.buf)
	p.buf = nil
}

// parseFrame looks at the beginning of a frame: not ok when it can't be one, done when it is all there.
func parseFrame(b []byte) (f frame, done, ok bool) {
	if b[0] != frameStart || len(b) > 1 && b[1] != startLRC {
		return frame{}, false, false
	}
	if len(b) < headerSize {
		return frame{}, false, true
	}
	length := int(binary.BigEndian.Uint16(b[6:]))
	if b[8] != lrc(b[:8]) || length > maxData {
		return frame{}, false, false
	}
	if len(b) < headerSize+length+1 {
		return frame{}, false, true
	}
	data := b[headerSize : headerSize+length]
	if b[headerSize+length] != lrc(data) {
		return frame{}, false, false
	}
	return frame{
		command: command(binary.BigEndian.Uint16(b[2:])),
		status:  status(binary.BigEndian.Uint16(b[4:])),
		data:    append([]byte(nil), data...),
	}, true, true
}
