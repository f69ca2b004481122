package network_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reset that comes together with the bytes before it is passed on, although nobody says anything any more.
func TestResetRightBehindAMessage(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	for range 300 {
		terminal, host := w.connect(t)
		send(t, terminal, request)
		_ = terminal.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = terminal.Close()
		_ = host.SetDeadline(time.Now().Add(patience))
		// Whether the message still came before the reset is the kernel's to say; that the host is told is ours.
		if _, err := io.Copy(io.Discard, host); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("the host: %v, want ECONNRESET", err)
		}
		_ = host.Close()
	}
}

// What a full socket did not take at once is written when there is room, once and in order.
func TestMoreThanASocketTakes(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	terminal, host := w.connect(t)
	for _, c := range []net.Conn{terminal, host} { // 20,000 writes take a busy machine longer than one
		_ = c.SetDeadline(time.Now().Add(6 * patience))
	}
	var sent bytes.Buffer
	var frames [][]byte
	for i := range 20_000 {
		f := frame(t, request[:4]+string(rune('0'+i%10))+request[5:]+strings.Repeat("x", 700+i%100))
		frames = append(frames, f)
		sent.Write(f)
	}
	wrote := make(chan error, 1)
	go func() { // one by one, so that few are read at a time
		var err error
		for _, f := range frames {
			<-time.After(20 * time.Microsecond)
			_, failed := terminal.Write(f)
			err = errors.Join(err, failed)
		}
		wrote <- errors.Join(err, terminal.(interface{ CloseWrite() error }).CloseWrite())
	}()
	got := make([]byte, 300_000)
	for before := uint64(0); before == 0 || before != w.server.Events().Last(); <-time.After(200 * time.Millisecond) {
		before = w.server.Events().Last() // until nothing goes on any more: the sockets are full
	}
	for i := range 3 { // as little as makes room for a part
		if _, err := io.ReadFull(host, got[i*100_000:(i+1)*100_000]); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := io.ReadAll(host)
	if err := errors.Join(err, <-wrote); err != nil {
		t.Fatal(err)
	}
	if got = append(got, rest...); !bytes.Equal(got, sent.Bytes()) {
		t.Errorf("%d bytes came and %d were sent, and they are not the same", len(got), sent.Len())
	}
	// Each is told twice, as a message and as delivered, and the connection's beginning and end besides.
	if told := w.server.Events().Last(); told < 40_000 || told > 40_002 {
		t.Errorf("%d events, want two for each of 20,000 messages", told)
	}
}
