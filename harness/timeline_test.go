package harness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

func newTimeline(t *testing.T) (*Timeline, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.jsonl")
	tl, err := CreateTimeline(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tl.Close() }) // a test that wants its error has closed it before
	return tl, path
}

// onDisk reads a timeline's file, every line of which must be an event.
func onDisk(t *testing.T, path string) []record.Event {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []record.Event
	for text := range strings.Lines(string(data)) {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		var e record.Event
		if err := d.Decode(&e); err != nil || !strings.HasSuffix(text, "}\n") {
			t.Fatalf("line %d, %q: %v", len(events)+1, text, err)
		}
		events = append(events, e)
	}
	return events
}

func TestTimelineOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl, path := newTimeline(t)
		<-time.After(1500 * time.Microsecond)
		tl.Now("keypad", "press", map[string]string{"key": "1", "took_us": "80000"})
		tl.Add(tl.Start().Add(-time.Second), "display", "screen", map[string]string{"text": "欢迎使用\n\"x\"\ufffd"})
		tl.Now("harness", "homed", nil)
		// The file is still open: what was recorded must be there even if this process dies now.
		got := onDisk(t, path)
		if len(got) != 3 {
			t.Fatalf("%d lines", len(got))
		}
		for i, want := range []record.Event{
			{Seq: 1, US: 1500, Source: "keypad", Kind: "press", Fields: map[string]string{"key": "1", "took_us": "80000"}},
			{Seq: 2, US: -1_000_000, Source: "display", Kind: "screen", Fields: map[string]string{"text": "欢迎使用\n\"x\"\ufffd"}},
			{Seq: 3, US: 1500, Source: "harness", Kind: "homed"},
		} {
			want.Wall = tl.Start().Add(want.At()).UTC()
			if !got[i].Wall.Equal(want.Wall) {
				t.Errorf("event %d: wall time %v, want %v", i+1, got[i].Wall, want.Wall)
			}
			got[i].Wall = want.Wall
			if !reflect.DeepEqual(got[i], want) {
				t.Errorf("event %d: %+v\nwant %+v", i+1, got[i], want)
			}
		}
		events, err := tl.Events()
		if err != nil || len(events) != 3 || events[1].Fields["text"] != got[1].Fields["text"] {
			t.Errorf("%v %v", events, err)
		}
	})
}

func TestTimelineMasks(t *testing.T) {
	tl, path := newTimeline(t)
	tl.Now("printer", "line", map[string]string{"text": "CARD: 4761739001010119", "why": ";4761739001010119=22122011143804400000?"})
	for where, events := range map[string][]record.Event{"on disk": onDisk(t, path), "in memory": tl.events} {
		if got := events[0].Fields["text"]; got != "CARD: 476173******0119" {
			t.Errorf("%s: %q", where, got)
		}
		if got := events[0].Fields["why"]; strings.Contains(got, "4761739001010119") || strings.Contains(got, "2212") {
			t.Errorf("%s: %q", where, got)
		}
	}
}

// TestTimelineKeepsItsOwn: nobody changes what was recorded.
func TestTimelineKeepsItsOwn(t *testing.T) {
	tl, _ := newTimeline(t)
	fields := map[string]string{"text": "WELCOME"}
	tl.Now("display", "screen", fields)
	fields["text"] = "APPROVED"
	events, _ := tl.Events()
	events[0].Kind = "noise"
	if again, _ := tl.Events(); again[0].Fields["text"] != "WELCOME" || again[0].Kind != "screen" {
		t.Errorf("%+v", again[0])
	}
}

