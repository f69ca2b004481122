// Command agree asks whether the verdicts are always the same: the whole catalogue on every profile in virtual time, many
// times in random order, then as go test and under ginkgo -p. The seed of every order is printed.
//
//	go run ./suites/agree -assay bin/assay -runs 50
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

func main() {
	assay := flag.String("assay", "bin/assay", "the program")
	runs := flag.Int("runs", 50, "how many runs of the program, each in another order")
	seed := flag.Int64("seed", 1, "of the first run's order; the next has the next")
	tests := flag.Bool("tests", true, "also as go test and under ginkgo -p")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := agree(ctx, *assay, *runs, *seed, *tests); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// verdicts by item, each with why.
type verdicts map[string]verdict

type verdict struct {
	record.Verdict
	why string
}

func agree(ctx context.Context, assay string, runs int, seed int64, tests bool) error {
	scratch, err := os.MkdirTemp("", "assay-agree-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var first verdicts
	different := 0
	one := func(name string, command ...string) error {
		out := filepath.Join(scratch, "out")
		begun := time.Now()
		cmd := exec.CommandContext(ctx, command[0], append(command[1:], out)...)
		said, failed := cmd.CombinedOutput()
		got, err := read(out)
		if err == nil && len(got) == 0 {
			err = errors.New("no verdict at all")
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, errors.Join(err, failed, ctx.Err())), fmt.Errorf("%s", said))
		}
		got[wholeRun] = ended(failed, said)
		if first == nil {
			first = got
		}
		n := compare(first, got)
		different += n
		fmt.Printf("%s: %d verdicts, %d different, %d not passed, %.0f s\n", name, len(got)-1, n, got.bad(), time.Since(begun).Seconds())
		return os.RemoveAll(out)
	}
	for n := range int64(runs) {
		order := fmt.Sprint(seed + n)
		if err := one("assay run --seed "+order, assay, "run", "--rig", "virtual", "--profile", "all", "--seed", order, "--out"); err != nil {
			return err
		}
	}
	if tests {
		if err := one("go test", "go", "test", "-count=1", "-run", "^TestSuites$", "./suites", "-args", "-out"); err != nil {
			return err
		}
		if err := one("ginkgo -p", "go", "run", "github.com/onsi/ginkgo/v2/ginkgo", "-p", "--no-color", "./suites", "--", "-test.run", "^TestSuites$", "-out"); err != nil {
			return err
		}
	}
	if different > 0 {
		return fmt.Errorf("%d verdicts differ from those of the first run", different)
	}
	fmt.Println("All verdicts are the same.")
	return nil
}

// wholeRun is how a run ended, among its verdicts: one that its own scan for card data spoils has passed all scenarios.
const wholeRun = "the run itself"

// ended says whether a command succeeded, and with what last words it did not.
func ended(failed error, said []byte) verdict {
	if failed == nil {
		return verdict{record.Pass, ""}
	}
	const enough = 400
	said = bytes.TrimSpace(said)
	return verdict{record.Fail, fmt.Sprintf("%v: …%s", failed, said[max(0, len(said)-enough):])}
}

// read takes the verdicts of all run folders under a folder.
func read(folder string) (verdicts, error) {
	all := verdicts{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != reports.ResultsFile {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			var r record.Result
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			all[r.ID()] = verdict{r.Verdict, r.Why}
		}
		return lines.Err()
	})
	return all, err
}

// bad counts those that neither passed nor were skipped.
func (v verdicts) bad() int {
	n := 0
	for _, one := range v {
		if !slices.Contains([]record.Verdict{record.Pass, record.Marginal, record.Skipped}, one.Verdict) {
			n++
		}
	}
	return n
}

// compare tells each item whose verdict is another, and counts them.
func compare(want, got verdicts) int {
	names := maps.Clone(want)
	maps.Copy(names, got)
	n := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := want[name], got[name]; a.Verdict != b.Verdict {
			fmt.Printf("  %s: %q, at first %q: %s\n", name, b.Verdict, a.Verdict, cmp.Or(b.why, a.why))
			n++
		}
	}
	return n
}
