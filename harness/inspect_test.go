package harness

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/rigs"
)

// testPIN is the PIN of the card that these tests present, testPAN its number: a published test number.
const (
	testPIN = "4315"
	testPAN = "4111111111111111"
)

func TestHidePIN(t *testing.T) {
	for _, c := range []struct {
		name      string
		row       string
		pinScreen bool
		want      string
	}{
		{"nothing to hide", "WELCOME", true, "WELCOME"},
		{"already masked", "****", true, "****"},
		{"the whole PIN", "PIN 4315", true, "PIN ••••"},
		{"the whole PIN elsewhere", "PIN 4315", false, "PIN ••••"},
		{"twice in a row", "4315/4315", false, "••••/••••"},
		{"inside a longer number", "TRACE 943150", true, "TRACE 943150"},
		{"at the beginning of a longer number", "43150", true, "43150"},
		{"another number", "0001", true, "0001"},
		{"its first digit alone", "  4 ", true, "  • "},
		{"its first digits alone", "43", true, "••"},
		{"its first digits among other text may be anything", "TRY 43", true, "TRY 43"},
		{"its first digits as an amount", "AMOUNT 43.15", true, "AMOUNT 43.15"},
		{"nearly all of it among other text", "PIN: 431*", true, "PIN: •••*"},
		{"its end is no beginning", "15", true, "15"},
		{"its first digit on another screen", "4", false, "4"},
		{"nearly all of it on another screen", "431", false, "431"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				b.session.present(&cards.Card{ID: "chip", PAN: testPAN, PIN: testPIN})
				if got := b.session.hidePIN(time.Now(), "display", c.row, c.pinScreen); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
				leaks := b.events(t, "display", "leak")
				if hidden := c.want != c.row; hidden != (len(leaks) == 1) {
					t.Fatalf("%d leaks", len(leaks))
				}
				if len(leaks) == 1 && (leaks[0]["what"] != "the PIN in clear" || leaks[0]["card"] != "chip") {
					t.Errorf("%v", leaks[0])
				}
			})
		})
	}
}

// TestHidePINWithoutCard: whose PIN a number is, nobody knows before a card is presented.
func TestHidePINWithoutCard(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		if got := b.session.hidePIN(time.Now(), "display", testPIN, true); got != testPIN || len(b.events(t, "display", "leak")) != 0 {
			t.Errorf("%q", got)
		}
		b.session.present(&cards.Card{ID: "without"})
		if got := b.session.hidePIN(time.Now(), "display", "4", true); got != "4" || len(b.events(t, "display", "leak")) != 0 {
			t.Errorf("%q is hidden of a card without PIN", got)
		}
	})
}

// TestNoPINInTheRecord: screen, what is no screen, and paper; and what waits see is as blank as the record.
func TestNoPINInTheRecord(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.session.present(&cards.Card{ID: "chip", PAN: testPAN, PIN: testPIN})
		b.glass.show("ENTER PIN", "43")
		b.glass.show("ENTER PIN", testPIN)
		b.glass.screens <- rigs.Screen{At: time.Now(), Noise: "debug pin=" + testPIN}
		b.roll.paper <- rigs.Paper{At: time.Now(), Text: "PIN " + testPIN}
		synctest.Wait()
		if shown := strings.Join(b.session.look().screen, "/"); shown != "ENTER PIN/••••" {
			t.Errorf("the session knows %q", shown)
		}
		all, err := b.timeline.Events()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			for key, value := range e.Fields {
				if strings.Contains(value, testPIN) || strings.Contains(value, "\n43") {
					t.Errorf("%s %s: %s is %q", e.Source, e.Kind, key, value)
				}
			}
		}
		if d, p := len(b.events(t, "display", "leak")), len(b.events(t, "printer", "leak")); d != 3 || p != 1 {
			t.Errorf("%d and %d leaks", d, p)
		}
	})
}
