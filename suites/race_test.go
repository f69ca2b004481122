//go:build race

package suites

// UnderRace: the race detector makes a scenario ten times as dear, and looks at how one is played, not at which: what is
// played twenty times over without it is played a few times with it.
const UnderRace = true
