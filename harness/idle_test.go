package harness

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestASilentTerminalIsNudged: a debug line tells of changes only, and a terminal that was idle before anybody listened
// has none to tell of. It is brought to show itself, without a restart and long before its boot would be over.
func TestASilentTerminalIsNudged(t *testing.T) {
	for name, c := range map[string]struct {
		keys map[string]string // what a key brings up
		want []string
	}{
		"idle":              {map[string]string{"1": "AMOUNT", "CANCEL": "WELCOME"}, []string{"CANCEL", "1", "CANCEL"}},
		"somewhere else":    {map[string]string{"CANCEL": "WELCOME"}, []string{"CANCEL"}},
		"speaks by itself":  {nil, nil},
		"shows another one": {map[string]string{"CANCEL": "WELCOME"}, []string{"CANCEL"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench) {
				b.session.update(func(v *view) { *v = view{requests: map[string]int{}} })
				first := true
				b.finger.onPress = func(key string) error {
					// The first cancel changes nothing where the terminal is idle already.
					if silent := name == "idle" && first; !silent && c.keys[key] != "" {
						b.glass.show(c.keys[key])
					}
					first = false
					return nil
				}
				switch name {
				case "speaks by itself":
					b.glass.showAfter(time.Millisecond, "WELCOME")
				case "shows another one":
					b.glass.showAfter(time.Millisecond, "DECLINED")
				}
				begun := time.Now()
				if err := b.run.reachIdle(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took, boot := time.Since(begun), b.run.patience().boot; took >= boot/2 {
					t.Errorf("it took %v of the %v of a boot", took, boot)
				}
				synctest.Wait()
				if !slices.Equal(b.finger.pressed, c.want) || len(b.supply.switched) > 0 {
					t.Errorf("pressed %q, switched %q", b.finger.pressed, b.supply.switched)
				}
			})
		})
	}
}
