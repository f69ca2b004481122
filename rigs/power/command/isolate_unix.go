//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// isolate gives a program a process group of its own: a Ctrl-C at the run does not reach it, and what it started dies
// with it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
