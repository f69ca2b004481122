package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

func TestReadTimeline(t *testing.T) {
	one := eventLine(t, record.Event{Seq: 1, US: 20, Source: "a"})
	two := eventLine(t, record.Event{Seq: 2, US: 10, Source: "b"})
	three := eventLine(t, record.Event{Seq: 3, US: 20, Source: "c"})
	for _, test := range []struct {
		name, text, want, fault string
	}{
		{"in order of time, then of record", one + two + three, "bac", ""},
		{"empty", "", "", ""},
		{"cut off in the last line", one + two[:len(two)-5], "a", ""},
		{"cut off after the last line", one + strings.TrimSpace(two), "ba", ""},
		{"broken in the middle", one + "{\n" + two, "a", "line 2"},
		{"a line without end", one + strings.Repeat("x", maxLine+1), "a", "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "t.jsonl")
			writeFile(t, path, test.text)
			events, err := readTimeline(path)
			var got string
			for _, e := range events {
				got += e.Source
			}
			if got != test.want {
				t.Errorf("events %q, want %q", got, test.want)
			}
			if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Errorf("error %v, want %q", err, test.fault)
			}
		})
	}
}

// FuzzTimeline: whatever a dying process or a bad disk left, reading it ends, and what goes onto a page can't end its script and
// says the same as before, line by line.
func FuzzTimeline(f *testing.F) {
	f.Add(`{"us":1,"source":"keypad","kind":"press","fields":{"key":"1"}}` + "\n" + `{"us":2,"source":"display","kind":"screen","fields":{"text":"</script>","prompts":"p"}}`)
	f.Add(`{"source":"harness","kind":"phase","fields":{"edge":"begin","name":"act"}}` + "\n{")
	f.Add(`{"us":3,"source":"network","kind":"fired","fields":{"fault":"a"}}` + "\n" + `{"us":2,"kind":"healed","fields":{"fault":"a"}}`)
	f.Add(`{"source":"printer","kind":"line","fields":{"text":"x"}}` + "\n\n" + `{}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = scanTimeline(bufio.NewScanner(strings.NewReader(text)))
		for _, w := range faultWindows([]byte(text)) {
			if w.to < w.from {
				t.Errorf("a fault from %d to %d", w.from, w.to)
			}
		}
		var page bytes.Buffer
		safely(&page, []byte(text))
		if bytes.IndexByte(page.Bytes(), '<') >= 0 {
			t.Errorf("%q can end its script", page.String())
		}
		before, after := strings.Split(text, "\n"), strings.Split(page.String(), "\n")
		for i, line := range before {
			var x, y any
			if json.Unmarshal([]byte(line), &x) != nil {
				continue
			}
			if err := json.Unmarshal([]byte(after[i]), &y); err != nil || !reflect.DeepEqual(x, y) {
				t.Errorf("%q became %q, %v", line, after[i], err)
			}
		}
	})
}
