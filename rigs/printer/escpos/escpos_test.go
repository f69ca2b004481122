package escpos

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// output is what a sink made of bytes.
type output struct {
	paper   []rigs.Paper
	answers []byte
}

func sinkFor(t testing.TB, encoding string) *sink {
	t.Helper()
	enc, err := charset(encoding)
	if err != nil {
		t.Fatal(err)
	}
	return &sink{charset: enc}
}

// feed runs bytes through a sink, a write a part.
func feed(s *sink, parts ...[]byte) output {
	var o output
	for _, p := range parts {
		s.write(time.Unix(1, 0), p)
		paper, answers := s.take()
		o.paper = append(o.paper, paper...)
		o.answers = append(o.answers, answers...)
	}
	return o
}

// brief writes paper as "line|line|--cut--".
func brief(paper []rigs.Paper) string {
	var b []string
	for _, p := range paper {
		if p.Cut {
			b = append(b, "--cut--")
		} else {
			b = append(b, p.Text)
		}
	}
	return strings.Join(b, "|")
}

func TestSink(t *testing.T) {
	gbk, _ := simplifiedchinese.GBK.NewEncoder().String("金额：12.50元\n")
	raster := func(xl, xh, yl, yh byte, n int) string {
		return "\x1dv0\x00" + string([]byte{xl, xh, yl, yh}) + strings.Repeat("A\n", n/2)
	}
	tests := []struct {
		name, encoding, input string
		want                  string
		answers               string
	}{
		{"lines", "utf-8", "SALE\nAMOUNT 12.50\n", "SALE|AMOUNT 12.50", ""},
		{"CR LF", "utf-8", "A\r\nB\r\n", "A|B", ""},
		{"LF CR", "utf-8", "A\n\rB\n\r", "A|B", ""},
		{"CR alone", "utf-8", "A\rB\r", "A|B", ""},
		{"empty lines", "utf-8", "A\n\n\r\nB\n", "A|||B", ""},
		{"not yet printed", "utf-8", "A\nB", "A", ""},
		{"trailing blanks", "utf-8", "  A  \n", "  A", ""},
		{"TAB and controls", "utf-8", "A\tB\x07\x0c\n", "A B", ""},
		{"init and modes", "utf-8", "\x1b@\x1b!\x08\x1ba\x01\x1bE\x01\x1d!\x11TITLE\n\x1b!\x00", "TITLE", ""},
		{"init drops the unprinted", "utf-8", "TOTAL 1\x1b@SALE\n", "SALE", ""},
		{"feed ends the line", "utf-8", "A\x1bd\x03\x1bJ\x10B\n", "A|B", ""},
		{"cut", "utf-8", "A\n\x1dV\x00B\n\x1dV\x42\x03C\x1dV1", "A|--cut--|B|--cut--|C|--cut--", ""},
		{"old cuts", "utf-8", "A\n\x1bi\x1bm", "A|--cut--|--cut--", ""},
		{"raster", "utf-8", raster(2, 0, 3, 0, 6) + "B\n", "B", ""},
		{"raster of 256 bytes", "utf-8", raster(0, 1, 1, 0, 256) + "B\n", "B", ""},
		{"raster of nothing", "utf-8", raster(0, 0, 9, 0, 0) + "B\n", "B", ""},
		{"question inside a raster is image data", "utf-8", "\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01B\n", "B", ""},
		{"absurd raster", "utf-8", raster(0xff, 0xff, 0xff, 0xff, 0) + "B\n", "B", ""},
		{"bit image", "utf-8", "\x1b*\x00\x02\x00\n\n\x1b*\x21\x01\x00\n\n\nB\n", "B", ""},
		{"bar codes", "utf-8", "\x1dk\x04123\x00\x1dk\x49\x03\n\n\nB\n", "B", ""},
		{"QR code", "utf-8", "\x1d(k\x03\x001C\x06B\n", "B", ""},
		{"graphics", "utf-8", "\x1d8L\x02\x00\x00\x00\n\nB\n", "B", ""},
		{"tab stops", "utf-8", "\x1bD\x08\x10\x00B\n", "B", ""},
		{"drawer", "utf-8", "\x1bp\x00\x19\xfaB\n", "B", ""},
		{"Chinese mode", "utf-8", "\x1c&A\n\x1c.B\n\x1c!\x04C\n", "A|B|C", ""},
		{"unknown commands have one parameter", "utf-8", "\x1b~1A\n\x1d~2B\n\x1c~3C\n", "A|B|C", ""},
		{"DLE EOT", "utf-8", "A\x10\x04\x01B\x10\x04\x04\n", "AB", "\x12\x12"},
		{"DLE EOT with two parameters", "utf-8", "\x10\x04\x07\x01A\n", "A", "\x12"},
		{"other DLE", "utf-8", "\x10\x05\x01A\x10\x14\x01\x00\x05B\n", "AB", ""},
		{"GS r and ESC v", "utf-8", "\x1dr\x01A\x1bv\n", "A", "\x00\x00"},
		{"GBK", "gbk", gbk, "金额：12.50元", ""},
		{"wrong GBK", "gbk", "A\xff\n", "A\uFFFD", ""},
		{"wrong UTF-8", "utf-8", "A\xffB\n", "A\uFFFDB", ""},
		{"long line", "utf-8", strings.Repeat("x", maxText+1) + "\n", strings.Repeat("x", maxText) + "|x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := feed(sinkFor(t, tt.encoding), []byte(tt.input))
			if brief(got.paper) != tt.want {
				t.Errorf("paper %q, want %q", brief(got.paper), tt.want)
			}
			if string(got.answers) != tt.answers {
				t.Errorf("answers %X, want %X", got.answers, tt.answers)
			}
			// However the bytes are cut into reads, the result is the same.
			for cut := range len(tt.input) + 1 {
				split := feed(sinkFor(t, tt.encoding), []byte(tt.input[:cut]), []byte(tt.input[cut:]))
				if !reflect.DeepEqual(split, got) {
					t.Fatalf("cut at %d: %q %X", cut, brief(split.paper), split.answers)
				}
			}
		})
	}
}

