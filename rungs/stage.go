package rungs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/assay-hil/assay/harness"
)

// Stage is how a world begins, where a scenario is about that. Its zero value is a terminal fresh from the box, on an
// evening. A real terminal's clock and memory are its own, so only the rung virtual can have another.
type Stage struct {
	// Clock is the time of the day, as in 23:59:30; "" is 19:33.
	Clock string
	// Trace is the trace number that the terminal has used last; 0 is none.
	Trace int
}

// errStage says that a world can't begin as it is wanted.
var errStage = errors.New("clock and memory of the terminal can be chosen in virtual time only: use --rig virtual")

// NoStage says why a rung's worlds can't begin as is wanted; "" when they can.
func NoStage(r Rung) string {
	if r.Name() == Virtual {
		return ""
	}
	return errStage.Error()
}

// virtualBegin is when every virtual world begins. A bubble's own time begins in 2000, when no test card had expired yet.
func virtualBegin() time.Time { return time.Date(2026, time.November, 22, 19, 33, 0, 0, time.UTC) }

// begin is when the stage's world begins.
func (s Stage) begin() (time.Time, error) {
	begin := virtualBegin()
	if s.Clock == "" {
		return begin, nil
	}
	at, err := time.Parse(time.TimeOnly, s.Clock)
	if err != nil {
		return begin, fmt.Errorf("the clock's time %q is not one such as 23:59:30: %w", s.Clock, err)
	}
	y, m, d := begin.Date()
	return time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC), nil
}

// neighbourTerminal is the number of the second terminal of a pair.
const neighbourTerminal = "10000002"

// DoPair gives body two sessions at a time: with a terminal as wanted and with a second one of the same model, with a
// number, a bench and an injector of its own, at the same issuer. Only the rung virtual can.
func DoPair(ctx context.Context, r Rung, wanted Wanted, body func(ctx context.Context, one, other *harness.Session)) error {
	v, ok := r.(*virtual)
	if !ok {
		return errStage
	}
	second := wanted
	p := *wanted.Profile
	p.Identity.Terminal = neighbourTerminal
	second.Profile = &p
	return inBubble(ctx, wanted.Stage, func(inside context.Context) error {
		wire := newMemory()
		first, next := v.plan(wanted, wire), v.plan(second, beside{newMemory(), wire})
		first.shared, next.shared, next.hosts = true, true, startNetwork
		one, err := build(inside, wanted.Profile, wanted.Lang, first)
		if err != nil {
			return err
		}
		other, err := build(inside, second.Profile, second.Lang, next)
		if err != nil {
			return errors.Join(err, one.close())
		}
		body(inside, one.session, other.session)
		return errors.Join(other.close(), one.close())
	})
}

// beside is the wire of a second terminal: its issuer is that of the first.
type beside struct {
	memory
	first memory
}

func (b beside) Dial(ctx context.Context, name string) (net.Conn, error) {
	if name == issuerName {
		return b.first.Dial(ctx, name)
	}
	return b.memory.Dial(ctx, name)
}

func (b beside) served(name string) http.Handler {
	if name == issuerControlName {
		return b.first.served(name)
	}
	return b.memory.served(name)
}
