package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// A run that passes everything and ends badly all the same is a difference.
func TestHowTheRunEndedCounts(t *testing.T) {
	want := verdicts{"A": {record.Pass, ""}, wholeRun: ended(nil, []byte("The terminal passed."))}
	got := verdicts{"A": {record.Pass, ""}, wholeRun: ended(errors.New("exit status 3"), []byte(strings.Repeat("x", 1000)+"\nCard data in clear\n"))}
	if n := compare(want, got); n != 1 || got.bad() != 1 || !strings.HasSuffix(got[wholeRun].why, "Card data in clear") || len(got[wholeRun].why) > 500 {
		t.Errorf("%d differences, %d bad: %s", n, got.bad(), got[wholeRun].why)
	}
}

// Verdicts are gathered from every run folder below, and one that is another, missing or new is a difference.
func TestVerdictsAreCompared(t *testing.T) {
	root := t.TempDir()
	for folder, lines := range map[string]string{
		"run-1": `{"name":"A","scenario":"A","verdict":"pass"}` + "\n" + `{"name":"B@x","scenario":"B","verdict":"skipped"}`,
		"run-2": `{"name":"C","scenario":"C","verdict":"fail"}`,
	} {
		dir := filepath.Join(root, folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, reports.ResultsFile), []byte(lines+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got.bad() != 1 {
		t.Errorf("%v: %d bad", got, got.bad())
	}
	for _, c := range []struct {
		want verdicts
		n    int
	}{
		{verdicts{"A": {record.Pass, ""}, "B@x": {record.Skipped, ""}, "C": {record.Fail, ""}}, 0},
		{verdicts{"A": {record.Pass, ""}, "B@x": {record.Skipped, ""}, "C": {record.Pass, ""}}, 1},
		{verdicts{"A": {record.Pass, ""}, "B@x": {record.Skipped, ""}}, 1},
		{verdicts{"A": {record.Pass, ""}, "B@x": {record.Skipped, ""}, "C": {record.Fail, ""}, "D": {record.Pass, ""}}, 1},
	} {
		if n := compare(c.want, got); n != c.n {
			t.Errorf("%v: %d differences, want %d", c.want, n, c.n)
		}
	}
}
