package packet

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCheck: what is wrong with a fault is said with its remedy.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string // "" when nothing is wrong
	}{
		{Spec{Kind: SYNBlackhole}, ""},
		{Spec{Kind: SYNBlackhole, Port: 8583}, ""},
		{Spec{Kind: Loss, Percent: 20, Seed: 1, Direction: FromHost}, ""},
		{Spec{Kind: Loss, Every: 3}, ""},
		{Spec{Kind: Loss, Percent: 1, Mechanism: NFT}, ""},
		{Spec{Kind: Delay, By: time.Second, Jitter: time.Second}, ""},
		{Spec{Kind: LinkFlap}, ""},
		{Spec{Kind: LinkFlap, Down: time.Second, Times: 1}, ""},
		{Spec{Kind: LinkFlap, Down: time.Second, Up: time.Second}, ""},
		{Spec{Kind: "syn-blackhol"}, `did you mean "syn-blackhole"?`},
		{Spec{Kind: Delay, By: 1, Mechanism: "tunn"}, `did you mean "tun"?`},
		{Spec{Kind: Delay, By: 1, Direction: "terminal>hots"}, `did you mean "terminal>host"?`},
		{Spec{Kind: ICMPUnreachable, Answer: "hots"}, `did you mean "host"?`},
		{Spec{Kind: SYNBlackhole, Percent: 1}, "percent: not taken by this kind, which takes port"},
		{Spec{Kind: Delay}, "by: needed"},
		{Spec{Kind: Loss}, "percent or every: one of them is needed"},
		{Spec{Kind: Loss, Percent: 1, Every: 2}, "percent or every: one of them is needed"},
		{Spec{Kind: Loss, Every: 2, Seed: 1}, "seed: nothing is left to chance"},
		{Spec{Kind: Loss, Percent: 1, Seed: 1, Mechanism: NFT}, "mechanism: nft does it without port, seed or every"},
		{Spec{Kind: Delay, By: 1, Port: 1, Mechanism: Netem}, "mechanism: netem does it without port, seed or every"},
		{Spec{Kind: Loss, Percent: 101}, "percent: above 0, at most 100"},
		{Spec{Kind: Loss, Percent: math.NaN()}, "percent: above 0, at most 100"},
		{Spec{Kind: Loss, Every: 1}, "every: 2 or more"},
		{Spec{Kind: Delay, By: time.Hour}, "by: at most 1m0s"},
		{Spec{Kind: Delay, By: 1, Jitter: 2}, "jitter: at most by"},
		{Spec{Kind: NATIdleExpiry, Idle: 48 * time.Hour}, "idle: at most 24h0m0s"},
		{Spec{Kind: MTUBlackhole, Size: 67}, "size: from 68 and below"},
		{Spec{Kind: MTUBlackhole, Size: MTU}, "size: from 68 and below"},
		{Spec{Kind: RateLimit, Rate: 999}, "rate: 1000 to 1000000000 bit/s"},
		{Spec{Kind: LinkFlap, Up: time.Second}, "down: needed with up or times"},
		{Spec{Kind: LinkFlap, Down: time.Second}, "up: needed to flap more than once"},
		{Spec{Kind: LinkFlap, Down: 2 * time.Hour, Times: 1}, "down and up: at most 1h0m0s"},
		{Spec{Kind: LinkFlap, Down: 1, Up: 1, Times: 1001}, "times: at most 1000"},
		{Spec{Kind: Refused, ID: strings.Repeat("x", 65)}, "id: at most 64 characters"},
	} {
		err := c.spec.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.spec, err)
		case c.want != "" && (!errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v, want %q", c.spec, err, c.want)
		}
	}
}

// TestVocabulary: each kind has its parameters among a spec's fields, a way to be done and a row
// of the catalogue.
func TestVocabulary(t *testing.T) {
	var known []string
	for _, f := range (Spec{}).fields() {
		known = append(known, f.name)
	}
	for i, w := range Vocabulary {
		takes, _ := w.params()
		for _, p := range takes {
			if !slices.Contains(known, p) {
				t.Errorf("%s: no field %q", w.Kind, p)
			}
		}
		if len(mechanismsOf(w.Kind)) == 0 || len(w.Rows) == 0 || w.Help == "" {
			t.Errorf("%s: mechanism, row or help is missing", w.Kind)
		}
		if slices.Contains(Kinds()[:i], w.Kind) {
			t.Errorf("%s: twice", w.Kind)
		}
	}
}

// TestMechanisms: chance goes where a seed counts, a port where it is known.
func TestMechanisms(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want []string
	}{
		{Spec{Kind: Loss, Percent: 1}, []string{TUN, Netem, NFT}},
		{Spec{Kind: Loss, Percent: 1, Port: 1}, []string{TUN, NFT}},
		{Spec{Kind: Loss, Percent: 1, Seed: 1}, []string{TUN}},
		{Spec{Kind: Loss, Every: 2}, []string{NFT}},
		{Spec{Kind: Delay, By: 1}, []string{Netem, TUN}},
		{Spec{Kind: Delay, By: 1, Jitter: 1}, []string{TUN, Netem}},
		{Spec{Kind: Delay, By: 1, Port: 1}, []string{TUN}},
		{Spec{Kind: Delay, By: 1, Mechanism: TUN}, []string{TUN}},
		{Spec{Kind: RateLimit, Rate: MinRate}, []string{TUN, TBF}},
		{Spec{Kind: RateLimit, Rate: MaxRate}, []string{TBF, TUN}},
	} {
		if got := c.spec.mechanisms(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.spec, got, c.want)
		}
	}
}
