package cardhopper

import (
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card"
)

// jobLimit is how many resets and commands wait for a chip that works. A terminal sends no command
// before it has given up the one before, so more means that the chip hangs.
const jobLimit = 8

// application runs a chip on a goroutine of its own, so that the owner of the line never waits for it.
// A nil one has no chip and does nothing.
type application struct {
	chip   rigs.Chip
	driver *Driver
	jobs   chan job
	out    chan result
	done   chan struct{}
	quit   chan struct{}
}

// job is a command, or a reset when that is nil.
type job struct {
	at      time.Time
	command []byte
}

// result is the answer to the command that came at a time.
type result struct {
	at       time.Time
	response []byte
}

// technicalProblem is SW 6F00, "no precise diagnosis" (ISO/IEC 7816-4): what the terminal gets
// when the chip failed us.
var technicalProblem = [2]byte{0x6F, 0x00}

func start(d *Driver, chip rigs.Chip) *application {
	a := &application{
		chip: chip, driver: d, jobs: make(chan job, jobLimit), out: make(chan result),
		done: make(chan struct{}), quit: make(chan struct{}),
	}
	go a.run()
	return a
}

// endLimit is the wait for a chip that is just working when its application ends.
const endLimit = 2 * time.Second

// end stops the application; false when its chip hangs.
func (a *application) end() bool {
	if a == nil {
		return true
	}
	close(a.quit)
	limit := time.NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-a.done:
		return true
	case <-limit.C:
		return false
	}
}

// answers gives the answers; none ever come from a nil one.
func (a *application) answers() <-chan result {
	if a == nil {
		return nil
	}
	return a.out
}

// reset starts the application anew, after what it works on.
func (a *application) reset(at time.Time) {
	if a != nil {
		a.give(job{at: at})
	}
}

// ask gives it a command; false when it can't take one more.
func (a *application) ask(at time.Time, command []byte) bool {
	return a != nil && a.give(job{at: at, command: command})
}

func (a *application) give(j job) bool {
	select {
	case a.jobs <- j:
		return true
	default:
		return false
	}
}

func (a *application) run() {
	defer close(a.done)
	for {
		select {
		case j := <-a.jobs:
			a.work(j)
		case <-a.quit:
			return
		}
	}
}

func (a *application) work(j job) {
	if j.command == nil {
		if err := card.Guard("Reset", a.chip.Reset); err != nil {
			a.driver.blame(err)
		}
		a.driver.events.Emit(rigs.CardEvent{At: j.at, Kind: "field-on"})
		return
	}
	response, err := card.Transmit(a.chip, j.command)
	if err != nil {
		a.driver.blame(err)
		response = technicalProblem[:]
	}
	a.driver.events.Emit(rigs.CardEvent{At: j.at, Kind: "exchange", Exchange: &rigs.Exchange{
		At: j.at, Took: time.Since(j.at), Command: j.command, Response: response,
	}})
	select {
	case a.out <- result{at: j.at, response: response}:
	case <-a.quit:
	}
}
