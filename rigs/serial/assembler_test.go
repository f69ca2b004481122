package serial_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/rigs/serial"
)

func TestAssembler(t *testing.T) {
	long := strings.Repeat("x", 8)
	tests := []struct {
		name    string
		end     serial.Terminator
		chunks  []string
		want    []string
		pending string
	}{
		{"LF", serial.LF, []string{"a\nb\n"}, []string{"a", "b"}, ""},
		{"LF after CR", serial.LF, []string{"a\r\n\r\nb"}, []string{"a", ""}, "b"},
		{"LF, CR split off", serial.LF, []string{"a\r", "\n"}, []string{"a"}, ""},
		{"LF, CR inside stays", serial.LF, []string{"a\rb\n"}, []string{"a\rb"}, ""},
		{"LF, full line and CR", serial.LF, []string{long + "\r\n"}, []string{long}, ""},
		{"LF, overlong", serial.LF, []string{long + "yz\r\nnext\n"}, []string{long + "!", "next"}, ""},
		{"LF, overlong by a CR inside", serial.LF, []string{long + "\rz\n"}, []string{long + "!"}, ""},
		{"LF, overlong unfinished", serial.LF, []string{long, "y", "z"}, nil, long + "!"},
		{"CR", serial.CR, []string{"a\rb\r\nc"}, []string{"a", "b"}, "c"},
		{"CR, LF in the next chunk", serial.CR, []string{"a\r", "\nb\r"}, []string{"a", "b"}, ""},
		{"CR, empty lines", serial.CR, []string{"\r\r\n\r"}, []string{"", "", ""}, ""},
		{"CR, overlong", serial.CR, []string{long + "y\rb\r"}, []string{long + "!", "b"}, ""},
		{"break, LF CR and a prompt", serial.Break, []string{"echo 0\n\r", "on\n\r>"}, []string{"echo 0", "on"}, ">"},
		{"break, only breaks", serial.Break, []string{"\r\n\n\r"}, nil, ""},
		{"byte by byte", serial.LF, strings.Split("ok\r\nerror:9\r\n", ""), []string{"ok", "error:9"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := serial.Assembler{Max: len(long), End: tt.end}
			var got []string
			for _, c := range tt.chunks {
				for _, row := range a.Feed(serial.Chunk{Data: []byte(c)}) {
					got = append(got, show(row))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("rows %q, want %q", got, tt.want)
			}
			if p := show(a.Pending()); p != tt.pending {
				t.Errorf("pending %q, want %q", p, tt.pending)
			}
			a.Drop()
			if p := a.Pending(); len(p.Bytes) != 0 || !p.At.IsZero() || p.Overlong {
				t.Errorf("after Drop: %+v", p)
			}
		})
	}
}

func show(r serial.Row) string {
	if r.Overlong {
		return string(r.Bytes) + "!"
	}
	return string(r.Bytes)
}

func TestRowIsTimedAtItsFirstByte(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var a serial.Assembler
	a.Feed(serial.Chunk{At: at(1), Data: []byte("fir")})
	if p := a.Pending(); !p.At.Equal(at(1)) {
		t.Errorf("pending at %v", p.At)
	}
	rows := slices.Clone(a.Feed(serial.Chunk{At: at(2), Data: []byte("st\nsecond\nthi")}))
	rows = append(rows, a.Feed(serial.Chunk{At: at(3), Data: []byte("rd\n\n")})...)
	for i, want := range []int{1, 2, 2, 3} {
		if !rows[i].At.Equal(at(want)) {
			t.Errorf("row %d %q at %v, want %v", i, rows[i].Bytes, rows[i].At, at(want))
		}
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("ok\r\nerror:9\r\n"), uint8(0), uint8(8), uint8(3))
	f.Add([]byte("relay read 0\n\ron\n\r>"), uint8(2), uint8(80), uint8(1))
	f.Add([]byte("a\r\nb\r\r\n"), uint8(1), uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, end, most, split uint8) {
		limit := int(most) + 1
		whole := serial.Assembler{Max: limit, End: serial.Terminator(end % 3)}
		want := whole.Feed(serial.Chunk{Data: data})
		parts := serial.Assembler{Max: limit, End: serial.Terminator(end % 3)}
		var got []serial.Row
		for part := range slices.Chunk(data, int(split)+1) {
			got = append(got, parts.Feed(serial.Chunk{Data: part})...)
		}
		if len(got) != len(want) {
			t.Fatalf("%d rows in parts, %d at once", len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i].Bytes, want[i].Bytes) || got[i].Overlong != want[i].Overlong {
				t.Fatalf("row %d: %+v in parts, %+v at once", i, got[i], want[i])
			}
			if len(got[i].Bytes) > limit {
				t.Fatalf("row of %d bytes, limit %d", len(got[i].Bytes), limit)
			}
		}
	})
}

func BenchmarkAssembler(b *testing.B) {
	data := bytes.Repeat([]byte("<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n"), 100)
	var a serial.Assembler
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		a.Feed(serial.Chunk{Data: data})
	}
}
