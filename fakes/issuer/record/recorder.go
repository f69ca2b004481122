package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// SlowAnswer is from when on an answer is recorded as late; Grain is what its time is rounded to.
const (
	SlowAnswer = time.Second
	Grain      = 100 * time.Millisecond
)

// Fields that requests are told apart by, besides those that Match has a word for: processing code, function
// code and network management code (ISO 8583:1987 and 1993, 4.4), and the card number where it is unknown.
const (
	fieldPAN        = 2
	fieldProcessing = 3
	fieldAmount     = 4
	fieldFunction   = 24
	fieldTrack2     = 35
	fieldCode       = 39
	fieldNetwork    = 70
)

// issuerDigits is how much of an unknown card number is written down (ISO/IEC 7812-1: the issuer's part).
const issuerDigits = 6

// Recorder turns exchanges into rules. It is safe for concurrent use.
type Recorder struct {
	terms rules.Terms
	cards map[string]string // IDs by card number

	mu      sync.Mutex
	rules   []*client.Rule
	byKey   map[string]*client.Rule
	skipped map[string]int // by why
}

// NewRecorder makes an empty recorder.
func NewRecorder(t rules.Terms) *Recorder {
	r := &Recorder{terms: t, cards: map[string]string{}, byKey: map[string]*client.Rule{}, skipped: map[string]int{}}
	for _, k := range t.Cards {
		r.cards[k.PAN] = k.ID
	}
	return r
}

// Add records an exchange. Requests that look the same to rules share one, with their answers one after the other.
func (r *Recorder) Add(x Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.Request.MTI == "" {
		r.skipped["messages of the host that answer nothing"]++
		return
	}
	operation := r.terms.Host.Operation(r.terms.Codec, x.Request)
	if operation == nil {
		r.skipped["requests that the dialect has no operation for"]++
		return
	}
	match := r.match(x.Request, operation.Name)
	key := fmt.Sprint(match.MTI, match.Operation, match.Card, match.Terminal, match.Fields)
	if match.Amount != nil {
		key += fmt.Sprint(match.Amount.Min)
	}
	rule := r.byKey[key]
	if rule == nil {
		if len(r.rules) == rules.MaxRules {
			r.skipped[fmt.Sprintf("requests beyond %d rules", rules.MaxRules)]++
			return
		}
		rule = &client.Rule{Name: fmt.Sprintf("%d: %s", len(r.rules)+1, operation.Name), Match: match}
		r.rules, r.byKey[key] = append(r.rules, rule), rule
	}
	if len(rule.Answers) == rules.MaxAnswers {
		r.skipped[fmt.Sprintf("answers beyond %d to the same request", rules.MaxAnswers)]++
		return
	}
	rule.Answers = append(rule.Answers, r.answer(x, operation.Reply))
}

// match says what tells a request from others.
func (r *Recorder) match(m iso8583.Message, operation string) client.Match {
	out := client.Match{MTI: m.MTI, Operation: operation, Fields: map[string]string{}}
	if t := m.Fields[fieldTerminal]; t != "" && !strings.ContainsAny(t, "?*") {
		out.Terminal = t
	}
	if n, err := strconv.ParseInt(m.Fields[fieldAmount], 10, 64); err == nil {
		out.Amount = &client.Amount{Min: n, Max: &n}
	}
	for _, n := range []int{fieldProcessing, fieldFunction, fieldNetwork} {
		if value, has := m.Fields[n]; has && r.terms.Codec.Dialect().Fields[n].Sensitive == "" {
			out.Fields[strconv.Itoa(n)] = value
		}
	}
	pan := panOf(m)
	switch id := r.cards[pan]; {
	case id != "":
		out.Card = id
	case m.Fields[fieldPAN] != "" && len(pan) > issuerDigits:
		out.Fields[strconv.Itoa(fieldPAN)] = pan[:issuerDigits] + "*"
	}
	return out
}

// panOf gives the card number of a request, from field 2 or track 2; "" without one.
func panOf(m iso8583.Message) string {
	pan := m.Fields[fieldPAN]
	if pan == "" {
		pan, _, _ = strings.Cut(strings.Replace(m.Fields[fieldTrack2], "D", "=", 1), "=")
	}
	return pan
}

