package rungs

import (
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/state"
)

// measuredFile is where a rig's measured latencies are kept, in its state folder.
const measuredFile = "measured.json"

// Measured are a rig's own latencies, as `assay rigs check` found them. Times are in nanoseconds.
type Measured struct {
	At        time.Time `json:"at"`
	Latencies []Latency `json:"latencies"`
	// Uncertainty of a time measured between two instruments; 0 where nothing was measured.
	Uncertainty time.Duration `json:"uncertainty"`
}

// Latency is one of a rig's own delays: how long something takes that is not the terminal's.
type Latency struct {
	Name   string        `json:"name"` // "press", "display", "network"
	From   string        `json:"from"` // what is measured, in words
	Median time.Duration `json:"median"`
	Spread time.Duration `json:"spread"` // largest less smallest
	Count  int           `json:"count"`
}

// ReadMeasured gives what was measured last, as is known in a state folder ("": as package state says); a zero value where nothing was.
func ReadMeasured(root string, f *rigs.File) (Measured, error) {
	path, err := measuredPath(root, f)
	if err != nil {
		return Measured{}, err
	}
	var m Measured
	return m, state.Read(path, &m)
}

// Save keeps what was measured, in a state folder, for the runs that follow.
func (m Measured) Save(root string, f *rigs.File) error {
	path, err := measuredPath(root, f)
	if err != nil {
		return err
	}
	return state.Write(path, m)
}

func measuredPath(root string, f *rigs.File) (string, error) {
	root, err := state.Root(root)
	if err != nil {
		return "", err
	}
	dir, err := state.Dir(root, f.Name, f.Path)
	if err != nil {
		return "", err
	}
	return dir + "/" + measuredFile, nil
}
