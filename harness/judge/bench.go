package judge

import (
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// promptly is how long injector and issuer may take over a message that they were not told to hold. It is
// real time on every rung: a busy machine is not faster because a terminal's timers are shorter.
const promptly = time.Second

// bench holds what injector, issuer and the issuer's books say against each other and against
// what was arranged. Where they contradict, nothing that depends on them may be held against the terminal.
func (c *Case) bench() []record.Check {
	injector := slices.Concat(c.undelivered(), c.unlike(), c.unseen(), c.unreached())
	host := slices.Concat(c.unheard(), c.unreplied(), c.misruled(), c.miscounted())
	return []record.Check{
		doubted("injector", "the injector does to messages what was arranged, and nothing else", injector, record.Network),
		doubted("issuer", "the issuer hears, answers and books what reaches it", host, record.Issuer),
	}
}

// doubted is a check of the bench: with problems nobody can say whether the terminal is right.
func doubted(what, expected string, problems []string, cause record.Cause) record.Check {
	check := finding(what, expected, problems, "it did")
	if check.Verdict == record.Fail {
		check.Verdict, check.Cause = record.Inconclusive, cause
	}
	return check
}

// promptly is the constant of that name and what two clocks may differ by, microseconds.
func (c *Case) promptly() int64 { return micros(promptly) + c.slack() }

// sameMessage says whether two events tell of a message of the same type and trace number.
func sameMessage(a, b record.Event) bool {
	return a.Fields["mti"] == b.Fields["mti"] && a.Fields["stan"] == b.Fields["stan"]
}

// took is the time between two moments, in words.
func took(from, to int64) string { return round(time.Duration(to-from) * time.Microsecond).String() }
