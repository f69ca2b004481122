package packet_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-hil/assay/fakes/network/packet"
)

// TestProbe: every kind has a row; what can't be done, or not by the best mechanism, has a reason.
func TestProbe(t *testing.T) {
	bench(t) // skips where there is none
	all := packet.Probe(t.Context())
	var kinds []string
	for _, c := range all {
		kinds = append(kinds, c.Fault)
		t.Logf("%-22s %-6s %s", c.Fault, c.Mechanism, c.Why)
		if c.OK != (c.Mechanism != "") || !c.OK && c.Why == "" || strings.Contains(c.Why, "\n") || c.Broken {
			t.Errorf("%+v", c)
		}
		if lack := packet.MachineLacks(c.Fault); (lack == nil) != c.OK {
			t.Errorf("%+v; tried beside the bench: %v", c, lack)
		}
	}
	if !slices.Equal(kinds, packet.Kinds()) {
		t.Errorf("kinds %v", kinds)
	}
}

// TestProbeEnds: with its context ended nothing is claimed.
func TestProbeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range packet.Probe(ctx) {
		if c.OK || !strings.Contains(c.Why, "canceled") {
			t.Errorf("%+v", c)
		}
	}
}

// TestProbeWithoutRights: who may not do it learns why and what would help.
func TestProbeWithoutRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: the probe's own answer is without rights already")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The binary's folder may be root's alone; what is open already is not asked again.
	binary, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	child := exec.Command("/proc/self/fd/3")
	child.ExtraFiles = []*os.File{binary}
	child.Env = append(os.Environ(), asProber+"=1")
	const nobody = 65534
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	child.Dir = "/"
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, "false ") || !strings.Contains(line, "run as root") {
			t.Errorf("%q", line)
		}
	}
	if len(lines) != len(packet.Kinds()) {
		t.Errorf("%d rows: %s", len(lines), out)
	}
}
