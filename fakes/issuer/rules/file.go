package rules

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/mask"
)

// file is a rule file as it is written.
type file struct {
	Dialect   string              `yaml:"dialect"`
	Otherwise string              `yaml:"otherwise"`
	Ordered   bool                `yaml:"ordered"`
	Scenarios map[string][]string `yaml:"scenarios"`
	Rules     []ruleForm          `yaml:"rules,required"`
}

type ruleForm struct {
	Name     string       `yaml:"name,required"`
	Priority int          `yaml:"priority"`
	Match    matchForm    `yaml:"match,required"`
	When     *whenForm    `yaml:"when"`
	Then     string       `yaml:"then"`
	Answer   *answerForm  `yaml:"answer"`
	Answers  []answerForm `yaml:"answers"`
	Cycle    bool         `yaml:"cycle"`
}

type whenForm struct {
	Scenario string `yaml:"scenario,required"`
	State    string `yaml:"state"`
}

type matchForm struct {
	MTI       string            `yaml:"mti"`
	Operation string            `yaml:"operation"`
	Fields    map[string]string `yaml:"fields"`
	Amount    *amountForm       `yaml:"amount"`
	Card      string            `yaml:"card"`
	Terminal  string            `yaml:"terminal"`
	Nth       int               `yaml:"nth"`
	Every     int               `yaml:"every"`
	From      int               `yaml:"from"`
	To        int               `yaml:"to"`
}

// amountForm is a number, or a range.
type amountForm struct {
	Min int64  `yaml:"min"`
	Max *int64 `yaml:"max"`
}

// UnmarshalStrict implements strict.Unmarshaler.
func (a *amountForm) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		d.Value(n, reflect.ValueOf(&a.Min).Elem())
		exact := a.Min
		a.Max = &exact
		return
	}
	type plain amountForm
	d.Value(n, reflect.ValueOf((*plain)(a)).Elem())
}

// answerForm is a word, or a mapping.
type answerForm struct {
	Code        string            `yaml:"code"`
	Reason      string            `yaml:"reason"`
	Approve     *approveForm      `yaml:"approve"`
	Late        time.Duration     `yaml:"late"`
	Never       bool              `yaml:"never"`
	Exact       bool              `yaml:"exact"`
	Copy        []string          `yaml:"copy"`
	Set         map[string]string `yaml:"set"`
	Drop        []string          `yaml:"drop"`
	Wrong       []string          `yaml:"wrong"`
	BadBitmap   bool              `yaml:"bad-bitmap"`
	WrongLength string            `yaml:"wrong-length"`
	Junk        string            `yaml:"junk"`
	Duplicate   int               `yaml:"duplicate"`
	Merge       bool              `yaml:"merge"`
	Truncate    int               `yaml:"truncate"`
	Dribble     *dribbleForm      `yaml:"dribble"`
	End         string            `yaml:"end"`
	Unsolicited *unsolicitedForm  `yaml:"unsolicited"`
	Restart     *restartForm      `yaml:"restart"`
}

type approveForm struct {
	Authorisation string   `yaml:"authorisation"`
	RRN           string   `yaml:"rrn"`
	Amount        int64    `yaml:"amount"`
	Script        []string `yaml:"script"`
	BadKCV        bool     `yaml:"bad-kcv"`
}

type dribbleForm struct {
	Bytes int           `yaml:"bytes,required"`
	Every time.Duration `yaml:"every,required"`
}

type unsolicitedForm struct {
	After  time.Duration     `yaml:"after"`
	MTI    string            `yaml:"mti,required"`
	Fields map[string]string `yaml:"fields"`
}

type restartForm struct {
	Down time.Duration `yaml:"down"`
}

// Words that stand for a whole answer.
var answerWords = []string{"books", "never", client.EndClose, client.EndReset, client.EndStall, "restart"}

// UnmarshalStrict implements strict.Unmarshaler.
func (a *answerForm) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		type plain answerForm
		d.Value(n, reflect.ValueOf((*plain)(a)).Elem())
		return
	}
	switch n.Value {
	case "books":
	case "never":
		a.Never = true
	case client.EndClose, client.EndReset, client.EndStall:
		a.Never, a.End = true, n.Value
	case "restart":
		a.Never, a.Restart = true, &restartForm{}
	default:
		d.Unknown(n, "answer", n.Value, answerWords)
	}
}

// Load reads a rule file. Errors are *strict.Error with file, line and column, all at once.
func Load(name string, t Terms) (*Set, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1)) // Parse refuses one that is longer
	if err != nil {
		return nil, err
	}
	return Parse(name, data, t)
}

