package rungs

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

func standIn(t *testing.T) *StandIn {
	t.Helper()
	s, err := StartStandIn(StandInOptions{Dir: filepath.Join(t.TempDir(), "bench"), Profile: "countertop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(filepath.Dir(s.RigFile), "keypad")); err == nil {
			t.Error("the links stayed")
		}
	})
	return s
}

// TestLabRunsFromARigFile proves that the lab rung needs nothing but device paths and an
// address: the same drivers, judge and scenario as on the other rungs, timers unchanged.
func TestLabRunsFromARigFile(t *testing.T) {
	t.Parallel()
	r, err := Open(Options{Rig: standIn(t).RigFile})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if r.Name() != "stand-in" || !r.Has("power") || r.Lang() != "zh" {
		t.Errorf("rung %s, power %v, language %s", r.Name(), r.Has("power"), r.Lang())
	}
	result := runOne(t, r, "SALE-PLAIN")
	if result.Verdict != record.Pass && result.Verdict != record.Marginal {
		t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
	}
}

// TestASecondRunOnARigIsTheRigsFault and says what to look at.
func TestASecondRunOnARigIsTheRigsFault(t *testing.T) {
	s := standIn(t)
	f, err := rigs.LoadFile(s.RigFile)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", f.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	r, err := Open(Options{Rig: s.RigFile})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Do(t.Context(), Wanted{Profile: r.Profiles()[0], Lang: r.Lang()}, func(context.Context, *harness.Session) record.Result {
		t.Error("a session on a rig that is in use")
		return record.Result{}
	})
	if !errors.As(err, new(*rigs.Error)) || !strings.Contains(err.Error(), "is another run on this rig") {
		t.Errorf("%v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestDefectsNeedASimulatedBench(t *testing.T) {
	if _, err := Open(Options{Rig: standIn(t).RigFile, Defects: []string{"wrong-prompt-96"}}); err == nil {
		t.Error("a defect was accepted for a lab's terminal")
	}
}

func TestStandInRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, o := range map[string]StandInOptions{
		`did you mean "countertop"?`:      {Profile: "countertap"},
		`unknown language "fr"`:           {Profile: "countertop", Lang: "fr"},
		`did you mean "wrong-prompt-96"?`: {Profile: "countertop", Defects: []string{"wrong-prompt-69"}},
		`did you mean "keypad-dead"?`:     {Profile: "countertop", Faults: []string{"keypad-ded"}},
	} {
		o.Dir = filepath.Join(t.TempDir(), "bench")
		if _, err := StartStandIn(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v, want %q", o, err, name)
		}
	}
}

// A rig whose file gives no interface says so of packet faults; one that gives an interface asks the machine.
func TestLabNeedsAnInterfaceForPackets(t *testing.T) {
	path := standIn(t).RigFile
	r, err := Open(Options{Rig: path, Planning: true})
	if err != nil {
		t.Fatal(err)
	}
	if why := r.NoPackets("loss"); why != `packet fault loss: the rig file has no "interface" behind which its terminal is` {
		t.Errorf("%q", why)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("interface: none9\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err = Open(Options{Rig: path}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if why, machine := r.NoPackets("loss"), noPackets("loss"); why != machine {
		t.Errorf("%q, the machine says %q", why, machine)
	}
	err = r.Do(t.Context(), Wanted{Profile: r.Profiles()[0], Lang: r.Lang(), Packets: true}, func(context.Context, *harness.Session) record.Result {
		t.Error("a session behind an interface that is not there")
		return record.Result{}
	})
	if !errors.As(err, new(*rigs.Error)) || !strings.Contains(err.Error(), "none9") {
		t.Errorf("%v, want a fault of the rig that names the interface", err)
	}
}
