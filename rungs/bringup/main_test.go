package bringup_test

import (
	"os"
	"testing"

	"github.com/assay-hil/assay/rigs/state"
)

// TestMain keeps what tests learn about their rigs away from the user's.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "assay-state-")
	if err == nil {
		err = os.Setenv(state.Variable, dir)
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