// bench opens a driver in a bubble; the test is the terminal.
func bench(t *testing.T, limits Limits) (*Driver, net.Conn) {
	t.Helper()
	host, terminal := net.Pipe()
	d, err := New(serial.New("printer", host), Config{Receipt: terminals.Receipt{Encoding: "utf-8"}, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(); _ = terminal.Close() })
	return d, terminal
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestPaperIsDatedAtItsFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{})
		begin := time.Now()
		for _, part := range []string{"SA", "LE\n", "\x1d", "V\x00"} {
			write(t, terminal, part)
			<-time.After(100 * time.Millisecond)
		}
		line, cut := <-d.Paper(), <-d.Paper()
		if line.Text != "SALE" || !line.At.Equal(begin) {
			t.Errorf("line %+v", line)
		}
		if want := begin.Add(200 * time.Millisecond); !cut.Cut || !cut.At.Equal(want) {
			t.Errorf("cut %+v, want at %v", cut, want)
		}
	})
}

func TestStatusIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{})
		begin := time.Now()
		write(t, terminal, "\x10\x04\x01")
		got := make([]byte, 1)
		if _, err := io.ReadFull(terminal, got); err != nil || got[0] != 0x12 {
			t.Errorf("answer %X, %v", got, err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("answered after %v", took)
		}
		if err := d.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A terminal that asks and never reads the answer must not stop the printer for good.
func TestAnswerThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{})
		write(t, terminal, "\x10\x04\x01")
		write(t, terminal, "SALE\n")
		if p := <-d.Paper(); p.Text != "SALE" {
			t.Errorf("%+v", p)
		}
		if err := d.Probe(t.Context()); !errors.Is(err, rigs.ErrNoAnswer) {
			t.Errorf("Probe = %v, want rigs.ErrNoAnswer", err)
		}
	})
}

