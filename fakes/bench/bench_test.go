package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/memnet"
)

func TestFingerTypesOnTheTerminal(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.screen("FW 1.0.0")
		w.screen("WELCOME")
		w.home()
		w.press("1", "2", "5", "0")
		w.screen("12.50")
		w.press("CLEAR", "7")
		w.screen("0.07")
	})
}

func TestCardReachesTheTerminal(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.screen("WELCOME")
		w.home()
		w.press("1", "ENTER")
		w.screen("CUSTOMER ID")
		w.press(strings.Split("123456789012", "")...)
		w.press("ENTER")
		w.screen("INSERT OR TAP")
		w.write(w.ports.Card, ">01 SWIPE - 1B05 -*69E1\n") // from PROTOCOL.md: no whole track
		w.screen("READ ERROR!")
		w.screen("INSERT OR TAP")
		w.write(w.ports.Card, ">02 INSERT 3B6500002063CB6800*06EA\n")
		for _, want := range []string{"<01 OK*1E57", "<02 OK*858B", "!00 RESET COLD*CA67"} {
			if got := next(w.card, time.Second); got != want {
				t.Fatalf("card emulator says %q, want %q", got, want)
			}
		}
	})
}

func TestPowerCycle(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.screen("WELCOME")
		kept := memoryOf(w)
		w.home()
		w.press("4", "2")
		w.screen("0.42")
		w.write(w.ports.Card, ">02 INSERT 3B6500002063CB6800*06EA\n")
		if got := w.relay("relay off 0"); got != "" {
			t.Fatalf("relay off: %q", got)
		}
		w.dark()
		w.press("1", "ENTER") // lost
		w.dark()
		if got := memoryOf(w); got != kept {
			t.Errorf("NVRAM: %q after the cut, %q before", got, kept)
		}
		w.relay("relay on 0")
		w.screen("FW 1.0.0")
		w.screen("WELCOME") // and not the amount: RAM is lost
		if got := memoryOf(w); !strings.Contains(got, `"stan":2`) || !strings.Contains(kept, `"stan":1`) {
			t.Errorf("NVRAM: %q after power-on, %q before: it began anew", got, kept)
		}
		if !w.bench.slot.Present() {
			t.Error("the card fell out")
		}
		w.press("9")
		w.screen("0.09")
	})
}

func TestRelayChannelsBesideTheSupply(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.screen("WELCOME")
		w.relay("relay on 3")
		w.relay("relay on 0") // has power already
		if got := w.relay("relay readall"); got != "09" {
			t.Errorf("readall %q, want 09", got)
		}
		w.dark() // no boot: nothing happened to the terminal
	})
}

// What the battery keeps is gone when neither it nor the supply is there, and stays when one is. The journal needs no battery.
func TestBattery(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.screen("WELCOME")
		kept := func() bool { return len(w.bench.nvram.Get("backed.parameters")) > 0 }
		w.relay("relay on 5")
		w.relay("relay off 5")
		w.relay("relay off 0")
		if !kept() {
			t.Error("parameters are gone although the battery was back before the cut")
		}
		w.relay("relay on 5")
		if kept() || len(w.bench.nvram.Get("backed.logon")) > 0 {
			t.Error("parameters or keys are there without battery and supply")
		}
		if memoryOf(w) == "" {
			t.Error("the journal's memory is gone with the battery")
		}
	})
}

func TestConnectionsOfATerminalWithoutSupply(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		listener, err := w.network.Listen(hostAddress)
		if err != nil {
			t.Fatal(err)
		}
		peer, err := listener.Accept() // the sign-on
		if err != nil {
			t.Fatal(err)
		}
		request := make([]byte, 4096)
		if n, err := peer.Read(request); n == 0 || err != nil {
			t.Fatalf("sign-on: %d bytes, %v", n, err)
		}
		_ = listener.Close()
		w.relay("relay off 0")
		_ = peer.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := peer.Read(request); n != 0 || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			t.Fatalf("peer of a dead terminal reads %d bytes, %v; want silence", n, err)
		}
		_ = peer.SetReadDeadline(time.Time{})
		w.relay("relay on 0")
		if _, err := peer.Read(request); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("peer after power-on: %v, want a reset", err)
		}
		_ = peer.Close()
	})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestCloseResetsConnections(t *testing.T) {
	var peer net.Conn
	inWorld(t, nil, func(w *world) {
		listener, err := w.network.Listen(hostAddress)
		if err != nil {
			t.Fatal(err)
		}
		if peer, err = listener.Accept(); err != nil {
			t.Fatal(err)
		}
		_ = listener.Close()
	})
	if _, err := io.Copy(io.Discard, peer); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("peer after Close: %v, want a reset", err)
	}
}

