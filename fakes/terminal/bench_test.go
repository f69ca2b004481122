package terminal_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// BenchmarkChipSale is the CPU cost of a terminal's life for one sale, in virtual time: boot, sign-on, a chip
// sale with PIN, receipt, power cut. Card and host are in the price.
func BenchmarkChipSale(b *testing.B) {
	lines := strings.Split(strings.TrimSpace(`
power on
advance 3s
host expects 0800
host answers 39=00
keys 1250 ENTER
insert good
keys 8642 ENTER
host expects 0200
host answers 39=00 arpc
screen approved
remove
advance 3s
screen idle`), "\n")
	for b.Loop() {
		synctest.Test(&testing.T{}, func(*testing.T) {
			s := newScript()
			defer s.finish()
			for _, line := range lines {
				if err := s.step(strings.Fields(line)); err != nil {
					b.Fatalf("%s: %v", line, err)
				}
				synctest.Wait()
			}
		})
	}
}
