//go:build unix

package command_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/power/command"
)

// pdu is a PDU's program: ./sh pdu on|off|state; its outlet is a file. It is run by a link to the shell, because a file
// that was just written can't be executed while another test starts a process.
const pdu = `
case "$1" in
on|off) echo "$1" > outlet; echo "$1" >> history ;;
state) cat outlet ;;
stuck) : ;;
fail) echo "cannot reach 192.0.2.7 with $2" >&2; exit 3 ;;
hang) sleep 600 & wait ;;
chatter) while :; do echo "0123456789"; done | head -c 100000 ;;
esac
`

// bench writes the program and gives its folder.
func bench(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pdu"), []byte(pdu), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/sh", filepath.Join(dir, "sh")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "outlet"), []byte("on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func words(text string) []string { return strings.Fields(text) }

func open(t *testing.T, cfg command.Config) *command.Driver {
	t.Helper()
	d, err := command.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestSwitching(t *testing.T) {
	for _, read := range []string{"", "./sh pdu state"} {
		dir := bench(t)
		d := open(t, command.Config{Dir: dir, On: words("./sh pdu on"), Off: words("./sh pdu off"), Read: words(read)})
		for _, do := range []func(context.Context) error{d.Off, d.On, d.Probe, d.Off, d.Halt} {
			if err := do(t.Context()); err != nil {
				t.Error(err)
			}
		}
		history, err := os.ReadFile(filepath.Join(dir, "history"))
		if err != nil || !slices.Equal(words(string(history)), []string{"off", "on", "off", "on"}) || d.Name() != "power" {
			t.Errorf("%q, %v", history, err)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  command.Config
		do   func(*command.Driver, context.Context) error
		is   error
		says string
	}{
		{"fails", command.Config{On: words("./sh pdu fail hunter2"), Secrets: []string{"hunter2"}}, (*command.Driver).On, command.ErrProgram,
			`exit status 3; it says "cannot reach 192.0.2.7 with ***"`},
		{"is not there", command.Config{On: words("./no-such-program")}, (*command.Driver).On, command.ErrProgram, "no such file"},
		{"is nowhere", command.Config{Off: words("assay-no-such-program")}, (*command.Driver).Probe, command.ErrProgram, "not found in $PATH"},
		{"hangs", command.Config{On: words("./sh pdu hang"), Limit: 200 * time.Millisecond}, (*command.Driver).On, rigs.ErrNoAnswer, "killed"},
		{"does nothing", command.Config{Off: words("./sh pdu stuck"), Read: words("./sh pdu state"), Follow: time.Second}, (*command.Driver).Off, command.ErrStuck, "it reads on"},
		{"reads nonsense", command.Config{Read: words("./sh pdu chatter")}, (*command.Driver).Probe, command.ErrAnswer, "…"},
		{"reads nothing", command.Config{Read: words("./sh pdu stuck")}, (*command.Driver).Probe, command.ErrAnswer, "on or off is wanted"},
		{"can't read", command.Config{Read: words("./sh pdu fail x")}, (*command.Driver).Halt, command.ErrProgram, "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.cfg.Dir = bench(t)
			for _, list := range []struct {
				words *[]string
				usual string
			}{{&c.cfg.On, "./sh pdu on"}, {&c.cfg.Off, "./sh pdu off"}} {
				if *list.words == nil {
					*list.words = words(list.usual)
				}
			}
			begun := time.Now()
			err := c.do(open(t, c.cfg), t.Context())
			if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "power" || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v: %s", err, c.is, c.says)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") || len(fmt.Sprint(err)) > 500 {
				t.Errorf("the error says too much: %v", err)
			}
			if took := time.Since(begun); took > 60*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestTheEndOfAContextAndOfTheDriverEndAProgram(t *testing.T) {
	for name, end := range map[string]struct {
		do func(d *command.Driver, cancel context.CancelFunc)
		is error
	}{
		"context": {func(_ *command.Driver, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"close":   {func(d *command.Driver, _ context.CancelFunc) { _ = d.Close() }, rigs.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, command.Config{Dir: bench(t), On: words("./sh pdu hang"), Off: words("./sh pdu off")})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- d.On(ctx) }()
			end.do(d, cancel)
			select {
			case err := <-ended:
				if !errors.Is(err, end.is) {
					t.Errorf("%v", err)
				}
			case <-time.After(30 * time.Second):
				t.Error("still running")
			}
		})
	}
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]command.Config{
		"nothing":      {},
		"no off":       {On: words("a")},
		"the same":     {On: words("a on"), Off: words("a on")},
		"no name":      {On: []string{""}, Off: words("a")},
		"no read name": {On: words("a"), Off: words("b"), Read: []string{"", "x"}},
		"negative":     {On: words("a"), Off: words("b"), Limit: -1},
		"too long":     {On: words("a"), Off: words("b"), Limit: command.LimitMax + 1},
	} {
		if _, err := command.New(cfg); !errors.As(err, new(*rigs.Error)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
