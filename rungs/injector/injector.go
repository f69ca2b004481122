package injector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/pcap"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Ready is what an injector tells when it is up.
type Ready struct {
	Uplinks map[string]string `json:"uplinks"` // what terminals dial, by name
	Control string            `json:"control"` // the control API's URL
	PID     int               `json:"pid"`
	Dialect string            `json:"dialect"`
	Capture string            `json:"pcap,omitempty"`
	CA      string            `json:"ca,omitempty"` // the certificate that terminals have to trust
	DNS     string            `json:"dns,omitempty"`
	// Namespace is where a terminal has to run so that packet faults act on it ("ip netns exec"), Address
	// the one that it has there.
	Namespace string `json:"namespace,omitempty"`
	Address   string `json:"address,omitempty"`
}

// Injector is one that listens. Run serves, and must be called once.
type Injector struct {
	config  parsed
	server  *network.Server
	control net.Listener
	capture *pcap.Writer
	Layers
	bench   *packet.Bench // nil without packet faults
	nameUDP net.PacketConn
	nameTCP net.Listener
}

// Start opens every port and file and arms the plan; an error leaves nothing open. ErrOptions is
// one about the options themselves.
func Start(ctx context.Context, o Options) (*Injector, error) {
	config, err := o.parse()
	if err != nil {
		return nil, err
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	i := &Injector{config: config}
	i.told = i.log
	if err := i.open(ctx); err != nil {
		return nil, errors.Join(err, i.close())
	}
	return i, nil
}

func (i *Injector) open(ctx context.Context) error {
	removed, err := packet.Clean(ctx)
	if err != nil {
		i.config.Log.Warn("cleaning up after earlier runs", "error", err)
	}
	for _, what := range removed {
		i.config.Log.Info("removed what an earlier run left behind", "name", what)
	}
	for _, step := range []func() error{func() error { return i.openBench(ctx) }, i.openTLS, i.openNames, i.openCapture, i.openUplinks, i.openControl} {
		if err := step(); err != nil {
			return err
		}
	}
	return i.arm(ctx)
}

func (i *Injector) openTLS() error {
	if i.config.TLS == NoTLS {
		return nil
	}
	authority, err := certs.LoadOrCreate(i.config.TLSDir, time.Now())
	if err != nil {
		return err
	}
	hosts := append([]string{}, i.config.TLSHosts...)
	if i.bench != nil {
		hosts = append(hosts, i.bench.Addr(packet.Host).String())
	}
	for _, u := range i.config.uplinks {
		if host, _, err := net.SplitHostPort(u.listen); err == nil && host != "" {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return fmt.Errorf("%w: --tls-host: needed, since no uplink listens on an address of its own", ErrOptions)
	}
	_, err = i.AddTLS(authority, hosts, i.config.TLSClient)
	return err
}

func (i *Injector) openNames() error {
	if i.config.DNS == "" {
		return nil
	}
	var err error
	if _, err = i.AddNames(dns.Config{Names: i.config.names}); err != nil {
		return err
	}
	i.nameUDP, i.nameTCP, err = listenBoth(i.config.DNS)
	if err != nil {
		return fmt.Errorf("dns: %w", remedied(err))
	}
	return nil
}

// openBench makes the packet bench behind which the uplinks are.
func (i *Injector) openBench(ctx context.Context) error {
	if !i.config.Packet {
		return nil
	}
	bench, err := packet.New(ctx)
	if err != nil {
		return fmt.Errorf("--packet: %w", err)
	}
	i.bench = bench
	i.AddPackets(bench, func() map[string]int { return Ports(i.server) })
	return nil
}

// listen opens an uplink's port, in the bench if there is one.
func (i *Injector) listen(addr string) (net.Listener, error) {
	if i.bench != nil {
		return i.bench.Listen(context.Background(), packet.Host, addr)
	}
	l, err := net.Listen("tcp", addr)
	return l, remedied(err)
}

// remedied adds to what a port could not be opened for what helps.
func remedied(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: ports below 1024 are for root; choose another", err)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another program has it; choose another port, or 0 for any free one", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine has no such address; choose one of its own, or none for all", err)
	}
	return err
}

// dialSelf dials an uplink's port, from beside it: no packet fault is in between.
func (i *Injector) dialSelf(ctx context.Context, addr net.Addr) (net.Conn, error) {
	if i.bench != nil {
		return i.bench.Dial(ctx, packet.Host, addr.String())
	}
	return new(net.Dialer).DialContext(ctx, "tcp", fromHere(addr))
}

// listenBoth listens on the same port over UDP and TCP. Where any port would do, one that is free
// for UDP may be taken for TCP; then it tries another.
func listenBoth(addr string) (net.PacketConn, net.Listener, error) {
	for try := 1; ; try++ {
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			return nil, nil, err
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp, nil
		}
		_ = udp.Close() // nothing was sent on it
		if _, port, _ := net.SplitHostPort(addr); port != "0" || try == portTries {
			return nil, nil, err
		}
	}
}

