package debugline

import (
	"context"
	"errors"
	"net"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// framed is a terminal that prints rows between marks; single one that prints a line a screen.
func framed() terminals.Screen {
	return terminals.Screen{
		Encoding: "utf-8",
		Begin:    regexp.MustCompile(`^\[LCD\]$`),
		Row:      regexp.MustCompile(`^(?P<row>\d+)\|(?P<text>.*)$`),
		End:      regexp.MustCompile(`^\[/LCD\]$`),
	}
}

func single(encoding string) terminals.Screen {
	return terminals.Screen{
		Encoding:  encoding,
		Single:    regexp.MustCompile(`^DISP:(?P<text>.*)$`),
		Separator: "/",
	}
}

// bench opens a driver in a bubble; the test writes to the returned end.
func bench(t *testing.T, cfg Config) (*Driver, net.Conn) {
	t.Helper()
	host, terminal := net.Pipe()
	d, err := New(serial.New("display", host), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(); _ = terminal.Close() })
	return d, terminal
}

func write(t *testing.T, w net.Conn, text string) {
	t.Helper()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// taken drains the screens that wait.
func taken(d *Driver) []rigs.Screen {
	var screens []rigs.Screen
	for {
		select {
		case s, ok := <-d.Screens():
			if !ok {
				return screens
			}
			screens = append(screens, s)
		default:
			return screens
		}
	}
}

// brief writes screens without their times: "row/row" or "?noise".
func brief(screens []rigs.Screen) string {
	var b []string
	for _, s := range screens {
		if s.Noise != "" {
			b = append(b, "?"+s.Noise)
		} else {
			b = append(b, strings.Join(s.Lines, "/"))
		}
	}
	return strings.Join(b, " ; ")
}

func TestScreens(t *testing.T) {
	unnumbered := framed()
	unnumbered.Row = regexp.MustCompile(`^> (?P<text>.*)$`)
	gbk, _ := simplifiedchinese.GBK.NewEncoder().String("DISP:请刷卡/金额 12.50\r\n")
	gb18030, _ := simplifiedchinese.GB18030.NewEncoder().String("DISP:请输入密码 😀\n")
	tests := []struct {
		name   string
		screen terminals.Screen
		input  string
		want   string
	}{
		{"rows", framed(), "[LCD]\n0|SALE  \n1|12.50\n[/LCD]\n", "SALE/12.50"},
		{"CR LF", framed(), "[LCD]\r\n0|SALE\r\n[/LCD]\r\n", "SALE"},
		{"rows out of order and with a gap", framed(), "[LCD]\n2|C\n0|A\n[/LCD]\n", "A//C"},
		{"a row again replaces it", framed(), "[LCD]\n0|A\n0|B\n[/LCD]\n", "B"},
		{"rows without numbers", unnumbered, "[LCD]\n> A\n> B\n[/LCD]\n", "A/B"},
		{"cleared screen", framed(), "[LCD]\n0|\n[/LCD]\n", ""},
		{"two screens", framed(), "[LCD]\n0|A\n[/LCD]\n[LCD]\n0|B\n[/LCD]\n", "A ; B"},
		{"no End before the next Begin", framed(), "[LCD]\n0|A\n[LCD]\n0|B\n[/LCD]\n", "A ; B"},
		{"noise", framed(), "boot v1\n[LCD]\n0|A\n[/LCD]\n\n", "?boot v1 ; A"},
		{"noise inside comes after", framed(), "[LCD]\n0|A\nheap 12\n1|B\n[/LCD]\n", "A/B ; ?heap 12"},
		{"row outside", framed(), "0|A\n", "?0|A"},
		{"End outside", framed(), "[/LCD]\n", "?[/LCD]"},
		{"row number too high", framed(), "[LCD]\n64|A\n99999999999999999999|B\n[/LCD]\n", " ; ?64|A ; ?99999999999999999999|B"},
		{"single", single("utf-8"), "DISP:SALE/12.50\n", "SALE/12.50"},
		{"single, GBK", single("gbk"), gbk, "请刷卡/金额 12.50"},
		{"single, GB18030", single("gb18030"), gb18030, "请输入密码 😀"},
		{"wrong UTF-8", single("utf-8"), "DISP:A\xff\xfeB\n", "A\uFFFDB"},
		{"wrong GBK", single("gbk"), "DISP:A\xff\n", "A\uFFFD"},
		{"GBK cut in a character", single("gbk"), "DISP:A\xb0\n", "A\uFFFD"},
		{"control characters at power-up", single("utf-8"), "\x00\x00\x1bDISP:A\n", "A"},
		{"overlong", single("utf-8"), "DISP:" + strings.Repeat("x", 3000) + "\nDISP:B\n", strings.Repeat("x", DefaultLine-5) + " ; B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, terminal := bench(t, Config{Screen: tt.screen})
				write(t, terminal, tt.input)
				if got := brief(taken(d)); got != tt.want {
					t.Errorf("got  %q\nwant %q", got, tt.want)
				}
			})
		})
	}
}

func TestScreenIsDatedAtItsFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: framed()})
		<-time.After(time.Second)
		begin := time.Now()
		for _, part := range []string{"[", "LCD]\n0|A", "\n", "1|B\n[/LC", "D]\n"} {
			write(t, terminal, part)
			<-time.After(40 * time.Millisecond)
		}
		screens := taken(d)
		if len(screens) != 1 || !screens[0].At.Equal(begin) {
			t.Fatalf("%v, want one at %v", screens, begin)
		}
	})
}

func TestScreenWithoutEndComesAfterQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: framed()})
		begin := time.Now()
		write(t, terminal, "[LCD]\n0|A\n")
		s := <-d.Screens()
		if took := time.Since(begin); took != DefaultQuiet || !s.At.Equal(begin) || brief([]rigs.Screen{s}) != "A" {
			t.Errorf("%v after %v", s, took)
		}
		write(t, terminal, "1|B\n")
		if got := brief(taken(d)); got != "?1|B" {
			t.Errorf("late row gave %q", got)
		}
	})
}

// A terminal that loses its power in the middle of a line must not spoil the first screen
// after its restart.
func TestPowerCutInTheMiddleOfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: framed()})
		write(t, terminal, "[LCD]\n0|PROCES")
		<-time.After(3 * time.Second)
		restart := time.Now()
		write(t, terminal, "[LCD]\n0|WELCOME\n[/LCD]\n")
		screens := taken(d)
		if got, want := brief(screens), " ; ?0|PROCES ; WELCOME"; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if !screens[2].At.Equal(restart) {
			t.Errorf("restart dated %v, want %v", screens[2].At, restart)
		}
	})
}

func TestFullStreamBlocksAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: single("utf-8"), Limits: Limits{Screens: 2}})
		const n = 200
		go func() {
			for i := range n {
				_, _ = terminal.Write([]byte("DISP:" + strconv.Itoa(i) + "\n"))
			}
		}()
		<-time.After(time.Minute) // nobody reads
		for i := range n {
			if s := <-d.Screens(); brief([]rigs.Screen{s}) != strconv.Itoa(i) {
				t.Fatalf("screen %d is %v", i, s)
			}
		}
	})
}

func TestCloseWhileTheStreamIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: single("utf-8"), Limits: Limits{Screens: 1}})
		write(t, terminal, "DISP:1\nDISP:2\nDISP:3\n")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		taken(d)
		if _, open := <-d.Screens(); open {
			t.Error("stream is open after Close")
		}
		if err := d.Err(); !errors.Is(err, rigs.ErrClosed) {
			t.Errorf("Err = %v", err)
		}
	})
}

func TestLostLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Config{Screen: framed()})
		if err := errors.Join(d.Err(), d.Probe(t.Context()), d.Halt(t.Context())); err != nil {
			t.Fatal(err)
		}
		write(t, terminal, "[LCD]\n0|A\nhal")
		_ = terminal.Close()
		synctest.Wait()
		if got, want := brief(taken(d)), "A ; ?hal"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, err := range []error{d.Err(), d.Probe(context.Background())} {
			if fault := (*rigs.Error)(nil); !errors.Is(err, rigs.ErrLost) || !errors.As(err, &fault) || fault.Instrument != "display" {
				t.Errorf("error is %v", err)
			}
		}
	})
}

func TestUnknownEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, _ := net.Pipe()
		line := serial.New("display", host)
		if _, err := New(line, Config{Screen: single("big5")}); err == nil || !strings.Contains(err.Error(), "big5") {
			t.Errorf("New = %v", err)
		}
		if !errors.Is(line.Err(), rigs.ErrClosed) {
			t.Error("the line is not closed")
		}
	})
}

func TestHeldNoiseIsBounded(t *testing.T) {
	p := parser{screen: framed()}
	var got []rigs.Screen
	got = append(got, p.line(time.Time{}, "[LCD]")...)
	for range 1000 {
		got = append(got, p.line(time.Time{}, "noise")...)
		if len(p.held) >= maxHeld {
			t.Fatalf("%d held", len(p.held))
		}
	}
	if len(got) != 1001 {
		t.Errorf("%d screens, want 1001", len(got))
	}
}

// parse runs bytes through assembler, decoder and parser, cut into two reads.
func parse(screen terminals.Screen, input []byte, cut int) []rigs.Screen {
	charset, err := newDecoder(screen.Encoding)
	if err != nil {
		panic(err)
	}
	r := reader{
		Driver: &Driver{quiet: DefaultQuiet, decoder: charset},
		rows:   serial.Assembler{Max: DefaultLine},
		parser: parser{screen: screen},
	}
	at := time.Unix(1, 0)
	var screens []rigs.Screen
	for _, part := range [][]byte{input[:cut], input[cut:]} {
		screens = append(screens, r.feed(serial.Chunk{At: at, Data: part})...)
	}
	return append(screens, r.settle()...)
}

func FuzzScreens(f *testing.F) {
	f.Add([]byte("[LCD]\n0|SALE\n1|12.50\n[/LCD]\nnoise\n"), 7, false)
	f.Add([]byte("DISP:\xc7\xeb\xcb\xa2\xbf\xa8/2\r\nDISP:\xff"), 6, true)
	f.Add([]byte("[LCD]\nx\n[LCD]\n63|\n9|\x00"), 3, false)
	f.Fuzz(func(t *testing.T, input []byte, cut int, one bool) {
		screen := framed()
		if one {
			screen = single("gb18030")
		}
		if cut < 0 || cut > len(input) {
			cut = 0
		}
		got := parse(screen, input, cut)
		if whole := parse(screen, input, len(input)); !reflect.DeepEqual(got, whole) {
			t.Fatalf("cut at %d: %q, whole: %q", cut, brief(got), brief(whole))
		}
		for _, s := range got {
			if len(s.Lines) > maxRows || len(s.Noise) > 3*DefaultLine {
				t.Fatalf("screen is too large: %d rows, %d bytes of noise", len(s.Lines), len(s.Noise))
			}
		}
	})
}

func BenchmarkScreen(b *testing.B) {
	input := []byte("[LCD]\n0|SALE\n1|12.50\n2|ENTER PIN\n3|****\n[/LCD]\n")
	for b.Loop() {
		parse(framed(), input, len(input))
	}
}
