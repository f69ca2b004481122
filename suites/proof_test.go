package suites

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/track"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rungs"
)

// playAll runs a selection without Ginkgo and returns the results by scenario, and the folder.
func playAll(t *testing.T, o rungs.Options, sel Selection) (map[string]record.Result, string) {
	t.Helper()
	rung, err := rungs.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	items, err := Plan(rung, sel)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := reports.Create(filepath.Join(t.TempDir(), "run"), reports.Summary{Planned: len(items), Rig: rung.Name()})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Items: items, Rung: rung, Folder: folder}
	results := map[string]record.Result{}
	for _, item := range items {
		if item.Skip != "" {
			cfg.skip(item)
			continue
		}
		results[item.Name] = cfg.play(context.Background(), item)
	}
	if err := rung.Close(); err != nil {
		t.Error(err)
	}
	if _, err := folder.Close(); err != nil {
		t.Error(err)
	}
	return results, folder.Path()
}

// TestDefectsTurnTheRightScenariosRed: a harness that can't fail proves nothing. Of the scenarios with the label smoke those
// that meet the defect turn red, and no other; every defect against the whole catalogue is `assay proof`.
func TestDefectsTurnTheRightScenariosRed(t *testing.T) {
	for _, c := range []struct {
		defect string
		red    []string
	}{
		{"no-reversal-after-timeout", []string{"HOST-LATE", "NET-LOST-RESPONSE"}},
		{"id-length-unchecked", []string{"CID-13-FOR-12", "CID-EMPTY", "CID-OVER-MAX", "CID-PHONE"}},
		{"wrong-prompt-96", []string{"HOST-96"}},
		{"reply-unchecked", []string{"NET-WRONG-STAN"}},
		{"reversal-saved-late", []string{"POWER-AFTER-REQUEST"}},
		{"certificate-unchecked", []string{"TLS-EXPIRED", "TLS-NOT-YET", "TLS-UNKNOWN-CA", "TLS-WRONG-HOST"}},
		{"certificate-of-anybody", []string{"TLS-WRONG-HOST"}},
		{"handshake-untimed", []string{"TLS-STALL", "TLS-STALL-PRIMARY"}},
		{"name-forgotten", []string{"DNS-NXDOMAIN", "DNS-SERVFAIL", "DNS-STALE", "DNS-TIMEOUT"}},
	} {
		t.Run(c.defect, func(t *testing.T) {
			sel := Selection{Filter: "smoke"}
			if UnderRace {
				sel = Selection{Scenarios: append([]string{"SALE-PLAIN", "STRIPE-DAMAGED"}, c.red...)}
			}
			results, _ := playAll(t, rungs.Options{Rig: rungs.Virtual, Defects: []string{c.defect}}, sel)
			for id, r := range results {
				switch red := slices.Contains(c.red, id); {
				case red && (r.Verdict != record.Fail || r.Cause != record.Terminal):
					t.Errorf("%s: %s (%s), want fail (terminal): %s", id, r.Verdict, r.Cause, r.Why)
				case !red && r.Verdict != record.Pass:
					t.Errorf("%s: %s (%s), want pass: %s", id, r.Verdict, r.Cause, r.Why)
				}
			}
		})
	}
}

// TestBenchFaultsAreNeverTheTerminals: a dead instrument is inconclusive, cause rig, on every
// scenario that meets it.
func TestBenchFaultsAreNeverTheTerminals(t *testing.T) {
	for _, fault := range rungs.Faults() {
		t.Run(fault, func(t *testing.T) {
			sel := Selection{Filter: "smoke"}
			if UnderRace {
				sel = Selection{Scenarios: []string{"SALE-PLAIN", "STRIPE-DAMAGED", "POWER-AFTER-REQUEST", "NET-SILENT", "SALES-IN-A-ROW"}}
			}
			results, _ := playAll(t, rungs.Options{Rig: rungs.Virtual, Faults: []string{fault}}, sel)
			inconclusive := 0
			for id, r := range results {
				switch {
				case r.Verdict == record.Inconclusive && r.Cause == record.Rig:
					inconclusive++
				case r.Verdict != record.Pass && r.Verdict != record.Marginal:
					t.Errorf("%s: %s (%s): %s", id, r.Verdict, r.Cause, r.Why)
				}
			}
			// Lost and damaged lines of the card emulator are mended by its protocol.
			mended := strings.HasPrefix(fault, "card-drops") || strings.HasPrefix(fault, "card-garbles")
			if inconclusive == 0 && !mended {
				t.Error("the fault was never noticed")
			}
		})
	}
}

