package iso8583

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

var errLine = errors.New("line trouble")

func TestReadFrame(t *testing.T) {
	two := Framing{LengthBytes: 2, MaxLength: 10}
	tests := []struct {
		name    string
		framing Framing
		wire    string
		want    string
		wantErr error
	}{
		{"whole", two, "\x00\x03abc", "abc", nil},
		{"longest", two, "\x00\x0a0123456789", "0123456789", nil},
		{"four bytes", Framing{LengthBytes: 4, MaxLength: 10}, "\x00\x00\x00\x03abc", "abc", nil},
		{"end between frames", two, "", "", io.EOF},
		{"end in the length", two, "\x00", "", io.ErrUnexpectedEOF},
		{"end after the length", two, "\x00\x03", "", io.ErrUnexpectedEOF},
		{"end in the message", two, "\x00\x03ab", "", io.ErrUnexpectedEOF},
		{"nothing announced", two, "\x00\x00", "", ErrFrameLength},
		{"over the limit", two, "\x00\x0b0123456789a", "", ErrFrameLength},
		{"huge", Framing{LengthBytes: 4, MaxLength: 10}, "\xff\xff\xff\xff", "", ErrFrameLength},
		{"unusable framing", Framing{}, "\x00\x03abc", "", ErrFraming},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{
				"at once":   bytes.NewReader([]byte(tt.wire)),
				"by bytes":  iotest.OneByteReader(bytes.NewReader([]byte(tt.wire))),
				"err + end": iotest.DataErrReader(bytes.NewReader([]byte(tt.wire))),
			} {
				got, err := tt.framing.ReadFrame(r)
				if string(got) != tt.want || !errors.Is(err, tt.wantErr) {
					t.Errorf("%s: %q, %v; want %q, %v", kind, got, err, tt.want, tt.wantErr)
				}
				if tt.wantErr == io.ErrUnexpectedEOF && errors.Is(err, io.EOF) {
					t.Errorf("%s: a cut frame looks like the end between frames", kind)
				}
			}
		})
	}
}

func TestReadFrameLeavesTheNext(t *testing.T) {
	f := Framing{LengthBytes: 2, MaxLength: 10}
	r := bytes.NewReader([]byte("\x00\x01a\x00\x01b"))
	for _, want := range []string{"a", "b"} {
		if got, err := f.ReadFrame(r); string(got) != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if _, err := f.ReadFrame(r); err != io.EOF {
		t.Errorf("%v, want io.EOF", err)
	}
	if _, err := f.ReadFrame(iotest.ErrReader(errLine)); err != errLine {
		t.Errorf("%v, want the reader's error as it is", err)
	}
}

// writes counts calls and can fall short.
type writes struct {
	calls, short int
	bytes.Buffer
}

func (w *writes) Write(p []byte) (int, error) {
	w.calls++
	n, err := w.Buffer.Write(p[:len(p)-w.short])
	return n, err
}

func TestWriteFrame(t *testing.T) {
	f := Framing{LengthBytes: 2, MaxLength: 300}
	w := &writes{}
	payload := bytes.Repeat([]byte("x"), 258)
	if err := f.WriteFrame(w, payload); err != nil || w.calls != 1 {
		t.Errorf("%v in %d writes, want one", err, w.calls)
	}
	if want := append([]byte{1, 2}, payload...); !bytes.Equal(w.Bytes(), want) {
		t.Errorf("wrote %q", w.Bytes())
	}
	if err := f.WriteFrame(&writes{short: 1}, payload); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: %v", err)
	}
	for _, bad := range [][]byte{nil, make([]byte, 301)} {
		if err := f.WriteFrame(w, bad); !errors.Is(err, ErrFrameLength) {
			t.Errorf("%d bytes: %v, want ErrFrameLength", len(bad), err)
		}
	}
	if got, err := f.AppendFrame([]byte("kept"), nil); string(got) != "kept" || err == nil {
		t.Errorf("AppendFrame: %q, %v", got, err)
	}
	if got, err := (Framing{LengthBytes: 4, MaxLength: 9}).AppendFrame([]byte("a"), []byte("b")); string(got) != "a\x00\x00\x00\x01b" || err != nil {
		t.Errorf("AppendFrame: %q, %v", got, err)
	}
}

