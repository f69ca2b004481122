package packet

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// Fault is a fault as the control API and a plan have it.
type Fault = client.PacketFault

// SpecOf describes the same fault; the error is ErrSpec and says everything that is wrong with it. Which port
// its uplink has, who knows uplinks has to say before (see [client.PacketFault.Uplink]).
func SpecOf(f Fault) (Spec, error) {
	if f.Port < 0 || f.Port > math.MaxUint16 {
		return Spec{}, fmt.Errorf("%w %s: port: 1 to %d", ErrSpec, f.Kind, math.MaxUint16)
	}
	if f.Seed < 0 {
		return Spec{}, fmt.Errorf("%w %s: seed: 1 or more", ErrSpec, f.Kind)
	}
	s := Spec{
		ID: f.ID, Kind: f.Kind, Mechanism: f.Mechanism, Port: uint16(f.Port), Direction: f.Direction, Answer: f.Answer,
		Percent: f.Percent, Every: f.Every, By: f.By, Jitter: f.Jitter, Idle: f.Idle, Size: f.Size, Rate: f.Rate,
		Down: f.Down, Up: f.Up, Times: f.Times, Seed: uint64(f.Seed),
	}
	if f.Uplink == "" {
		return s, s.Check()
	}
	if f.Port != 0 {
		return Spec{}, fmt.Errorf("%w %s: port and uplink: give one of them", ErrSpec, f.Kind)
	}
	s.Port = math.MaxUint16 // any will do to see whether the kind takes one
	if err := s.Check(); err != nil {
		return Spec{}, errors.New(strings.ReplaceAll(err.Error(), "port: not taken", "uplink: not taken"))
	}
	s.Port = 0
	return s, nil
}

// WrittenFault is a fault in a YAML file: what is wrong with it is complained about where it stands.
type WrittenFault struct{ Fault }

// UnmarshalStrict implements strict.Unmarshaler.
func (f *WrittenFault) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	d.Value(n, reflect.ValueOf(&f.Fault).Elem())
	if n.Kind != yaml.MappingNode {
		return // complained about
	}
	if _, err := SpecOf(f.Fault); err != nil {
		for text := range strings.SplitSeq(err.Error(), "\n") {
			d.Errorf(n, "%s", text)
		}
	}
}
