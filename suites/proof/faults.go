package proof

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// Planted is a fault of rig, fakes or disk, and what became of the scenarios that met it.
type Planted struct {
	Fault string       `json:"fault"`
	What  string       `json:"what"`
	Want  record.Cause `json:"want"` // "" where the instrument's protocol mends the fault, and all must pass
	OK    bool         `json:"ok"`
	// Noticed counts the scenarios that ended inconclusive with the right cause, Passed those that did not meet the fault.
	Noticed int `json:"noticed"`
	Passed  int `json:"passed"`
	// Wrong are those that were classified wrong: a failure of the terminal, or another cause.
	Wrong []Finding `json:"wrong,omitempty"`
	// First is how the fault was seen.
	First string `json:"first,omitempty"`
}

// plant is a fault that can be planted: of which class it is, and which scenarios meet it.
type plant struct {
	fault, what string
	want        record.Cause
	scenarios   []string
	// none may pass: each of its scenarios meets the fault.
	none bool
	// disk: the timeline goes to a full disk instead.
	disk bool
}

// fullDisk is a file that takes nothing: writing to it fails as it does where no space is left (Linux, full(4)).
const fullDisk = "/dev/full"

// met are scenarios in which robot, card, screen and bank have work to do.
var met = []string{"SALE-PLAIN", "CID-PHONE", "HOST-96", "NET-LOST-RESPONSE"}

// power are scenarios that switch the terminal's supply.
var power = []string{"POWER-AFTER-REQUEST", "POWER-AFTER-APPROVAL"}

func plantable() []plant {
	plants := []plant{
		{fault: "keypad-alarm", what: "the robot raises an alarm in the middle of typing", want: record.Rig, scenarios: met, none: true},
		{fault: "keypad-misses", what: "the robot says ok and misses the key", want: record.Rig, scenarios: met, none: true},
		{fault: "keypad-dead", what: "the robot's line is dead", want: record.Rig, scenarios: met, none: true},
		{fault: "keypad-dead-mid-run", what: "the robot dies in the middle of typing", want: record.Rig, scenarios: met, none: true},
		{fault: "display-dark", what: "the display's line says nothing", want: record.Rig, scenarios: met, none: true},
		{fault: "display-garbled", what: "the display's line garbles every fifth line", want: record.Rig, scenarios: met},
		{fault: "relay-stuck", what: "the relay's contact sticks", want: record.Rig, scenarios: power, none: true},
		{fault: "relay-dead", what: "the relay's line is dead", want: record.Rig, scenarios: power, none: true},
		{fault: "card-silent", what: "the card emulator says nothing", want: record.Rig, scenarios: met, none: true},
		{fault: "card-silent-mid-run", what: "the card emulator falls silent in the middle of a chip", want: record.Rig, scenarios: met},
		{fault: "card-holds", what: "the card emulator does not let the card go", want: record.Rig, scenarios: met},
		{fault: "card-stale", what: "the card emulator gives old answers", want: record.Rig, scenarios: met},
		{fault: "card-drops-lines", what: "the card emulator's line loses every fifth line; its protocol mends that", scenarios: met},
		{fault: "card-garbles-lines", what: "the card emulator's line garbles every fifth line; its protocol mends that", scenarios: met},
		{fault: "printer-out-of-paper", what: "the rig's printer sink takes nothing", want: record.Rig, scenarios: []string{"SALE-PLAIN"}},
		{fault: "issuer-gone", what: "the issuer's process is gone", want: record.Issuer, scenarios: []string{"SALE-PLAIN", "HOST-96", "NET-LOST-RESPONSE"}, none: true},
		{fault: "injector-deaf", what: "the injector is armed and never fires", want: record.Network, scenarios: []string{"NET-LOST-RESPONSE", "NET-RESET"}, none: true},
		{fault: "disk-full", what: "the disk is full: nothing can be recorded", want: record.Harness, scenarios: met, none: true, disk: true},
	}
	return slices.DeleteFunc(plants, func(p plant) bool {
		_, err := os.Stat(fullDisk)
		return p.disk && err != nil
	})
}

// faults plants each.
func (p *prover) faults(ctx context.Context) []Planted {
	plants := plantable()
	all := make([]Planted, len(plants))
	p.parallel(ctx, len(plants), func(i int) {
		planted := p.plant(ctx, plants[i])
		if ctx.Err() != nil {
			return // what was interrupted says nothing
		}
		all[i] = planted
		state := "classified right"
		if !all[i].OK {
			state = "classified WRONG"
		}
		p.tell(plants[i].fault + ": " + state)
	})
	return slices.DeleteFunc(all, func(f Planted) bool { return f.Fault == "" })
}

func (p *prover) plant(ctx context.Context, f plant) Planted {
	planted := Planted{Fault: f.fault, What: f.what, Want: f.want}
	options := rungs.Options{Rig: rungs.Virtual, Faults: []string{f.fault}}
	if f.disk {
		options.Faults = nil
	}
	rung, err := rungs.Open(options)
	if err != nil {
		p.fail(err)
		return planted
	}
	defer rung.Close()
	items, err := suites.Plan(rung, suites.Selection{Scenarios: f.scenarios})
	if err != nil {
		p.fail(fmt.Errorf("fault %s: %w", f.fault, err))
		return planted
	}
	for _, item := range items {
		r := p.onPlant(ctx, rung, item, f)
		switch {
		case passed(r):
			planted.Passed++
		case r.Verdict == record.Inconclusive && r.Cause == f.want:
			if planted.Noticed++; planted.First == "" {
				planted.First = r.Why
			}
		default:
			planted.Wrong = append(planted.Wrong, found(r))
		}
	}
	switch {
	case f.want == record.None: // mended
		planted.OK = len(planted.Wrong) == 0 && planted.Passed == len(items)
	default:
		planted.OK = len(planted.Wrong) == 0 && planted.Noticed > 0 && !(f.none && planted.Passed > 0)
	}
	return planted
}

func (p *prover) onPlant(ctx context.Context, rung rungs.Rung, item suites.Item, f plant) record.Result {
	if !f.disk {
		return p.play(ctx, rung, item, f.fault, func(r record.Result) bool { return !passed(r) })
	}
	path := filepath.Join(p.scratch, fmt.Sprintf("full-%d.jsonl", p.files.Add(1)))
	if err := os.Symlink(fullDisk, path); err != nil {
		p.fail(err)
	}
	return suites.Play(ctx, rung, item, path, nil)
}
