package harness

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// A copy that was printed between two sales is not the receipt of the second.
func TestReceiptAfterACopy(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		cut := func() { b.roll.paper <- rigs.Paper{At: time.Now(), Cut: true} }
		b.glass.show("APPROVED")
		cut()
		<-time.After(10 * time.Second)
		cut() // the copy
		<-time.After(10 * time.Second)
		b.glass.show("WELCOME")
		b.glass.show("APPROVED")
		synctest.Wait()
		const printing = 700 * time.Millisecond
		time.AfterFunc(printing, cut)
		begun := time.Now()
		if err := b.run.awaitPaper(t.Context()); err != nil || time.Since(begun) != printing {
			t.Errorf("%v after %v, want %v", err, time.Since(begun), printing)
		}
		begun = time.Now()
		if err := b.run.awaitPaper(t.Context()); err != nil || time.Since(begun) != 0 {
			t.Errorf("it was out already: %v after %v", err, time.Since(begun))
		}
	})
}
