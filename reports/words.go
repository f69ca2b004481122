package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// Words says the run in a sentence. A terminal's failure stands whatever else happened; a run
// that ended early says so before it speaks of what it could not decide.
func (s Summary) Words() string {
	switch {
	case s.Failed > 0 && len(s.Leaks) > 0:
		return fmt.Sprintf("The terminal failed %s. %s", count(s.Failed, "scenario"), s.leaked())
	case len(s.Leaks) > 0:
		return s.leaked()
	case s.Failed > 0:
		return fmt.Sprintf("The terminal failed %s.", count(s.Failed, "scenario"))
	case s.NotRun > 0 && s.Inconclusive > 0:
		return fmt.Sprintf("The run ended early: %s not run, %d undecided.", count(s.NotRun, "scenario"), s.Inconclusive)
	case s.NotRun > 0:
		return fmt.Sprintf("The run ended early: %s not run.", count(s.NotRun, "scenario"))
	case s.Inconclusive > 0:
		return fmt.Sprintf("%s could not be decided: the bench, not the terminal.", count(s.Inconclusive, "scenario"))
	case s.Planned == s.Skipped:
		return "Nothing was run."
	case s.Marginal > 0:
		return fmt.Sprintf("The terminal passed, %s only just.", count(s.Marginal, "scenario"))
	default:
		return "The terminal passed."
	}
}

// tone is the verdict whose colour suits Words.
func (s Summary) tone() record.Verdict {
	switch {
	case s.Failed > 0:
		return record.Fail
	case len(s.Leaks) > 0, s.NotRun > 0, s.Inconclusive > 0:
		return record.Inconclusive
	case s.Planned == s.Skipped:
		return record.Skipped
	case s.Marginal > 0:
		return record.Marginal
	default:
		return record.Pass
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// replay is the command that runs one result's scenario again the same way, ready for a shell.
func (s Summary) replay(r record.Result) string {
	rig := r.Rig
	if s.RigFile != "" {
		rig = s.RigFile
	}
	words := []string{"assay", "run"}
	flag := func(name, value string) {
		if value != "" {
			words = append(words, name, quote(value))
		}
	}
	flag("--rig", rig)
	flag("--profile", r.Profile)
	flag("--lang", r.Lang)
	flag("--scenario", r.Scenario)
	for _, d := range s.Defects {
		flag("--defect", d)
	}
	for _, f := range s.BenchFaults {
		flag("--bench-fault", f)
	}
	if s.Seed != 0 {
		flag("--seed", fmt.Sprint(s.Seed))
	}
	return strings.Join(words, " ")
}

// replays are the commands that run a result's scenario again: as it was, and in virtual time where that is another.
func (s Summary) replays(r record.Result) []string {
	all := []string{s.replay(r)}
	if r.Rig != VirtualRig {
		again := r
		again.Rig = VirtualRig
		v := s
		v.RigFile = ""
		all = append(all, v.replay(again))
	}
	return all
}

// quote makes a word safe for a POSIX shell; the usual ids stay as they are.
func quote(word string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@+=", c)
	}
	if !strings.ContainsFunc(word, func(c rune) bool { return !plain(c) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// rank orders what people must look at before what is well.
func rank(v record.Verdict) int {
	order := []record.Verdict{record.Fail, record.Inconclusive, record.Marginal, record.Pass, record.Skipped, record.NotRun}
	if i := slices.Index(order, v); i >= 0 {
		return i
	}
	return slices.Index(order, record.Inconclusive) // counted so too
}
