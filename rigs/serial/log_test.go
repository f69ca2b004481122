package serial_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/rigs/serial"
)

// TestLogShowsShapesOnly: neither a card number nor where the finger goes.
func TestLogShowsShapesOnly(t *testing.T) {
	var b strings.Builder
	note := serial.NewLog(&b, "ok", "error", "G0")
	at := time.Date(2026, 1, 2, 12, 4, 5, 123456000, time.UTC)
	note(at, true, []byte("G53 G0 X-12.5 Y7\n"))
	note(at, false, []byte("ok\r\nerror:9\r\n"))
	note(at, true, []byte("4111111111111111=2912\x02\xFF okay"))
	want := "12:04:05.123456 > a# a# a# a#\\n\n" +
		"12:04:05.123456 < ok\\r\\nerror:#\\r\\n\n" +
		"12:04:05.123456 > #=#?? aaaa\n"
	if b.String() != want {
		t.Errorf("%s, want %s", b.String(), want)
	}
}

// TestALogIsBounded and says that it has ended.
func TestALogIsBounded(t *testing.T) {
	var b strings.Builder
	note := serial.NewLog(&b)
	for range 3 * serial.LogLimit / 1000 {
		note(time.Now(), true, bytes.Repeat([]byte("x"), 1000))
	}
	if b.Len() > serial.LogLimit+2000 || !strings.HasSuffix(b.String(), "the log is full\n") {
		t.Errorf("%d bytes", b.Len())
	}
}

// failing is a writer that fails at once.
type failing struct{ calls int }

func (f *failing) Write([]byte) (int, error) { f.calls++; return 0, errors.New("disk full") }

func TestALogThatFailsEnds(t *testing.T) {
	w := &failing{}
	note := serial.NewLog(w)
	note(time.Now(), true, []byte("a"))
	note(time.Now(), true, []byte("b"))
	if w.calls > 2 {
		t.Errorf("%d writes", w.calls)
	}
}
