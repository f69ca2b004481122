package rules

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
)

// Every example loads for its dialect with the cards that there are, and is the same once written and read again.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/examples/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	shipped, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			dialect, err := DialectOf(name, data)
			if err != nil {
				t.Fatal(err)
			}
			terms := termsOf(t, dialect)
			terms.Cards = nil
			for _, c := range shipped {
				terms.Cards = append(terms.Cards, *c)
			}
			set, err := Load(name, terms)
			if err != nil {
				t.Fatal(err)
			}
			text, err := Format(set.Setup(), dialect, "written")
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse("again.yaml", text, terms)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !reflect.DeepEqual(again.Setup(), set.Setup()) {
				t.Errorf("not the same setup:\n%+v\n%+v", again.Setup(), set.Setup())
			}
		})
	}
}
