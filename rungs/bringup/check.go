package bringup

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs"
)

// CheckOptions say how a check goes.
type CheckOptions struct {
	State string // as rungs.LabOptions has it
	// Each is told every finding as it comes; nil: nobody is.
	Each func(Finding)
	// Console is where a person is asked, for a rig of which one is an instrument.
	Console *human.Console
}

// check is one check under way.
type check struct {
	lab    *rungs.Lab
	each   func(Finding)
	report Report

	keypad  rigs.Keypad
	display *watcher
	// press, screen and network are what was measured.
	press, screen, network samples
}

// Check opens, identifies and exercises every instrument of a rig, safely, then its uplinks, issuer and
// injector. What it finds is in the report; its error says why there is none. The rig's latencies are kept
// for the runs that follow.
func Check(ctx context.Context, path string, o CheckOptions) (Report, error) {
	lab, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "assay rigs check", State: o.State, Console: o.Console})
	if err != nil {
		return Report{}, err
	}
	c := &check{
		lab: lab, each: o.Each,
		report: Report{Rig: lab.File.Name, File: path, Terminal: lab.File.Terminal.ID, At: time.Now(), Capabilities: lab.File.Capabilities(),
			Latencies: []Latency{}},
		press:   samples{name: pressLatency, from: "press commanded → finger seen back up; the key closes in between"},
		screen:  samples{name: displayLatency, from: "press commanded → screen changed, the terminal's own reaction included"},
		network: samples{name: networkLatency, from: "connection over the uplink to the injector and back"},
	}
	c.run(ctx)
	if err := lab.Close(); err != nil {
		c.find("rig", "close", time.Now(), "", err)
	}
	measured := c.report.conclude([]samples{c.press, c.screen, c.network})
	if len(measured.Latencies) > 0 {
		if err := measured.Save(o.State, lab.File); err != nil {
			return c.report, err
		}
	}
	return c.report, context.Cause(ctx)
}

func (c *check) run(ctx context.Context) {
	f := c.lab.File
	c.add(Finding{Subject: "rig file", Step: "read", Status: OK, Detail: fmt.Sprintf("rig %s, terminal %s (%s), scenarios may need: %s",
		f.Name, f.Terminal.ID, f.Terminal.Title.EN, strings.Join(c.report.Capabilities, " "))})
	for _, step := range []struct {
		name string
		do   func(context.Context, rigs.Instrument)
	}{
		{"display", c.listen}, {"printer", c.alive}, {"power", c.supply}, {"card", c.card}, {"keypad", c.finger},
	} {
		if _, there := f.Drivers()[step.name]; there && ctx.Err() == nil {
			c.instrument(ctx, step.name, step.do)
		}
	}
	if ctx.Err() == nil {
		c.hosts(ctx)
	}
}

// instrument opens one, tries it, and leaves it safe.
func (c *check) instrument(ctx context.Context, name string, try func(context.Context, rigs.Instrument)) {
	at := time.Now()
	d, err := c.lab.Open(ctx, name)
	if err != nil {
		c.find(name, "open", at, "", err)
		return
	}
	c.find(name, "open", at, c.lab.File.Drivers()[name].String()+identity(d), nil)
	try(ctx, d)
	at = time.Now()
	if err := c.lab.Halt(ctx, d); err != nil {
		c.find(name, "make safe", at, "", err)
	}
}

// identity is what an instrument says about itself, if it does.
func identity(d rigs.Instrument) string {
	text := ""
	if named, ok := d.(interface{ Firmware() string }); ok {
		text += ", firmware " + named.Firmware()
	}
	if able, ok := d.(interface{ Capabilities() []string }); ok {
		text += ", can do " + strings.Join(able.Capabilities(), ", ")
	}
	return text
}

// find adds a finding; err decides its status and names its remedy.
func (c *check) find(subject, step string, since time.Time, detail string, err error) bool {
	f := Finding{Subject: subject, Step: step, Status: OK, Detail: detail, Took: millis(time.Since(since))}
	if err != nil {
		f.Status, f.Detail = Failed, strings.TrimPrefix(err.Error(), subject+": ")
		f.Fix = Fix(subject, c.lab.File.Drivers()[subject], err)
	}
	c.add(f)
	return err == nil
}

func (c *check) add(f Finding) {
	c.report.Findings = append(c.report.Findings, f)
	if c.each != nil {
		c.each(f)
	}
}

// alive asks for a sign of life.
func (c *check) alive(ctx context.Context, d rigs.Instrument) {
	at := time.Now()
	c.find(d.Name(), "alive", at, "listening; a terminal that prints nothing says nothing", d.Probe(ctx))
}

// listen begins to watch the screen.
func (c *check) listen(ctx context.Context, d rigs.Instrument) {
	at := time.Now()
	if err := d.Probe(ctx); err != nil {
		c.find("display", "alive", at, "", err)
		return
	}
	looker, asked := d.(rigs.Looker)
	if !asked {
		c.display = watch(d.(rigs.Display))
		return
	}
	// A person is too slow for the rig's latencies: the finger is then measured blind.
	if c.find("display", "alive", at, "a person reads the screen; times of the terminal can be judged no closer than that", looker.Look(ctx)) {
		c.add(Finding{Subject: "display", Step: "latency", Status: Skipped, Detail: "a screen that somebody reads has none"})
	}
}
