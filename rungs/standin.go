package rungs

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// StandIn is the simulated bench where a lab has its instruments: on device paths in a rig file, with a
// terminal that dials the rig's address. Who runs against it can't tell the difference, so it
// shows the lab's rung, and rig files, without a lab.
type StandIn struct {
	// RigFile is the rig file for it, in the folder that it was started in.
	RigFile string
	parts   teardown
}

// StandInOptions say what stands in.
type StandInOptions struct {
	Dir     string // for the rig file and links to the instruments; made when it is missing
	Profile string
	Lang    string // "" is the profile's first
	Defects []string
	Faults  []string
}

// standInContact is how long the rig file tells the finger to hold a key.
const standInContact = "40ms"

// StartStandIn starts a bench in real time, with the terminal's own timers and a fast finger. It
// works until Close.
func StartStandIn(o StandInOptions) (_ *StandIn, err error) {
	if err := (Options{Rig: Sim, Defects: o.Defects, Faults: o.Faults}).check(); err != nil {
		return nil, err
	}
	profile, err := terminals.Load(o.Profile)
	if err != nil {
		return nil, err
	}
	if o.Lang == "" {
		o.Lang = profile.Languages[0]
	}
	if !slices.Contains(profile.Languages, o.Lang) {
		return nil, fmt.Errorf("%s", strict.UnknownMessage("language", o.Lang, profile.Languages))
	}
	host, err := hosts.Load(profile.Host)
	if err != nil {
		return nil, err
	}
	s := &StandIn{RigFile: filepath.Join(o.Dir, "rig.yaml")}
	defer func() {
		if err != nil {
			_ = s.parts.run() // the first fault is the one to tell
		}
	}()
	ports, paths, err := openPorts(&s.parts)
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
	b, err := startBench(Options{Defects: o.Defects, Faults: o.Faults}, profile, o.Lang, ports, dial)(context.Background(), host)
	if err != nil {
		return nil, err
	}
	s.parts.add("bench", b.Close)
	return s, s.write(o, address, paths)
}

// Close switches the bench off and takes its links away. The rig file stays.
func (s *StandIn) Close() error { return s.parts.run() }

// write makes the links to the instruments and the rig file that names them.
func (s *StandIn) write(o StandInOptions, address string, paths map[string]string) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	links := map[string]string{}
	for _, name := range instruments {
		link := filepath.Join(dir, name)
		if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
			return err
		}
		if err := os.Symlink(paths[name], link); err != nil {
			return err
		}
		s.parts.add("link of "+name, func() error { return os.Remove(link) })
		links[name] = link
	}
	text := fmt.Sprintf(`# A simulated bench that stands in for a lab, written by assay bench.
name: stand-in
profile: %s
lang: %s
listen: %s
instruments:
  keypad: {driver: grbl, port: %q, contact: %s}
  card: {driver: relay, port: %q}
  display: {driver: debug-line, port: %q}
  power: {driver: numato, port: %q, channel: %d}
  printer: {driver: esc-pos, port: %q}
`, o.Profile, o.Lang, address, links["keypad"], standInContact, links["card"], links["display"], links["power"], bench.PowerChannel, links["printer"])
	return os.WriteFile(s.RigFile, []byte(text), 0o644)
}

// freeAddress finds a loopback address that nobody listens on.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