func TestClosedTimelineRefuses(t *testing.T) {
	tl, path := newTimeline(t)
	tl.Now("harness", "begin", nil)
	if err := tl.Close(); err != nil {
		t.Fatal(err)
	}
	tl.Now("display", "screen", map[string]string{"text": "latecomer"})
	if events, err := tl.Events(); len(events) != 1 || err != nil {
		t.Errorf("%d events, %v", len(events), err)
	}
	if got := onDisk(t, path); len(got) != 1 {
		t.Errorf("%d lines on disk", len(got))
	}
	if err := tl.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestTimelineIsBounded(t *testing.T) {
	tl, path := newTimeline(t)
	for range maxEvents {
		tl.Now("display", "noise", nil)
	}
	if events, err := tl.Events(); len(events) != maxEvents || err != nil {
		t.Fatalf("%d events, %v", len(events), err)
	}
	tl.Now("display", "noise", nil)
	events, err := tl.Events()
	if len(events) != maxEvents || err == nil || !strings.Contains(err.Error(), "the record is incomplete") {
		t.Errorf("%d events, %v", len(events), err)
	}
	if tl.Close() == nil {
		t.Error("an incomplete record was closed without a word")
	}
	if got := onDisk(t, path); len(got) != maxEvents {
		t.Errorf("%d lines on disk", len(got))
	}
}

// TestFullDisk: the first event that could not be written ends the record, and Events says so.
func TestFullDisk(t *testing.T) {
	tl, path := newTimeline(t)
	tl.Now("harness", "begin", nil)
	if err := tl.file.Close(); err != nil {
		t.Fatal(err)
	}
	tl.Now("harness", "sale", nil)
	room, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	tl.file = room // even when there is room again: a record with a gap would mislead
	tl.Now("harness", "sale", nil)
	events, err := tl.Events()
	if len(events) != 1 || err == nil || !strings.HasPrefix(err.Error(), "timeline: ") {
		t.Errorf("%d events, %v", len(events), err)
	}
	if len(onDisk(t, path)) != 1 {
		t.Error("memory and disk differ")
	}
}

func TestTimelineForManySources(t *testing.T) {
	const sources, each = 8, 50
	tl, path := newTimeline(t)
	var wg sync.WaitGroup
	for range sources {
		wg.Go(func() {
			for range each {
				tl.Now("network", "message", map[string]string{"mti": "0200"})
			}
		})
	}
	wg.Wait()
	got := onDisk(t, path)
	if len(got) != sources*each {
		t.Fatalf("%d lines", len(got))
	}
	for i, e := range got {
		if e.Seq != i+1 {
			t.Fatalf("line %d has number %d", i+1, e.Seq)
		}
	}
}

func TestCreateTimeline(t *testing.T) {
	dir := t.TempDir()
	if _, err := CreateTimeline(filepath.Join(dir, "no", "x.jsonl")); err == nil {
		t.Error("a timeline in no folder")
	}
	path := filepath.Join(dir, "x.jsonl")
	if err := os.WriteFile(path, []byte("{\"seq\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tl, err := CreateTimeline(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := tl.Close(); err != nil {
		t.Error(err)
	}
	if got := onDisk(t, path); len(got) != 0 {
		t.Errorf("an older record is still there: %v", got)
	}
}

// Gathered lines wait until somebody asks for them, or there are many, and none is lost.
func TestGatheredLinesReachTheDisk(t *testing.T) {
	tl, path := newTimeline(t)
	tl.Gather()
	note := func(n int) {
		for range n {
			tl.Now("harness", "step", map[string]string{"step": "type a valid customer-id"})
		}
	}
	note(3)
	if got := onDisk(t, path); len(got) != 0 {
		t.Errorf("%d events on disk, want none yet", len(got))
	}
	tl.Flush()
	if got := onDisk(t, path); len(got) != 3 {
		t.Errorf("%d events on disk after Flush, want 3", len(got))
	}
	note(gatherMost / 100) // a line has more than 100 bytes
	if got := onDisk(t, path); len(got) < 100 {
		t.Errorf("%d events on disk, want almost all of many", len(got))
	}
	note(1)
	if err := tl.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := len(onDisk(t, path)), 4+gatherMost/100; got != want {
		t.Errorf("%d events on disk after Close, want %d", got, want)
	}
}
