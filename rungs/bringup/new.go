package bringup

import "github.com/assay-hil/assay/rigs/examples"

// Example gives a commented rig file to begin with: "full", "minimal" or "human".
func Example(kind string) (text string, known bool) {
	text, known = map[string]string{"full": examples.Full, "minimal": examples.Minimal, "human": examples.Human}[kind]
	return text, known
}
