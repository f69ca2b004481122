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
		{"four bytes", Framing{4, 10}, "\x00\x00\x00\x03abc", "abc", nil},
		{"end between frames", two, "", "", io.EOF},
		{"end in the length", two, "\x00", "", io.ErrUnexpectedEOF},
		{"end after the length", two, "\x00\x03", "", io.ErrUnexpectedEOF},
		{"end in the message", two, "\x00\x03ab", "", io.ErrUnexpectedEOF},
		{"nothing announced", two, "\x00\x00", "", ErrFrameLength},
		{"over the limit", two, "\x00\x0b0123456789a", "", ErrFrameLength},
		{"huge", Framing{4, 10}, "\xff\xff\xff\xff", "", ErrFrameLength},
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
	if got, err := (Framing{4, 9}).AppendFrame([]byte("a"), []byte("b")); string(got) != "a\x00\x00\x00\x01b" || err != nil {
		t.Errorf("AppendFrame: %q, %v", got, err)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x03abc"), uint8(2))
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x00\x01b"), uint8(4))
	f.Add([]byte("\x00\x00"), uint8(2))
	f.Add([]byte("\xff\xffcut"), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, lengthBytes uint8) {
		framing := Framing{LengthBytes: int(lengthBytes), MaxLength: 64}
		whole, bit := bytes.NewReader(stream), iotest.HalfReader(bytes.NewReader(stream))
		var back []byte
		for {
			got, err := framing.ReadFrame(whole)
			same, sameErr := framing.ReadFrame(bit)
			if !bytes.Equal(got, same) || (err == nil) != (sameErr == nil) {
				t.Fatalf("%q, %v at once; %q, %v in parts", got, err, same, sameErr)
			}
			if err != nil {
				if errors.Is(err, io.EOF) && len(back) != len(stream) {
					t.Fatalf("io.EOF after %d of %d bytes", len(back), len(stream))
				}
				return
			}
			if back, err = framing.AppendFrame(back, got); err != nil || !bytes.HasPrefix(stream, back) {
				t.Fatalf("%q, %v is not what was read: %q", back, err, stream)
			}
		}
	})
}
