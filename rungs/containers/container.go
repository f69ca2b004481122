package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"

	"github.com/moby/moby/api/types/container"
	api "github.com/moby/moby/api/types/network"
	testcontainers "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

// tokenPath is the file of the control API's token in a container; nothing else has a way to it.
const tokenPath = "/token"

// readyLine is how `assay issuer serve` and `assay network serve` say that everything listens.
const readyLine = `(?m)^\{"(listen|uplinks)":`

// ErrPublish: an address that a terminal is to dial cannot be had.
var ErrPublish = errors.New("publish")

// request is a container to be run.
type request struct {
	name, image, token string
	args               []string
	publish            []published
}

// published is a container's port at an address of this machine.
type published struct {
	port    int
	address string
}

// run runs a container until it answers and gives its address.
func (h *Hosts) run(ctx context.Context, r request) (ip string, err error) {
	ports, err := r.ports()
	if err != nil {
		return "", err
	}
	var c *testcontainers.DockerContainer
	err = creating(ctx, func(ctx context.Context) error {
		c, err = testcontainers.Run(ctx, r.image, h.options(r, ports)...)
		return err
	})
	if c == nil {
		return "", fmt.Errorf("%s: %w", r.name, err)
	}
	s := &started{r.name, c}
	h.started = append(h.started, s)
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		return "", r.explain(fmt.Errorf("%s: %w\n%s", r.name, err, s.tail(ctx)))
	}
	if ip, err = c.ContainerIP(ctx); err != nil {
		return "", fmt.Errorf("%s: %w", r.name, err)
	}
	return ip, ping(ctx, ip)
}

// options are those of a container that is created and not yet started.
func (h *Hosts) options(r request, ports api.PortMap) []testcontainers.ContainerCustomizer {
	return []testcontainers.ContainerCustomizer{
		testcontainers.WithNoStart(),
		network.WithNetwork([]string{r.name}, h.network),
		testcontainers.WithLabels(h.labels),
		testcontainers.WithCmd(r.args...),
		testcontainers.WithTmpfs(map[string]string{"/tmp": "mode=1777"}),
		testcontainers.WithFiles(testcontainers.ContainerFile{Reader: strings.NewReader(r.token), ContainerFilePath: tokenPath, FileMode: 0o444}),
		testcontainers.WithExposedPorts(exposed(ports)...),
		testcontainers.WithHostConfigModifier(func(c *container.HostConfig) {
			c.CapDrop = []string{"ALL"}
			c.SecurityOpt = []string{"no-new-privileges"}
			c.PortBindings = ports
		}),
		testcontainers.WithWaitStrategyAndDeadline(readyLimit, wait.ForLog(readyLine).AsRegexp().WithPollInterval(readyPoll)),
	}
}

// explain says of an error in starting whether it is about a published address: the engine has no
// word of its own for that.
func (r request) explain(err error) error {
	for _, sign := range []string{"port is already allocated", "address already in use", "cannot assign requested address"} {
		if strings.Contains(err.Error(), sign) {
			return fmt.Errorf("%w: %w", ErrPublish, err)
		}
	}
	return err
}

// ports are the bindings of what is published and, beside each, of a port on which nothing listens.
func (r request) ports() (api.PortMap, error) {
	ports := api.PortMap{}
	for _, p := range r.publish {
		host, port, err := net.SplitHostPort(p.address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPublish, err)
		}
		ip := netip.IPv4Unspecified()
		if host != "" {
			if ip, err = netip.ParseAddr(host); err != nil {
				return nil, fmt.Errorf("%w: %q: an IP address is needed: %w", ErrPublish, p.address, err)
			}
		}
		bind := func(inside int, outside string) {
			key, _ := api.PortFrom(uint16(inside), api.TCP) // TCP is a protocol
			ports[key] = append(ports[key], api.PortBinding{HostIP: ip, HostPort: outside})
		}
		bind(p.port, port)
		bind(closedPort, "0")
	}
	return ports, nil
}

func exposed(ports api.PortMap) (all []string) {
	for port := range ports {
		all = append(all, port.String())
	}
	return all
}

// ping asks a control API for a sign of life, at the container's own address.
func ping(ctx context.Context, ip string) error {
	client := &http.Client{Timeout: dialLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at(ip, controlPort)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(ask)
	if err != nil {
		return fmt.Errorf("%w: %w; Docker must run on this machine itself, and it must be Linux: use --hosts embedded elsewhere", ErrUnreachable, err)
	}
	_ = answer.Body.Close() // its status says it
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("sign of life: %s", answer.Status)
	}
	return nil
}

// provePublished dials the closed port that is published beside each uplink: only where that is
// refused does a terminal see a refused connection as one.
func (h *Hosts) provePublished(ctx context.Context, r request) error {
	if len(r.publish) == 0 {
		return nil
	}
	inspected, err := h.started[len(h.started)-1].Inspect(ctx)
	if err != nil {
		return err
	}
	closed, _ := api.PortFrom(closedPort, api.TCP) // TCP is a protocol
	for _, binding := range inspected.NetworkSettings.Ports[closed] {
		address := net.JoinHostPort(binding.HostIP.String(), binding.HostPort)
		if err := refuses(ctx, address); err != nil {
			return fmt.Errorf("%w: %s: %w; \"listen\" in the rig file must be the address of a network card of this machine, no loopback address, and Docker must use iptables: or use --hosts embedded", ErrUnreachable, r.publish[0].address, err)
		}
	}
	return nil
}

// refuses wants a dial to be refused.
func refuses(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close() // nothing was said
		return errors.New("the proxy of Docker takes connections that the container refuses")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}
