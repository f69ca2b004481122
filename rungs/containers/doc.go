// Package containers runs issuer and injector as containers of a Docker engine, each world's in a
// network of its own. The image is built FROM scratch with nothing in it but this program; it is
// never pulled.
//
// The hosts are reached at their addresses in that network, not through ports that the engine
// publishes: its proxy takes a connection also where the container refuses it, and a refused
// connection is one of the faults that a terminal must be proven against. So the engine must run
// on this machine, which has to be Linux. Only uplinks that a terminal outside of the machine dials
// are published, at the rig's own addresses, after a look whether a refusal comes through there.
//
// Everything carries the labels of its owner, a process that holds a lock. What a process left
// behind that was killed is removed by the next that starts containers on the same machine.
package containers

import (
	"errors"
	"time"
)

// Limits.
const (
	// askLimit bounds the question whether there is an engine.
	askLimit = 10 * time.Second
	// StartLimit bounds how long issuer and injector may take until they answer, the building of
	// the image included.
	StartLimit = 2 * time.Minute
	// createLimit bounds the creation of one thing, not its start.
	createLimit = 20 * time.Second
	// logLimit bounds the reading of a log for an error.
	logLimit = 5 * time.Second
	// readyLimit bounds one container's start, from its creation to its sign of life.
	readyLimit = 30 * time.Second
	// readyPoll is how often a starting container is looked at.
	readyPoll = 20 * time.Millisecond
	// stopLimit is how long a container has to end in order before it is ended, in whole seconds.
	stopLimit = 3 * time.Second
	// closeLimit bounds the removal of a world's containers and their network.
	closeLimit = 9 * time.Second
	// cleanLimit bounds the removal of what others left behind.
	cleanLimit = 30 * time.Second
	// dialLimit bounds a connection within this machine.
	dialLimit = 2 * time.Second
	// maxLog bounds what is kept of a container's log, in bytes.
	maxLog = 64 << 20
	// tailLines is how much of a log is told when a container did not start.
	tailLines = 5
)

// Errors, for the cases that somebody has to put right before a run.
var (
	// ErrEngine: no Docker engine answers.
	ErrEngine = errors.New("no Docker engine answers")
	// ErrProgram: this program cannot run in an empty image.
	ErrProgram = errors.New("this program cannot run in a container")
	// ErrUnreachable: the containers run, but this machine has no way to them as they are.
	ErrUnreachable = errors.New("the containers cannot be reached as a terminal must reach them")
)