// memoryOf is what the terminal's NVRAM has, in both of its records.
func memoryOf(w *world) string {
	return string(w.bench.nvram.Get("memory.0")) + string(w.bench.nvram.Get("memory.1"))
}

func TestTerminalThatDies(t *testing.T) {
	profile, host := fixtures(t)
	synctest.Test(t, func(t *testing.T) {
		odd := *profile
		odd.Identity.Terminal = "TOO-LONG-FOR-FIELD-41" // the application can't even sign on
		w := &world{t: t, profile: &odd, network: memnet.New()}
		b, err := Start(t.Context(), Config{Profile: &odd, Host: host, Ports: w.pipes(), Dial: noDial})
		if err != nil {
			t.Fatal(err)
		}
		w.power = lines(w.ports.Power, '>')
		<-time.After(time.Minute)
		w.relay("relay off 0") // a dead terminal can be switched off
		for range 2 {
			if err := b.Close(); err == nil || !strings.Contains(err.Error(), "field 41") {
				t.Errorf("Close: %v, want what the terminal died of", err)
			}
		}
		w.ports.close()
	})
}

func TestContextEndsTheBench(t *testing.T) {
	profile, host := fixtures(t)
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, profile: profile}
		ctx, cancel := context.WithCancel(t.Context())
		b, err := Start(ctx, Config{Profile: profile, Host: host, Ports: w.pipes(), Dial: noDial})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		w.wantClosed(t)
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		w.ports.close()
	})
}

func TestStartRefuses(t *testing.T) {
	profile, host := fixtures(t)
	strange := *profile
	strange.Screen.Encoding = "koi8-r"
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   error
		says   string
	}{
		{"no profile", func(c *Config) { c.Profile = nil }, ErrConfig, "profile"},
		{"no host", func(c *Config) { c.Host = nil }, ErrConfig, "host"},
		{"no dialer", func(c *Config) { c.Dial = nil }, ErrConfig, "dialer"},
		{"no printer", func(c *Config) { _ = c.Ports.Printer.Close(); c.Ports.Printer = nil }, ErrConfig, "printer"},
		{"no keypad", func(c *Config) { _ = c.Ports.Keypad.Close(); c.Ports.Keypad = nil }, ErrConfig, "keypad"},
		{"screen encoding", func(c *Config) { c.Profile = &strange }, ErrConfig, "koi8-r"},
		{"unknown fault", func(c *Config) { c.Faults = []string{"keypad-ded"} }, nil, `did you mean "keypad-dead"?`},
		{"far-off fault", func(c *Config) { c.Faults = []string{"earthquake"} }, nil, "relay-stuck"},
		{"unknown defect", func(c *Config) { c.Defects = []string{"no-such-defect"} }, nil, "no-such-defect"},
		{"language", func(c *Config) { c.Lang = "fr" }, terminal.ErrPrompt, "fr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, profile: profile}
				cfg := Config{Profile: profile, Host: host, Ports: w.pipes(), Dial: noDial}
				test.change(&cfg)
				_, err := Start(t.Context(), cfg)
				if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("Start: %v; want %v with %q", err, test.want, test.says)
				}
				w.wantClosed(t)
				w.ports.close()
			})
		})
	}
}

// wantClosed says that the bench has closed its end of every line.
func (w *world) wantClosed(t *testing.T) {
	t.Helper()
	for i, port := range []io.ReadWriteCloser{w.ports.Keypad, w.ports.Card, w.ports.Display, w.ports.Power, w.ports.Printer} {
		conn := port.(*memnet.Conn)
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("port %d is still open: %v", i, err)
		}
	}
}

func fixtures(t *testing.T) (*terminals.Profile, *hosts.Host) {
	t.Helper()
	profile, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	host, err := hosts.Load(profile.Host)
	if err != nil {
		t.Fatal(err)
	}
	return profile, host
}

func noDial(context.Context, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

func TestCloserIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		begin := time.Now()
		err := closer{"stubborn part", func() error { <-free; return nil }}.within(CloseLimit)
		if err == nil || !strings.Contains(err.Error(), "stubborn part") || time.Since(begin) != CloseLimit {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		close(free)
	})
}

func TestTeardownIsLastInFirstOut(t *testing.T) {
	var b Bench
	var got []string
	for _, part := range []string{"a", "b", "c"} {
		b.started(part, func() error { got = append(got, part); return errors.New("broken") })
	}
	err := b.teardown()
	if !slices.Equal(got, []string{"c", "b", "a"}) || strings.Count(err.Error(), "broken") != 3 {
		t.Errorf("order %q, error %v", got, err)
	}
}
