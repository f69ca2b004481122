package suites_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/assay-hil/assay/"

// rule says what the packages under a folder may import of ours, what they must not import of
// others, and why. The longest folder that fits a package rules it.
type rule struct {
	folder string
	may    []string // folders of ours
	never  []string // import paths, by prefix
	why    string
}

// rules are the direction of the house: fixtures and protocol at the bottom, cmd and suites at the top.
var rules = []rule{
	{"protocol", []string{"protocol"}, nil,
		"protocol is what two sides agree on: it may know neither"},
	{"fixtures", []string{"fixtures", "protocol"}, nil,
		"data and its loaders serve everybody and depend on nobody"},
	{"rigs", []string{"rigs", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"a driver works in a lab, where there is no fake and no test"},
	{"fakes/issuer", []string{"fakes/issuer", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"the bank knows neither the terminal nor who tests it"},
	{"fakes/issuer/client", []string{"protocol"}, []string{"testing", "github.com/onsi"},
		"a client must be usable against a server that runs elsewhere"},
	{"fakes/network", []string{"fakes/network", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"the network knows messages, not who sends them"},
	{"fakes/network/client", []string{"protocol"}, []string{"testing", "github.com/onsi"},
		"a client must be usable against a server that runs elsewhere"},
	{"fakes/terminal", []string{"fakes/terminal", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"the terminal reaches the outside only through its hardware"},
	{"fakes/terminal/kernel", []string{"fakes/terminal/kernel", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"the kernel knows cards and the people before them, and neither screens nor hosts"},
	{"fakes/bench", []string{"fakes/bench", "fakes/terminal", "fixtures", "protocol"}, []string{"testing", "github.com/onsi"},
		"a simulator must not share a parser with the driver that it tests"},
	{"harness", []string{"harness", "rigs", "fixtures", "protocol", "fakes/issuer/client", "fakes/network/client"}, []string{"testing", "github.com/onsi"},
		"the harness sees what a lab sees: instruments, and the fakes by their control API"},
	{"harness/record", nil, []string{"testing", "github.com/onsi"},
		"records are read by programs that know nothing else of ours"},
	{"harness/judge", []string{"harness/record", "fixtures", "protocol", "fakes/issuer/client", "fakes/network/client"}, []string{"testing", "github.com/onsi"},
		"the judge reads the record; it can't drive what it can't import"},
	{"reports", []string{"reports", "harness/record", "fixtures"}, []string{"testing", "github.com/onsi"},
		"a report is computed from the record alone"},
	{"rungs", []string{"rungs", "rigs", "fakes", "harness", "fixtures", "protocol"}, []string{"github.com/onsi"},
		"rungs is the only place that knows rigs and fakes both; it builds worlds and judges nothing"},
	{"suites", []string{"suites", "rungs", "rigs", "harness", "reports", "fixtures", "protocol"}, nil,
		"suites say what is run; worlds are built in rungs"},
	{"cmd", []string{"suites", "rungs", "reports", "harness/record", "fixtures", "fakes/issuer", "fakes/network", "protocol"}, []string{"github.com/onsi"},
		"the command turns flags into calls"},
}

// TestImportRules holds every package, tests apart, to the rules above.
func TestImportRules(t *testing.T) {
	used := map[string]bool{}
	for file, imports := range sources(t, "..") {
		r := ruleFor(filepath.ToSlash(filepath.Dir(file)))
		if r == nil {
			t.Errorf("%s: no rule covers it; add one to suites/imports_test.go", file)
			continue
		}
		used[r.folder] = true
		for _, path := range imports {
			if why := r.forbids(path); why != "" {
				t.Errorf("%s imports %s: %s\n\twhy: %s", file, path, why, r.why)
			}
		}
	}
	for _, r := range rules {
		if !used[r.folder] {
			t.Errorf("the rule for %s covers nothing: has the folder moved?", r.folder)
		}
	}
}

// TestImportRulesCanFail proves that the rules are able to say no.
func TestImportRulesCanFail(t *testing.T) {
	for _, c := range []struct{ folder, path string }{
		{"fakes/bench/robot", module + "rigs/keypad/grbl"},
		{"rigs/keypad/grbl", module + "fakes/bench"},
		{"rigs/serial", "testing"},
		{"harness", module + "fakes/issuer"},
		{"harness/judge", module + "rigs"},
		{"protocol/mask", module + "fixtures/cards"},
		{"reports", module + "harness"},
		{"cmd/assay", "github.com/onsi/ginkgo/v2"},
		{"rungs", module + "suites"},
	} {
		if r := ruleFor(c.folder); r == nil || r.forbids(c.path) == "" {
			t.Errorf("%s may import %s", c.folder, c.path)
		}
	}
}

func (r *rule) forbids(path string) string {
	for _, never := range r.never {
		if path == never || strings.HasPrefix(path, never+"/") {
			return "never here"
		}
	}
	ours, ok := strings.CutPrefix(path, module)
	if !ok {
		return ""
	}
	for _, may := range r.may {
		if within(ours, may) {
			return ""
		}
	}
	return "only " + strings.Join(r.may, ", ") + " may be imported here"
}

func ruleFor(folder string) *rule {
	var best *rule
	for i, r := range rules {
		if within(folder, r.folder) && (best == nil || len(r.folder) > len(best.folder)) {
			best = &rules[i]
		}
	}
	return best
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// sources gives the imports of every Go file under root but tests, by its path from root.
func sources(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, imported)
		}
		found[name] = imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
