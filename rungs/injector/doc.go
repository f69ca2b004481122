// Package injector is the fault injector on its own, between a terminal and a host that are
// elsewhere: uplinks on TCP, TLS towards the terminal, a name server for terminals that dial by
// name, a capture of what passed, and the control API. It is what `assay network serve` runs.
//
// # Control API
//
// The routes of package network (openapi.yaml there), of which /heal heals all layers, and those
// of the layers below the message (openapi.yaml here, served as /openapi-layers.yaml). The client
// for both is that of package network. All but the descriptions and /healthz need the token, if
// there is one.
package injector

import (
	"errors"
	"time"
)

// Limits of an injector.
const (
	// MaxUplinks can be served at the same time.
	MaxUplinks = 16
	// MaxBody is the length of a plan's JSON for one layer.
	MaxBody = 64 << 10
	// MinToken is the shortest token that is taken from a file, MaxToken the longest.
	MinToken = 16
	MaxToken = 1024
	// portTries is how many ports are tried for one that is free for UDP and TCP.
	portTries = 50
	// tellEvery is how often events are looked for that are to be told.
	tellEvery = 50 * time.Millisecond
	// headerLimit bounds how long a control request's header may take.
	headerLimit = 10 * time.Second
)

// ErrOptions: an injector cannot be started as it is described; the error says which option is
// wrong and what to write instead.
var ErrOptions = errors.New("network serve")
