package network

import "github.com/assay-hil/assay/fakes/network/client"

// down lets uplinks die, as when their host loses its power: every connection is reset and the ports
// refuse, at once or from a message on. It has fired when a dial of our own was refused.
type down struct {
	*refuse
	ending
}

func (s *Server) newDown(spec client.Fault) down { return down{s.newRefuse(spec), newEnding(spec)} }

func (d down) begin(e *entry, report func(error)) error {
	if err := d.refuse.begin(e, report); err != nil {
		return err
	}
	for _, u := range d.uplinks {
		for _, c := range d.server.connections(u.Name) {
			_ = c.end("fault "+e.spec.ID, true) // one that ended by itself is as good
		}
	}
	return nil
}

func (d down) deliver(m *passage) error {
	if err := d.first(m); err != nil {
		return err
	}
	if d.after {
		drained(m.flow.to.conn)
	}
	if err := m.plan.shut(m.entry, d, m.identity()); err != nil {
		m.unproven(err)
	}
	return nil
}
