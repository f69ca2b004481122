package client

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/protocol/feed"
)

// document is the part of openapi.yaml that is held against the code.
type document struct {
	Paths      map[string]map[string]operation `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

type operation struct {
	RequestBody struct {
		Content map[string]struct {
			Schema schema `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"requestBody"`
	Parameters []struct {
		Name, In string
	} `yaml:"parameters"`
}

type schema struct {
	Ref        string            `yaml:"$ref"`
	Type       string            `yaml:"type"`
	Required   []string          `yaml:"required"`
	Properties map[string]schema `yaml:"properties"`
	AllOf      []schema          `yaml:"allOf"`
	Items      *schema           `yaml:"items"`
	Additional any               `yaml:"additionalProperties"`
	Enum       []string          `yaml:"enum"`
}

func openapi(t *testing.T) document {
	t.Helper()
	data, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every reference leads somewhere.
func TestDocumentRefersToItself(t *testing.T) {
	data, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	references := regexp.MustCompile(`\$ref: "#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(string(data), -1)
	if len(references) < 50 {
		t.Fatalf("only %d references found", len(references))
	}
	for _, r := range references {
		kind, _ := doc["components"].(map[string]any)[r[1]].(map[string]any)
		if kind[r[2]] == nil {
			t.Errorf("%s leads nowhere", r[0])
		}
	}
}

// types are all types that go over the wire.
func types() []any {
	return []any{
		Setup{}, Rule{}, When{}, Match{}, Amount{}, Answer{}, Approve{}, Dribble{}, Unsolicited{}, Restart{}, ScenarioState{},
		RuleUse{}, Rules{}, Entry{}, Journal{}, Verify{}, Verdict{}, Miss{}, Difference{}, Charge{}, Settlement{}, State{},
		Hold{}, Refund{}, Session{}, ScriptResult{},
	}
}

// The document has every exported struct of this package but the client itself, and no more than those
// and the feed's.
func TestDocumentHasEveryType(t *testing.T) {
	doc, want := openapi(t), []string{"Event", "Events"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if ok {
				_, ok = spec.Type.(*ast.StructType)
			}
			if ok && spec.Name.IsExported() && spec.Name.Name != "Client" && spec.Name.Name != "StatusError" {
				want = append(want, spec.Name.Name)
			}
			return true
		})
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(doc.Components.Schemas)); !reflect.DeepEqual(got, want) {
		t.Errorf("schemas %v\nwant    %v", got, want)
	}
	var listed []string
	for _, v := range types() {
		listed = append(listed, reflect.TypeOf(v).Name())
	}
	listed = append(listed, "Event", "Events")
	slices.Sort(listed)
	if !reflect.DeepEqual(listed, want) {
		t.Errorf("the tests look at %v\nwant              %v", listed, want)
	}
}

// Every schema has the fields of its type, of the same kind and equally required, and no others.
func TestDocumentHasEveryField(t *testing.T) {
	doc := openapi(t)
	for _, v := range types() {
		typ := reflect.TypeOf(v)
		s := doc.Components.Schemas[typ.Name()]
		for _, part := range s.AllOf {
			if part.Ref == "" {
				s = part
			}
		}
		var names, required []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				continue
			}
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
			if option != "omitempty" {
				required = append(required, name)
			}
			if got, want := kindOf(s.Properties[name]), kindOfType(f.Type); got != want {
				t.Errorf("%s.%s is %s, want %s", typ.Name(), name, got, want)
			}
		}
		slices.Sort(names)
		if got := slices.Sorted(maps.Keys(s.Properties)); !reflect.DeepEqual(got, names) {
			t.Errorf("%s has %v\nwant %v", typ.Name(), got, names)
		}
		slices.Sort(required)
		slices.Sort(s.Required)
		if strings.Join(s.Required, " ") != strings.Join(required, " ") {
			t.Errorf("%s requires %v\nwant %v", typ.Name(), s.Required, required)
		}
	}
	if got := doc.Components.Schemas["Answer"].Properties["wrong"].Items.Enum; !reflect.DeepEqual(got, Wrongs) {
		t.Errorf("wrong is one of %v, want %v", got, Wrongs)
	}
}

