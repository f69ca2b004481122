package packet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Probe tells what this machine can do, a row for each kind, by doing it: each kind is armed and
// healed by each of its mechanisms on a bench of its own, which is then removed.
func Probe(ctx context.Context) []Capability {
	bench, err := newBench(ctx)
	if err != nil {
		var all []Capability
		for _, kind := range Kinds() {
			all = append(all, Capability{Fault: kind, Broken: broken(ctx, err), Why: line(err)})
		}
		return all
	}
	defer bench.Close() // what it could not remove, Clean does
	var all []Capability
	for _, kind := range Kinds() {
		all = append(all, bench.probe(ctx, kind))
	}
	return all
}

// probe tries a kind by one mechanism after another until one works.
func (b *Bench) probe(ctx context.Context, kind string) Capability {
	found := Capability{Fault: kind}
	var reasons []string
	var failed error // one that is no lack
	for _, spec := range samples(kind) {
		err := ctx.Err()
		if err == nil {
			err = errors.Join(b.Arm(spec), b.Heal())
		}
		if err == nil {
			found.OK, found.Mechanism = true, spec.Mechanism
			break
		}
		if broken(ctx, err) {
			failed = err
		}
		reasons = append(reasons, strings.TrimPrefix(line(err), kind+": "))
	}
	found.Why, found.Broken = strings.Join(reasons, "; "), failed != nil && !found.OK
	return found
}

// broken says that an error is no lack of the machine's, nor the end of the context.
func broken(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, ErrUnavailable)
}

// samples are descriptions of a kind, one for each mechanism, the best first.
func samples(kind string) []Spec {
	spec := Spec{Kind: kind}
	switch kind {
	case NATIdleExpiry:
		spec.Idle = time.Minute
	case Loss:
		spec.Percent = 1
	case Delay:
		spec.By = time.Millisecond
	case MTUBlackhole:
		spec.Size = MTU - 1
	case RateLimit:
		spec.Rate = MaxRate
	}
	var all []Spec
	for _, mechanism := range spec.mechanisms() {
		spec.Mechanism = mechanism
		all = append(all, spec)
	}
	return all
}

// line is an error on one line, without what everybody who asks knows.
func line(err error) string {
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("%v: ", ErrUnavailable))
	return strings.ReplaceAll(text, "\n", "; ")
}
