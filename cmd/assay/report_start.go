package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/suites"
)

// reportFlags are the flags of `assay run` about what it tells, and to whom.
type reportFlags struct {
	events, notify, history string
	sink                    io.Closer
	index                   io.Closer
}

const historyHelp = "index of earlier runs, for the pages (default: history.db beside the run folder, brought up to date; without it, the run folders there)"

func (f *reportFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.events, "events", "", "write what happens as JSON lines to this file as well, while it happens; - is standard error")
	flags.StringVar(&f.notify, "notify", "", "run this shell command at the end, with the summary as JSON on its standard input")
	flags.StringVar(&f.history, "history", "", historyHelp)
}

// start is what the run folder is begun with.
func (f *reportFlags) start(out string, s reports.Summary, items []suites.Item, more scenarios.More) (reports.Start, error) {
	start := reports.Start{Summary: s, Plan: planOf(items), Environment: environmentOf(s, items, more)}
	switch f.events {
	case "":
	case "-":
		start.Events = os.Stderr
	default:
		file, err := os.OpenFile(f.events, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return start, fmt.Errorf("--events: %w", err)
		}
		start.Events, f.sink = file, file
	}
	var err error
	start.Past, err = f.past(out)
	return start, err
}

// end tells whoever wanted to know, and closes what start opened. An interrupt does not keep it from that.
func (f *reportFlags) end(ctx context.Context, dir string, s reports.Summary) error {
	var err error
	if f.notify != "" {
		err = reports.Notify(context.WithoutCancel(ctx), f.notify, dir, s)
	}
	for _, open := range []io.Closer{f.sink, f.index} {
		if open != nil {
			err = errors.Join(err, open.Close())
		}
	}
	return err
}

func planOf(items []suites.Item) reports.Plan {
	p := reports.Plan{Guide: map[string]reports.Text{}}
	for _, item := range items {
		sc := item.Scenario
		p.Items = append(p.Items, reports.Item{Name: item.Name, Scenario: sc.ID, Title: reports.Text{EN: sc.Title.EN, ZH: sc.Title.ZH},
			Profile: item.Profile.ID, Lang: item.Lang, Family: sc.Family, Article: sc.Cause, Labels: sc.Labels, Digest: digestOf(sc), Skip: item.Skip})
		if sc.Why.EN != "" || sc.Why.ZH != "" {
			p.Guide[sc.ID] = reports.Text{EN: sc.Why.EN, ZH: sc.Why.ZH}
		}
	}
	return p
}

func environmentOf(s reports.Summary, items []suites.Item, more scenarios.More) reports.Environment {
	e := reports.Environment{Version: s.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Rig: s.Rig, RigFile: s.RigFile,
		Profiles: map[string]reports.ProfileFacts{}}
	if exe, err := os.Executable(); err == nil {
		e.Binary = fileDigest(exe)
	}
	if s.RigFile != "" {
		e.RigFileDigest = fileDigest(s.RigFile)
	}
	if all, err := suites.Catalogue(more); err == nil {
		e.Catalogue = digestOf(all)
	}
	for _, item := range items {
		if _, done := e.Profiles[item.Profile.ID]; !done {
			e.Profiles[item.Profile.ID] = profileFacts(item)
		}
	}
	return e
}

func profileFacts(item suites.Item) reports.ProfileFacts {
	p := item.Profile
	f := reports.ProfileFacts{Title: reports.Text{EN: p.Title.EN, ZH: p.Title.ZH}, Digest: digestOf(p), Host: p.Host, Scale: p.Scale, BudgetsUS: map[string]int64{}}
	for name, limit := range p.Budgets {
		f.BudgetsUS[name] = int64(limit / time.Microsecond)
	}
	return f
}

// digestOf is the SHA-256 of a value as JSON; "" for one that has no JSON.
func digestOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// fileDigest is the SHA-256 of a file; "" of one that can't be read.
func fileDigest(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
