//go:build !unix

package command

import "os/exec"

// isolate does nothing: there are no process groups here. A program is killed alone.
func isolate(*exec.Cmd) {}