// TestNoCardDataInTheRunFolder searches everything that a run wrote for the numbers, tracks and
// PINs of its cards, in every form that the project handles, also when the terminal
// itself prints them.
func TestNoCardDataInTheRunFolder(t *testing.T) {
	sel := Selection{Profile: AllProfiles, Filter: "smoke || card-data || contactless"}
	if UnderRace {
		sel.Filter = "smoke || card-data"
	}
	_, clean := playAll(t, rungs.Options{Rig: rungs.Virtual}, sel)
	results, leaky := playAll(t, rungs.Options{Rig: rungs.Virtual, Defects: []string{"pan-on-receipt"}}, Selection{Filter: "smoke"})
	shown, screens := playAll(t, rungs.Options{Rig: rungs.Virtual, Defects: []string{"pin-on-screen"}}, Selection{Filter: "smoke"})
	if r := shown["SALE-PLAIN"]; r.Verdict != record.Fail || r.Cause != record.Terminal {
		t.Errorf("a PIN on the screen: %s (%s), want fail (terminal)", r.Verdict, r.Cause)
	}
	for _, folder := range []string{clean, leaky, screens} {
		for _, hit := range search(t, folder) {
			t.Error(hit)
		}
	}
	if r := results["SALE-PLAIN"]; r.Verdict != record.Fail || r.Cause != record.Terminal {
		t.Errorf("a card number on the receipt: %s (%s), want fail (terminal)", r.Verdict, r.Cause)
	}
}

// TestTheSearchFinds proves that the search above can find what it looks for.
func TestTheSearchFinds(t *testing.T) {
	all, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range secrets(all[0]) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x"), slices.Concat([]byte("abc "), secret, []byte(" def")), 0o600); err != nil {
			t.Fatal(err)
		}
		if len(search(t, dir)) == 0 {
			t.Errorf("%s was not found", what)
		}
	}
}

// search looks for card data in every file below a folder.
func search(t *testing.T, folder string) []string {
	t.Helper()
	all, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string][]byte{}
	for _, c := range all {
		for what, secret := range secrets(c) {
			wanted[what+" of card "+c.ID] = bytes.ToUpper(secret)
		}
	}
	var hits []string
	files := 0
	err = filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data = bytes.ToUpper(data)
		for what, secret := range wanted {
			if bytes.Contains(data, secret) {
				hits = append(hits, filepath.Base(path)+" holds the "+what)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("%s holds no files", folder)
	}
	return hits
}

// secrets are a card's data in the forms in which they could leak: text, packed digits as text, hexadecimal of ASCII, raw
// symbols. A PIN of four digits is looked for as it would be recorded: as a value or as keys.
func secrets(c *cards.Card) map[string][]byte {
	two := track.Track2{PAN: c.PAN, Expiry: c.Expiry, Service: c.Service, Discretionary: c.Discretionary}
	symbols := track.Encode2(two)
	var keys strings.Builder
	for _, digit := range c.PIN {
		keys.WriteString(`"key":"` + string(digit) + `"` + "\n")
	}
	return map[string][]byte{
		"number":                  []byte(c.PAN),
		"number in groups":        []byte(c.PAN[:4] + " " + c.PAN[4:8] + " " + c.PAN[8:12] + " " + c.PAN[12:]),
		"number as hex of ASCII":  []byte(hex.EncodeToString([]byte(c.PAN))),
		"track 2":                 []byte(two.String()),
		"packed track 2":          []byte(strings.Replace(two.String(), "=", "D", 1)),
		"track 2 without number":  []byte("=" + c.Expiry + c.Service + c.Discretionary),
		"track 2 symbols":         symbols,
		"track 2 symbols as hex":  []byte(hex.EncodeToString(symbols)),
		"PIN as a value":          []byte(`"` + c.PIN + `"`),
		"PIN as a row":            []byte(`\n` + c.PIN),
		"PIN as keys":             []byte(keys.String()),
		"discretionary data":      []byte(c.Discretionary),
		"PIN as keys on one line": []byte(strings.Join(strings.Split(c.PIN, ""), " ")),
	}
}

