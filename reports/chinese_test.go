package reports

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/chromedp/chromedp"

	"github.com/assay-hil/assay/fixtures/hosts"
)

// table reads one of the tables of Chinese, an entry a line.
func table(t *testing.T, name string) map[string]string {
	t.Helper()
	var all strings.Builder
	for _, file := range []string{"chinese.js", "chinese-rigs.js", "chinese-terms.js", "chinese-names.js"} {
		all.Write(asset(file))
	}
	_, rest, ok := strings.Cut(all.String(), "const "+name+" = {\n")
	lines, _, end := strings.Cut(rest, "\n};\n")
	if !ok || !end {
		t.Fatalf("there is no table %s", name)
	}
	entries := map[string]string{}
	for line := range strings.Lines(lines) {
		var one map[string]string
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte("{"+line+"}"), &one); err != nil || len(one) != 1 {
			t.Fatalf("%s: %s: no entry: %v", name, line, err)
		}
		for format, words := range one {
			if _, twice := entries[format]; twice {
				t.Errorf("%s: %q is there twice", name, format)
			}
			entries[format] = words
		}
	}
	return entries
}

// unsaid are the sentences without Chinese, and stale the Chinese without a sentence.
func unsaid(all []sentence, said map[string]string) (missing []sentence, stale []string) {
	left := maps.Clone(said)
	for _, s := range all {
		if _, ok := said[s.format]; !ok {
			missing = append(missing, s)
		}
		delete(left, s.format)
	}
	return missing, slices.Sorted(maps.Keys(left))
}

// TestEverySentenceHasChinese: who adds a sentence that comes onto a page adds its Chinese.
func TestEverySentenceHasChinese(t *testing.T) {
	var rigs []place
	for _, dir := range drivers {
		rigs = append(rigs, place{dir: "../rigs/" + dir, names: failing})
	}
	for _, test := range []struct {
		places      []place
		table, file string
	}{{spoken, "SAY", "chinese.js"}, {rigs, "DRIVERS", "chinese-rigs.js"}} {
		missing, stale := unsaid(sentences(t, test.places), table(t, test.table))
		for _, s := range missing {
			t.Errorf("%s: %q has no Chinese: give it a line in %s of assets/%s", s.at, s.format, test.table, test.file)
		}
		for _, format := range stale {
			t.Errorf("assets/%s: %q is nowhere in the source any more: take it out", test.file, format)
		}
	}
	missing, stale := unsaid([]sentence{{format: "a new %s"}, {format: "they do"}}, map[string]string{"they do": "符合", "they did": "符合"})
	if len(missing) != 1 || missing[0].format != "a new %s" || !slices.Equal(stale, []string{"they did"}) {
		t.Errorf("the comparison misses something: %q, %q", missing, stale)
	}
}

var mark = regexp.MustCompile(`[$~#]([0-9])`)

// unfit says what is wrong with the Chinese of a format; "" when nothing is.
func unfit(format, words string) string {
	used := map[string]bool{}
	for _, m := range mark.FindAllStringSubmatch(words, -1) {
		used[m[1]] = true
	}
	n := len(verbs.FindAllString(format, -1))
	for i := range n {
		if !used[strconv.Itoa(i+1)] {
			return fmt.Sprintf("argument %d is not told", i+1)
		}
	}
	rest := mark.ReplaceAllString(words, "")
	switch {
	case len(used) > n && !strings.Contains(format, "$"): // GRBL's settings are called $22
		return "an argument is told that is not there"
	case strings.HasSuffix(format, " ") != strings.HasSuffix(words, " ") && strings.HasPrefix(format, " "):
		return "it does not go on as the format does"
	case strings.ContainsFunc(rest, unicode.IsLower) && !strings.ContainsFunc(rest, func(c rune) bool { return unicode.Is(unicode.Han, c) }):
		return "it is no Chinese"
	}
	return ""
}

func TestChineseFits(t *testing.T) {
	for _, name := range []string{"SAY", "DRIVERS", "COMPOSED", "TERMS"} {
		for format, words := range table(t, name) {
			if problem := unfit(format, words); problem != "" {
				t.Errorf("%s: %q: %q: %s", name, format, words, problem)
			}
		}
	}
	for _, bad := range [][2]string{{"trace %s of %d", "流水号 $1"}, {"no argument", "流水号 $1"}, {"two words", "two words"}, {" or ", " 或"}} {
		if unfit(bad[0], bad[1]) == "" {
			t.Errorf("%q passes as the Chinese of %q", bad[1], bad[0])
		}
	}
}

