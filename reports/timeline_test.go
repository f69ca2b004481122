package reports

import (
	"bufio"
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

func screen(us int64, prompts, text string) record.Event {
	return record.Event{US: us, Source: "display", Kind: "screen", Fields: map[string]string{"text": text, "prompts": prompts}}
}

func press(us int64, name string) record.Event {
	return record.Event{US: us, Source: "keypad", Kind: "press", Fields: map[string]string{"key": name, "took_us": "769444"}}
}

// Keys and their echo make one row; a screen that says anything else has its own.
func TestRowsOfKeys(t *testing.T) {
	rows := rowsOf([]record.Event{
		screen(0, "idle", "欢迎使用"),
		press(1e6, "1"), screen(1.5e6, "amount", "请输入金额\n0.01"),
		press(2e6, "2"), screen(2.5e6, "amount", "请输入金额\n0.12"),
		press(3e6, "CLEAR"), screen(3.5e6, "amount", "请输入金额"),
		press(4e6, "ENTER"),
		press(5e6, "0"), screen(5.5e6, "amount", "请输入金额\n0.00"), screen(6e6, "amount", "请输入金额\n9.99"),
		press(7e6, "FUNC"), screen(7.5e6, "", "??"), press(8e6, "X"), screen(8.5e6, "", "!!"),
	}, maxShown)
	type short struct {
		From, To string
		Keys     []string
		Lines    string
	}
	var got []short
	for _, r := range rows {
		s := short{From: r.From, To: r.To, Lines: strings.Join(r.Lines, "|")}
		for _, k := range r.Keys {
			s.Keys = append(s.Keys, strings.Join(append([]string{k.Name}, k.Echo...), " "))
		}
		got = append(got, s)
	}
	want := []short{
		{From: "0.000", Lines: "欢迎使用"},
		{From: "1.000", Keys: []string{"1"}},
		{From: "1.500", Lines: "请输入金额|0.01"},
		{From: "2.000", To: "5.000", Keys: []string{"2 0.12", "CLEAR 请输入金额", "ENTER", "0 0.00"}},
		{From: "6.000", Lines: "请输入金额|9.99"},
		{From: "7.000", Keys: []string{"FUNC"}},
		{From: "7.500", Lines: "??"},
		{From: "8.000", Keys: []string{"X"}},
		{From: "8.500", Lines: "!!"}, // what was not recognised is never an echo
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if when := rows[1].Keys[0].When; when != "at 1.000 s, took 769.4 ms" {
		t.Errorf("when: %q", when)
	}
}

func TestRowsOfPhases(t *testing.T) {
	phase := func(us int64, name, edge string) record.Event {
		return record.Event{US: us, Source: "harness", Kind: "phase", Fields: map[string]string{"name": name, "edge": edge}}
	}
	rows := rowsOf([]record.Event{
		phase(0, "act", "begin"), phase(2e6, "act", "end"), phase(2e6, "act", "begin"), phase(3e6, "act", "end"), phase(3e6, "audit", "begin"),
	}, maxShown)
	want := []row{
		{From: "0.000", Phase: "act", To: "2.000"},
		{From: "2.000", Phase: "act", To: "3.000"},
		{From: "3.000", Phase: "audit", To: "the record ends in it"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v", rows)
	}
}

func TestRowsOfReceipts(t *testing.T) {
	line := func(us int64, text string) record.Event {
		return record.Event{US: us, Source: "printer", Kind: "line", Fields: map[string]string{"text": text}}
	}
	rows := rowsOf([]record.Event{
		line(0, "商户存根"), line(1e6, "RMB 1.00"), {US: 2e6, Source: "printer", Kind: "cut"}, line(3e6, "持卡人存根"),
	}, maxShown)
	if len(rows) != 3 || !reflect.DeepEqual(rows[0].Lines, []string{"商户存根", "RMB 1.00"}) || rows[0].To != "1.000" || rows[1].Kind != "cut" {
		t.Errorf("got %+v", rows)
	}
}

func TestMarks(t *testing.T) {
	for _, test := range []struct {
		source, kind string
		fields       map[string]string
		want         string
	}{
		{"network", "fired", nil, "fired"},
		{"network", "armed", nil, ""},
		{"issuer", "sent", map[string]string{"rule": "HOST-96-1"}, "fired"},
		{"issuer", "sent", nil, ""},
		{"harness", "stop", nil, "alarm"},
		{"display", "leak", nil, "alarm"},
		{"harness", "safe", map[string]string{"error": "no answer"}, "alarm"},
		{"harness", "safe", nil, ""},
		{"harness", "verdict", map[string]string{"verdict": "fail"}, "alarm"},
		{"harness", "verdict", map[string]string{"verdict": "pass"}, ""},
		{"harness", "step", nil, "step"},
	} {
		if got := markOf(record.Event{Source: test.source, Kind: test.kind, Fields: test.fields}); got != test.want {
			t.Errorf("%s %s %v: %q, want %q", test.source, test.kind, test.fields, got, test.want)
		}
	}
}

func TestFields(t *testing.T) {
	got := fieldsOf(record.Event{Fields: map[string]string{"z": "a\nb", "a": "1", "empty": "", "took_us": "1500", "wait_us": "0", "odd_us": "soon", "long_us": "30000000"}})
	want := []field{{"a", "1"}, {"long", "30.000 s"}, {"odd_us", "soon"}, {"took", "1.5 ms"}, {"z", "a / b"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// FuzzTimeline: whatever a dying process or a bad disk left, reading it ends, and no event that was
// read is lost on the way to the page.
func FuzzTimeline(f *testing.F) {
	f.Add(`{"us":1,"source":"keypad","kind":"press","fields":{"key":"1"}}` + "\n" + `{"us":2,"source":"display","kind":"screen","fields":{"text":"a\nb","prompts":"p"}}`)
	f.Add(`{"source":"harness","kind":"phase","fields":{"edge":"begin","name":"act"}}` + "\n{")
	f.Add(`{"source":"printer","kind":"line","fields":{"text":"x"}}` + "\n\n" + `{}`)
	f.Fuzz(func(t *testing.T, text string) {
		events, _ := scanTimeline(bufio.NewScanner(strings.NewReader(text)))
		var shown, ends int
		for _, e := range events {
			if isPhase(e, "end") {
				ends++
			}
		}
		for _, r := range rowsOf(events, maxShown) {
			switch {
			case r.Keys != nil:
				for _, k := range r.Keys {
					shown++
					if k.Echo != nil {
						shown++
					}
				}
			case r.Mark == "paper":
				shown += len(r.Lines)
			case r.Left > 0:
				shown += r.Left
			default:
				shown++
			}
		}
		if len(events) <= maxShown && shown != len(events)-ends {
			t.Errorf("%d of %d events are shown", shown, len(events)-ends)
		}
	})
}