func (i *Injector) openCapture() (err error) {
	if i.config.Capture != "" {
		i.capture, err = pcap.Create(i.config.Capture, 0)
	}
	return err
}

func (i *Injector) openUplinks() error {
	codec, err := iso8583.NewCodec(i.config.host.Dialect)
	if err != nil {
		return err
	}
	config := network.Config{Framing: i.config.host.Dialect.Framing, Messages: network.ISO8583(codec), Token: i.config.Token}
	if i.capture != nil {
		config.Tap = i.capture.Tap()
	}
	for _, u := range i.config.uplinks {
		config.Uplinks = append(config.Uplinks, i.uplink(u))
	}
	i.server, err = network.New(config)
	return err
}

// uplink is one on TCP. Its port stays the same, also if any would do at first.
func (i *Injector) uplink(u uplink) network.Uplink {
	var dialer net.Dialer
	listen := u.listen
	if i.bench != nil {
		_, port, _ := net.SplitHostPort(listen) // as checked
		listen = net.JoinHostPort(i.bench.Addr(packet.Host).String(), port)
	}
	return network.Uplink{
		Name: u.name,
		Listen: func() (net.Listener, error) {
			l, err := i.listen(listen)
			if err != nil {
				return nil, err
			}
			listen = l.Addr().String()
			if i.tls != nil {
				l = i.tls.Listen(l, u.name)
			}
			return l, nil
		},
		Dial: func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", u.upstream) },
		SelfDial: func(ctx context.Context) (net.Conn, error) {
			return i.dialSelf(ctx, i.server.Addr(u.name))
		},
	}
}

// Ports are the TCP ports of an injector's uplinks, by name.
func Ports(server *network.Server) map[string]int {
	ports := map[string]int{}
	for _, name := range server.Uplinks() {
		if a, ok := server.Addr(name).(*net.TCPAddr); ok {
			ports[name] = a.Port
		}
	}
	return ports
}

// fromHere is where this machine itself reaches a listener. One on every address is reached over
// IPv4: IPv6 can be switched off, as in most containers, and is then listened on all the same.
func fromHere(listener net.Addr) string {
	a, ok := listener.(*net.TCPAddr)
	if ok && a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	return listener.String()
}

func (i *Injector) openControl() (err error) {
	if i.control, err = net.Listen("tcp", i.config.Control); err != nil {
		return fmt.Errorf("control: %w", remedied(err))
	}
	return nil
}

// arm arms the plan that the injector begins with. The flaw that TLS begins with acts where the
// plan does not.
func (i *Injector) arm(ctx context.Context) error {
	plan := i.config.plan
	tlsFaults, dnsFaults := plan.tlsLevel(), plan.dnsLevel()
	if flaw := i.config.TLS; flaw != NoTLS && flaw != GoodTLS {
		tlsFaults = append(tlsFaults, tlswire.Fault{ID: "from the start", Kind: flaw})
	}
	var err error
	if len(plan.Faults) > 0 {
		err = i.server.Arm(ctx, plan.messageLevel())
	}
	if err == nil && len(tlsFaults) > 0 {
		err = i.tls.Arm(tlsFaults)
	}
	if err == nil && len(dnsFaults) > 0 {
		err = i.names.Arm(dnsFaults)
	}
	if packetFaults := plan.packetLevel(); err == nil && len(packetFaults) > 0 {
		err = i.packets.Arm(packetFaults)
	}
	if err != nil {
		return fmt.Errorf("%w: --plan: %s: %w", ErrOptions, i.config.Plan, err)
	}
	return nil
}

// Ready is where everything is.
func (i *Injector) Ready() Ready {
	r := Ready{
		Uplinks: map[string]string{}, Control: "http://" + i.control.Addr().String(), PID: os.Getpid(),
		Dialect: i.config.host.ID, Capture: i.config.Capture,
	}
	for _, u := range i.config.uplinks {
		r.Uplinks[u.name] = i.server.Addr(u.name).String()
	}
	if i.tls != nil {
		r.CA = filepath.Join(i.config.TLSDir, certs.CertFile)
	}
	if i.bench != nil {
		r.Namespace = filepath.Base(i.bench.Namespace(packet.Terminal))
		r.Address = i.bench.Addr(packet.Terminal).String()
	}
	if i.names != nil {
		r.DNS = i.nameUDP.LocalAddr().String()
	}
	return r
}
