package bench

import (
	"sync"
	"time"
)

const (
	// KeyLimit is how many presses the terminal's keyboard keeps that nobody has fetched; more
	// are lost.
	KeyLimit = 8
	// contactLimit is how many contacts wait to be worked on.
	contactLimit = 64
)

// keyboard turns contacts into key presses, as the scanner of a terminal's keypad does. A
// contact of at least the debounce time is one press, at the moment when that time has passed.
// While a key is down no other counts.
type keyboard struct {
	debounce time.Duration
	contacts chan contact
	closing  chan struct{}
	ended    chan struct{}
	once     sync.Once

	// These belong to the goroutine.
	held  *contact    // the key that is down
	ripe  *time.Timer // held has been down for the debounce time
	taken bool        // held has become a press

	mu   sync.Mutex  // never held while waiting
	keys chan string // nil: no supply
}

// contact is a key that closes or opens.
type contact struct {
	key  string
	down bool
	at   time.Time
	// keys is where the press goes: the supply of the moment when the key went down, so that no
	// press outlives a power cut.
	keys chan string
}

func newKeyboard(debounce time.Duration) *keyboard {
	k := &keyboard{
		debounce: debounce,
		contacts: make(chan contact, contactLimit),
		closing:  make(chan struct{}),
		ended:    make(chan struct{}),
		ripe:     time.NewTimer(time.Hour),
	}
	k.ripe.Stop()
	go k.run()
	return k
}

// attach supplies the keyboard and returns where the presses come out.
func (k *keyboard) attach() <-chan string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = make(chan string, KeyLimit)
	return k.keys
}

// detach takes the supply away: keys do nothing.
func (k *keyboard) detach() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = nil
}

func (k *keyboard) supply() chan string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

// contact is what the robot calls. It waits no longer than the goroutine takes to make room.
func (k *keyboard) contact(key string, down bool, at time.Time) {
	select {
	case k.contacts <- contact{key: key, down: down, at: at, keys: k.supply()}:
	case <-k.ended:
	}
}

// close ends the goroutine and waits for it.
func (k *keyboard) close() error {
	k.once.Do(func() { close(k.closing) })
	<-k.ended
	return nil
}

func (k *keyboard) run() {
	defer close(k.ended)
	defer k.ripe.Stop()
	for {
		select {
		case <-k.closing:
			return
		case c := <-k.contacts:
			k.take(c)
		case <-k.ripe.C:
			k.drain() // a release that waits its turn came before the time was up
			k.press()
		}
	}
}

func (k *keyboard) drain() {
	for {
		select {
		case c := <-k.contacts:
			k.take(c)
		default:
			return
		}
	}
}

func (k *keyboard) take(c contact) {
	switch {
	case c.down && k.held == nil:
		k.held, k.taken = &c, false
		k.ripe.Reset(k.debounce - time.Since(c.at))
	case !c.down && k.held != nil && k.held.key == c.key:
		if c.at.Sub(k.held.at) >= k.debounce {
			k.press()
		}
		k.held = nil
		k.ripe.Stop()
	}
}

// press delivers the key that is down, once.
func (k *keyboard) press() {
	if k.held == nil || k.taken {
		return
	}
	k.taken = true
	if k.held.keys == nil || k.held.keys != k.supply() {
		return // the supply was cut meanwhile
	}
	select {
	case k.held.keys <- k.held.key:
	default: // the buffer is full: lost, as on a real keyboard
	}
}
