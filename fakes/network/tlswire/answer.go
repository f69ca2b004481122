package tlswire

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// answer is called by package tls when the ClientHello has come, before anything is answered. It
// lets the fault act that the handshake meets. A nil config means the usual one.
func (c *conn) answer(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c.name = printable(hello.ServerName)
	set := c.endpoint.current()
	fault := set.handshake(c.uplink)
	if fault == nil {
		return nil, nil
	}
	c.fault = fault.ID
	switch fault.Kind {
	case alert, version:
		description := fault.Alert
		switch {
		case fault.Kind == version:
			description = "protocol_version"
		case description == "":
			description = defaultAlert
		}
		if err := c.wire.alert(alerts[description]); err != nil {
			return nil, err
		}
		set.fire(fault, c)
		return nil, fmt.Errorf("%w: %s", errAlert, description)
	case stall:
		set.fire(fault, c)
		return nil, c.stall(set)
	}
	config := c.endpoint.base.Clone()
	shown := c.endpoint.certs[fault.Kind]
	config.Certificates = nil
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		set.fire(fault, c)
		return &shown, nil
	}
	return config, nil
}

// stall keeps silent until the faults are healed, the connection ends, or MaxStall is over. The
// handshake goes on if it returns nil.
func (c *conn) stall(set *set) error {
	c.limit.Stop()
	left := make(chan error, 1)
	go func() { left <- c.wire.listen() }()
	most := time.NewTimer(MaxStall)
	defer most.Stop()
	select {
	case <-set.healed:
	case <-most.C:
	case <-c.ctx.Done():
		c.wire.hush()
		<-left
		return context.Cause(c.ctx)
	case err := <-left:
		return err
	}
	c.wire.hush()
	if err := <-left; err != nil {
		return err
	}
	c.limit.Reset(HandshakeLimit)
	return nil
}

// printable keeps a name that a terminal sent out of events if it is none.
func printable(name string) string {
	if len(name) > maxName {
		return ""
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return ""
		}
	}
	return name
}
