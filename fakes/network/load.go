package network

import (
	"os"
	"reflect"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// planFile is a plan as it is written.
type planFile struct {
	Seed   int64          `yaml:"seed"`
	Faults []WrittenFault `yaml:"faults,required"`
}

// WrittenFault is a fault in a YAML file: what is wrong with it is complained about where it stands.
type WrittenFault struct{ client.Fault }

// UnmarshalStrict implements strict.Unmarshaler.
func (f *WrittenFault) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	d.Value(n, reflect.ValueOf(&f.Fault).Elem())
	if n.Kind != yaml.MappingNode {
		return // complained about
	}
	for _, text := range checkFault(f.Fault) {
		d.Errorf(n, "%s", text)
	}
}

// LoadPlan reads a plan from a YAML file. Its keys are those of client.Plan in JSON; durations are
// words such as 1m30s. What only an injector knows (its uplinks, its dialect's paths) is checked when
// the plan is armed.
func LoadPlan(path string) (client.Plan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return client.Plan{}, err
	}
	return ParsePlan(path, data)
}

// ParsePlan is LoadPlan for what a file of that name has in it.
func ParsePlan(name string, data []byte) (client.Plan, error) {
	var f planFile
	if err := strict.Decode(name, data, &f); err != nil {
		return client.Plan{}, err
	}
	p := client.Plan{Seed: f.Seed, Faults: make([]client.Fault, 0, len(f.Faults))}
	for _, w := range f.Faults {
		p.Faults = append(p.Faults, w.Fault)
	}
	return p, nil
}