// TestEveryKindOfCheckHasWords: what the judge calls its checks has words on the page.
func TestEveryKindOfCheckHasWords(t *testing.T) {
	paths, err := filepath.Glob("../harness/judge/*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			named[name] = true
		}
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if slices.Contains([]string{"finding", "booked", "doubted", "missed"}, called(n)) {
					add(n.Args[0])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "What" {
					add(n.Value)
				}
			case *ast.FuncDecl:
				if n.Name.Name == "subject" {
					ast.Inspect(n, func(n ast.Node) bool {
						if r, ok := n.(*ast.ReturnStmt); ok {
							add(r.Results[0])
						}
						return true
					})
				}
			}
			return true
		})
	}
	if len(named) < 20 {
		t.Fatalf("only %d kinds of checks were found", len(named))
	}
	_, checks, _ := strings.Cut(string(asset("words.js")), "const CHECKS = {")
	for name := range named {
		if !strings.Contains(checks, "\n  "+name+": [") && !strings.Contains(checks, "\n  '"+name+"': [") {
			t.Errorf("the check %q has no words: give it a line in CHECKS of assets/words.js", name)
		}
	}
}

// TestEveryNameHasChinese: fields of the hosts' messages, and the names that the timeline gives to types, data objects and status words.
func TestEveryNameHasChinese(t *testing.T) {
	named := map[string]string{} // by where
	for _, id := range hosts.Names() {
		h, err := hosts.Load(id)
		if err != nil {
			t.Fatal(err)
		}
		for n, f := range h.Dialect.Fields {
			named[f.Name] = fmt.Sprintf("fixtures/hosts/%s.yaml: field %d", id, n)
		}
	}
	script := string(asset("timeline.js"))
	for _, list := range []string{"TAGS", "SW", "MTI"} {
		_, rest, _ := strings.Cut(script, "const "+list+" = {")
		rest, _, _ = strings.Cut(rest, "};")
		found := regexp.MustCompile(`: '([^']+)'`).FindAllStringSubmatch(rest, -1)
		if len(found) < 10 {
			t.Fatalf("assets/timeline.js has %d names in %s", len(found), list)
		}
		for _, m := range found {
			named[m[1]] = "assets/timeline.js: " + list
		}
	}
	names := table(t, "NAMES")
	for name, at := range named {
		if names[name] == "" {
			t.Errorf("%s: %q has no Chinese: give it a line in NAMES of assets/chinese-names.js", at, name)
		}
	}
}

// sample is a format with an argument for each of its verbs, and its Chinese with the same. What stands before or after is taken from the tables.
func sample(format, words string) (english, chinese string) {
	var args []string
	english = verbs.ReplaceAllStringFunc(format, func(v string) string {
		n := strconv.Itoa(len(args) + 1)
		spoken, written := "x"+n, "x"+n // as in English and in Chinese
		switch v[len(v)-1] {
		case 'd':
			spoken, written = "70"+n, "70"+n
		case 'q':
			spoken, written = `"屏 `+n+`; \"is\""`, `屏 `+n+`; \"is\"`
		case 'l':
			spoken, written = "1.00, 2.00", "1.00, 2.00"
		case 'k':
			spoken, written = "it did", "符合"
		}
		args = append(args, written)
		return spoken
	})
	chinese = words
	if len(args) > 0 {
		chinese = mark.ReplaceAllStringFunc(words, func(m string) string { return args[m[1]-'1'] })
	}
	if strings.IndexAny(format, " ,;:") == 0 {
		english, chinese = "they do"+english, "符合"+chinese
		if strings.HasSuffix(format, " ") {
			english, chinese = english+"they do", chinese+"符合"
		}
	}
	return english, chinese
}

// TestBrowserSaysEverySentence: the page finds each sentence by its format.
func TestBrowserSaysEverySentence(t *testing.T) {
	ctx := browser(t)
	dir, _ := rendered(t, Summary{Planned: 1, Rig: "r"}, nil, nil)
	does(t, ctx, chromedp.Navigate(fileURL(t, dir, "index.html?lang=zh")), chromedp.WaitReady(chromedp.CSS("#app *")))
	type pair struct{ Format, English, Chinese string }
	var all []pair
	for _, name := range []string{"SAY", "DRIVERS", "COMPOSED"} {
		for format, words := range table(t, name) {
			english, chinese := sample(format, words)
			all = append(all, pair{format, english, chinese})
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	does(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.pairs = %s`, b)))
	evaluated(t, ctx, `FORMATS.length + pairs.length`, 2*len(all))
	evaluated(t, ctx, `JSON.stringify(pairs.map(p => [p.Format, p.English, say(p.English), p.Chinese]).filter(p => p[2] !== p[3]), null, 1)`, "[]")
}
