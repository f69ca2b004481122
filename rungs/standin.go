package rungs

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/certs"
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
	Host    string // the address that the terminal dials; "" is 127.0.0.1
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
	addresses, err := freeAddresses(cmp.Or(o.Host, "127.0.0.1"))
	if err != nil {
		return nil, err
	}
	trust, err := s.trust(o.Dir, profile)
	if err != nil {
		return nil, err
	}
	b, err := startBench(Options{Defects: o.Defects, Faults: o.Faults}, profile, o.Lang, ports, newLoopback(addresses))(context.Background(), host, trust)
	if err != nil {
		return nil, err
	}
	s.parts.add("bench", b.Close)
	return s, s.write(o, profile, addresses, paths)
}

// Close switches the bench off and takes its links away. The rig file stays.
func (s *StandIn) Close() error { return s.parts.run() }

// standInAuthority is the folder, within that of the rig file, of the authority that the terminal trusts.
const standInAuthority = "certs"

// trust makes the authority that a terminal with TLS trusts; nil for others.
func (s *StandIn) trust(dir string, p *terminals.Profile) (*x509.CertPool, error) {
	if !p.Uplinks.TLS {
		return nil, nil
	}
	authority, err := certs.LoadOrCreate(filepath.Join(dir, standInAuthority), time.Now())
	if err != nil {
		return nil, err
	}
	return authority.Pool(), nil
}

// write makes the links to the instruments and the rig file that names them.
func (s *StandIn) write(o StandInOptions, p *terminals.Profile, addresses, paths map[string]string) error {
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
	network := fmt.Sprintf("listen: %s\nlisten-backup: %s\n", addresses[uplinkName], addresses[backupName])
	if p.Uplinks.ByName {
		network += fmt.Sprintf("listen-names: %s\n", addresses[namesName])
	}
	if p.Uplinks.TLS {
		network += "tls: " + standInAuthority + "\n"
	}
	text := fmt.Sprintf(`# A simulated bench that stands in for a lab, written by assay bench.
name: stand-in
profile: %s
lang: %s
%sinstruments:
  keypad: {driver: grbl, port: %q, contact: %s}
  card: {driver: relay, port: %q}
  display: {driver: debug-line, port: %q}
  power: {driver: numato, port: %q, channel: %d, parts: {%s}}
  printer: {driver: esc-pos, port: %q}
`, o.Profile, o.Lang, network, links["keypad"], standInContact, links["card"], links["display"], links["power"], bench.PowerChannel, partsText(), links["printer"])
	return os.WriteFile(s.RigFile, []byte(text), 0o644)
}

// partsText are the relays of the bench that break a part of the terminal, as a rig file has them.
func partsText() string {
	var parts []string
	for _, part := range slices.Sorted(maps.Keys(bench.PartChannels())) {
		parts = append(parts, fmt.Sprintf("%s: %d", part, bench.PartChannels()[part]))
	}
	return strings.Join(parts, ", ")
}

// freeAddresses gives addresses of a host, by uplink and for the name server, at ports that nobody here listens on.
func freeAddresses(host string) (map[string]string, error) {
	free := map[string]string{}
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	free[namesName] = names.LocalAddr().String()
	_ = names.Close() // nothing was sent on it
	for _, uplink := range []string{uplinkName, backupName} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // only now, so that the next one is another
		free[uplink] = ln.Addr().String()
	}
	for name, address := range free {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		free[name] = net.JoinHostPort(host, port)
	}
	return free, nil
}
