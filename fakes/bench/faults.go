package bench

import (
	"github.com/assay-hil/assay/fakes/bench/cardslot"
	"github.com/assay-hil/assay/fakes/bench/paper"
	"github.com/assay-hil/assay/fakes/bench/relay"
	"github.com/assay-hil/assay/fakes/bench/robot"
	"github.com/assay-hil/assay/fakes/bench/tap"
	"github.com/assay-hil/assay/fixtures/strict"
)

// When the faults that come in the middle of something come.
const (
	// deathPlunge is the plunge at which keypad-dead-mid-run and keypad-alarm strike.
	deathPlunge = 10
	// deathRequest is the request after which card-silent-mid-run strikes.
	deathRequest = 10
	// badLine: of the lines that an instrument sends, every n-th suffers.
	badLine = 5
)

// faults are those of all instruments of one bench.
type faults struct {
	robot robot.Faults
	card  cardslot.Faults
	relay relay.Faults
	tap   tap.Faults
	paper paper.Faults
}

// fault is one that can be planted by name.
type fault struct {
	name  string
	plant func(*faults)
}

// catalogue is in alphabetical order.
func catalogue() []fault {
	return []fault{
		{"card-drops-lines", func(f *faults) { f.card.DropEvery = badLine }},
		{"card-garbles-lines", func(f *faults) { f.card.GarbleEvery = badLine }},
		{"card-holds", func(f *faults) { f.card.Holds = true }},
		{"card-silent", func(f *faults) { f.card.Silent = true }},
		{"card-silent-mid-run", func(f *faults) { f.card.SilentAfter = deathRequest }},
		{"card-stale", func(f *faults) { f.card.Stale = true }},
		{"display-dark", func(f *faults) { f.tap.Dark = true }},
		{"display-garbled", func(f *faults) { f.tap.GarbleEvery = badLine }},
		{"keypad-alarm", func(f *faults) { f.robot.AlarmAtPress = deathPlunge }},
		{"keypad-dead", func(f *faults) { f.robot.Dead = true }},
		{"keypad-dead-mid-run", func(f *faults) { f.robot.DeadAtPress = deathPlunge }},
		{"keypad-misses", func(f *faults) { f.robot.Misses = true }},
		{"printer-out-of-paper", func(f *faults) { f.paper.OutOfPaper = true }},
		{"relay-dead", func(f *faults) { f.relay.Dead = true }},
		{"relay-stuck", func(f *faults) { f.relay.Stuck = true }},
	}
}

// Faults are the names of what may be wrong with the instruments, in alphabetical order.
func Faults() []string {
	var names []string
	for _, f := range catalogue() {
		names = append(names, f.name)
	}
	return names
}

// UnknownFaultError says that there is no instrument fault of that name.
type UnknownFaultError struct {
	Name string
}

// Error names the nearest fault, or all.
func (e *UnknownFaultError) Error() string {
	return strict.UnknownMessage("instrument fault", e.Name, Faults())
}

func plant(names []string) (faults, error) {
	known := map[string]func(*faults){}
	for _, f := range catalogue() {
		known[f.name] = f.plant
	}
	var planted faults
	for _, name := range names {
		if known[name] == nil {
			return faults{}, &UnknownFaultError{Name: name}
		}
		known[name](&planted)
	}
	return planted, nil
}
