package rungs

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// commandGC is the garbage collector's target as the command sets it.
const commandGC = 400

// BenchmarkVirtualChipSale is the CPU time of one chip sale with PIN on the virtual rung, everything in it: the robot's motion, the card's
// cryptograms, the terminal, injector, issuer, display, receipt and timeline. It is the difference between a long scenario and a short one, by the
// process's own clock, so that what else runs on the machine doesn't count. As in a run of the catalogue there is a world for each core.
func BenchmarkVirtualChipSale(b *testing.B) {
	r, err := Open(Options{Rig: Virtual})
	if err != nil {
		b.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(commandGC))
	const few, many = 1, 21
	saleTime(b, r, few) // what is made once
	var per time.Duration
	n := 0
	for b.Loop() {
		short := saleTime(b, r, few)
		per += (saleTime(b, r, many) - short) / (many - few)
		n++
	}
	b.ReportMetric(float64(per.Microseconds())/float64(n)/1000, "cpu-ms/sale")
}

// saleTime is the CPU time of a scenario of so many sales.
func saleTime(b *testing.B, r Rung, sales int) time.Duration {
	b.Helper()
	worlds := runtime.GOMAXPROCS(0)
	dir := b.TempDir()
	before := cpuTime(b)
	var running sync.WaitGroup
	for n := range worlds {
		running.Go(func() { sell(b, r, sales, filepath.Join(dir, fmt.Sprintf("world-%d.jsonl", n))) })
	}
	running.Wait()
	return (cpuTime(b) - before) / time.Duration(worlds)
}

// sell runs a scenario of so many sales in a world of its own.
func sell(b *testing.B, r Rung, sales int, path string) {
	sc := &scenarios.Scenario{ID: fmt.Sprintf("SALES-%d", sales), Expect: []scenarios.Expectation{{Prompt: "approved"}}}
	for n := range sales {
		sc.Act = append(sc.Act,
			scenarios.Step{Sale: &scenarios.Sale{Amount: int64(1001 + n)}},
			scenarios.Step{Type: &scenarios.Type{Into: "customer-id", Kind: "valid", Enter: true}},
			scenarios.Step{Card: &scenarios.CardStep{Use: "chip", By: "insert"}},
			scenarios.Step{PIN: "correct"},
		)
	}
	p := r.Profiles()[0]
	var result record.Result
	err := r.Do(context.Background(), Wanted{Profile: p, Lang: p.Languages[0]}, func(ctx context.Context, s *harness.Session) record.Result {
		tl, err := harness.CreateTimeline(path)
		if err != nil {
			b.Error(err)
			return record.Result{}
		}
		defer tl.Close()
		result = s.Run(ctx, sc, tl)
		return result
	})
	if err != nil || result.Verdict != record.Pass {
		b.Errorf("%v: %s %s", err, result.Verdict, result.Why)
	}
}

// cpuTime is what this process has used by now, in user and kernel mode.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