// What no file can say turns red too: at the turn of the trace numbers, of the day, and for the second of two terminals.
func TestScenariosWrittenByHandTurnRed(t *testing.T) {
	for _, c := range []struct{ defect, scenario, why string }{
		{"stan-wraps-to-zero", "TRACE-WRAP", "an 0200 has the trace number 000000"},
		{"no-reversal-after-timeout", "MIDNIGHT-REVERSAL", "was never reversed"},
		{"reversal-in-ram", "CUT-AT-PROCESSING", "was never reversed"},
		{"reversal-lost-at-boot", "CUT-AT-REVERSING", "was never reversed"},
	} {
		results, _ := playAll(t, rungs.Options{Rig: rungs.Virtual, Defects: []string{c.defect}}, Selection{Scenarios: []string{c.scenario}})
		if r := results[c.scenario]; r.Verdict != record.Fail || r.Cause != record.Terminal || !strings.Contains(r.Why, c.why) {
			t.Errorf("%s in %s: %s (%s) %s, want %q", c.defect, c.scenario, r.Verdict, r.Cause, r.Why, c.why)
		}
	}
}

// The second of two terminals is judged as the first: its failure is the verdict, and its timeline is kept.
func TestSecondTerminalIsJudged(t *testing.T) {
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	items, err := Plan(rung, Selection{Scenarios: []string{"TWO-TERMINALS"}})
	if err != nil {
		t.Fatal(err)
	}
	expects := *items[0].made.neighbour
	expects.Expect = append(slices.Clone(expects.Expect), scenarios.Expectation{Ledger: "no-charge"}) // which is wrong
	for _, wrong := range []bool{false, true} {
		if wrong {
			items[0].made.neighbour = &expects
		}
		path := filepath.Join(t.TempDir(), "t.jsonl")
		r := Play(t.Context(), rung, items[0], path, nil)
		if failed := r.Verdict == record.Fail && strings.HasPrefix(r.Why, "the second terminal: act: expected ledger no-charge"); failed != wrong || !wrong && r.Verdict != record.Pass {
			t.Errorf("%s (%s) %s", r.Verdict, r.Cause, r.Why)
		}
		for name, terminal := range map[string]string{path: "10000001", strings.TrimSuffix(path, ".jsonl") + ".neighbour.jsonl": "10000002"} {
			text, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(text), `"terminal":"`+terminal) {
				t.Errorf("%s is not of terminal %s: %v", name, terminal, err)
			}
		}
	}
}

// A rung whose terminal's clock and memory are its own skips what needs others, and says so; a long scenario runs only where
// it is asked for.
func TestStagedAndLongScenariosArePlanned(t *testing.T) {
	virtual, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := rungs.Open(rungs.Options{Rig: rungs.Sim, Planning: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rung rungs.Rung
		sel  Selection
		long bool
		skip string
	}{
		{virtual, Selection{}, false, ""},
		{virtual, Selection{Filter: "soak || !soak"}, true, ""},
		{sim, Selection{}, false, "in virtual time only"},
	} {
		items, err := Plan(c.rung, c.sel)
		if err != nil {
			t.Fatal(err)
		}
		of := func(id string) int { return slices.IndexFunc(items, func(i Item) bool { return i.Scenario.ID == id }) }
		if long := of("SALES-500") >= 0; long != c.long {
			t.Errorf("%s %q: SALES-500 planned: %v", c.rung.Name(), c.sel.Filter, long)
		}
		if got := items[of("TRACE-WRAP")].Skip; (got == "") != (c.skip == "") || !strings.Contains(got, c.skip) {
			t.Errorf("%s: TRACE-WRAP is skipped: %q, want %q", c.rung.Name(), got, c.skip)
		}
	}
}
