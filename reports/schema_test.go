package reports

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/assay-hil/assay/harness/record"
)

var updateSchemas = flag.Bool("update-schemas", false, "write the schemas anew; look at the difference: a reader of old folders must still read new ones")

// schemas are the files of a run folder and what they hold. In a .jsonl file it is a line.
var schemas = []struct {
	file string
	of   reflect.Type
}{
	{PlanFile, reflect.TypeFor[Plan]()},
	{EnvironmentFile, reflect.TypeFor[Environment]()},
	{SummaryFile, reflect.TypeFor[Summary]()},
	{EvidenceFile, reflect.TypeFor[[]RunEvidence]()},
	{ResultsFile, reflect.TypeFor[record.Result]()},
	{EventsFile, reflect.TypeFor[Event]()},
	{"timeline.jsonl", reflect.TypeFor[record.Event]()},
}

func schemaPath(file string) string {
	return filepath.Join("schemas", file[:len(file)-len(filepath.Ext(file))]+".schema.json")
}

// schemaOf makes a schema of a type. What a later version adds must not make a folder invalid, so unknown keys are allowed.
func schemaOf(t *testing.T, of reflect.Type, title string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.ForType(of, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[time.Time](): {Type: "string", Format: "date-time"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	allow(s)
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", Format+": "+title
	return s
}

// allow allows unknown keys, and null where Go writes an empty list so.
func allow(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.Properties != nil {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		allow(p)
	}
	allow(s.Items)
	if s.AdditionalProperties != nil {
		allow(s.AdditionalProperties)
	}
}

func TestSchemasAreWhatIsWritten(t *testing.T) {
	for _, s := range schemas {
		want, err := json.MarshalIndent(schemaOf(t, s.of, s.file), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		if *updateSchemas {
			if err := os.WriteFile(schemaPath(s.file), want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(schemaPath(s.file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not of the type that is written; go test ./reports -run Schemas -update-schemas", schemaPath(s.file))
		}
	}
}

func resolved(t *testing.T, file string) *jsonschema.Resolved {
	t.Helper()
	b, err := os.ReadFile(schemaPath(file))
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestFolderFitsItsSchemas writes a folder with everything that can be in it, and holds each file against its schema.
func TestFolderFitsItsSchemas(t *testing.T) {
	f, err := Begin(filepath.Join(t.TempDir(), "run"), Start{
		Summary:     Summary{Rig: "virtual", Profile: "countertop", Lang: "zh", Version: "assay test", Defects: []string{"x"}},
		Plan:        Plan{Items: []Item{{Name: "S", Scenario: "S", Title: Text{"a", "b"}, Profile: "countertop", Lang: "zh", Labels: []string{"l"}}, {Name: "T"}}, Guide: map[string]Text{"S": {"e", "z"}}},
		Environment: Environment{Version: "v", Profiles: map[string]ProfileFacts{"countertop": {Scale: 1, BudgetsUS: map[string]int64{"local": 1}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start("S"); err != nil {
		t.Fatal(err)
	}
	e, err := f.Keep(record.Receipt, "receipt 1.txt", []byte("paper\n"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := f.Create("hosts/world-1/issuer.log")
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	timeline := f.Timeline("S")
	writeFile(t, filepath.Join(f.Path(), timeline), eventLine(t, record.Event{Seq: 1, Source: "a", Kind: "b", Fields: map[string]string{"k": "v"}}))
	if err := f.Add(record.Result{Name: "S", Scenario: "S", Verdict: record.Fail, Cause: record.Terminal, Labels: []string{"l"}, Timeline: timeline, Evidence: []record.Evidence{e}, Firmware: "1",
		Checks: []record.Check{{Phase: "act", What: "prompt", Verdict: record.Fail, Budget: "local", LimitUS: 1}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range schemas {
		path := filepath.Join(f.Path(), s.file)
		if s.file == "timeline.jsonl" {
			path = filepath.Join(f.Path(), timeline)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		parts := [][]byte{b}
		if filepath.Ext(path) == ".jsonl" {
			parts = bytes.Split(bytes.TrimSpace(b), []byte("\n"))
		}
		schema := resolved(t, s.file)
		for _, part := range parts {
			if err := schema.Validate(decode(t, part)); err != nil {
				t.Errorf("%s: %v in %s", s.file, err, part)
			}
		}
	}
}

// TestSchemasCanFail proves that a file which is none is refused.
func TestSchemasCanFail(t *testing.T) {
	for file, text := range map[string]string{
		PlanFile:    `{"format":"assay-run/1","items":[{"name":7}]}`,
		SummaryFile: `{"planned":"many"}`,
		ResultsFile: `{"scenario":"S"}`,
	} {
		if err := resolved(t, file).Validate(decode(t, []byte(text))); err == nil {
			t.Errorf("%s: %s was taken", file, text)
		}
	}
}
