package tap_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench/tap"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/memnet"
)

// tapped returns what arrives at the other end of the debug line.
func tapped(t *testing.T, cfg tap.Config, f func(t *testing.T, screen *tap.Tap)) (got string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		screen, err := tap.New(near, cfg)
		if err != nil {
			t.Fatal(err)
		}
		f(t, screen)
		synctest.Wait()
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		b, _ := io.ReadAll(far) // ends with the deadline
		got = string(b)
		if err := screen.Close(); err != nil {
			t.Error(err)
		}
		_ = far.Close()
	})
	return got
}

func TestShow(t *testing.T) {
	for _, test := range []struct {
		name   string
		screen terminals.Screen
		rows   []string
		want   string // rows, without the number
	}{
		{"plain", terminals.Screen{Encoding: "utf-8", Columns: 20, Rows: 8}, []string{"ENTER AMOUNT", "", "12.50"}, "0|ENTER AMOUNT 1| 2|12.50"},
		{"nothing", terminals.Screen{Encoding: "utf-8", Columns: 20, Rows: 8}, nil, ""},
		{"wrapped", terminals.Screen{Encoding: "utf-8", Columns: 5, Rows: 8}, []string{"ABCDEFGHIJK", "x"}, "0|ABCDE 1|FGHIJ 2|K 3|x"},
		{"exactly as wide", terminals.Screen{Encoding: "utf-8", Columns: 5, Rows: 8}, []string{"ABCDE"}, "0|ABCDE"},
		{"Han takes two", terminals.Screen{Encoding: "utf-8", Columns: 5, Rows: 8}, []string{"请输入ID，a"}, "0|请输 1|入ID 2|，a"},
		{"one column for two", terminals.Screen{Encoding: "utf-8", Columns: 1, Rows: 8}, []string{"请a"}, "0|请 1|a"},
		{"no columns", terminals.Screen{Encoding: "utf-8"}, []string{strings.Repeat("x", 99)}, "0|" + strings.Repeat("x", 99)},
		{"below the glass", terminals.Screen{Encoding: "utf-8", Columns: 2, Rows: 2}, []string{"abc", "d"}, "0|ab 1|c"},
		{"control characters", terminals.Screen{Encoding: "utf-8"}, []string{"a\r\n[LCD]"}, "0|a  [LCD]"},
		{"gbk", terminals.Screen{Encoding: "gbk"}, []string{"金额 é€🙂"}, "0|\xbd\xf0\xb6\xee \xa8\xa6\x80?"},
		{"gb18030", terminals.Screen{Encoding: "gb18030"}, []string{"金额🙂"}, "0|\xbd\xf0\xb6\xee\x95\x30\x85\x32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := tapped(t, tap.Config{Screen: test.screen}, func(t *testing.T, screen *tap.Tap) {
				screen.Attach(t.Context()).Show(test.rows)
			})
			want := "[LCD] begin\r\n"
			for _, line := range splitRows(test.want) {
				want += "[LCD] " + line + "\r\n"
			}
			if want += "[LCD] end\r\n"; got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// splitRows cuts before each row's number.
func splitRows(text string) []string {
	var rows []string
	for i := 0; text != ""; i++ {
		next := strings.Index(text, " "+string(rune('1'+i))+"|")
		if next < 0 {
			return append(rows, text)
		}
		rows, text = append(rows, text[:next]), text[next+1:]
	}
	return rows
}

func TestDebugGoesBetweenScreens(t *testing.T) {
	got := tapped(t, tap.Config{Screen: terminals.Screen{Encoding: "utf-8"}}, func(t *testing.T, screen *tap.Tap) {
		screen.Debug("[NET] state 3")
		screen.Attach(t.Context()).Show([]string{"a"})
	})
	if want := "[NET] state 3\r\n[LCD] begin\r\n[LCD] 0|a\r\n[LCD] end\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoSupplyNoScreen(t *testing.T) {
	got := tapped(t, tap.Config{Screen: terminals.Screen{Encoding: "utf-8"}}, func(t *testing.T, screen *tap.Tap) {
		ctx, cut := context.WithCancel(t.Context())
		display := screen.Attach(ctx)
		cut()
		display.Show([]string{"a"})
	})
	if got != "" {
		t.Errorf("a terminal without supply showed %q", got)
	}
}

func TestFaults(t *testing.T) {
	show := func(t *testing.T, screen *tap.Tap) { screen.Attach(t.Context()).Show([]string{"请输入", "b"}) }
	config := terminals.Screen{Encoding: "gbk"}
	sound := tapped(t, tap.Config{Screen: config}, show)
	if got := tapped(t, tap.Config{Screen: config, Faults: tap.Faults{Dark: true}}, show); got != "" {
		t.Errorf("dark: %q", got)
	}
	garbled := tapped(t, tap.Config{Screen: config, Faults: tap.Faults{GarbleEvery: 2}}, show)
	a, b := strings.Split(sound, "\r\n"), strings.Split(garbled, "\r\n")
	if len(a) != len(b) {
		t.Fatalf("garbled: %q", garbled)
	}
	for i := range a {
		if bad := i < 4 && i%2 == 1; bad != (a[i] != b[i]) {
			t.Errorf("line %d: %q, garbled %q", i, a[i], b[i])
		}
	}
}

func TestUnreadTapDoesNotHoldUpTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		screen, err := tap.New(near, tap.Config{Screen: terminals.Screen{Encoding: "utf-8"}})
		if err != nil {
			t.Fatal(err)
		}
		display := screen.Attach(t.Context())
		for range 1000 { // far more than line and queue hold
			display.Show([]string{strings.Repeat("x", 1000)})
		}
		screen.Cut()
		if _, err := far.Write([]byte("somebody types into the debug line\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := screen.Close(); err != nil {
			t.Error(err)
		}
		display.Show([]string{"x"}) // into the void
		_ = far.Close()
	})
}

func TestUnknownEncoding(t *testing.T) {
	near, far := memnet.Pipe()
	if _, err := tap.New(near, tap.Config{Screen: terminals.Screen{Encoding: "koi8-r"}}); !errors.Is(err, tap.ErrEncoding) {
		t.Errorf("New: %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the port is still open: %v", err)
	}
}

func BenchmarkShow(b *testing.B) {
	near, far := memnet.Pipe()
	defer func() { _ = far.Close() }()
	screen, err := tap.New(near, tap.Config{Screen: terminals.Screen{Encoding: "gbk", Columns: 20, Rows: 8}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = screen.Close() }()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	display := screen.Attach(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		display.Show([]string{"请输入客户ID", "123456789012"})
	}
}
