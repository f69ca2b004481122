package terminal_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
	accounts := books{}
	go s.world.serve(s.host.codec, accounts, func() byte { return 0 })
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
	if len(accounts) == 0 {
		t.Fatalf("cut at screen %d: the second sale isn't charged", n)
	}
	return screens
}
