package terminal_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// A power cut with any screen of a sale loses no money: the sale is in the journal, or it is
// reversed before the next one.
func TestPowerCutAtEveryScreen(t *testing.T) {
	for n := 1; ; n++ {
		screens := 0
		synctest.Test(t, func(t *testing.T) { screens = cutAtScreen(t, n) })
		if screens < n {
			if n < 10 {
				t.Fatalf("a sale had only %d screens", screens)
			}
			return
		}
	}
}

// cutAtScreen makes a sale whose power goes with the nth screen, and another one after it. It
// returns how many screens the first had.
func cutAtScreen(t *testing.T, n int) int {
	s := newScript()
	accounts := newBooks(&s.host)
	go s.world.serve(accounts, func(iso8583.Message) mood { return answers })
	defer close(s.world.accepted)
	defer s.finish()
	sale := func() {
		if err := s.powerOn(); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			"advance 5s", "keys 1250 ENTER", "insert good", "keys 8642 ENTER", "remove", "advance 10s",
		} {
			if err := s.step(strings.Fields(line)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if err := s.powerCut(); err != nil {
			t.Fatal(err)
		}
		s.hangUp()
		<-time.After(time.Second)
		if err := audit(s.world, accounts); err != nil {
			t.Fatalf("cut at screen %d: %v", n, err)
		}
	}
	s.world.cutAt = n
	sale()
	screens := len(s.world.screens)
	s.world.cutAt = 0
	for len(s.world.keys) > 0 { // pressed without power
		<-s.world.keys
	}
	sale()
	if err := s.memory([]string{"pending", "no"}); err != nil {
		t.Fatalf("cut at screen %d: a reversal is left: %v", n, err)
	}
	if len(accounts.open) == 0 {
		t.Fatalf("cut at screen %d: the second sale isn't charged", n)
	}
	return screens
}

// On a real socket, in real time, a power cut wakes the terminal at once and leaves the
// connection to the network.
func TestPowerCutOnTCP(t *testing.T) {
	const patience = 5 * time.Second
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	hardware := newWorld().hardware()
	var near net.Conn // the terminal's end, which the bench keeps
	hardware.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
		near = conn
		return conn, err
	}
	profile := testProfile()
	profile.Timers.Boot = time.Millisecond
	app, err := terminal.New(terminal.Config{Profile: profile, Host: testHost(testDialect)}, hardware)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	if _, err := testHost(testDialect).Dialect.Framing.ReadFrame(far); err != nil {
		t.Fatal(err)
	}
	cut()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the terminal works on without power")
	}
	if err := far.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection was closed: %v", err)
	}
	_ = near.Close()
}
