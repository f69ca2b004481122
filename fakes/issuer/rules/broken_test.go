package rules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// Every file of testdata/broken says in its first line what is to be complained of, and all
// complaints name file and line.
func TestBrokenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	terms := termsOf(t, "iso87-ascii")
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(data), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok {
				t.Fatal("the first line does not say what is wanted")
			}
			_, err = Load(name, terms)
			var at *strict.Error
			switch {
			case err == nil:
				t.Fatalf("it loads; want %q", want)
			case !errors.As(err, &at) || at.File != name || at.Line < 1:
				t.Errorf("%v: no place", err)
			case !strings.Contains(err.Error(), want):
				t.Errorf("%v\nwant %q", err, want)
			case strings.Contains(err.Error(), "4111111111111111"):
				t.Error("the complaint repeats a card number")
			}
		})
	}
}

// A complaint points at the key that is wrong, and all of a file come at once.
func TestComplaintsNameLineAndColumn(t *testing.T) {
	const text = `otherwise: violation
rules:
  - name: a
    match:
      operation: purchase
      fields:
        "22": "05?"
        "7*": "1"
    answers:
      - books
      - late: 20m
        wrong: [stan]
`
	_, err := Parse("r.yaml", []byte(text), termsOf(t, "iso87-ascii"))
	for _, want := range []string{`r.yaml:8:9: rule "a": path "7*"`, `r.yaml:11:9: rule "a": 20m0s`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}

// The same rules over the API: errors name rule and key.
func TestBrokenSetups(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	rule := func(change func(*client.Rule)) client.Setup {
		r := client.Rule{Name: "a", Match: client.Match{Operation: "purchase"}}
		change(&r)
		return client.Setup{Rules: []client.Rule{r}}
	}
	many := client.Setup{}
	for i := range MaxRules + 1 {
		many.Rules = append(many.Rules, client.Rule{Name: fmt.Sprint(i)})
	}
	for _, c := range []struct {
		name  string
		setup client.Setup
		want  string
	}{
		{"mti", rule(func(r *client.Rule) { r.Match.MTI = "0810" }), `rule 1 "a": match.mti: "0810"`},
		{"wrong length", rule(func(r *client.Rule) { r.Answer.WrongLength = "x" }), `rule 1 "a": answer.wrong_length: `},
		{"second answer", rule(func(r *client.Rule) { r.Answers = []client.Answer{{}, {Late: -1}} }), `rule 1 "a": answers.1.late: -1ns`},
		{"too many", many, "rules: 1001 rules, at most 1000"},
		{"terminal", rule(func(r *client.Rule) { r.Answer.Unsolicited = &client.Unsolicited{MTI: "0800", Terminal: "X"} }), "a rule answers on the connection"},
		{"a card's tag", rule(func(r *client.Rule) { r.Answer.Set = map[string]string{"55.5A": "4111111111111111"} }), "card data are not written down"},
		{"a card's tag inside", rule(func(r *client.Rule) { r.Answer.Set = map[string]string{"55": "5A084111111111111111"} }), "card data are not written down"},
		{"too much junk", rule(func(r *client.Rule) { r.Answer.Junk = strings.Repeat("00", MaxJunk+1) }), "at most 1024 bytes"},
		{"too long a script", rule(func(r *client.Rule) {
			r.Answer.Approve = &client.Approve{Script: []string{strings.Repeat("84", MaxScript), "84"}}
		}), "at most 128"},
		{"merged with an end", rule(func(r *client.Rule) { r.Answer.Merge, r.Answer.End = true, "close" }), "cannot dribble"},
		{"merged and dribbled", rule(func(r *client.Rule) { r.Answer.Merge, r.Answer.Dribble = true, &client.Dribble{Bytes: 1, Every: 1} }), "cannot dribble"},
		{"scenario without a name", client.Setup{Scenarios: map[string][]string{"": {"a"}}}, "a scenario needs a name"},
		{"scenario with a long name", client.Setup{Scenarios: map[string][]string{strings.Repeat("x", MaxName+1): {"a"}}}, "a scenario needs a name"},
		{"state without a name", client.Setup{Scenarios: map[string][]string{"x": {""}}}, "a state needs a name"},
		{"state with a long name", client.Setup{Scenarios: map[string][]string{"x": {strings.Repeat("x", MaxName+1)}}}, "a state needs a name"},
		{"scenario without a state", client.Setup{Scenarios: map[string][]string{"x": nil}}, "scenarios.x: 0 states"},
	} {
		if _, err := FromSetup(c.setup, terms); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// What is just within the limits is taken, and bytes in small letters are.
func TestSetupsAtTheLimits(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	for _, a := range []client.Answer{
		{Junk: strings.Repeat("00", MaxJunk)},
		{Approve: &client.Approve{Script: []string{strings.Repeat("84", MaxScript)}}},
		{Dribble: &client.Dribble{Bytes: 1, Every: MaxGap}},
		{Merge: true, Duplicate: 1, End: client.EndClose},
		{Set: map[string]string{"55.91": "0a0b0c0d0e0f0a0b3030"}},
	} {
		if _, err := FromSetup(client.Setup{Rules: []client.Rule{{Name: "a", Answer: a}}}, terms); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// FuzzParse: no text makes the loader panic, and what it accepts is the same once written and read again.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/examples/*.yaml", "testdata/broken/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	terms := termsOf(f, "unionpay-bcd")
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Parse("f.yaml", data, terms)
		if err != nil {
			return
		}
		text, err := Format(set.Setup(), "unionpay-bcd")
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again.yaml", text, terms)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, text)
		}
		second, err := Format(again.Setup(), "unionpay-bcd")
		if err != nil || string(second) != string(text) {
			t.Fatalf("not the same, %v:\n%s\n%s", err, text, second)
		}
	})
}