// Parse reads the text of a rule file; name stands in errors.
func Parse(name string, data []byte, t Terms) (*Set, error) {
	var f file
	if err := strict.Decode(name, data, &f); err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err // strict.Decode has read it before
	}
	source := f.setup()
	c := &complaints{place: inFile(name, &doc, source)}
	if f.Dialect != "" && f.Dialect != t.Host.ID {
		c.add([]string{"dialect"}, "the rules are for %q, the host speaks %q", f.Dialect, t.Host.ID)
	}
	for i, r := range f.Rules {
		place := []string{"rules", strconv.Itoa(i)}
		switch {
		case r.Answer == nil && len(r.Answers) == 0:
			c.add(place, `"answer" is missing; by the books is answer: books`)
		case r.Answer != nil && r.Answers != nil:
			c.add(at(place, "answers"), "answer and answers exclude each other")
		}
	}
	return compile(source, t, c)
}

// DialectOf gives the dialect that the text of a rule file is for, "" if it says none.
func DialectOf(name string, data []byte) (string, error) {
	var f file
	err := strict.Decode(name, data, &f)
	return f.Dialect, err
}

// inFile names places by the lines of a file: of the last key on the way that the file has.
func inFile(name string, doc *yaml.Node, s client.Setup) func([]string, string) error {
	return func(keys []string, text string) error {
		n := doc.Content[0]
		line, column := n.Line, n.Column
		for _, key := range keys {
			next, at := child(n, key)
			if next == nil {
				break
			}
			n, line, column = next, at.Line, at.Column
		}
		if len(keys) >= 2 && keys[0] == "rules" {
			i, _ := strconv.Atoi(keys[1]) // compile made it
			text = fmt.Sprintf("rule %q: %s", mask.Text(s.Rules[i].Name), text)
		}
		return &strict.Error{File: name, Line: line, Column: column, Message: text}
	}
}

// child gives the node under a key, and the node that marks its place.
func child(n *yaml.Node, key string) (under, place *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key || n.Content[i].Value == strings.ReplaceAll(key, "_", "-") {
				return n.Content[i+1], n.Content[i]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	}
	return nil, nil
}

// setup gives the file's rules as the API has them.
func (f file) setup() client.Setup {
	s := client.Setup{Ordered: f.Ordered, Otherwise: f.Otherwise, Scenarios: f.Scenarios}
	for _, r := range f.Rules {
		s.Rules = append(s.Rules, r.rule())
	}
	return s
}

func (r ruleForm) rule() client.Rule {
	out := client.Rule{Name: r.Name, Priority: r.Priority, Match: r.Match.match(), Then: r.Then, Cycle: r.Cycle}
	if r.When != nil {
		when := client.When(*r.When)
		out.When = &when
	}
	if r.Answer != nil {
		out.Answer = r.Answer.answer()
	}
	for _, a := range r.Answers {
		out.Answers = append(out.Answers, a.answer())
	}
	return out
}

func (m matchForm) match() client.Match {
	out := client.Match{MTI: m.MTI, Operation: m.Operation, Fields: m.Fields, Card: m.Card, Terminal: m.Terminal,
		Nth: m.Nth, Every: m.Every, From: m.From, To: m.To}
	if m.Amount != nil {
		amount := client.Amount(*m.Amount)
		out.Amount = &amount
	}
	return out
}

func (a answerForm) answer() client.Answer {
	out := client.Answer{Code: a.Code, Reason: a.Reason, Late: a.Late, Never: a.Never, Exact: a.Exact, Copy: a.Copy, Set: a.Set,
		Drop: a.Drop, Wrong: a.Wrong, BadBitmap: a.BadBitmap, WrongLength: a.WrongLength,
		Junk: a.Junk, Duplicate: a.Duplicate, Merge: a.Merge, Truncate: a.Truncate, End: a.End}
	if a.Approve != nil {
		approve := client.Approve(*a.Approve)
		out.Approve = &approve
	}
	if a.Dribble != nil {
		dribble := client.Dribble(*a.Dribble)
		out.Dribble = &dribble
	}
	if u := a.Unsolicited; u != nil {
		out.Unsolicited = &client.Unsolicited{After: u.After, MTI: u.MTI, Fields: u.Fields}
	}
	if a.Restart != nil {
		restart := client.Restart(*a.Restart)
		out.Restart = &restart
	}
	return out
}
