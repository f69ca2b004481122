package harness

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// A terminal that sees the card go may go on before the emulator has said that it is out: the removal is known to lie
// between its beginning and its end.
func TestRemovalBeginsBeforeWhatItLeadsTo(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.slot.onRemove = func() {
			<-time.After(20 * time.Millisecond)
			b.glass.show("WELCOME")
			<-time.After(30 * time.Millisecond)
		}
		begun := time.Now()
		if err := b.run.removeCard(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := b.timeline.Events()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(e record.Event) bool { return e.Source == "card" && e.Kind == "remove" })
		if i < 0 || !all[i].Wall.Equal(begun) || all[i].Fields["took_us"] != "50000" {
			t.Errorf("%+v, want one from %v that took 50 ms", all, begun)
		}
	})
}
