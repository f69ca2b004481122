package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// Kinds of fault.
const (
	noName  = "nxdomain"
	failure = "servfail"
	slow    = "slow"
	stale   = "stale"
	timeout = "timeout"
)

// Fault is one way in which it goes wrong.
type Fault = client.DNSFault

// Addresses that nobody has (RFC 5737 and RFC 3849): where "stale" leads without an address.
var (
	Nowhere  = netip.MustParseAddr("192.0.2.1")
	Nowhere6 = netip.MustParseAddr("2001:db8::1")
)

// OnQuestion is what the faults act on.
const OnQuestion = "question"

var (
	question = []string{OnQuestion}
	byName   = client.Param{Name: "name", Default: "every one", Help: "that is asked for"}
	byType   = client.Param{Name: "type", Words: []string{"A", "AAAA"}, Default: "both", Help: "of the question"}
	byNth    = client.Param{Name: "nth", Default: "0", Help: "which question for the name and type since arming, from 1; 0 is every one"}
)

// Vocabulary is every kind of fault of this package, sorted by name.
var Vocabulary = []client.Kind{
	{Kind: noName, On: question, Params: []client.Param{byName, byType, byNth}, Rows: []int{39}, Help: "there is no such name"},
	{Kind: failure, On: question, Params: []client.Param{byName, byType, byNth}, Rows: []int{39}, Help: "the name server cannot answer"},
	{Kind: slow, On: question, Params: []client.Param{{Name: "by", Required: true, Help: "how late"}, byName, byType, byNth},
		Rows: []int{39}, Help: "the right answer comes late; healing lets it go at once"},
	{Kind: stale, On: question, Params: []client.Param{{Name: "address", Default: Nowhere.String() + ", " + Nowhere6.String(), Help: "the old one"}, byName, byType, byNth},
		Rows: []int{39}, Help: "the answer is an address that was right once"},
	{Kind: timeout, On: question, Params: []client.Param{byName, byType, byNth}, Rows: []int{39}, Help: "no answer comes"},
}

// WrittenFault is a fault in a YAML file: what is wrong with it is complained about where it stands.
type WrittenFault struct{ Fault }

// UnmarshalStrict implements strict.Unmarshaler.
func (f *WrittenFault) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	d.Value(n, reflect.ValueOf(&f.Fault).Elem())
	if n.Kind != yaml.MappingNode {
		return // complained about
	}
	for _, text := range append(checkIdentity(f.Fault, map[string]bool{}), checkParams(f.Fault)...) {
		d.Errorf(n, "%s", text)
	}
}

// check says what is wrong with faults, everything at once; the error is ErrFault.
func check(faults []Fault) error {
	if n := len(faults); n > MaxFaults {
		return fmt.Errorf("%w: %d faults, at most %d", ErrFault, n, MaxFaults)
	}
	var wrong []error
	seen := map[string]bool{}
	for i, f := range faults {
		texts := append(checkIdentity(f, seen), checkParams(f)...)
		for _, text := range texts {
			wrong = append(wrong, fmt.Errorf("%w %d (%.*q): %s", ErrFault, i+1, maxID, f.ID, text))
		}
		seen[f.ID] = true
	}
	return errors.Join(wrong...)
}

func checkIdentity(f Fault, seen map[string]bool) (wrong []string) {
	var kinds []string
	for _, k := range Vocabulary {
		kinds = append(kinds, k.Kind)
	}
	if f.ID == "" || len(f.ID) > maxID {
		wrong = append(wrong, fmt.Sprintf("id: 1 to %d characters are needed", maxID))
	}
	if seen[f.ID] {
		wrong = append(wrong, "id: used twice")
	}
	if !slices.Contains(kinds, f.Kind) {
		wrong = append(wrong, strict.UnknownMessage("kind", f.Kind, kinds))
	}
	return wrong
}

func checkParams(f Fault) (wrong []string) {
	if _, ok := canonical(f.Name); f.Name != "" && !ok {
		wrong = append(wrong, "name: not a DNS name")
	}
	if f.Type != "" && !slices.Contains(byType.Words, f.Type) {
		wrong = append(wrong, strict.UnknownMessage("type", f.Type, byType.Words))
	}
	if f.Nth < 0 {
		wrong = append(wrong, "nth: 1 or more, or 0 for every one")
	}
	switch {
	case f.Kind == slow && (f.By <= 0 || f.By > MaxDelay):
		wrong = append(wrong, fmt.Sprintf("by: more than 0, at most %v", MaxDelay))
	case f.Kind != slow && f.By != 0:
		wrong = append(wrong, "by: only slow has it")
	}
	switch {
	case f.Address == "":
	case f.Kind != stale:
		wrong = append(wrong, "address: only stale has it")
	default:
		if a, err := netip.ParseAddr(f.Address); err != nil || a.Zone() != "" {
			wrong = append(wrong, "address: an IP address is needed")
		}
	}
	return wrong
}
