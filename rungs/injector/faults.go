package injector

import (
	"context"
	"strings"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/tlswire"
)

// Levels of a fault: which part of the injector has it.
const (
	Message = "message"
	TLS     = "tls"
	DNS     = "dns"
	Packet  = "packet"
)

// Fault is one kind of fault of one level.
type Fault struct {
	Level  string `json:"level"`
	Kind   string `json:"kind"`
	On     string `json:"on"`     // what it acts on
	Params string `json:"params"` // those that may be left out in brackets
	Help   string `json:"help"`
	Rows   []int  `json:"rows"` // of the fault catalogue
}

// Faults is the whole vocabulary, by level.
func Faults() (all []Fault) {
	for _, level := range []struct {
		name  string
		kinds []network.Kind
	}{{Message, network.Vocabulary}, {TLS, tlswire.Vocabulary}, {DNS, dns.Vocabulary}} {
		for _, k := range level.kinds {
			all = append(all, Fault{level.name, k.Kind, strings.Join(k.On, "|"), k.Usage(), k.Help, k.Rows})
		}
	}
	for _, w := range packet.Vocabulary {
		all = append(all, Fault{Packet, w.Kind, Packet, packetUsage(w.Params), w.Help, w.Rows})
	}
	return all
}

// packetUsage writes parameters as the other levels do: what is needed bare, the rest in brackets.
func packetUsage(params string) string {
	words := strings.Fields(params)
	for i, word := range words {
		if needed, ok := strings.CutSuffix(word, "!"); ok {
			words[i] = needed
		} else {
			words[i] = "[" + word + "]"
		}
	}
	return strings.Join(words, " ")
}

// Capability is what this machine can do of one kind of fault at packet level.
type Capability = packet.Capability

// Probe tries what this machine can do at packet level, in namespaces that it removes again.
func Probe(ctx context.Context) []Capability { return packet.Probe(ctx) }

// Clean removes what injectors that did not end in order have left behind, and tells what.
func Clean(ctx context.Context) (removed []string, err error) { return packet.Clean(ctx) }
