//go:build race

package history

// underRace: what something costs is not what it costs users.
const underRace = true