// kindOf says what a schema is in a word.
func kindOf(s schema) string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Items != nil:
		return "list of " + kindOf(*s.Items)
	case s.Additional != nil && s.Type == "object":
		return "map"
	}
	return s.Type
}

// kindOfType says the same of a Go type.
func kindOfType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOfType(t.Elem())
	case reflect.Slice:
		return "list of " + kindOfType(t.Elem())
	case reflect.Map:
		return "map"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "integer"
	}
	if t == reflect.TypeFor[time.Time]() {
		return "string"
	}
	return t.Name()
}

// What the feed really sends is what the document says.
func TestDocumentHasTheFeed(t *testing.T) {
	doc := openapi(t)
	var log feed.Log
	log.Append(EventViolation, map[string]string{"text": "x"})
	rec := httptest.NewRecorder()
	log.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/events?after=0&wait=0s", nil))
	var got map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	holds(t, doc, "Events", got)
	holds(t, doc, "Event", got["events"].([]any)[0].(map[string]any))
}

func holds(t *testing.T, doc document, name string, got map[string]any) {
	t.Helper()
	s := doc.Components.Schemas[name]
	for key := range got {
		if _, ok := s.Properties[key]; !ok {
			t.Errorf("%s has no %q", name, key)
		}
	}
	for _, key := range s.Required {
		if _, ok := got[key]; !ok {
			t.Errorf("%s requires %q, which is not sent", name, key)
		}
	}
}

// The paths of the document are those of words.go, and the client calls every one of them in the way
// that the document says, but for the document itself.
func TestDocumentHasEveryCall(t *testing.T) {
	doc := openapi(t)
	want := map[string]bool{}
	for path, operations := range doc.Paths {
		for method := range operations {
			if path != PathOpenAPI {
				want[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	for path, name := range pathConstants(t) {
		if doc.Paths[path] == nil {
			t.Errorf("%s (%s) is not in the document", path, name)
		}
	}
	got := map[string]bool{}
	for _, c := range calls(t) {
		path := c.path
		for _, named := range []string{PathRules, PathScenarios} {
			if strings.HasPrefix(path, named+"/") {
				path = named + "/{name}"
			}
		}
		got[c.method+" "+path] = true
		o := doc.Paths[path][strings.ToLower(c.method)]
		if body := o.RequestBody.Content["application/json"].Schema.Ref != ""; body != c.body {
			t.Errorf("%s %s: a body in the document: %v, in the call: %v", c.method, path, body, c.body)
		}
		for _, p := range o.Parameters {
			if p.In == "query" && !strings.Contains(c.query, p.Name+"=") {
				t.Errorf("%s %s: no parameter %s in %q", c.method, path, p.Name, c.query)
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("calls %v\nwant  %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// pathConstants are the values and names of the constants Path… .
func pathConstants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "words.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Path") {
			if value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value); err == nil {
				found[value] = spec.Names[0].Name
			}
		}
		return true
	})
	if len(found) < 10 {
		t.Fatalf("only %d paths found", len(found))
	}
	return found
}

type call struct {
	method, path, query string
	body                bool
}

// calls makes every call of the client and says what came.
func calls(t *testing.T) (all []call) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all = append(all, call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type") == "application/json"})
		if r.URL.Path == PathScenarios && r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer web.Close()
	ctx, c := t.Context(), New(web.Client(), web.URL)
	v := reflect.ValueOf(c)
	for i := range v.NumMethod() {
		method := v.Type().Method(i)
		if method.Name == "Events" {
			_, _ = c.Events().Next(ctx, time.Second) // an answer without events is no feed's; that it was asked is enough
			continue
		}
		in := []reflect.Value{reflect.ValueOf(ctx)}
		for j := 2; j < method.Type.NumIn(); j++ {
			argument := reflect.New(method.Type.In(j)).Elem()
			if argument.Kind() == reflect.String {
				argument.SetString("a b/c")
			}
			in = append(in, argument)
		}
		out := v.Method(i).Call(in)
		if err := out[len(out)-1].Interface(); err != nil {
			t.Errorf("%s: %v", method.Name, err)
		}
	}
	return all
}
