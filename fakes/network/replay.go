package network

import (
	"cmp"
	"slices"
	"sync"

	"github.com/assay-hil/assay/fakes/network/client"
)

// replay sends an old message again before the one that it picks: the newest of the same direction with
// that MTI, seen since the plan was armed, on whichever connection.
type replay struct{ old string }

func newReplay(spec client.Fault) replay { return replay{cmp.Or(spec.Old, spec.Message.MTI)} }

func (r replay) deliver(m *passage) error {
	old, ok := m.plan.memory.recall(m.direction(), r.old)
	if !ok {
		m.unproven(errNoneBefore)
		return m.out()
	}
	if err := m.flow.send(old); err != nil {
		return err
	}
	m.fire()
	return m.out()
}

// memory keeps the newest message of each direction and MTI that a plan's faults ask for. It is only
// ever in memory, and gone with its plan. Most plans have none.
type memory struct {
	mtis []string
	mu   sync.Mutex
	kept map[string]image // by direction and MTI
}

// also makes it keep one more MTI.
func (y *memory) also(mti string) *memory {
	if y == nil {
		y = &memory{kept: make(map[string]image)}
	}
	y.mtis = append(y.mtis, mti)
	return y
}

// wants says if messages with that MTI are kept.
func (y *memory) wants(mti string) bool { return slices.Contains(y.mtis, mti) }

func (y *memory) keep(direction, mti string, i image) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.kept[direction+mti] = i
}

func (y *memory) recall(direction, mti string) (image, bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	i, ok := y.kept[direction+mti]
	return i, ok
}
