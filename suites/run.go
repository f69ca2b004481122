package suites

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"

	"github.com/assay-hil/assay/reports"
)

// nightLimit bounds a whole run: Ginkgo's own limit of an hour would cut a night short.
const nightLimit = 24 * time.Hour

// ErrLeft is returned by Run when a scenario did not end after an interrupt. Its rig must be
// looked at.
var ErrLeft = errors.New("a scenario did not end: the rig may not be safe")

// Run registers the specs and runs them in this process, one after the other. It may be called
// once in a process. Verdicts are in the run folder and in Progress; the error is the cause of an
// interrupt, or says that a rig may not be safe.
//
// Ginkgo takes SIGINT and SIGTERM too. At the first, the running spec's context ends, its rig is
// made safe, and the rest is not run. At the third Ginkgo walks away from the spec; Run does not:
// it waits until the rig is safe.
func Run(ctx context.Context, cfg Config) error {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.Timeout = nightLimit
	suite.GracePeriod = specGrace
	reporter.Succinct, reporter.NoColor = true, true
	reporter.JSONReport = filepath.Join(cfg.Folder.Path(), reports.GinkgoFile) // held against our own record at the end
	// Ginkgo's reporter writes to this variable; what people see is Progress.
	out := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = out }()
	cfg.ctx = ctx
	cfg.playing = make(chan struct{}, 1)
	cfg.ahead = cfg.playAhead()
	Register(cfg)
	ginkgo.RunSpecs(&outcome{}, "assay", suite, reporter)
	if !cfg.left() {
		return ErrLeft
	}
	return context.Cause(ctx)
}

// left waits until nothing is being played any more, at most specGrace; false when something still is.
func (c Config) left() bool {
	limit := time.NewTimer(specGrace)
	defer limit.Stop()
	quiet := make(chan struct{})
	go func() {
		defer close(quiet)
		c.ahead.played.Wait()
		c.playing <- struct{}{}
	}()
	select {
	case <-quiet:
		return true
	case <-limit.C:
		return false
	}
}

// outcome is Ginkgo's view of the test that it runs in.
type outcome struct{ failed bool }

// Fail implements ginkgo.GinkgoTestingT.
func (o *outcome) Fail() { o.failed = true }
