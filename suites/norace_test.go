//go:build !race

package suites

// UnderRace is false: nothing is spared.
const UnderRace = false