// A terminal that loses its power inside an image must not have its next receipt swallowed.
func TestPowerCutInsideAnImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{})
		write(t, terminal, "\x1dv0\x00\x48\x00\xff\x00half an image")
		<-time.After(DefaultStall)
		write(t, terminal, "\x1b@SALE\n")
		if p := <-d.Paper(); p.Text != "SALE" {
			t.Errorf("%+v", p)
		}
	})
}

func TestFullStreamBlocksAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{Paper: 2})
		const n = 200
		go func() {
			for range n {
				_, _ = terminal.Write([]byte("LINE\n"))
			}
		}()
		<-time.After(time.Minute)
		for i := range n {
			if p := <-d.Paper(); p.Text != "LINE" {
				t.Fatalf("line %d is %+v", i, p)
			}
		}
	})
}

func TestCloseWhileTheStreamIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{Paper: 1})
		write(t, terminal, "A\nB\nC\n")
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		for range d.Paper() {
		}
		if err := d.Err(); !errors.Is(err, rigs.ErrClosed) {
			t.Errorf("Err = %v", err)
		}
	})
}

func TestLostLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, terminal := bench(t, Limits{})
		if err := errors.Join(d.Err(), d.Probe(t.Context()), d.Halt(t.Context())); err != nil {
			t.Fatal(err)
		}
		write(t, terminal, "A\nhalf")
		_ = terminal.Close()
		var paper []rigs.Paper
		for p := range d.Paper() {
			paper = append(paper, p)
		}
		if brief(paper) != "A" {
			t.Errorf("paper %q", brief(paper))
		}
		for _, err := range []error{d.Err(), d.Probe(context.Background())} {
			if fault := (*rigs.Error)(nil); !errors.Is(err, rigs.ErrLost) || !errors.As(err, &fault) || fault.Instrument != "printer" {
				t.Errorf("error is %v", err)
			}
		}
	})
}

func TestUnknownEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, _ := net.Pipe()
		line := serial.New("printer", host)
		_, err := New(line, Config{Receipt: terminals.Receipt{Encoding: "big5"}})
		if err == nil || !strings.Contains(err.Error(), "big5") || !errors.Is(line.Err(), rigs.ErrClosed) {
			t.Errorf("New = %v, line %v", err, line.Err())
		}
	})
}

func FuzzSink(f *testing.F) {
	f.Add([]byte("\x1b@SALE\n12.50\r\n\x1bd\x03\x1dV\x42\x00"), 4)
	f.Add([]byte("\x1dv0\x00\x02\x00\x02\x00abcdX\n\x10\x04\x01"), 7)
	f.Add([]byte("\x1d8L\xff\xff\xff\xff\x1d(k\x00\x00\x1c2\x01\x02"), 2)
	f.Add([]byte("\x1bD\x01\x02\x1dk\x00A\xff\xfe\n"), 1)
	f.Fuzz(func(t *testing.T, input []byte, cut int) {
		if cut < 0 || cut > len(input) {
			cut = 0
		}
		s := sinkFor(t, "gb18030")
		whole := feed(s, input)
		if len(s.text) > maxText || len(s.cmd) > 16 || s.skip > maxPayload {
			t.Fatalf("keeps %d bytes of text, %d of a command, skips %d", len(s.text), len(s.cmd), s.skip)
		}
		split := feed(sinkFor(t, "gb18030"), input[:cut], input[cut:])
		if !reflect.DeepEqual(whole, split) {
			t.Fatalf("cut at %d: %q, whole %q", cut, brief(split.paper), brief(whole.paper))
		}
		if len(whole.paper) > len(input)*2 || len(whole.answers) > len(input) {
			t.Fatalf("%d lines and %d answers of %d bytes", len(whole.paper), len(whole.answers), len(input))
		}
	})
}

func BenchmarkReceipt(b *testing.B) {
	input := append([]byte("\x1b@\x1ba\x01SALE\n"), bytes.Repeat([]byte("AMOUNT        12.50\n"), 20)...)
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		feed(sinkFor(b, "gbk"), input)
	}
}
