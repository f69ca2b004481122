package terminal_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// hostPatience is how long the scripted host waits for the terminal to send something that it
// should have sent by now.
const hostPatience = time.Second

// scriptedHost speaks one line of a conversation at a time.
type scriptedHost struct {
	world *world
	codec *iso8583.Codec
	conn  net.Conn
	// request is the last message read.
	request iso8583.Message
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// expects reads the next message: "0200 4=000000001250 48=? no 55".
func (h *scriptedHost) expects(words []string) error {
	select {
	case h.conn = <-h.world.accepted:
	case <-time.After(hostPatience):
		if h.conn == nil {
			return errors.New("the terminal did not connect")
		}
	}
	if err := h.conn.SetReadDeadline(time.Now().Add(hostPatience)); err != nil {
		return err
	}
	payload, err := h.codec.Dialect().Framing.ReadFrame(h.conn)
	if err != nil {
		return fmt.Errorf("no message came: %w", err)
	}
	if h.request, err = h.codec.Unpack(payload); err != nil {
		return err
	}
	return checkMessage(h.request, words)
}

func checkMessage(m iso8583.Message, words []string) error {
	if len(words) == 0 || m.MTI != words[0] {
		return fmt.Errorf("got a %s", m.MTI)
	}
	for i := 1; i < len(words); i++ {
		if words[i] == "no" {
			i++
			if n, _ := strconv.Atoi(words[i]); m.Fields[n] != "" {
				return fmt.Errorf("field %d is there", n)
			}
			continue
		}
		number, want, _ := strings.Cut(words[i], "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		if got := m.Fields[n]; got != want && (want != "?" || got == "") {
			return fmt.Errorf("field %d is %q, not %q", n, got, want)
		}
	}
	return nil
}

// reply is the answer by the books, changed by words: "39=51", "11=000007", "mti=0410", "without 39",
// "arpc" (a right one), "arpc-wrong".
func (h *scriptedHost) reply(words []string) (iso8583.Message, error) {
	m := iso8583.Message{MTI: h.request.MTI[:2] + "1" + h.request.MTI[3:], Fields: map[int]string{}}
	for _, n := range []int{3, 4, 7, 11, 12, 13, 41, 42, 49, 60, 70} {
		if v, ok := h.request.Fields[n]; ok {
			m.Fields[n] = v
		}
	}
	if m.MTI == "0210" {
		m.Fields[37] = "000000000042"
	}
	for i := 0; i < len(words); i++ {
		switch name, value, _ := strings.Cut(words[i], "="); name {
		case "mti":
			m.MTI = value
		case "without":
			i++
			n, _ := strconv.Atoi(words[i])
			delete(m.Fields, n)
		case "arpc", "arpc-wrong":
			proof, err := h.arpc(name == "arpc-wrong")
			if err != nil {
				return m, err
			}
			m.Fields[55] = proof
		default:
			n, err := strconv.Atoi(name)
			if err != nil {
				return m, err
			}
			m.Fields[n] = value
		}
	}
	return m, nil
}

// arpc checks the request's cryptogram and proves the issuer, field 55.
func (h *scriptedHost) arpc(wrong bool) (string, error) {
	objects, err := emv.Parse(unhex(h.request.Fields[55]))
	if err != nil {
		return "", err
	}
	sequence := strings.TrimPrefix(h.request.Fields[23], "0") // DE23 has a digit more than the card
	sk, ac, err := emv.VerifyARQC(testMasterKey(), h.request.Fields[2], sequence, objects)
	if err != nil {
		return "", err
	}
	proof, err := emv.ResponseCryptogram(sk, ac, [2]byte{'0', '0'})
	if err != nil {
		return "", err
	}
	if wrong {
		proof[0] ^= 1
	}
	list := emv.List{{Tag: emv.TagIssuerAuth, Value: append(proof[:], "00"...)}}
	return fmt.Sprintf("%X", list.Encode()), nil
}

// send puts a framed message on the wire, at once or a byte every pace.
func (h *scriptedHost) send(m iso8583.Message, pace time.Duration) error {
	payload, err := h.codec.Pack(m)
	if err != nil {
		return err
	}
	frame, err := h.codec.Dialect().Framing.AppendFrame(nil, payload)
	if err != nil {
		return err
	}
	if pace == 0 {
		return h.write(frame)
	}
	for _, b := range frame {
		<-time.After(pace)
		if err := h.write([]byte{b}); err != nil {
			return nil // the terminal had enough, as it should
		}
	}
	return nil
}

func (h *scriptedHost) write(b []byte) error {
	if h.conn == nil {
		return errors.New("nobody is connected")
	}
	if err := h.conn.SetWriteDeadline(time.Now().Add(hostPatience)); err != nil {
		return err
	}
	_, err := h.conn.Write(b)
	return err
}

// connected says whether the terminal has its end of the last connection still open.
func (h *scriptedHost) connected() (bool, error) {
	if h.conn == nil {
		return false, nil
	}
	// A net.Pipe whose other end is closed refuses even the deadline.
	if err := h.conn.SetReadDeadline(time.Now().Add(hostPatience)); err != nil {
		return false, nil
	}
	switch _, err := h.conn.Read(make([]byte, 1)); {
	case errors.Is(err, io.EOF):
		return false, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return true, nil
	default:
		return false, fmt.Errorf("unexpected on the connection: %w", err)
	}
}

// books is a host that keeps its own accounts: what it charged and has not reversed.
type books map[string]string // STAN → amount

// process answers one request by the books.
func (b books) process(request iso8583.Message) iso8583.Message {
	h := &scriptedHost{request: request}
	reply, err := h.reply([]string{"39=00", "38=A00001", "arpc"})
	if err != nil { // no chip, or a wrong cryptogram: no proof, so that the card decides
		reply, _ = h.reply([]string{"39=00"})
	}
	switch request.MTI {
	case "0200":
		b[request.Fields[11]] = request.Fields[4]
	case "0400":
		delete(b, request.Fields[11])
	case "0500":
		count, sum := 0, int64(0)
		for stan := range maps.Keys(b) {
			amount, _ := strconv.ParseInt(b[stan], 10, 64)
			count, sum = count+1, sum+amount
		}
		reply.Fields[66] = "2"
		if request.Fields[76] == fmt.Sprintf("%010d", count) && request.Fields[88] == fmt.Sprintf("%016d", sum) {
			reply.Fields[66] = "1"
			clear(b)
		}
	}
	return reply
}
