package network_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

// recorder is a tap that writes down what it is told, by wire.
type recorder struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (r *recorder) note(w *network.Wire, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprintf("%s %d %s", w.Uplink, w.Connection, w.Side)
	r.lines[name] = append(r.lines[name], fmt.Sprintf(format, args...))
}

func (r *recorder) Opened(w *network.Wire) {
	r.note(w, "opened %v", w.Local.String() != "" && w.Remote.String() != "")
}

func (r *recorder) Data(w *network.Wire, sent bool, masked []byte) {
	r.note(w, "%s %q", map[bool]string{true: ">", false: "<"}[sent], masked)
}

func (r *recorder) Ended(w *network.Wire, sent, reset bool) {
	r.note(w, "ended sent=%v reset=%v", sent, reset)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, side := range []string{"terminal", "host"} {
		all = append(all, side+": "+strings.Join(r.lines["primary 1 "+side], ", "))
	}
	return strings.Join(all, "\n")
}

// tapped makes the world's injector anew, with a tap.
func (w *world) tapped(t *testing.T) *recorder {
	r := &recorder{lines: map[string][]string{}}
	*w = *newWorld(t, w.wires, func(c *network.Config) { c.Tap = r })
	return r
}

// What a tap is shown has the length of what is on the wire, and nothing of what must not be seen.
func TestTapSeesMaskedBytes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		tap := w.tapped(t)
		w.arm(t, client.Fault{ID: "half", Kind: "truncate", Message: onResponse, At: "after-mti", Then: "close"})
		terminal, host := w.connect(t)
		ask(t, terminal, host)
		if _, err := terminal.Write([]byte("\x00\x034=1")); err != nil { // nobody knows what it is
			t.Fatal(err)
		}
		sees(t, host, "\x00\x034=1")
		send(t, host, response)
		sees(t, terminal, string(frame(t, response))[:6])
		mustFail(t, "terminal", terminal, io.EOF)
		_, _ = terminal.Close(), host.Close()
		w.events.wait(t, "closed 1")
		asked, answered := `"\x00\x11`+strings.Repeat("*", 17)+`"`, `"\x00\x12`+strings.Repeat("*", 18)+`"`
		want := "terminal: opened true, < " + asked + `, < "\x00\x00\x00\x00\x00", > "\x00\x12****", ended sent=true reset=false, ` + "\n" +
			"host: opened true, > " + asked + `, > "\x00\x00\x00\x00\x00", < ` + answered
		for _, kind := range []string{"ended sent=true", "ended sent=false"} {
			if n := strings.Count(strings.Split(tap.String(), "\n")[0], kind); n > 1 {
				t.Errorf("%s told %d times:\n%s", kind, n, tap)
			}
		}
		for line := range strings.SplitSeq(want, "\n") {
			if !strings.Contains(tap.String(), strings.TrimSuffix(line, ", ")) {
				t.Errorf("got\n%s\nwant\n%s", tap, want)
			}
		}
	})
}

func TestTapSeesResets(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		tap := w.tapped(t)
		w.arm(t, client.Fault{ID: "cut", Kind: "reset", Message: onResponse})
		terminal, host := w.connect(t)
		send(t, host, response)
		mustFail(t, "terminal", terminal, syscall.ECONNRESET)
		w.events.wait(t, "closed 1")
		if n := strings.Count(tap.String(), "ended sent=true reset=true"); n != 2 {
			t.Errorf("%d resets:\n%s", n, tap)
		}
	})
}

// Real messages: what the terminal gets is in clear, what the tap gets has no card number in it, also
// where a fault has changed the bytes.
func TestTapNeverSeesCardData(t *testing.T) {
	host, codec, payload := realMessages(t)
	const pan = "5413330089020011"
	if !bytes.Contains(payload, []byte(pan)) {
		t.Fatal("the message has no card number in clear")
	}
	shapes := []client.Fault{
		{Kind: "drop", Probability: 0.000001}, // as good as none
		{Kind: "rewrite", Field: "11", Value: "999999"}, {Kind: "corrupt", At: "field:3", Mask: "FF"},
		{Kind: "wrong-length", Length: "long"}, {Kind: "junk", Junk: fmt.Sprintf("%x", pan)},
		{Kind: "truncate", At: "last-1", Then: "close"}, {Kind: "dribble", Bytes: 40}, {Kind: "duplicate"},
	}
	for _, f := range shapes {
		t.Run(f.Kind, func(t *testing.T) {
			tap := &recorder{lines: map[string][]string{}}
			w := newWorld(t, memory(), func(c *network.Config) {
				c.Framing, c.Messages, c.Tap = host.Dialect.Framing, network.ISO8583(codec), tap
			})
			f.ID, f.Message.MTI = "it", "0200"
			w.arm(t, f)
			terminal, bank := w.connect(t)
			whole, err := host.Dialect.Framing.AppendFrame(nil, payload)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := terminal.Write(whole); err != nil {
				t.Fatal(err)
			}
			closeWrite(t, terminal)
			got, _ := io.ReadAll(bank)
			if !bytes.Contains(got, []byte(pan)) {
				t.Errorf("the host got %d bytes without the card number", len(got))
			}
			if shown := tap.String(); strings.Contains(shown, pan) || strings.Contains(shown, "2912201") || !strings.Contains(shown, "0200") {
				t.Errorf("the tap saw\n%s", shown)
			}
		})
	}
}
