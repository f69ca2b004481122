package issuer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// The files in testdata are conversations between terminals and the issuer, a command a line:
//
//	rule NAME MTI [nth=N] [code=CC] [late=31s] [never]   collected for the next setup
//	setup                                                posted to the control API
//	send MTI [stan=] [amount=] [card=] [pin=] [conn=] … [NN=VALUE] [-NN]
//	     a complete, right message, changed by its words; NN is a field's number
//	bytes HEX [conn=]                                    onto the wire as they are
//	expect MTI [NN=VALUE] [NN=*] [-NN] [arpc] [conn=]    the next answer, now
//	expect nothing | expect closed
//	advance 31s                                          virtual time
//	hangup [conn=]
//
// and what the control API shows, compared line by line with the indented lines that follow:
// ledger, journal, settlements, violations, events.

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			commands := parseConversation(t, file)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				for _, c := range commands {
					w.at = fmt.Sprintf("%s:%d: %s", file, c.line, c.text)
					w.run(c)
				}
			})
		})
	}
}

type command struct {
	line  int
	text  string
	words []string
	block []string // indented lines below it
}

func parseConversation(t *testing.T, file string) (commands []command) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scan.Scan(); n++ {
		text, _, _ := strings.Cut(scan.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case text[0] == ' ' || text[0] == '\t':
			if len(commands) == 0 {
				t.Fatalf("%s:%d: an indented line before the first command", file, n)
			}
			last := &commands[len(commands)-1]
			last.block = append(last.block, strings.Join(words, " "))
		default:
			commands = append(commands, command{line: n, text: strings.TrimSpace(text), words: words})
		}
	}
	return commands
}

// world is an issuer and its terminals in one bubble.
type world struct {
	t       *testing.T
	at      string // where in the file we are
	server  *Server
	stop    context.CancelFunc
	served  chan error
	pipes   *pipes
	wires   map[string]*stream
	rules   []client.Rule
	expects map[string]string // STAN → DE55 that a right answer has with 00
}

// stream is a terminal's connection; what arrives is read at once.
type stream struct {
	conn    net.Conn
	answers chan []byte // closed at the end of the stream
}

const wireCapacity = 16

func newWorld(t *testing.T) *world {
	w := &world{t: t, server: newServer(t), pipes: newPipes(), served: make(chan error, 1),
		wires: make(map[string]*stream), expects: make(map[string]string)}
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() { w.served <- w.server.Serve(ctx, w.pipes) }()
	return w
}

func (w *world) close() {
	w.stop()
	if err := <-w.served; err != nil {
		w.t.Errorf("Serve: %v", err)
	}
	for _, c := range w.wires {
		_ = c.conn.Close()
	}
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\n\t%s", w.at, fmt.Sprintf(format, args...))
}

func (w *world) run(c command) {
	w.t.Helper()
	args := parseArgs(c.words[1:])
	switch c.words[0] {
	case "rule":
		w.rule(args)
	case "setup":
		w.setup()
	case "send":
		w.send(args)
	case "bytes":
		w.bytes(args)
	case "expect":
		w.expect(args)
	case "advance":
		d, err := time.ParseDuration(args.plain[0])
		if err != nil {
			w.fatalf("%v", err)
		}
		<-time.After(d)
	case "hangup":
		_ = w.wire(args.get("conn", "a")).conn.Close()
		synctest.Wait()
	default:
		w.show(c)
	}
}

// args are the words of a command: plain ones, key=value, and fields to set or to remove.
type args struct {
	plain  []string
	named  map[string]string
	fields map[int]string
	gone   []int
}

func parseArgs(words []string) args {
	a := args{named: make(map[string]string), fields: make(map[int]string)}
	for _, word := range words {
		name, value, pair := strings.Cut(word, "=")
		n, err := strconv.Atoi(name)
		switch {
		case err == nil && n < 0:
			a.gone = append(a.gone, -n)
		case err == nil && pair:
			a.fields[n] = value
		case pair:
			a.named[name] = value
		default:
			a.plain = append(a.plain, word)
		}
	}
	return a
}

func (a args) get(name, fallback string) string {
	if v, ok := a.named[name]; ok {
		return v
	}
	return fallback
}

func (a args) has(word string) bool {
	for _, p := range a.plain {
		if p == word {
			return true
		}
	}
	return false
}

