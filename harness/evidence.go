package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/judge"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/mask"
)

// maxReceipts bounds how many receipts of one scenario are kept as evidence; the timeline has them all.
const maxReceipts = 64

// evidence keeps what was seen besides the timeline. What can't be kept is told in the timeline and changes no verdict:
// everything that is judged is there already.
func (r *run) evidence(events []record.Event) []record.Evidence {
	var kept []record.Evidence
	keep := func(kind, name string, data []byte) {
		if r.timeline.keep == nil || len(data) == 0 {
			return
		}
		e, err := r.timeline.keep(kind, name, data)
		if err != nil {
			r.note("evidence", map[string]string{"kind": kind, "name": name, "error": err.Error()})
			return
		}
		kept = append(kept, e)
	}
	for i, receipt := range receipts(events) {
		keep(record.Receipt, fmt.Sprintf("receipt %d.txt", i+1), receipt)
	}
	keep(record.Screens, "screens.txt", screens(events))
	keep(record.Journal, "journal.jsonl", r.journal())
	if r.session.world.Passed != nil {
		keep(record.Capture, "network.pcapng", r.session.world.Passed())
	}
	return kept
}

// receipts gives each receipt as text, the torn one at the end too. Events were masked when they were recorded.
func receipts(events []record.Event) [][]byte {
	var all [][]byte
	var paper bytes.Buffer
	cut := func() {
		if paper.Len() > 0 && len(all) < maxReceipts {
			all = append(all, slices.Clone(paper.Bytes()))
		}
		paper.Reset()
	}
	for _, e := range events {
		switch {
		case e.Source == "printer" && e.Kind == "line":
			fmt.Fprintln(&paper, e.Fields["text"])
		case e.Source == "printer" && e.Kind == "cut":
			cut()
		}
	}
	cut()
	return all
}

// screens gives every different screen once, in the order in which they were first shown.
func screens(events []record.Event) []byte {
	var out bytes.Buffer
	seen := map[string]bool{}
	for _, e := range events {
		if text := e.Fields["text"]; e.Source == "display" && e.Kind == "screen" && !seen[text] {
			seen[text] = true
			fmt.Fprintf(&out, "┌── %s\n", e.Fields["prompts"])
			for row := range strings.SplitSeq(text, "\n") {
				fmt.Fprintf(&out, "│ %s\n", row)
			}
		}
	}
	return out.Bytes()
}

// journal gives the host's journal as it was seen last, an entry a line. The messages' bytes are left out: the fields
// say the same, and each was masked by its meaning.
func (r *run) journal() []byte {
	state, ok := r.states[judge.Audit]
	for _, phase := range []string{judge.Recover, judge.Act} {
		if !ok {
			state, ok = r.states[phase]
		}
	}
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for _, e := range state.Journal {
		e.Raw = ""
		fields := make(map[string]string, len(e.Fields))
		for n, value := range e.Fields {
			fields[n] = mask.Text(value)
		}
		e.Fields = fields
		if err := lines.Encode(e); err != nil {
			return nil // no type of an entry can fail
		}
	}
	return out.Bytes()
}
