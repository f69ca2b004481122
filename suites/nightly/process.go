package nightly

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/assay-hil/assay/rungs"
)

const (
	// stopLimit is how long a process may take to make its rig safe and end, once it was told to. It is
	// longer than the run's own limit for that.
	stopLimit = 6 * time.Minute
	// tailLength is how much of what a process says last is told to people.
	tailLength = 400
	// Lifeline is the number of the file in a process of a night that reads end of file when the night has
	// died. The file after it keeps the night's folder locked.
	Lifeline = 3
)

// Program is how `assay run` is started.
type Program struct {
	Path  string   // of the executable
	Env   []string // nil is this process's
	Flags []string // for every run
}

// Runner gives the runner that starts a process for each order.
func (p Program) Runner(n *Night) Runner {
	return func(ctx context.Context, r Rig, o Order, dir string) Ending {
		ending, err := p.start(ctx, n, r, o, dir)
		if err != nil {
			return Ending{Code: -1, Said: err.Error()}
		}
		return ending
	}
}

func (p Program) start(ctx context.Context, n *Night, r Rig, o Order, dir string) (Ending, error) {
	log, err := os.Create(logPath(dir))
	if err != nil {
		return Ending{}, err
	}
	defer log.Close()
	ours, theirs, err := lifeline()
	if err != nil {
		return Ending{}, err
	}
	defer theirs.Close() // when the process has ended
	said := &tail{}
	cmd := exec.CommandContext(ctx, p.Path, p.args(n, r, o, dir)...)
	cmd.Env = p.Env
	cmd.Stdout, cmd.Stderr = log, io.MultiWriter(log, said)
	cmd.ExtraFiles = []*os.File{ours, n.Lock()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the night, which tells its processes
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopLimit
	err = cmd.Start()
	_ = ours.Close() // the process has its own
	if err != nil {
		return Ending{}, err
	}
	err = cmd.Wait()
	ending := Ending{Code: cmd.ProcessState.ExitCode(), Said: said.String()}
	if ending.died() && ending.Said == "" {
		ending.Said = cmd.ProcessState.String()
	}
	if err != nil && ending.Said == "" && ending.Code > 1 {
		ending.Said = "see " + logPath(dir)
	}
	return ending, nil
}

// lifeline makes a pipe: a process that reads from ours sees the end when theirs is closed, also by this
// process's death.
func lifeline() (ours, theirs *os.File, err error) {
	ours, theirs, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("lifeline: %w", err)
	}
	return ours, theirs, nil
}

// args are the arguments for an order.
func (p Program) args(n *Night, r Rig, o Order, dir string) []string {
	args := []string{"run", "--rig", r.Rig, "--profile", o.Profile, "--lang", o.Lang, "--scenario", strings.Join(o.Scenarios, ","),
		"--out", dir, "--hosts", n.plan.Hosts, "--lifeline", fmt.Sprint(Lifeline)}
	if r.Rig == rungs.Sim {
		args = append(args, "--benches", "1") // a plan's rig is one
	}
	for _, d := range r.Defects {
		args = append(args, "--defect", d)
	}
	for _, f := range r.BenchFaults {
		args = append(args, "--bench-fault", f)
	}
	if until := n.Until(); !until.IsZero() {
		args = append(args, "--until", until.Format(time.RFC3339))
	}
	return append(args, p.Flags...)
}

// tail keeps the end of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - tailLength; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String gives it in one line.
func (t *tail) String() string { return strings.Join(strings.Fields(string(t.b)), " ") }
