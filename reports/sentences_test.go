package reports

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// place is a part of the source whose sentences may come onto a page.
type place struct {
	dir   string   // from this folder
	files string   // a pattern of file names; "" is all
	names []string // what counts: functions, variables and fields of these names, and arguments of their calls; nil is every string
}

// spoken are those of judge, harness, rungs and issuer.
var spoken = []place{
	{dir: "../harness/judge"},
	{dir: "../harness"},
	{dir: "../fixtures/scenarios", names: []string{"String", "lackingFor"}},
	{dir: "../suites", files: "play.go", names: []string{"Sprintf", "Errorf", "New", "append"}},
	{dir: "../suites", files: "staged.go", names: []string{"playPair"}},
	{dir: "../suites", files: "plan.go", names: []string{"itemsFor"}},
	{dir: "../rungs", names: []string{"Fault", "NoPackets", "missing", "labNoPackets", "errNoPackets", "errStage"}},
	{dir: "../rungs", files: "teardown.go"},
	{dir: "../rungs", files: "trust.go", names: []string{"New", "Errorf"}},
	{dir: "../rungs", files: "hosted.go", names: []string{"Sprintf"}},
	{dir: "../rigs", files: "rig.go", names: []string{"New"}},
	{dir: "../rigs/quarantine", names: []string{"String"}},
	{dir: "../fakes/network", names: []string{"bothClosed", "end"}},
	{dir: "../fakes/network/packet", names: []string{"unavailable", "armQueue", "ErrUnavailable", "errSystem"}},
	{dir: "../fakes/issuer", names: []string{"violated", "exchange", "label"}},
	{dir: "../fakes/issuer/bank", names: []string{"fault"}},
	{dir: "../fakes/issuer/bank", files: "upload.go", names: []string{"Errorf"}},
	{dir: "../fakes/issuer/bank", files: "settlement.go", names: []string{"Errorf", "New"}},
	{dir: ".", files: "open.go", names: []string{"Outcomes"}},
}

// drivers are the packages whose errors may end a scenario.
var drivers = []string{"card", "card/cardhopper", "card/chameleon", "card/relay", "display/debugline", "health", "human", "keypad/grbl", "keypad/marlin", "lease",
	"power/command", "power/numato", "power/scpi", "printer/escpos", "serial"}

// failing are what makes an error, what a robot was doing, and what GRBL means by its numbers.
var failing = []string{"Error", "Errorf", "Fault", "New", "alarmMeanings", "arrive", "errorMeanings", "expired", "fluidAlarms", "next", "step", "write"}

// silent are calls whose arguments come onto no page: what is looked for, names of evidence, G-code, what a developer did wrong.
var silent = []string{"HasSuffix", "MustCompile", "keep", "panic", "rapid"}

// sentence is a format of the source: as fmt has it, or put together of strings, with %s for what is no literal.
type sentence struct{ format, at string }

// sentences are those of several places.
func sentences(t *testing.T, places []place) []sentence {
	t.Helper()
	var all []sentence
	for _, p := range places {
		paths, err := filepath.Glob(filepath.Join(p.dir, cmp.Or(p.files, "*.go")))
		if err != nil {
			t.Fatal(err)
		}
		before := len(all)
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, collect(t, path, source, p.names)...)
		}
		if len(all) == before {
			t.Errorf("%s/%s: no sentence is there any more; has it moved?", p.dir, cmp.Or(p.files, "*.go"))
		}
	}
	return all
}

// collect finds the sentences of a file.
func collect(t *testing.T, path string, source []byte, names []string) []sentence {
	t.Helper()
	c := collector{files: token.NewFileSet(), done: map[ast.Node]bool{}}
	f, err := parser.ParseFile(c.files, path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	wanted := func(name string) bool { return names == nil || slices.Contains(names, name) }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.TypeSpec:
			return false
		case *ast.FuncDecl:
			if wanted(n.Name.Name) {
				c.below(n)
			}
		case *ast.ValueSpec:
			if slices.ContainsFunc(n.Names, func(name *ast.Ident) bool { return wanted(name.Name) }) {
				c.below(n)
			}
		case *ast.CallExpr:
			if names != nil && wanted(called(n)) {
				c.below(n)
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && names != nil && wanted(key.Name) {
				c.below(n.Value)
			}
		}
		return true
	})
	return c.found
}

// called is the name of what is called, without its package or receiver.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

type collector struct {
	files *token.FileSet
	done  map[ast.Node]bool
	found []sentence
}

// below collects every sentence at and below a node, once.
func (c *collector) below(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil || c.done[n] {
			return false
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			return !slices.Contains(silent, called(n))
		case *ast.BinaryExpr:
			if format, ok := c.joined(n); ok {
				c.note(n.Pos(), format)
			}
		case *ast.BasicLit:
			if format, ok := c.joined(n); ok {
				c.note(n.Pos(), format)
			}
		}
		return true
	})
}

// joined is an expression as a format, and whether there is a literal in it.
func (c *collector) joined(e ast.Expr) (format string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		c.done[e] = true
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			break
		}
		left, l := c.joined(e.X)
		right, r := c.joined(e.Y)
		c.done[e] = true
		return left + right, l || r
	case *ast.CallExpr:
		if called(e) == "Sprintf" {
			return c.joined(e.Args[0])
		}
	}
	return "%s", false
}

var (
	verbs   = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)
	twoWord = regexp.MustCompile(`[A-Za-z].* | .*[A-Za-z]`)
)

// note keeps what has letters and a space beside its verbs: one word alone is a name.
func (c *collector) note(at token.Pos, format string) {
	if twoWord.MatchString(verbs.ReplaceAllString(format, "")) {
		c.found = append(c.found, sentence{format, c.files.Position(at).String()})
	}
}

func TestCollectSentences(t *testing.T) {
	const source = `package p
import "some where"
var errGone = errors.New("it is gone")
type tagged struct { x int ` + "`json:\"no sentence\"`" + ` }
func f() {
	c.Observed = fmt.Sprintf("%d charges of %s", n, "two words")
	c.Observed += ", settled"
	c.Expected = "the issuer " + name() + " answers " + fmt.Sprintf("in %s", d)
	regexp.MustCompile("no sentence")
	is("word")
}
func g() { blame(cause, "card %s: %w", id, err); note("not meant", order{step: "press it", line: "G4 P1"}) }
`
	for _, test := range []struct {
		names []string
		want  []string
	}{
		{nil, []string{"it is gone", "%d charges of %s", "two words", ", settled", "the issuer %s answers in %s", "card %s: %w", "not meant", "press it", "G4 P1"}},
		{[]string{"errGone"}, []string{"it is gone"}},
		{[]string{"blame"}, []string{"card %s: %w"}},
		{[]string{"step"}, []string{"press it"}},
		{[]string{"f"}, []string{"%d charges of %s", "two words", ", settled", "the issuer %s answers in %s"}},
		{[]string{"absent"}, nil},
	} {
		var got []string
		for _, s := range collect(t, "p.go", []byte(source), test.names) {
			got = append(got, s.format)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q:\n%q, want\n%q", test.names, got, test.want)
		}
	}
}
