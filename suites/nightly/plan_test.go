package nightly

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const good = `name: night
rigs:
  - {rig: virtual, name: one}
  - {rig: virtual, name: two, profiles: [handheld], labels: control, repeats: 3}
profiles: [countertop]
scenarios: [SALE-PLAIN, HOST-96]
repeats: 2
window: {from: "22:00", to: "06:00", zone: Europe/Berlin}
retry: {attempts: 2, on: [inconclusive], pause: 30s}
`

func TestPlanGivesItsRigsWhatTheyDoNotSay(t *testing.T) {
	p, err := Parse("p.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	one, two := p.Rigs[0], p.Rigs[1]
	if !slices.Equal(one.Profiles, []string{"countertop"}) || one.Repeats != 2 || one.Labels != "" {
		t.Errorf("%+v", one)
	}
	if !slices.Equal(two.Profiles, []string{"handheld"}) || two.Repeats != 3 || two.Labels != "control" || len(two.Scenarios) != 2 {
		t.Errorf("%+v", two)
	}
	if p.GiveUpAfter != defaultGiveUp || p.Hosts != "embedded" {
		t.Errorf("%+v", p)
	}
	tasks, err := p.Tasks(one)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 4 || tasks[0].Repeat != 1 || tasks[3].Repeat != 2 || tasks[0].Profile != "countertop" || tasks[0].Lang != "zh" {
		t.Errorf("%+v", tasks)
	}
}

func TestBrokenPlansNamePlaceAndRemedy(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "repeats: 2", "repeat: 2", `p.yaml:7:1: unknown key "repeat"; did you mean "repeats"?`},
		{"no rigs", "rigs:\n  - {rig: virtual, name: one}\n  - {rig: virtual, name: two, profiles: [handheld], labels: control, repeats: 3}\n", "rigs: []\n", "a night needs a rig"},
		{"two of one name", "name: two", "name: one", "p.yaml:4:5: rigs: 1: two rigs are called one"},
		{"one file twice", "rig: virtual, name: two", "rig: a.yaml}\n  - {rig: ./a.yaml", "is in the plan already"},
		{"name that is no folder", "name: two", "name: a/b", `"a/b" can't name a folder`},
		{"no time of day", `"22:00"`, "22", `p.yaml:8:16: "22" is not a time of day`},
		{"no length", `"06:00"`, `"22:00"`, "a window of no length"},
		{"unknown zone", "Europe/Berlin", "Europe/Berlyn", "not a time zone"},
		{"unknown verdict", "[inconclusive]", "[inconclusiv]", `did you mean "inconclusive"?`},
		{"too many attempts", "attempts: 2", "attempts: 11", "p.yaml:9:19: retry: attempts: 11 is not between"},
		{"too many repeats", "repeats: 2", "repeats: 1001", "not between"},
		{"too many of a rig", "repeats: 3", "repeats: -1", "p.yaml:4:79: rigs: 1: repeats: -1"},
		{"long pause", "30s", "2h", "longer than 1h"},
		{"hosts", "repeats: 2", "hosts: container", `did you mean "containers"?`},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Errorf("%s: the plan does not hold %q", c.name, c.old)
		}
		if _, err := Parse("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestTasksRefuseWhatARigCannotSelect(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"rig: virtual, name: one", "rig: nosuch.yaml, name: one", "rig one: open"},
		{"SALE-PLAIN", "SALE-PLAN", `did you mean "SALE-PLAIN"?`},
		{"[countertop]", "[countertap]", `did you mean "countertop"?`},
		{"name: one", "name: one, defects: [wrong-prompt-69]", `did you mean "wrong-prompt-96"?`},
	} {
		p, err := Parse("p.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Tasks(p.Rigs[0]); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.new, err, c.want)
		}
	}
}

func TestTasksOfOneProfileAreTogether(t *testing.T) {
	p, err := Parse("p.yaml", []byte("name: n\nrigs: [{rig: virtual, profiles: [all, countertop]}]\nlabels: control\n"))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := p.Tasks(p.Rigs[0])
	if err != nil {
		t.Fatal(err)
	}
	if g := groups(tasks); len(g) < 2 {
		t.Fatalf("%v", g)
	}
	changes, seen := 0, map[key]bool{}
	for i, task := range tasks {
		if i > 0 && task.Profile != tasks[i-1].Profile {
			changes++
		}
		if seen[task.key()] {
			t.Errorf("%v is planned twice", task)
		}
		seen[task.key()] = true
	}
	if changes != len(groups(tasks))-1 {
		t.Errorf("the profile changes %d times", changes)
	}
}

func TestNextWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, now, wantFrom, wantTo string }{
		{"22:00", "06:00", "2026-11-22T12:00:00+01:00", "2026-11-22T22:00:00+01:00", "2026-11-23T06:00:00+01:00"},
		{"22:00", "06:00", "2026-11-22T23:00:00+01:00", "2026-11-22T22:00:00+01:00", "2026-11-23T06:00:00+01:00"},
		{"22:00", "06:00", "2026-11-23T05:59:59+01:00", "2026-11-22T22:00:00+01:00", "2026-11-23T06:00:00+01:00"},
		{"22:00", "06:00", "2026-11-23T06:00:00+01:00", "2026-11-23T22:00:00+01:00", "2026-11-24T06:00:00+01:00"},
		{"12:00", "13:30", "2026-11-22T13:30:00+01:00", "2026-11-23T12:00:00+01:00", "2026-11-23T13:30:00+01:00"},
		{"12:00", "13:30", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00+01:00", "2026-11-22T13:30:00+01:00"},
		// The night in which summer time ends has an hour more.
		{"22:00", "06:00", "2026-10-25T02:00:00+01:00", "2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00"},
	} {
		p, err := Parse("p.yaml", []byte(strings.NewReplacer("22:00", c.from, "06:00", c.to).Replace(good)))
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		from, to := p.Window.Next(now)
		if from.In(berlin).Format(time.RFC3339) != c.wantFrom || to.In(berlin).Format(time.RFC3339) != c.wantTo {
			t.Errorf("at %s: %v to %v, want %s to %s", c.now, from, to, c.wantFrom, c.wantTo)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("name: n\nrigs: [{rig: sim}]\n")
	f.Add("name: n\nrigs: [{rig: [a]}]\nwindow: {from: 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("p.yaml", []byte(text))
		if err != nil {
			return
		}
		if p.Repeats < 1 || p.Repeats > maxRepeats || p.Retry.Attempts < 1 || p.Retry.Attempts > maxAttempts || len(p.Rigs) == 0 {
			t.Errorf("%+v", p)
		}
		for _, r := range p.Rigs {
			if !plainName.MatchString(r.Name) || r.Repeats < 1 {
				t.Errorf("%+v", r)
			}
		}
		if p.Window != nil {
			now := time.Unix(0, 0)
			if from, to := p.Window.Next(now); !from.Before(to) || !now.Before(to) {
				t.Errorf("window %v to %v at %v", from, to, now)
			}
		}
	})
}

func TestTheExampleIsAPlan(t *testing.T) {
	p, err := Load("../../docs/ci/nightly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Rigs) != 3 || p.Rigs[1].Repeats != 3 || p.Rigs[2].Labels != "!endurance" || p.Retry.Pause != 30*time.Second || p.Window == nil {
		t.Errorf("%+v", p)
	}
	tasks, err := p.Tasks(p.Rigs[2]) // the rig that needs no rig file
	if err != nil || len(tasks) == 0 {
		t.Errorf("%d tasks, %v", len(tasks), err)
	}
}
