package nightly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/rungs"
)

// Limits of a plan. Beyond them it is a mistake, not a night.
const (
	maxRepeats  = 1000
	maxAttempts = 10
	maxPause    = time.Hour
)

// defaultGiveUp is after how many scenarios in a row that the rig spoiled a rig is given up.
const defaultGiveUp = 3

// Plan says what a night is made of: which scenarios, on which rigs, how often, when.
//
//	name: nightly
//	rigs:
//	  - rig: lab-7.yaml            # relative to this file
//	  - {rig: sim, profiles: [handheld], labels: smoke}
//	labels: 'smoke || power'       # default: the whole catalogue
//	repeats: 2
//	window: {from: "22:00", to: "06:00", zone: Europe/Berlin}
//	retry: {attempts: 2, on: [inconclusive], pause: 30s}
type Plan struct {
	Name string `yaml:"name,required"`
	// Rigs are worked on at the same time, each by a worker of its own.
	Rigs []Rig `yaml:"rigs,required"`
	// Profiles, Labels, Scenarios and Lang select as the flags of `assay run` do; a rig's own go before.
	Profiles  []string `yaml:"profiles"`  // ids, or "all"; none: the first that can run a scenario
	Labels    string   `yaml:"labels"`    // a label filter such as 'smoke && !control'
	Scenarios []string `yaml:"scenarios"` // ids; none is all
	Lang      string   `yaml:"lang"`
	Hosts     string   `yaml:"hosts"`   // embedded or containers; "" is embedded
	Repeats   int      `yaml:"repeats"` // how often the selection is run on each rig; 0 is once
	// Window is when scenarios may begin; nil is always.
	Window *Window `yaml:"window"`
	Retry  Retry   `yaml:"retry"`
	// Quarantine is a file of scenarios that prove nothing on a rig for now, relative to the plan; "" is none.
	Quarantine string `yaml:"quarantine"`
	// GiveUpAfter is after how many scenarios in a row that the rig spoiled the rest of a rig is not run; 0 is 3.
	GiveUpAfter int `yaml:"give-up-after"`
}

// Rig is one rig of a plan.
type Rig struct {
	// Rig is "sim", "virtual", or a rig file's path, relative to the plan.
	Rig string `yaml:"rig,required"`
	// Name is the rig's in reports and folders; "" is the file's name without its ending.
	Name      string   `yaml:"name"`
	Profiles  []string `yaml:"profiles"`
	Labels    string   `yaml:"labels"`
	Scenarios []string `yaml:"scenarios"`
	Lang      string   `yaml:"lang"`
	Repeats   int      `yaml:"repeats"`
	// Defects and BenchFaults are planted in a simulated bench: to see a night turn red.
	Defects     []string `yaml:"defects"`
	BenchFaults []string `yaml:"bench-faults"`
}

// Retry says what is tried again. Every attempt is kept and shown. A terminal that failed once
// has failed, whatever a further attempt says: that only shows whether it fails each time.
type Retry struct {
	Attempts int           `yaml:"attempts"` // with the first; 0 is 1: nothing is tried again
	On       []string      `yaml:"on"`       // inconclusive, fail; none is inconclusive
	Pause    time.Duration `yaml:"pause"`    // before a retry
}

// retryWords are what Retry.On may say.
var retryWords = []string{"inconclusive", "fail"}

