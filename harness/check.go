package harness

import (
	"context"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// Check is a rig's self-check: every instrument is made safe and gives a sign of life. The error is
// the first fault, which names its instrument; the others are made safe all the same.
func Check(ctx context.Context, rig *rigs.Rig) error {
	var first error
	for _, i := range rig.Instruments() {
		err := within(ctx, haltLimit, i.Halt)
		if err == nil {
			err = within(ctx, probeLimit, i.Probe)
		}
		if first == nil {
			first = rigs.Fault(i.Name(), "self-check", err)
		}
	}
	return first
}

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}