func (w *world) rule(a args) {
	r := client.Rule{Name: a.plain[0], Match: client.Match{MTI: a.plain[1]}}
	r.Match.Nth, _ = strconv.Atoi(a.get("nth", "0"))
	r.Answer.Code, r.Answer.Never = a.named["code"], a.has("never")
	r.Answer.Late, _ = time.ParseDuration(a.get("late", "0s"))
	w.rules = append(w.rules, r)
}

func (w *world) setup() {
	body, err := json.Marshal(client.Setup{Rules: w.rules, Ordered: true, Otherwise: client.OtherwiseBooks})
	if err != nil {
		w.fatalf("%v", err)
	}
	w.rules = nil
	rec := httptest.NewRecorder()
	w.server.Control().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, client.PathSetup, bytes.NewReader(body)))
	if rec.Code != http.StatusNoContent {
		w.fatalf("%d %s", rec.Code, rec.Body)
	}
}

// wire gives the named connection, opened when it is first spoken of.
func (w *world) wire(name string) *stream {
	if c := w.wires[name]; c != nil {
		return c
	}
	c := &stream{conn: w.pipes.dial(), answers: make(chan []byte, wireCapacity)}
	w.wires[name] = c
	go func() {
		defer close(c.answers)
		for {
			b, err := w.server.codec.Dialect().Framing.ReadFrame(c.conn)
			if err != nil {
				return
			}
			c.answers <- b
		}
	}()
	return c
}

func (w *world) bytes(a args) {
	var raw []byte
	if _, err := fmt.Sscanf(a.plain[0], "%x", &raw); err != nil {
		w.fatalf("%v", err)
	}
	if _, err := w.wire(a.get("conn", "a")).conn.Write(raw); err != nil {
		w.fatalf("%v", err)
	}
	synctest.Wait()
}

func (w *world) send(a args) {
	m := w.message(a)
	wire, err := w.server.codec.Pack(m)
	if err != nil {
		w.fatalf("%v", err)
	}
	if err := w.server.codec.Dialect().Framing.WriteFrame(w.wire(a.get("conn", "a")).conn, wire); err != nil {
		w.fatalf("%v", err)
	}
	synctest.Wait()
}

func (w *world) expect(a args) {
	c := w.wire(a.get("conn", "a"))
	synctest.Wait()
	var answer []byte
	open, any := true, true
	select {
	case answer, open = <-c.answers:
	default:
		any = false
	}
	switch {
	case a.has("nothing") && any && open, a.has("closed") && (!any || open):
		w.fatalf("got %q, closed: %v", answer, any && !open)
	case a.has("nothing"), a.has("closed"):
		return
	case !any || !open:
		w.fatalf("no answer, closed: %v", any && !open)
	}
	m, err := w.server.codec.Unpack(answer)
	if err != nil {
		w.fatalf("%v", err)
	}
	w.compare(a, m)
}

func (w *world) compare(a args, m iso8583.Message) {
	if m.MTI != a.plain[0] {
		w.fatalf("got %v", m)
	}
	for n, want := range a.fields {
		if got, ok := m.Fields[n]; !ok || want != "*" && got != want {
			w.fatalf("field %d is %q in %v", n, got, m)
		}
	}
	for _, n := range a.gone {
		if got, ok := m.Fields[n]; ok {
			w.fatalf("field %d is %q, should not be there", n, got)
		}
	}
	if want := w.expects[m.Fields[11]+m.Fields[39]]; a.has("arpc") && m.Fields[55] != want {
		w.fatalf("field 55 is %q, want %q", m.Fields[55], want)
	}
}

// show compares a view of the issuer's state with the lines below the command.
func (w *world) show(c command) {
	rec := httptest.NewRecorder()
	w.server.Control().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, client.PathState, nil))
	var s client.State
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil {
		w.fatalf("%v", err)
	}
	views := map[string]func(client.State) []string{
		"ledger": w.ledger, "journal": journalView, "settlements": settlementView, "events": w.events,
		"violations": func(s client.State) []string { return s.Violations },
	}
	view := views[c.words[0]]
	if view == nil {
		w.fatalf("no such command")
	}
	got, want := strings.Join(view(s), "\n\t\t"), strings.Join(c.block, "\n\t\t")
	if got != want {
		w.fatalf("got\n\t\t%s\n\twant\n\t\t%s", got, want)
	}
}
