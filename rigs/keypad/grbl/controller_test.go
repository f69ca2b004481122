package grbl_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// greeting is what GRBL 1.1h says at a start, here with homing required.
const greeting = "\r\nGrbl 1.1h ['$' for help]\r\n[MSG:'$H'|'$X' to unlock]\r\n"

// moveTime is how long every movement of the scripted controller takes, homingTime its homing
// cycle, unless a test changes it.
const (
	moveTime   = 300 * time.Millisecond
	homingTime = 6 * time.Second
)

// overrides are what a test changes; nil means as GRBL does. They run without the mutex.
type overrides struct {
	onLine   func(line string) (handled bool)
	onReset  func() (handled bool)
	onStatus func() (report string, handled bool)
}

// controller is a scripted GRBL: right in all it does, until a test overrides a part of it.
type controller struct {
	conn  io.ReadWriter
	out   chan string
	lines chan string
	stop  chan struct{}
	ended sync.WaitGroup

	mu       sync.Mutex
	heard    []string // every line, and realtime bytes as "?", "!", "0x18"
	pos      grbl.Point
	busy     time.Time // when the last planned movement ends
	homing   bool
	cancel   context.CancelFunc // ends the line under way
	settings map[int]string

	overrides
	moveTime, homingTime time.Duration

	boots bool        // greets by itself when it is started
	deaf  atomic.Bool // hears nothing, says nothing
}

func newController(conn io.ReadWriter) *controller {
	return &controller{
		moveTime: moveTime, homingTime: homingTime, conn: conn, out: make(chan string, 256), lines: make(chan string, 64), stop: make(chan struct{}),
		pos: grbl.Point{X: -150, Y: -150, Z: -50},
		settings: map[int]string{
			1: "255", 10: "1", 13: "0", 20: "1", 21: "1", 22: "1",
			110: "6000.000", 111: "6000.000", 112: "3000.000",
			120: "500.000", 121: "500.000", 122: "300.000",
		},
	}
}

// run starts the goroutines; they end with the connection.
func (c *controller) run() {
	if c.boots {
		c.say(greeting)
	}
	c.ended.Go(func() {
		for {
			select {
			case text := <-c.out:
				if _, err := io.WriteString(c.conn, text); err != nil {
					return
				}
			case <-c.stop:
				return
			}
		}
	})
	c.ended.Go(func() {
		for line := range c.lines {
			c.obey(line)
		}
	})
	c.ended.Go(c.listen)
}

// change sets overrides while the controller runs.
func (c *controller) change(o overrides) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.overrides = o
}

func (c *controller) now() overrides {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.overrides
}

func (c *controller) listen() {
	defer close(c.lines)
	var line []byte
	buf := make([]byte, 64)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		for _, b := range buf[:n] {
			switch b {
			case '?', '!', 0x18:
				c.realtime(b)
			case '\n':
				c.note(string(line))
				if !c.deaf.Load() {
					c.lines <- string(line)
				}
				line = nil
			default:
				line = append(line, b)
			}
		}
	}
}

func (c *controller) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, what)
}

// say sends text as it is; it is dropped when nobody has read for long.
func (c *controller) say(text string) {
	select {
	case c.out <- text:
	default:
	}
}

func (c *controller) realtime(b byte) {
	c.note(map[byte]string{'?': "?", '!': "!", 0x18: "0x18"}[b])
	switch {
	case c.deaf.Load():
	case b == '?':
		c.status()
	case b == 0x18:
		if on := c.now().onReset; on == nil || !on() {
			c.reset()
		}
	}
}

