package terminal

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
)

// answered is a connection to a name server that says what it is told to.
type answered struct {
	net.Conn
	answers io.Reader
}

func (a answered) Write(p []byte) (int, error) { return len(p), nil }
func (a answered) Read(p []byte) (int, error)  { return a.answers.Read(p) }

// Whatever a name server says, the terminal takes no more addresses than it uses, and does not crash.
func FuzzNameAnswer(f *testing.F) {
	question, err := nameQuestion(7, "pos.bank.test")
	if err != nil {
		f.Fatal(err)
	}
	answer := bytes.Clone(question)
	answer[2] |= 0x80 // a response
	f.Add(answer)
	f.Add(question)
	f.Add(append(answer, 0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1))
	f.Add([]byte{0, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(b []byte) error {
			found, err := nameAnswer(b, 7)
			if len(found) > maxNames || err != nil && found != nil {
				t.Errorf("%v, %v", found, err)
			}
			return err
		}
		_ = read(data) // an error is an answer, too
		framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...)
		for _, exchange := range []func(net.Conn, []byte, reading) ([]netip.Addr, error){overStream, overDatagrams} {
			conn := answered{answers: bytes.NewReader(framed)}
			_, _ = exchange(conn, question, func(b []byte) ([]netip.Addr, error) { return nameAnswer(b, 7) }) // it ends
		}
	})
}
