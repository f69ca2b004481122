package rungs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rungs/containers"
)

// Where issuer and injector run.
const (
	Embedded   = "embedded"   // in this process
	Containers = "containers" // each in a container of this machine's Docker engine
)

// HostsWords are the values of Options.Hosts.
func HostsWords() []string { return []string{Embedded, Containers} }

// starter starts issuer and injector for a world.
type starter func(ctx context.Context, w wire, t *teardown, s site) (*peers, error)

// hosted makes issuer and injector of a rung's worlds run in containers.
func (r *realtime) hosted(o Options) error {
	if err := o.ofItsOwn(); err != nil {
		return err
	}
	engine, err := containers.Open(context.Background(), "") // bounded by itself
	if err != nil {
		return fmt.Errorf("--hosts %s: %w", Containers, err)
	}
	r.engine = engine
	has := r.has
	r.has = func(capability string) bool {
		return has(capability) && capability != "tls" && capability != "dns-name"
	}
	r.noPackets = func(kind string) string {
		return fmt.Sprintf("packet fault %s: it is made around an injector in this process, and this one is in a container; use --hosts %s", kind, Embedded)
	}
	worlds := 0
	r.hosts = func(ctx context.Context, w wire, t *teardown, s site) (*peers, error) {
		named, ok := w.(*loopback)
		if !ok {
			return nil, errors.New("containers need a wire over TCP")
		}
		worlds++
		folder := filepath.Join("hosts", fmt.Sprintf("world-%d", worlds))
		return startContainers(ctx, engine, named, t, containers.Config{Dialect: s.host.ID, Parameters: embeddedID(s.profile), Log: o.evidence(folder)})
	}
	return nil
}

// embeddedID is a profile's id where a container knows it, too; "" for one from a file.
func embeddedID(p *terminals.Profile) string {
	if known, err := terminals.Load(p.ID); err != nil || known.EMV == nil {
		return ""
	}
	return p.ID
}

// ofItsOwn refuses a rig whose bank needs what a container does not get: files of this machine.
func (o Options) ofItsOwn() error {
	if o.Rig == Sim {
		return nil
	}
	f, err := rigs.LoadFile(o.Rig)
	if err != nil {
		return err
	}
	if f.Host != nil && (f.Host.Keys != "" || rigs.IsPath(f.Host.Dialect)) {
		return fmt.Errorf("--hosts %s: the rig file's \"host\" has keys or a dialect in a file, which a container does not get; use --hosts %s", Containers, Embedded)
	}
	return nil
}

// evidence opens files in a folder of the run's evidence; nil where nobody wants any.
func (o Options) evidence(folder string) func(name string) (io.WriteCloser, error) {
	if o.Evidence == nil {
		return nil
	}
	return func(name string) (io.WriteCloser, error) { return o.Evidence(filepath.Join(folder, name)) }
}

// startContainers starts issuer and injector and lets the wire's names lead to them. A terminal
// outside dials the addresses that the rig file gives; they lead to the injector's container.
func startContainers(ctx context.Context, engine *containers.Engine, w *loopback, t *teardown, c containers.Config) (*peers, error) {
	for _, name := range []string{uplinkName, backupName} {
		c.Uplinks = append(c.Uplinks, containers.Uplink{Name: name, Publish: w.fixed(name)})
	}
	up, err := engine.Start(ctx, c)
	switch {
	// As with a port of our own: who sees this has to look at the rig.
	case errors.Is(err, containers.ErrPublish):
		return nil, rigs.Fault(uplinkName, "listen", fmt.Errorf("%w; is another run on this rig, or is \"listen\" in the rig file no address of this machine?", err))
	case errors.Is(err, containers.ErrUnreachable) && w.fixed(uplinkName) != "":
		return nil, rigs.Fault(uplinkName, "listen", err)
	case err != nil:
		return nil, err
	}
	t.add("containers", up.Close)
	w.lead(issuerControlName, up.Issuer.Address)
	w.lead(networkControlName, up.Network.Address)
	for name, address := range up.Uplinks {
		w.lead(name, address)
	}
	client := controlClient(w, t)
	return &peers{
		issuer:  issuer.New(client, "http://"+issuerControlName, issuer.WithToken(up.Issuer.Token)),
		network: network.New(client, "http://"+networkControlName, network.WithToken(up.Network.Token)),
	}, nil
}
