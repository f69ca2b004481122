package bringup

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/assay-hil/assay/rungs"
)

const (
	// pings is how many connections are made to measure the way over the network.
	pings = 10
	// hostLimit bounds one question to issuer or injector, and one connection.
	hostLimit = 5 * time.Second
)

// hosts starts issuer and injector where the terminal will look for them, and reaches both.
func (c *check) hosts(ctx context.Context) {
	if len(c.lab.Uplinks()) == 0 {
		c.add(Finding{Subject: "uplink", Step: "listen", Status: Skipped, Detail: "the rig file gives no address; scenarios will need one: listen: 0.0.0.0:8583"})
		return
	}
	at := time.Now()
	up, err := c.lab.Hosts(ctx)
	if err != nil {
		f := Finding{Subject: "uplink", Step: "listen", Status: Failed, Detail: err.Error(), Took: millis(time.Since(at))}
		f.Fix = Fix("uplink", c.lab.File.Drivers()["uplink"], err)
		c.add(f)
		return
	}
	for _, uplink := range c.lab.Uplinks() {
		c.uplink(ctx, up, uplink)
	}
	for _, peer := range []struct {
		name string
		ping func(context.Context) error
	}{{"issuer", up.Issuer.Ping}, {"network", up.Network.Ping}} {
		at = time.Now()
		asked, cancel := context.WithTimeout(ctx, hostLimit)
		c.find(peer.name, "answer", at, "", peer.ping(asked))
		cancel()
	}
}

// uplink connects as the terminal does.
func (c *check) uplink(ctx context.Context, up *rungs.Peers, uplink string) {
	begun := time.Now()
	for range pings {
		at := time.Now()
		dialled, cancel := context.WithTimeout(ctx, hostLimit)
		conn, err := up.Dial(dialled, uplink)
		cancel()
		if err == nil {
			c.network.add(time.Since(at))
			err = conn.Close()
		}
		if err != nil {
			c.find("uplink "+uplink, "connect", begun, "", err)
			return
		}
	}
	c.find("uplink "+uplink, "connect", begun, "the terminal's setup needs "+strings.Join(reachable(c.lab.Address(uplink)), " or "), nil)
}

// reachable gives the addresses by which others reach one that this machine listens on.
func reachable(listen string) []string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return []string{listen}
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return []string{listen}
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return []string{listen}
	}
	var all []string
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			all = append(all, net.JoinHostPort(n.IP.String(), port))
		}
	}
	if len(all) == 0 {
		return []string{fmt.Sprintf("port %s of this machine, which has no address but its own", port)}
	}
	return all
}
