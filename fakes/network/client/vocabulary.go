package client

import (
	"fmt"
	"slices"
	"strings"
)

// Targets of a fault: what its selection picks.
const (
	OnMessage    = "message"    // a message
	OnConnection = "connection" // a connection, when it is accepted: a selection without MTI
	OnPort       = "port"       // the uplink's port itself: no selection
)

// Kind describes a kind of fault.
type Kind struct {
	Kind string `json:"kind"`
	// On is what it may act on: OnMessage, OnConnection, OnPort.
	On     []string `json:"on"`
	Params []Param  `json:"params,omitempty"`
	Help   string   `json:"help"`
	// Delivers says that the message still goes on, if late, changed or in part of its way.
	Delivers bool `json:"delivers"`
	// Rows of the fault catalogue (see Catalogue) that it provokes.
	Rows []int `json:"rows"`
}

// Param is a parameter of a kind of fault, a field of Fault by its JSON name.
type Param struct {
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
	// Words are all its values, where they are a few words.
	Words []string `json:"words,omitempty"`
	// Default is what holds when it is not given.
	Default string `json:"default,omitempty"`
	Help    string `json:"help"`
}

// Takes finds the parameter of that name.
func (k Kind) Takes(name string) (Param, bool) {
	i := slices.IndexFunc(k.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return k.Params[i], true
}

// ActsOn says if the kind can act on a target.
func (k Kind) ActsOn(target string) bool { return slices.Contains(k.On, target) }

// Usage is the parameters on one line: "by [pause=200ms] then=stall|close|reset".
func (k Kind) Usage() string {
	words := make([]string, 0, len(k.Params))
	for _, p := range k.Params {
		word := p.Name
		if len(p.Words) > 0 {
			word += "=" + strings.Join(p.Words, "|")
		}
		if !p.Required {
			word = fmt.Sprintf("[%s]", word)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Find gives the kind of that name.
func Find(kind string) (Kind, bool) {
	i := slices.IndexFunc(Vocabulary, func(k Kind) bool { return k.Kind == kind })
	if i < 0 {
		return Kind{}, false
	}
	return Vocabulary[i], true
}

// Kinds are the names in Vocabulary.
func Kinds() []string {
	names := make([]string, 0, len(Vocabulary))
	for _, k := range Vocabulary {
		names = append(names, k.Kind)
	}
	return names
}

var (
	message    = []string{OnMessage}
	connection = []string{OnConnection}
	both       = []string{OnMessage, OnConnection}

	at = Param{Name: "at", Required: true, Help: "where in the frame, its length included: an offset from 0, last-1, last, after-length, " +
		"after-mti, after-bitmap, field:N (where field N begins, length digits included) or value:N (where its value begins)"}
	when = Param{Name: "when", Words: []string{"before", "after"}, Default: "before",
		Help: "the message is not delivered (before), or delivered first (after)"}
	towards = Param{Name: "towards", Words: []string{"both", Terminal, Host}, Default: "both", Help: "which side sees it"}
)

// Vocabulary is every kind of fault that the injector knows, sorted by name.
var Vocabulary = []Kind{
	{Kind: "close", On: both, Params: []Param{when, towards}, Delivers: true, Rows: []int{9},
		Help: "end the connection in an orderly way (FIN)"},
	{Kind: "close-after", On: connection, Params: []Param{{Name: "times", Required: true, Help: "messages, in both directions together"}},
		Rows: []int{9}, Help: "end the connection in an orderly way (FIN) after so many messages"},
	{Kind: "coalesce", On: message, Delivers: true, Rows: []int{26},
		Help: "hold the message until the next one and send both in one write"},
	{Kind: "corrupt", On: message, Params: []Param{at, {Name: "mask", Default: "01", Help: "2 hexadecimal digits: the bits of that byte to flip"}},
		Delivers: true, Rows: []int{29, 31}, Help: "flip bits of one byte"},
	{Kind: "delay", On: message, Params: []Param{{Name: "by", Required: true, Help: "for how long"}}, Delivers: true, Rows: []int{45},
		Help: "hold the message; what follows it in the same direction waits behind it"},
	{Kind: "down", On: []string{OnMessage, OnPort}, Params: []Param{when}, Rows: []int{40, 41, 50},
		Help: "the uplink dies, at the message or at once: every connection is reset and the port refuses"},
	{Kind: "dribble", On: message, Params: []Param{{Name: "bytes", Default: "1", Help: "at a time"}, {Name: "pause", Default: "10ms", Help: "between them"}},
		Delivers: true, Rows: []int{25}, Help: "send the message a few bytes at a time"},
	{Kind: "drop", On: message, Rows: []int{12, 13, 52}, Help: "swallow the message; the connection stays open"},
	{Kind: "duplicate", On: message, Params: []Param{{Name: "times", Default: "1", Help: "further copies"},
		{Name: "by", Default: "0s", Help: "how much later the copies come"}}, Delivers: true, Rows: []int{14, 15},
		Help: "send the message more than once"},
	{Kind: "half-close", On: message, Params: []Param{when, {Name: "towards", Required: true, Words: []string{Terminal, Host}, Help: "which side sees it"}},
		Delivers: true, Rows: []int{9}, Help: "end one direction in an orderly way (FIN); the other goes on"},
	{Kind: "junk", On: message, Params: []Param{{Name: "junk", Default: "00000000", Help: "bytes in hexadecimal"}}, Delivers: true, Rows: []int{28},
		Help: "send bytes that are no message before it"},
	{Kind: "late", On: message, Params: []Param{{Name: "by", Required: true, Help: "how much later"}}, Delivers: true, Rows: []int{16, 17},
		Help: "deliver the message later; what follows overtakes it"},
	{Kind: "refuse", On: []string{OnPort}, Rows: []int{2, 40}, Help: "close the port, so that connections are refused; open ones live on"},
	{Kind: "replay", On: message, Params: []Param{{Name: "old", Help: "MTI of the old one; without it the selected message's own"}}, Delivers: true, Rows: []int{18},
		Help: "send the newest earlier message of that direction, seen since arming, before it"},
	{Kind: "reset", On: both, Params: []Param{when, towards}, Delivers: true, Rows: []int{6, 7}, Help: "cut the connection (RST)"},
	{Kind: "rewrite", On: message, Params: []Param{{Name: "field", Required: true, Help: "a path: mti, 11, 39, 60.batch, 55.9F26"},
		{Name: "value", Required: true, Help: "what stands there instead; \"\" takes the field away"}}, Delivers: true, Rows: []int{18, 19, 31, 32, 33},
		Help: "change a field; the message authentication code stays as it is"},
	{Kind: "silence", On: both, Rows: []int{5}, Help: "the connection stays open and nothing passes any more, in either direction"},
	{Kind: "split", On: message, Params: []Param{{Name: "at", Default: "1", Help: at.Help}, {Name: "pause", Default: "200ms", Help: "between the two"}},
		Delivers: true, Rows: []int{27}, Help: "send the message in two parts; by default cut inside the length"},
	{Kind: "stop-reading", On: both, Params: []Param{{Name: "towards", Words: []string{"both", Terminal, Host}, Default: "the sender of the message, or the terminal",
		Help: "which side is not read from"}}, Delivers: true, Rows: []int{11},
		Help: "read nothing more, so that a sender's window closes"},
	{Kind: "swap", On: message, Delivers: true, Rows: []int{20}, Help: "hold the message until the next of the same direction has passed"},
	{Kind: "truncate", On: message, Params: []Param{at, {Name: "then", Required: true, Words: []string{"stall", "close", "reset"}, Help: "what comes after the part"}},
		Rows: []int{8, 23, 24}, Help: "send only the message's first part"},
	{Kind: "wrong-length", On: message, Params: []Param{{Name: "length", Required: true, Words: []string{"zero", "short", "long", "huge"},
		Help: "0, one less, one more, or as much as the length can say"}}, Delivers: true, Rows: []int{21, 22}, Help: "announce a wrong length"},
}

// Given lists the parameters that a fault has, by their JSON names.
func (f Fault) Given() []string {
	var names []string
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"by", f.By != 0}, {"pause", f.Pause != 0}, {"times", f.Times != 0}, {"bytes", f.Bytes != 0}, {"field", f.Field != ""},
		{"value", f.Value != ""}, {"at", f.At != ""}, {"mask", f.Mask != ""}, {"then", f.Then != ""}, {"length", f.Length != ""},
		{"junk", f.Junk != ""}, {"when", f.When != ""}, {"towards", f.Towards != ""}, {"old", f.Old != ""},
	} {
		if p.set {
			names = append(names, p.name)
		}
	}
	return names
}

// Empty says that a selection picks nothing in particular.
func (s Select) Empty() bool {
	return s.MTI == "" && s.Direction == "" && s.STAN == "" && len(s.Fields) == 0 && s.Nth == 0
}

// Words are the names of all fields of a plan, for complaints.
func Words() []string {
	words := []string{"seed", "faults", "id", "kind", "uplink", "message", "mti", "direction", "stan", "fields", "nth",
		"probability", "schedule", "from", "until", "every", "for"}
	for _, k := range Vocabulary {
		for _, p := range k.Params {
			if !slices.Contains(words, p.Name) {
				words = append(words, p.Name)
			}
		}
	}
	return words
}
