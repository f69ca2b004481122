package rungs

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
)

// standIn puts the simulated bench where a lab has its instruments: on device paths in a rig
// file, with a terminal that dials the rig's address. Nothing of it is known to the rung.
func standIn(t *testing.T) (rigFile string) {
	t.Helper()
	var parts teardown
	t.Cleanup(func() {
		if err := parts.run(); err != nil {
			t.Error(err)
		}
	})
	ports, paths, err := openPorts(&parts)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	host, err := hosts.Load(profile.Host)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := startBench(Options{}, profile, "zh", ports, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	})(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	parts.add("bench", func() error { return b.Close() })
	rigFile = filepath.Join(t.TempDir(), "rig.yaml")
	text := fmt.Sprintf(`name: stand-in
profile: countertop
listen: %s
instruments:
  keypad: {driver: grbl, port: %s, contact: 40ms}
  card: {driver: relay, port: %s}
  display: {driver: debug-line, port: %s}
  power: {driver: numato, port: %s, channel: %d}
  printer: {driver: esc-pos, port: %s}
`, address, paths["keypad"], paths["card"], paths["display"], paths["power"], bench.PowerChannel, paths["printer"])
	if err := os.WriteFile(rigFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return rigFile
}

// TestLabRunsFromARigFile proves that the lab rung needs nothing but device paths and an
// address: the same drivers, judge and scenario as on the other rungs, timers unchanged.
func TestLabRunsFromARigFile(t *testing.T) {
	r, err := Open(Options{Rig: standIn(t)})
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
	if result.Firmware == "" {
		t.Log("the terminal booted before the rig was opened: its version was not seen")
	}
}

func TestDefectsNeedASimulatedBench(t *testing.T) {
	if _, err := Open(Options{Rig: standIn(t), Defects: []string{"wrong-prompt-96"}}); err == nil {
		t.Error("a defect was accepted for a lab's terminal")
	}
}
