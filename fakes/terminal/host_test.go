package terminal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/tdes"
)

// hostPatience is how long the scripted host waits for the terminal to send something that it
// should have sent by now.
const hostPatience = time.Second

// scriptedHost speaks one line of a conversation at a time.
type scriptedHost struct {
	world *world
	codec *iso8583.Codec
	conn  net.Conn
	// dialect and keys are those of the conversation; answered is the operation of the reply that was made
	// last, spoil what is wrong with its MAC.
	dialect        *hosts.Host
	pinKey, macKey []byte
	answered       *hosts.Operation
	spoil          string
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
	if err := h.verify(payload); err != nil {
		return err
	}
	return h.checkMessage(h.request, words)
}

// checkMessage holds a message against words: its MTI, then "PATH=VALUE" ("?" any value, a value ending in * any rest) and "no
// PATH".
func (h *scriptedHost) checkMessage(m iso8583.Message, words []string) error {
	if len(words) == 0 || m.MTI != words[0] {
		return fmt.Errorf("got a %s", m.MTI)
	}
	for i := 1; i < len(words); i++ {
		text, want, _ := strings.Cut(words[i], "=")
		absent := text == "no"
		if absent {
			i++
			text = words[i]
		}
		path, err := h.codec.Path(text)
		if err != nil && absent {
			continue // a field that the dialect has not is in no message
		}
		if err != nil {
			return err
		}
		got, there := h.codec.Get(m, path)
		switch {
		case absent && there:
			return fmt.Errorf("field %s is there", text)
		case absent, want == "?" && there, hosts.Match(want, got):
		default:
			return fmt.Errorf("field %s is %q, not %q", text, got, want)
		}
	}
	return nil
}

// reply is the answer by the books, changed by words: "39=51", "11=000007", "mti=0410", "without 39",
// "header.processing-request=3", "arpc" (a right one), "arpc-wrong"; "keys" (a sign-on's), "keys-wrong". Without "39=…" it approves.
func (h *scriptedHost) reply(words []string) (iso8583.Message, error) {
	m := iso8583.Message{Header: h.codec.ReplyHeader(h.request.Header), MTI: h.request.MTI[:2] + string(h.request.MTI[2]+1) + h.request.MTI[3:], Fields: map[int]string{}}
	original := h.request
	if first, repeat := iso8583.RepeatOf(original.MTI); repeat {
		original.MTI = first
		m.MTI = first[:2] + string(first[2]+1) + first[3:]
	}
	o := h.dialect.Operation(h.codec, original)
	if o == nil {
		return m, fmt.Errorf("the dialect has no such request: %s", h.request.MTI)
	}
	h.answered = o
	for _, n := range o.Echo {
		if v, ok := h.request.Fields[n]; ok {
			m.Fields[n] = v
		}
	}
	m.Fields[39] = h.dialect.Code(o, "approved")
	if o.Name != "sign-on" && o.Name != "settlement" {
		m.Fields[37] = "000000000042"
	}
	for i := 0; i < len(words); i++ {
		name, value, _ := strings.Cut(words[i], "=")
		switch name {
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
		case "keys", "keys-wrong":
			m.Fields[62] = h.newKeys(name == "keys-wrong")
		case "applications", "application", "ca-keys": // as many as fit, one, none
			m.Fields[62] = h.parameters(name)
		case "mac-wrong", "no-mac":
			h.spoil = name
		default:
			path, err := h.codec.Path(name)
			if err == nil {
				err = h.codec.Set(&m, path, value)
			}
			if err != nil {
				return m, err
			}
		}
	}
	return m, nil
}

// parameters is the next packet of a download of the test terminal's parameters.
func (h *scriptedHost) parameters(word string) string {
	applications, keys := testEMV().Parameters().Records()
	all, room := map[string][][]byte{"applications": applications, "application": applications, "ca-keys": keys}[word], 500
	if word == "application" {
		room = 1
	}
	raw, _ := hex.DecodeString(h.request.Fields[62])
	held, err := parameters.Held(raw)
	if err != nil {
		return "" // nothing has changed, for one that doesn't ask
	}
	return fmt.Sprintf("%X", parameters.Next(all, held, room).Encode())
}

// newKeys makes working keys, wrapped under the master key, each with its check value.
func (h *scriptedHost) newKeys(wrong bool) string {
	value := ""
	for i, length := range []int{len(h.dialect.Keys.PIN), len(h.dialect.Keys.MAC)} {
		key := tdes.OddParity(bytes.Repeat([]byte{0x5B, 0x1C, 0x83, byte(0x40 + i)}, length/4))
		cipher, err := tdes.Encrypt(h.dialect.Keys.Master, key)
		if err != nil {
			panic(err)
		}
		check, err := tdes.KCV(key, 4)
		if err != nil {
			panic(err)
		}
		if wrong {
			check[0] ^= 1
		}
		value += fmt.Sprintf("%X%X", cipher, check)
		if i == 0 {
			h.pinKey = key
		} else {
			h.macKey = key
		}
	}
	return value
}

// seal packs an answer, with its MAC where it has one.
func (h *scriptedHost) seal(m iso8583.Message) ([]byte, error) {
	spoil := h.spoil
	h.spoil = ""
	rule := h.dialect.Dialect.MAC
	if rule == nil || h.answered == nil || h.answered.Plain || spoil == "no-mac" {
		return h.codec.Pack(m)
	}
	return h.codec.Seal(m, func(data []byte) ([]byte, error) {
		sum, err := mac.Sum(rule.Algorithm, h.macKey, data)
		if spoil != "" && err == nil {
			sum[3] ^= 1
		}
		return sum, err
	})
}

// verify checks the MAC of a request.
func (h *scriptedHost) verify(payload []byte) error {
	o := h.dialect.Operation(h.codec, unrepeated(h.request))
	if h.dialect.Dialect.MAC == nil || o == nil || o.Plain {
		return nil
	}
	return h.verifyMAC(payload)
}

func (h *scriptedHost) verifyMAC(payload []byte) error {
	rule := h.dialect.Dialect.MAC
	data, given, err := h.codec.MACData(payload)
	if err != nil {
		return err
	}
	return mac.Verify(rule.Algorithm, h.macKey, data, given)
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
	proof, err := emv.IssuerResponse(objects, sk, ac, [2]byte{'0', '0'}, true)
	if err != nil {
		return "", err
	}
	if wrong {
		proof[0] ^= 1
	}
	list := emv.List{{Tag: emv.TagIssuerAuth, Value: proof}}
	return fmt.Sprintf("%X", list.Encode()), nil
}

// send puts a framed message on the wire, at once or a byte every pace.
func (h *scriptedHost) send(m iso8583.Message, pace time.Duration) error {
	payload, err := h.seal(m)
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