// The same message of three bytes in every framing that there is.
func TestFramings(t *testing.T) {
	const limit = 90
	tests := []struct {
		name    string
		framing Framing
		head    string
		poll    string
	}{
		{"2 bytes", Framing{LengthBytes: 2}, "\x00\x03", "\x00\x00"},
		{"2 bytes, little", Framing{LengthBytes: 2, LittleEndian: true}, "\x03\x00", "\x00\x00"},
		{"2 bytes, inclusive", Framing{LengthBytes: 2, Inclusive: true}, "\x00\x05", "\x00\x02"},
		{"4 bytes, inclusive, little", Framing{LengthBytes: 4, Inclusive: true, LittleEndian: true}, "\x07\x00\x00\x00", "\x04\x00\x00\x00"},
		{"4 bytes, named", Framing{LengthBytes: 4, Encoding: "binary"}, "\x00\x00\x00\x03", "\x00\x00\x00\x00"},
		{"4 digits", Framing{LengthBytes: 4, Encoding: "ascii"}, "0003", "0000"},
		{"4 digits, inclusive", Framing{LengthBytes: 4, Encoding: "ascii", Inclusive: true}, "0007", "0004"},
		{"2 digits", Framing{LengthBytes: 2, Encoding: "ascii"}, "03", "00"},
		{"2 bytes of BCD", Framing{LengthBytes: 2, Encoding: "bcd"}, "\x00\x03", "\x00\x00"},
		{"4 bytes of BCD, inclusive", Framing{LengthBytes: 4, Encoding: "bcd", Inclusive: true}, "\x00\x00\x00\x07", "\x00\x00\x00\x04"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.framing
			f.MaxLength = limit
			frame, err := f.AppendFrame(nil, []byte("abc"))
			if err != nil || string(frame) != tt.head+"abc" {
				t.Errorf("%x, %v; want %x", frame, err, tt.head+"abc")
			}
			if got, err := f.ReadFrame(bytes.NewReader(frame)); err != nil || string(got) != "abc" {
				t.Errorf("%q, %v", got, err)
			}
			if got := f.Poll(); string(got) != tt.poll {
				t.Errorf("poll %x, want %x", got, tt.poll)
			}
			if _, err := f.ReadFrame(bytes.NewReader(f.Poll())); !errors.Is(err, ErrFrameLength) || errors.Is(err, ErrPoll) {
				t.Errorf("a poll where there are none: %v", err)
			}
			f.Polls = true
			r := bytes.NewReader(append(f.Poll(), frame...))
			if got, err := f.ReadFrame(r); !errors.Is(err, ErrPoll) || got != nil {
				t.Errorf("a poll: %q, %v", got, err)
			}
			if got, err := f.ReadFrame(r); err != nil || string(got) != "abc" {
				t.Errorf("after a poll: %q, %v", got, err)
			}
			if _, err := f.ReadFrame(bytes.NewReader(f.AppendLength(nil, limit+1))); !errors.Is(err, ErrFrameLength) {
				t.Errorf("above the limit: %v", err)
			}
		})
	}
}

func TestLengthRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		framing Framing
		head    string
	}{
		"letters":                     {Framing{LengthBytes: 4, Encoding: "ascii", MaxLength: 99}, "00x3"},
		"beyond 9":                    {Framing{LengthBytes: 4, Encoding: "ascii", MaxLength: 99}, "000:"},
		"a sign":                      {Framing{LengthBytes: 4, Encoding: "ascii", MaxLength: 99}, "-001"},
		"no decimal":                  {Framing{LengthBytes: 2, Encoding: "bcd", MaxLength: 99}, "\x00\x1A"},
		"inclusive, less than itself": {Framing{LengthBytes: 2, Inclusive: true, Polls: true, MaxLength: 99}, "\x00\x01"},
		"another number of bytes":     {Framing{LengthBytes: 2, MaxLength: 99}, "\x00\x00\x01"},
	} {
		if n, err := tt.framing.Length([]byte(tt.head)); n != 0 || !errors.Is(err, ErrFrameLength) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// Every digit counts in its place.
func TestLengthOfManyDigits(t *testing.T) {
	for _, f := range []Framing{{LengthBytes: 2, Encoding: "bcd", MaxLength: 9999}, {LengthBytes: 4, Encoding: "ascii", MaxLength: 9999}} {
		head := map[string]string{"bcd": "\x12\x34", "ascii": "1234"}[f.Encoding]
		if n, err := f.Length([]byte(head)); n != 1234 || err != nil {
			t.Errorf("%s: %d, %v", f.Encoding, n, err)
		}
	}
}

func TestFramingRefuses(t *testing.T) {
	for name, f := range map[string]Framing{
		"encoding":                    {LengthBytes: 2, Encoding: "hex", MaxLength: 9},
		"little-endian text":          {LengthBytes: 4, Encoding: "ascii", LittleEndian: true, MaxLength: 9},
		"3 bytes":                     {LengthBytes: 3, MaxLength: 9},
		"beyond 2 digits":             {LengthBytes: 2, Encoding: "ascii", MaxLength: 100},
		"beyond BCD":                  {LengthBytes: 2, Encoding: "bcd", MaxLength: 10000},
		"beyond 4 digits with itself": {LengthBytes: 4, Encoding: "ascii", Inclusive: true, MaxLength: 9996},
		"beyond any":                  {LengthBytes: 4, MaxLength: longestMessage + 1},
	} {
		if _, err := f.ReadFrame(bytes.NewReader(nil)); !errors.Is(err, ErrFraming) {
			t.Errorf("%s: %v, want ErrFraming", name, err)
		}
	}
	for _, f := range []Framing{{LengthBytes: 4, Encoding: "ascii", Inclusive: true, MaxLength: 9995}, {LengthBytes: 4, MaxLength: longestMessage}} {
		if err := f.validate(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x03abc"), uint8(2), uint8(0))
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x00\x01b"), uint8(4), uint8(0))
	f.Add([]byte("\x00\x00\x00\x02"), uint8(2), uint8(24))
	f.Add([]byte("\xff\xffcut"), uint8(2), uint8(4))
	f.Add([]byte("0003abc00"), uint8(4), uint8(17))
	f.Add([]byte("\x00\x05abc"), uint8(2), uint8(10))
	f.Fuzz(func(t *testing.T, stream []byte, lengthBytes, flags uint8) {
		framing := Framing{LengthBytes: int(lengthBytes), MaxLength: 64, Encoding: []string{"binary", "ascii", "bcd", ""}[flags&3],
			LittleEndian: flags&4 != 0, Inclusive: flags&8 != 0, Polls: flags&16 != 0}
		whole, bit := bytes.NewReader(stream), iotest.HalfReader(bytes.NewReader(stream))
		var back []byte
		for {
			got, err := framing.ReadFrame(whole)
			same, sameErr := framing.ReadFrame(bit)
			if !bytes.Equal(got, same) || (err == nil) != (sameErr == nil) {
				t.Fatalf("%q, %v at once; %q, %v in parts", got, err, same, sameErr)
			}
			switch {
			case errors.Is(err, ErrPoll):
				back = append(back, framing.Poll()...)
			case errors.Is(err, io.EOF) && len(back) != len(stream):
				t.Fatalf("io.EOF after %d of %d bytes", len(back), len(stream))
			case err != nil:
				return
			default:
				back, err = framing.AppendFrame(back, got)
			}
			if (err != nil && !errors.Is(err, ErrPoll)) || !bytes.HasPrefix(stream, back) {
				t.Fatalf("%q, %v is not what was read: %q", back, err, stream)
			}
		}
	})
}
