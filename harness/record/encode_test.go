package record_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// FuzzAppendJSON: an event is written as encoding/json writes it.
func FuzzAppendJSON(f *testing.F) {
	f.Add(1, int64(12), int64(1790000000), "display", "screen", "text", "请输入金额\n12.50", "prompts", "amount")
	f.Add(0, int64(-1), int64(0), "", "", "", "<&>\"\\\u2028\x7f\xff", "z", "")
	f.Fuzz(func(t *testing.T, seq int, us, wall int64, source, kind, name, value, other, more string) {
		for _, fields := range []map[string]string{nil, {}, {name: value}, {name: value, other: more}} {
			e := record.Event{Seq: seq, US: us, Wall: time.Unix(wall%1e11, wall%1e9).UTC(), Source: source, Kind: kind, Fields: fields}
			want, err := json.Marshal(e)
			if err != nil {
				t.Skip(err) // a year that JSON has no form for
			}
			if got := e.AppendJSON(nil); string(got) != string(want) {
				t.Fatalf("got %s\nwant %s", got, want)
			}
		}
	})
}
