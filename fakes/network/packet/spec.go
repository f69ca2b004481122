package packet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Spec describes a fault. The zero value of a field means its default; a field that the kind does
// not take must be zero (see [Vocabulary]).
type Spec struct {
	// ID names the fault; "" is its kind.
	ID   string `json:"id,omitempty"`
	Kind string `json:"kind"`
	// Mechanism to use, "" for the best that this machine has for the kind.
	Mechanism string `json:"mechanism,omitempty"`
	// Port of the host that the fault is about; 0 is every one. netem and the token bucket
	// filter act on the whole link.
	Port uint16 `json:"port,omitempty"`
	// Direction of the packets it acts on; "" is both, unless the vocabulary says otherwise.
	Direction string `json:"direction,omitempty"`
	// Answer of the router: "host", "network", "port" or "prohibited".
	Answer string `json:"answer,omitempty"`
	// Percent of the packets, above 0 to 100.
	Percent float64 `json:"percent,omitempty"`
	// Every nth packet that carries data, from 2, counted since the fault was armed.
	Every int `json:"every,omitempty"`
	// By how long a packet is held, and by how much more or less.
	By     time.Duration `json:"by,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	// Idle time after which a connection is forgotten.
	Idle time.Duration `json:"idle,omitempty"`
	// Size in bytes of the longest IP packet that passes, header and all.
	Size int `json:"size,omitempty"`
	// Rate in bit/s.
	Rate int `json:"rate,omitempty"`
	// Down and Up are how long a link is down and up again, Times how often.
	Down  time.Duration `json:"down,omitempty"`
	Up    time.Duration `json:"up,omitempty"`
	Times int           `json:"times,omitempty"`
	// Seed of every chance the fault takes; 0 lets Arm choose one, which the status tells. The
	// TUN mechanism judges a packet by the seed and its identity: the number of its connection
	// to that port since the fault was armed, direction, sequence number from the connection's
	// first, whether it is a SYN, FIN, data or a bare acknowledgement of what, and how often it
	// came. So the same conversation meets the same fate, its repeats apart from the first
	// attempt. netem and nft can't do that and take no seed.
	Seed uint64 `json:"seed,omitempty"`
}

// answers of icmp-unreachable.
var answers = []string{"host", "network", "port", "prohibited"}

// Defaults of the vocabulary.
const (
	defaultAnswer  = "host"
	defaultPercent = 100
	defaultHold    = 50 * time.Millisecond
)

// Check says everything that is wrong with the description; the error is ErrSpec.
func (s Spec) Check() error {
	i := slices.IndexFunc(Vocabulary, func(w Word) bool { return w.Kind == s.Kind })
	if i < 0 {
		return fmt.Errorf("%w: %s", ErrSpec, strict.UnknownMessage("kind", s.Kind, Kinds()))
	}
	var wrong []error
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%w %s: %s", ErrSpec, s.Kind, fmt.Sprintf(format, args...)))
	}
	if len(s.ID) > maxName {
		complain("id: at most %d characters", maxName)
	}
	if words := mechanismsOf(s.Kind); s.Mechanism != "" && !slices.Contains(words, s.Mechanism) {
		complain("%s", strict.UnknownMessage("mechanism", s.Mechanism, words))
	} else if len(s.mechanisms()) == 0 {
		complain("mechanism: %s does it without port, seed or every; leave one of them out", s.Mechanism)
	}
	s.checkPresence(Vocabulary[i], complain)
	s.checkWords(complain)
	s.checkRanges(complain)
	return errors.Join(wrong...)
}

// checkPresence complains of fields that the kind does not take or that it needs.
func (s Spec) checkPresence(w Word, complain func(string, ...any)) {
	takes, needs := w.params()
	for _, f := range s.fields() {
		switch {
		case f.given && !slices.Contains(takes, f.name):
			complain("%s: not taken by this kind, which takes %s", f.name, strings.Join(takes, ", "))
		case !f.given && slices.Contains(needs, f.name):
			complain("%s: needed", f.name)
		}
	}
	switch {
	case s.Kind == Loss && (s.Percent == 0) == (s.Every == 0):
		complain("percent or every: one of them is needed")
	case s.Kind == Loss && s.Every != 0 && s.Seed != 0:
		complain("seed: nothing is left to chance with every")
	case s.Kind == LinkFlap && s.Down == 0 && (s.Up != 0 || s.Times != 0):
		complain("down: needed with up or times")
	case s.Kind == LinkFlap && s.Down != 0 && s.Up == 0 && s.Times != 1:
		complain("up: needed to flap more than once")
	}
}

// checkWords complains of words that don't exist.
func (s Spec) checkWords(complain func(string, ...any)) {
	directions := []string{FromTerminal, FromHost}
	if s.Direction != "" && !slices.Contains(directions, s.Direction) {
		complain("%s", strict.UnknownMessage("direction", s.Direction, directions))
	}
	if s.Answer != "" && !slices.Contains(answers, s.Answer) {
		complain("%s", strict.UnknownMessage("answer", s.Answer, answers))
	}
}

// checkRanges complains of numbers outside the limits. Zero is judged by checkPresence.
func (s Spec) checkRanges(complain func(string, ...any)) {
	if !(s.Percent >= 0 && s.Percent <= 100) {
		complain("percent: above 0, at most 100")
	}
	if s.Every < 0 || s.Every == 1 {
		complain("every: 2 or more")
	}
	if s.By < 0 || s.By > MaxDelay {
		complain("by: at most %v", MaxDelay)
	}
	if s.Jitter < 0 || s.Jitter > s.By {
		complain("jitter: at most by, for a packet can't arrive before it was sent")
	}
	if s.Idle < 0 || s.Idle > MaxIdle {
		complain("idle: at most %v", MaxIdle)
	}
	if s.Size != 0 && (s.Size < MinSize || s.Size >= MTU) {
		complain("size: from %d and below the links' own %d bytes", MinSize, MTU)
	}
	if s.Rate != 0 && (s.Rate < MinRate || s.Rate > MaxRate) {
		complain("rate: %d to %d bit/s", MinRate, MaxRate)
	}
	if s.Down < 0 || s.Down > MaxDown || s.Up < 0 || s.Up > MaxDown {
		complain("down and up: at most %v", MaxDown)
	}
	if s.Times < 0 || s.Times > MaxTimes {
		complain("times: at most %d", MaxTimes)
	}
}

// field is a parameter of a spec by its name in the vocabulary.
type field struct {
	name  string
	given bool
}

func (s Spec) fields() []field {
	return []field{
		{"port", s.Port != 0}, {"direction", s.Direction != ""}, {"answer", s.Answer != ""},
		{"percent", s.Percent != 0}, {"every", s.Every != 0}, {"by", s.By != 0},
		{"jitter", s.Jitter != 0}, {"idle", s.Idle != 0}, {"size", s.Size != 0},
		{"rate", s.Rate != 0}, {"down", s.Down != 0}, {"up", s.Up != 0},
		{"times", s.Times != 0}, {"seed", s.Seed != 0},
	}
}

// params are the names that a kind takes, and those of them that it needs.
func (w Word) params() (takes, needs []string) {
	for param := range strings.FieldsSeq(w.Params) {
		name, _, _ := strings.Cut(param, "=")
		name, needed := strings.CutSuffix(name, "!")
		takes = append(takes, name)
		if needed {
			needs = append(needs, name)
		}
	}
	return takes, needs
}

// mechanismsOf are the ways in which a kind can be done, on some machine.
func mechanismsOf(kind string) []string {
	switch kind {
	case Loss:
		return []string{TUN, Netem, NFT}
	case Duplicate, Reorder:
		return []string{TUN}
	case Delay:
		return []string{Netem, TUN}
	case RateLimit:
		return []string{TBF, TUN}
	case LinkFlap:
		return []string{Link}
	}
	return []string{NFT}
}

// slowRate is up to where each packet's own time is felt. The token bucket has to hold two packets, which a
// short conversation never empties.
const slowRate = 128_000

// mechanisms are the ways in which this fault can be done as it is described, the best first.
// Chance needs a seed that counts, which is TUN's; a port is nothing that a queueing discipline
// knows.
func (s Spec) mechanisms() []string {
	ways := mechanismsOf(s.Kind)
	switch {
	case s.Kind == Loss && s.Every != 0:
		ways = []string{NFT}
	case s.Kind == Delay && s.Jitter != 0:
		ways = []string{TUN, Netem}
	case s.Kind == RateLimit && s.Rate < slowRate:
		ways = []string{TUN, TBF}
	}
	return slices.DeleteFunc(ways, func(way string) bool {
		return s.Mechanism != "" && way != s.Mechanism ||
			way == Netem && (s.Port != 0 || s.Seed != 0) ||
			way == NFT && s.Kind == Loss && s.Seed != 0
	})
}

// withDefaults fills in what the vocabulary promises.
func (s Spec) withDefaults() Spec {
	if s.ID == "" {
		s.ID = s.Kind
	}
	if s.Kind == ICMPUnreachable && s.Answer == "" {
		s.Answer = defaultAnswer
	}
	if s.Kind == ResetOnFirstData && s.Direction == "" {
		s.Direction = FromTerminal
	}
	if (s.Kind == Duplicate || s.Kind == Reorder) && s.Percent == 0 {
		s.Percent = defaultPercent
	}
	if s.Kind == Reorder && s.By == 0 {
		s.By = defaultHold
	}
	return s
}

// directions that the fault acts on.
func (s Spec) directions() []string {
	if s.Direction != "" {
		return []string{s.Direction}
	}
	return []string{FromTerminal, FromHost}
}
