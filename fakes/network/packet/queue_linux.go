package packet

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"
)

// queue is a queueing discipline on the router's links, one for each direction.
type queue struct {
	links *netlink.Handle
	kind  string // of fault
	on    []netlink.Link
}

// queueHandle names our queueing discipline on a link.
var queueHandle = netlink.MakeHandle(0xa, 0)

// armQueue arms a fault by a queueing discipline where its direction leaves the router. A link
// has one such fault at a time.
func (b *Bench) armQueue(s Spec) (acting, error) {
	q := &queue{links: b.router.links, kind: s.Kind}
	for _, direction := range s.directions() {
		leaves := Host
		if direction == FromHost {
			leaves = Terminal
		}
		link, err := q.links.LinkByName(leaves)
		if err == nil {
			err = q.links.QdiscAdd(discipline(s, link.Attrs().Index))
		}
		switch {
		case errors.Is(err, fs.ErrExist):
			err = fmt.Errorf("%w: another fault queues the packets %s already; heal that first", ErrSpec, direction)
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("the kernel has no queueing discipline %s: %w", s.Mechanism, err)
		}
		if err != nil {
			return nil, errors.Join(err, q.heal())
		}
		q.on = append(q.on, link)
	}
	return q, nil
}

// discipline is what a fault needs on a link.
func discipline(s Spec, link int) netlink.Qdisc {
	attrs := netlink.QdiscAttrs{LinkIndex: link, Handle: queueHandle, Parent: netlink.HANDLE_ROOT}
	if s.Mechanism == TBF {
		return bucket(s, attrs)
	}
	return emulator(s, attrs)
}

// fired adds up what the kernel counts of the disciplines.
func (q *queue) fired() (uint64, error) {
	var n uint64
	for _, link := range q.on {
		all, err := q.links.QdiscList(link)
		if err != nil {
			return 0, fmt.Errorf("read counters of %s: %w", link.Attrs().Name, err)
		}
		for _, d := range all {
			stats := d.Attrs().Statistics
			if d.Attrs().Handle != queueHandle || stats == nil || stats.Basic == nil || stats.Queue == nil {
				continue
			}
			n += uint64(q.proof(stats))
		}
	}
	return n, nil
}

// proof is the counter that shows a fault's effect: packets that had to wait for the rate, were
// lost, or went through the delay.
func (q *queue) proof(stats *netlink.QdiscStatistics) uint32 {
	switch q.kind {
	case RateLimit:
		return stats.Queue.Overlimits
	case Loss:
		return stats.Queue.Drops
	}
	return stats.Basic.Packets
}

func (q *queue) heal() error {
	for len(q.on) > 0 {
		attrs := netlink.QdiscAttrs{LinkIndex: q.on[0].Attrs().Index, Handle: queueHandle, Parent: netlink.HANDLE_ROOT}
		if err := q.links.QdiscDel(&netlink.GenericQdisc{QdiscAttrs: attrs}); err != nil {
			return err
		}
		q.on = q.on[1:]
	}
	return nil
}
