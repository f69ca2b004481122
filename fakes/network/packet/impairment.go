package packet

import "time"

// impairment is a fault that acts in a forwarder. The forwarder's lock guards it.
type impairment struct {
	forwarder *forwarder
	spec      Spec
	effect    effect
	chance    *chance
	count     uint64 // packets affected
}

func newImpairment(w *forwarder, s Spec) *impairment {
	return &impairment{forwarder: w, spec: s, effect: newEffect(s), chance: newChance(s.Seed, s.ID)}
}

// judge decides what becomes of a packet. Its dice are rolled in any case, so that the next
// ones stay what they are; one that is to overtake another is not swapped itself.
func (i *impairment) judge(f *flight, overtakes bool) {
	if !i.matches(f.segment) {
		return
	}
	roll := i.chance.roll(f.segment)
	if i.spec.Kind == Reorder && overtakes {
		return
	}
	before := f.hold
	if i.effect.apply(f, roll) {
		i.count++
	}
	if f.hold != before {
		f.held = append(f.held, i)
	}
	if f.overtaken && f.swap == nil {
		f.swap = i
	}
}

func (i *impairment) matches(s segment) bool {
	if i.spec.Port != 0 && i.spec.Port != s.host.Port() {
		return false
	}
	switch i.spec.Direction {
	case FromTerminal:
		return s.fromTerminal
	case FromHost:
		return !s.fromTerminal
	}
	return true
}

func (i *impairment) fired() (uint64, error) {
	i.forwarder.mu.Lock()
	defer i.forwarder.mu.Unlock()
	return i.count, i.forwarder.trouble()
}

// heal lets go what is held.
func (i *impairment) heal() error {
	i.forwarder.remove(i, time.Now())
	return nil
}