// answer writes down a reply: what the request has as well as a copy, what is no card data as it is.
func (r *Recorder) answer(x Exchange, mti string) client.Answer {
	if x.Reply.MTI == "" {
		return client.Answer{Never: true}
	}
	codec := r.terms.Codec
	out := client.Answer{Exact: true, Set: map[string]string{}}
	if x.After >= SlowAnswer {
		out.Late = min(x.After.Round(Grain), rules.MaxLate)
	}
	if x.Reply.MTI != mti {
		out.Set["mti"] = x.Reply.MTI
	}
	own := codec.ReplyHeader(x.Request.Header)
	for _, part := range codec.Dialect().Header {
		path := "header." + part.Name
		got, _ := codec.HeaderPart(x.Reply.Header, part.Name) // a message that was read has all parts
		if expected, _ := codec.HeaderPart(own, part.Name); got != expected {
			out.Set[path] = got
		}
	}
	for _, n := range slices.Sorted(maps.Keys(x.Reply.Fields)) {
		r.field(&out, n, x)
	}
	always := []int{fieldCode} // the issuer makes them by itself
	if mac := codec.Dialect().MAC; mac != nil {
		always = append(always, mac.Field)
	}
	for _, n := range always {
		if _, has := x.Reply.Fields[n]; !has {
			out.Drop = append(out.Drop, strconv.Itoa(n))
		}
	}
	return out
}

// field writes down one field of a reply.
func (r *Recorder) field(out *client.Answer, n int, x Exchange) {
	f, mac := r.terms.Codec.Dialect().Fields[n], r.terms.Codec.Dialect().MAC
	path, value := strconv.Itoa(n), x.Reply.Fields[n]
	switch {
	case n == fieldCode:
		out.Code = value
	case mac != nil && mac.Field == n: // the issuer makes its own
	case value == x.Request.Fields[n]:
		out.Copy = append(out.Copy, path)
	case f.TLV && rules.OpenData(value) && !holds(value, panOf(x.Request)):
		out.Set[path] = value
	case f.Sensitive != "" || r.terms.Host.Keys.Download == path:
		r.skipped["fields with card data or keys: "+path]++
	case r.terms.Codec.Masked(x.Reply)[path] != value:
		r.skipped["fields with a card number inside: "+path]++
	default:
		out.Set[path] = value
	}
}

// holds says if a text has a card number in it.
func holds(text, pan string) bool { return pan != "" && strings.Contains(text, pan) }

// Setup gives the rules so far: those for known cards first, since the others may match them too.
func (r *Recorder) Setup() client.Setup {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := client.Setup{Ordered: true, Otherwise: client.OtherwiseViolation}
	for _, rule := range r.rules {
		one := *rule
		one.Answers = slices.Clone(rule.Answers)
		s.Rules = append(s.Rules, one)
	}
	rank := func(r client.Rule) int {
		switch {
		case r.Match.Card != "":
			return 0
		case r.Match.Fields[strconv.Itoa(fieldPAN)] != "":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(s.Rules, func(a, b client.Rule) int { return cmp.Compare(rank(a), rank(b)) })
	return s
}

// Skipped says what could not be recorded, and how often, in words without card data.
func (r *Recorder) Skipped() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, why := range slices.Sorted(maps.Keys(r.skipped)) {
		all = append(all, fmt.Sprintf("%d × %s", r.skipped[why], why))
	}
	return all
}

// File gives the rules as a rule file, which says at its top what is missing.
func (r *Recorder) File() ([]byte, error) {
	comment := []string{"Recorded from another host; see package record for what a replay differs in."}
	for _, line := range r.Skipped() {
		comment = append(comment, "Not recorded: "+line)
	}
	text, err := rules.Format(r.Setup(), r.terms.Host.ID, comment...)
	if err != nil {
		return nil, err
	}
	if _, err := rules.Parse("the recording", text, r.terms); err != nil {
		return nil, fmt.Errorf("record: the rules cannot be used: %w", err)
	}
	return text, nil
}