// Load reads a plan. Complaints about what is written in it come all at once, each with its place.
func Load(path string) (*Plan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse reads a plan from data. Rig files in it are relative to the folder of path.
func Parse(path string, data []byte) (*Plan, error) {
	p := &Plan{}
	if err := strict.Decode(path, data, p); err != nil {
		return nil, err
	}
	c := &checker{path: path}
	if err := yaml.Unmarshal(data, &c.doc); err != nil {
		return nil, err
	}
	c.limits(p)
	c.rigs(p)
	if p.Quarantine != "" {
		p.Quarantine = c.resolve(p.Quarantine)
	}
	if p.Window != nil && p.Window.From == p.Window.To {
		c.complain("from and to are the same time: a window of no length; leave window out to run at any time", "window")
	}
	p.defaults()
	return p, errors.Join(c.errs...)
}

// defaults fills in what the plan left open.
func (p *Plan) defaults() {
	p.Repeats = max(p.Repeats, 1)
	p.Retry.Attempts = max(p.Retry.Attempts, 1)
	if len(p.Retry.On) == 0 {
		p.Retry.On = retryWords[:1]
	}
	if p.GiveUpAfter == 0 {
		p.GiveUpAfter = defaultGiveUp
	}
	if p.Hosts == "" {
		p.Hosts = rungs.Embedded
	}
	for i := range p.Rigs {
		r := &p.Rigs[i]
		if len(r.Profiles) == 0 {
			r.Profiles = p.Profiles
		}
		if r.Labels == "" {
			r.Labels = p.Labels
		}
		if len(r.Scenarios) == 0 {
			r.Scenarios = p.Scenarios
		}
		if r.Lang == "" {
			r.Lang = p.Lang
		}
		if r.Repeats == 0 {
			r.Repeats = p.Repeats
		}
	}
}

// checker collects the complaints about one plan.
type checker struct {
	path string
	doc  yaml.Node
	errs []error
}

func (c *checker) limits(p *Plan) {
	within := func(n, most int, keys ...any) {
		if n < 0 || n > most {
			c.complain(fmt.Sprintf("%d is not between 1 and %d", n, most), keys...)
		}
	}
	within(p.Repeats, maxRepeats, "repeats")
	within(p.Retry.Attempts, maxAttempts, "retry", "attempts")
	within(p.GiveUpAfter, maxRepeats, "give-up-after")
	if p.Retry.Pause > maxPause {
		c.complain(fmt.Sprintf("%v is longer than %v", p.Retry.Pause, maxPause), "retry", "pause")
	}
	for i, word := range p.Retry.On {
		if !slices.Contains(retryWords, word) {
			c.complain(strict.UnknownMessage("verdict to retry on", word, retryWords), "retry", "on", i)
		}
	}
	if p.Hosts != "" && !slices.Contains(rungs.HostsWords(), p.Hosts) {
		c.complain(strict.UnknownMessage("place for hosts", p.Hosts, rungs.HostsWords()), "hosts")
	}
}

// plainName is what may name a rig: it names a folder too.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (c *checker) rigs(p *Plan) {
	if len(p.Rigs) == 0 {
		c.complain("a night needs a rig", "rigs")
	}
	names, files := map[string]bool{}, map[string]bool{}
	for i := range p.Rigs {
		r := &p.Rigs[i]
		if r.Repeats < 0 || r.Repeats > maxRepeats {
			c.complain(fmt.Sprintf("%d is not between 1 and %d", r.Repeats, maxRepeats), "rigs", i, "repeats")
		}
		if !r.simulated() {
			r.Rig = c.resolve(r.Rig)
			if files[r.Rig] {
				c.complain("this rig is in the plan already: one bench can't do two things at once", "rigs", i, "rig")
			}
			files[r.Rig] = true
		}
		if r.Name == "" {
			r.Name = strings.TrimSuffix(filepath.Base(r.Rig), filepath.Ext(r.Rig))
		}
		switch {
		case !plainName.MatchString(r.Name):
			c.complain(fmt.Sprintf("%q can't name a folder; give name: letters, digits, dots and dashes", r.Name), "rigs", i)
		case names[r.Name]:
			c.complain(fmt.Sprintf("two rigs are called %s; give name to tell them apart", r.Name), "rigs", i)
		}
		names[r.Name] = true
	}
}

func (r *Rig) simulated() bool { return r.Rig == rungs.Sim || r.Rig == rungs.Virtual }

// resolve makes a path in the plan absolute, links followed: a night may be resumed from another
// folder, and a rig by two names is one rig.
func (c *checker) resolve(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(c.path), path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a file that is not there is complained about when the rig is opened
	}
	return path
}

// complain gives the place of the deepest of the keys that is in the plan; a key is a name or an index.
func (c *checker) complain(message string, keys ...any) {
	n := &yaml.Node{Line: 1, Column: 1}
	if len(c.doc.Content) > 0 {
		n = c.doc.Content[0]
	}
	words := make([]string, 0, len(keys)+1)
	for _, key := range keys {
		if next := under(n, key); next != nil {
			n = next
		}
		words = append(words, fmt.Sprint(key))
	}
	c.errs = append(c.errs, &strict.Error{File: c.path, Line: n.Line, Column: n.Column, Message: strings.Join(append(words, message), ": ")})
}

// under gives what a mapping has under a name, or a list at an index; nil without.
func under(n *yaml.Node, key any) *yaml.Node {
	switch key := key.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && key < len(n.Content) {
			return n.Content[key]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
