package client_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/network/client"
)

func TestVocabularyIsSortedAndComplete(t *testing.T) {
	kinds := client.Kinds()
	if !slices.IsSorted(kinds) || len(slices.Compact(slices.Clone(kinds))) != len(kinds) {
		t.Errorf("not sorted, or one twice: %v", kinds)
	}
	for _, k := range client.Vocabulary {
		if k.Help == "" || len(k.On) == 0 || len(k.Rows) == 0 {
			t.Errorf("%s: help, targets and rows are needed", k.Kind)
		}
		for _, p := range k.Params {
			if p.Help == "" {
				t.Errorf("%s: %s is not explained", k.Kind, p.Name)
			}
			if !p.Required && p.Default == "" && p.Name != "old" {
				t.Errorf("%s: what holds without %s is not said", k.Kind, p.Name)
			}
		}
		if found, ok := client.Find(k.Kind); !ok || found.Kind != k.Kind {
			t.Errorf("%s is not found", k.Kind)
		}
	}
	if _, ok := client.Find("dorp"); ok {
		t.Error("a kind that there is not is found")
	}
}

// TestEveryParamIsAField: what the vocabulary names is what JSON calls it.
func TestEveryParamIsAField(t *testing.T) {
	full := client.Fault{By: 1, Pause: 1, Times: 1, Bytes: 1, Field: "x", Value: "x", At: "x", Mask: "x", Then: "x", Length: "x",
		Junk: "x", When: "x", Towards: "x", Old: "x"}
	body, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(body, &keys); err != nil {
		t.Fatal(err)
	}
	given := full.Given()
	taken := map[string]bool{}
	for _, k := range client.Vocabulary {
		for _, p := range k.Params {
			taken[p.Name] = true
			if _, ok := keys[p.Name]; !ok || !slices.Contains(given, p.Name) {
				t.Errorf("%s: %s is no field of a fault", k.Kind, p.Name)
			}
		}
	}
	for _, name := range given {
		if !taken[name] {
			t.Errorf("no kind takes %s", name)
		}
	}
	if len((client.Fault{}).Given()) != 0 {
		t.Error("an empty fault has parameters")
	}
}

// TestCatalogueIsAccountedFor: each of the 59 rows has an owner, and each that the message level owns has a
// kind that provokes it.
func TestCatalogueIsAccountedFor(t *testing.T) {
	const rows = 59
	if len(client.Catalogue) != rows {
		t.Errorf("%d rows, want %d", len(client.Catalogue), rows)
	}
	owners := []string{client.OwnerMessage, client.OwnerPacket, client.OwnerTLS, client.OwnerDNS, client.OwnerIssuer, client.OwnerBench}
	for i, row := range client.Catalogue {
		if row.Number != i+1 || row.Fault == "" || !slices.Contains(owners, row.Owner) {
			t.Errorf("row %d: %+v", i+1, row)
		}
		provoked := slices.ContainsFunc(client.Vocabulary, func(k client.Kind) bool { return slices.Contains(k.Rows, row.Number) })
		if (row.Owner == client.OwnerMessage) != provoked {
			t.Errorf("row %d (%s) belongs to %q; a kind provokes it: %v", row.Number, row.Fault, row.Owner, provoked)
		}
	}
	for _, k := range client.Vocabulary {
		for _, n := range k.Rows {
			if n < 1 || n > rows {
				t.Errorf("%s: there is no row %d", k.Kind, n)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	k, _ := client.Find("truncate")
	if got := k.Usage(); got != "at then=stall|close|reset" {
		t.Errorf("%q", got)
	}
	k, _ = client.Find("split")
	if got := k.Usage(); !strings.HasPrefix(got, "[at") {
		t.Errorf("%q", got)
	}
}
