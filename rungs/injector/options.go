package injector

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/certs"
)

// TLS towards the terminal: none, a good certificate, or a flaw of package certs from the start.
const (
	NoTLS   = "none"
	GoodTLS = "good"
)

// TLSWords are the values of Options.TLS.
func TLSWords() []string { return append([]string{NoTLS, GoodTLS}, certs.Flaws...) }

// Options are what an injector stands between, as the command line gives it.
type Options struct {
	// Uplinks, each as NAME=LISTEN,UPSTREAM.
	Uplinks []string
	// Dialect that terminal and host speak: an embedded one's name or a file.
	Dialect string
	// Control is where the control API listens; Token guards it unless it is "".
	Control string
	Token   string
	// Capture is the file of the capture, "" for none.
	Capture string
	// Plan is the file of the plan that is armed from the start, "" for none. Seed is the plan's
	// unless it is 0.
	Plan string
	Seed int64
	// TLS is one of TLSWords; "" means NoTLS. The authority is kept in TLSDir, TLSHosts are the
	// names by which terminals dial besides the uplinks' addresses, TLSClient asks terminals for a
	// certificate of the same authority.
	TLS       string
	TLSDir    string
	TLSHosts  []string
	TLSClient bool
	// DNS is where the name server listens, UDP and TCP; "" for none. DNSNames are what it knows,
	// each as NAME=ADDRESS[,ADDRESS].
	DNS      string
	DNSNames []string
	// Packet puts the uplinks' ports behind a packet bench: a terminal dials from a network namespace made
	// for it, and packet faults act on the way. An uplink then listens on a port alone, ":8583".
	Packet bool
	// Log takes what happens; nil drops it.
	Log *slog.Logger
}

// uplink is one of Options.Uplinks.
type uplink struct{ name, listen, upstream string }

// parsed are Options in their own types.
type parsed struct {
	Options
	uplinks []uplink
	host    *hosts.Host
	names   map[string][]netip.Addr
	plan    Plan
}

// parse says everything that is wrong with the options at once; the error is ErrOptions.
func (o Options) parse() (parsed, error) {
	p := parsed{Options: o}
	if p.TLS == "" {
		p.TLS = NoTLS
	}
	var wrong []error
	check := func(option string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s: %w", ErrOptions, option, err))
		}
	}
	var err error
	p.uplinks, err = parseUplinks(o.Uplinks)
	check("--uplink", err)
	if o.Packet {
		check("--uplink", portsAlone(p.uplinks))
	}
	p.host, err = loadHost(o.Dialect)
	check("--dialect", err)
	check("--control", checkControl(o.Control, o.Token))
	if !slices.Contains(TLSWords(), p.TLS) {
		check("--tls", errors.New(strict.UnknownMessage("value", p.TLS, TLSWords())))
	}
	if p.TLS == NoTLS && (len(o.TLSHosts) > 0 || o.TLSClient) {
		check("--tls", errors.New("--tls-host and --tls-client need --tls good"))
	}
	if o.DNS != "" {
		check("--dns", checkAddress(o.DNS))
	}
	p.names, err = parseNames(o.DNSNames)
	check("--dns-name", err)
	if o.DNS == "" && len(o.DNSNames) > 0 {
		check("--dns-name", errors.New("needs --dns LISTEN"))
	}
	if o.Plan != "" {
		p.plan, err = LoadPlan(o.Plan)
		check("--plan", err)
		check("--plan", p.plan.fits(p.TLS != NoTLS, o.DNS != "", o.Packet))
	}
	if o.Seed != 0 {
		p.plan.Seed = o.Seed
		if o.Plan == "" {
			check("--seed", errors.New("needs --plan FILE; a plan of the control API has its own"))
		}
	}
	return p, errors.Join(wrong...)
}

func parseUplinks(words []string) (all []uplink, err error) {
	if len(words) == 0 || len(words) > MaxUplinks {
		return nil, fmt.Errorf("%d given, 1 to %d are possible; write --uplink primary=LISTEN,UPSTREAM", len(words), MaxUplinks)
	}
	for _, word := range words {
		name, addrs, named := strings.Cut(word, "=")
		listen, upstream, both := strings.Cut(addrs, ",")
		if !named || !both || name == "" {
			return nil, fmt.Errorf("%q is not NAME=LISTEN,UPSTREAM, for example primary=127.0.0.1:8583,192.168.1.9:8583", word)
		}
		if slices.ContainsFunc(all, func(u uplink) bool { return u.name == name }) {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		for _, addr := range []string{listen, upstream} {
			if err := checkAddress(addr); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		all = append(all, uplink{name, listen, upstream})
	}
	return all, nil
}

// portsAlone wants uplinks that listen on whatever address a packet bench has.
func portsAlone(uplinks []uplink) error {
	for _, u := range uplinks {
		if host, port, _ := net.SplitHostPort(u.listen); host != "" {
			return fmt.Errorf("%s: with --packet the address is the bench's own; write %s=:%s,%s", u.name, u.name, port, u.upstream)
		}
	}
	return nil
}

// checkAddress wants host and port; which hosts and ports there are, is for the network to say.
func checkAddress(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("%q is not HOST:PORT, for example 127.0.0.1:8583", addr)
	}
	return nil
}

// checkControl wants a token where others than this machine can reach the control API.
func checkControl(addr, token string) error {
	if err := checkAddress(addr); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(addr) // as checked
	ip, err := netip.ParseAddr(host)
	if local := host == "localhost" || err == nil && ip.IsLoopback(); !local && token == "" {
		return fmt.Errorf("%q can be reached from elsewhere; give --token-file FILE, or listen on 127.0.0.1", addr)
	}
	return nil
}

func parseNames(words []string) (map[string][]netip.Addr, error) {
	names := map[string][]netip.Addr{}
	for _, word := range words {
		name, list, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not NAME=ADDRESS[,ADDRESS], for example host.test=127.0.0.1", word)
		}
		for text := range strings.SplitSeq(list, ",") {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not an IP address", name, text)
			}
			names[name] = append(names[name], addr)
		}
	}
	return names, nil
}

// loadHost loads an embedded dialect, or with a separator or an extension in its name a file.
func loadHost(dialect string) (*hosts.Host, error) {
	if strings.ContainsAny(dialect, `/\`) || strings.HasSuffix(dialect, ".yaml") {
		return hosts.LoadFile(dialect)
	}
	return hosts.Load(dialect)
}
