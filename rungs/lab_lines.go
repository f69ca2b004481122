package rungs

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/discover"
	"github.com/assay-hil/assay/rigs/serial"
)

// dialLimit bounds the connection to an instrument on the network.
const dialLimit = 5 * time.Second

// labLines opens the lines of a rig file; screenBaud is the rate of a debug line that the file gives none for. What
// passes them is noted in log.
func labLines(f *rigs.File, screenBaud int, log *wires) lines {
	return func(name string) (*serial.Line, error) {
		l, there := f.Drivers()[name]
		if !there {
			return nil, fmt.Errorf("the rig file has no %s", name)
		}
		if name == "display" {
			l.Baud = cmp.Or(l.Baud, screenBaud)
		}
		l.Baud = cmp.Or(l.Baud, rigs.Drivers()[name][l.Driver].Baud)
		return openLine(l, log.of(name, l.Driver)...)
	}
}

func openLine(l rigs.Line, opts ...serial.Option) (*serial.Line, error) {
	switch {
	case l.TCP != "":
		ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
		defer cancel()
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", l.TCP)
		if err != nil {
			return nil, err
		}
		return serial.New(l.TCP, conn, opts...), nil
	case l.USB != nil:
		devices, err := discover.List(discover.System)
		if err != nil {
			return nil, err
		}
		path, err := discover.Find(devices, *l.USB)
		if err != nil {
			return nil, err
		}
		l.Port = path
	}
	return serial.Open(l.Port, serial.Mode{Baud: l.Baud}, opts...)
}