func (c *controller) status() {
	if on := c.now().onStatus; on != nil {
		if report, handled := on(); handled {
			c.say(report)
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.homing {
		return // real GRBL does not answer during $H
	}
	state := "Idle"
	if time.Now().Before(c.busy) {
		state = "Run"
	}
	c.say(fmt.Sprintf("<%s|MPos:%.3f,%.3f,%.3f|FS:0,0|WCO:0.000,0.000,0.000>\r\n", state, c.pos.X, c.pos.Y, c.pos.Z))
}

// reset is 0x18: an alarm first when something moves, then the ok of the line that died. What is in the receive buffer is lost.
func (c *controller) reset() {
	for len(c.lines) > 0 {
		<-c.lines
	}
	c.mu.Lock()
	homing, moving, cancel := c.homing, time.Now().Before(c.busy), c.cancel
	c.busy, c.homing = time.Time{}, false
	c.mu.Unlock()
	switch {
	case homing:
		c.say("ALARM:6\r\nok\r\n")
	case moving:
		c.say("ALARM:3\r\n")
	}
	if cancel != nil {
		cancel()
	}
	c.say(greeting)
}

// obey carries out one line as GRBL does.
func (c *controller) obey(line string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.mu.Lock()
	c.cancel = cancel
	c.mu.Unlock()
	if on := c.now().onLine; on != nil && on(line) {
		return
	}
	switch {
	case line == "$$":
		for n, v := range c.settings {
			c.say(fmt.Sprintf("$%d=%s\r\n", n, v))
		}
		c.say("$N0=\r\n")
	case line == "$H":
		if !c.home(ctx) {
			return
		}
	case strings.HasPrefix(line, "G4 P"):
		if !c.sync(ctx, line) {
			return
		}
	case strings.HasPrefix(line, "G53 G"):
		c.plan(line)
	}
	if ctx.Err() == nil { // not when a reset ended the line
		c.say("ok\r\n")
	}
}

func (c *controller) home(ctx context.Context) bool {
	c.mu.Lock()
	c.homing = true
	c.mu.Unlock()
	if !wait(ctx, c.homingTime) {
		return false
	}
	c.mu.Lock()
	c.homing, c.pos = false, grbl.Point{X: -1, Y: -1, Z: -1}
	c.mu.Unlock()
	c.say(">G54:ok\r\n") // a startup block
	return true
}

func (c *controller) sync(ctx context.Context, line string) bool {
	seconds, _ := strconv.ParseFloat(strings.TrimPrefix(line, "G4 P"), 64)
	c.mu.Lock()
	until := time.Until(c.busy)
	c.mu.Unlock()
	return wait(ctx, max(0, until)+time.Duration(seconds*float64(time.Second)))
}

func (c *controller) plan(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for word := range strings.FieldsSeq(line) {
		v, _ := strconv.ParseFloat(word[1:], 64)
		switch word[0] {
		case 'X':
			c.pos.X = v
		case 'Y':
			c.pos.Y = v
		case 'Z':
			c.pos.Z = v
		}
	}
	start := time.Now()
	if c.busy.After(start) {
		start = c.busy
	}
	c.busy = start.Add(c.moveTime)
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// record is what the controller heard so far, without status queries.
func (c *controller) record() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, l := range c.heard {
		if l != "?" {
			lines = append(lines, l)
		}
	}
	return lines
}

// forget empties the record.
func (c *controller) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = nil
}

// plunges counts the lines that push a key.
func (c *controller) plunges() int {
	n := 0
	for _, l := range c.record() {
		if strings.HasPrefix(l, "G53 G1 ") {
			n++
		}
	}
	return n
}

// pad is a keypad of two keys whose zero is at (-200, -100, -60) of the machine.
func pad() grbl.Config {
	return grbl.Config{
		Keypad: terminals.Keypad{
			Keys:    map[string]terminals.Key{"5": {X: 20, Y: 30, Char: "5"}, "enter": {X: 40, Y: 10}},
			Surface: 10, Travel: 2, Safe: 20, Radius: 4, Debounce: 20 * time.Millisecond,
		},
		Origin: grbl.Point{X: -200, Y: -100, Z: -60},
	}
}

// open connects a driver to a scripted controller. Call it inside a synctest bubble.
func open(t *testing.T, cfg grbl.Config, change func(*controller), options ...serial.Option) (*grbl.Driver, *controller, error) {
	t.Helper()
	near, far := net.Pipe()
	c := newController(far)
	if change != nil {
		change(c)
	}
	c.run()
	d, err := grbl.Open(t.Context(), serial.New("robot", near, options...), cfg)
	t.Cleanup(func() {
		if d != nil {
			if err := d.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		far.Close()
		close(c.stop)
		c.ended.Wait()
	})
	return d, c, err
}

// homed is open and Home, both without error.
func homed(t *testing.T, change func(*controller)) (*grbl.Driver, *controller) {
	t.Helper()
	d, c, err := open(t, pad(), change)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if err := d.Home(t.Context()); err != nil {
		t.Fatalf("Home: %v", err)
	}
	c.forget()
	return d, c
}
