package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rungs"
)

func TestDefectsList(t *testing.T) {
	for _, c := range []struct {
		args   string
		code   int
		out    string // in what it prints
		stderr string
	}{
		{"defects list", exitPass, "no-reversal-after-timeout", ""},
		{"defects list reversal", exitPass, "rule  F-01", ""},
		{"defects list pan-on-receipt", exitPass, "leaks\n  pan-on-receipt", ""},
		{"defects list reversl", exitUsage, "", `"reversal"`},
		{"defects lst", exitUsage, "", `"list"`},
	} {
		var out, complaint bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), &out, &complaint); code != c.code {
			t.Errorf("%s: exit %d, not %d: %s", c.args, code, c.code, &complaint)
		}
		if !strings.Contains(out.String(), c.out) || !strings.Contains(complaint.String(), c.stderr) {
			t.Errorf("%s: prints %q, complains %q", c.args, &out, &complaint)
		}
	}
	var out, complaint bytes.Buffer
	if code := run(t.Context(), []string{"defects", "list", "--json"}, &out, &complaint); code != exitPass {
		t.Fatalf("exit %d: %s", code, &complaint)
	}
	var listed []rungs.Defect
	if err := json.Unmarshal(out.Bytes(), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed) != len(rungs.Defects()) || listed[0].What == "" {
		t.Errorf("%d listed of %d, the first %+v", len(listed), len(rungs.Defects()), listed[0])
	}
}
