package iso8583

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func fuzzCodecs(t testing.TB) []*Codec {
	return []*Codec{codec(t, dialect()), codec(t, binaryDialect()), codec(t, packedDialect()), codec(t, ebcdicDialect())}
}

func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{golden, goldenBinary, goldenPacked, signOn, signOn[:20], golden[:60], golden + "x", ""} {
		f.Add([]byte(seed))
	}
	codecs := fuzzCodecs(f)
	f.Fuzz(func(t *testing.T, wire []byte) {
		for _, c := range codecs {
			checkAnything(t, c, wire)
			if m, err := c.Unpack(wire); err == nil {
				checkAccepted(t, c, wire, m)
			}
		}
	})
}

// checkAnything holds for all bytes: no panic, parts in order and within bounds, masking never
// lengthens and what is no message stays hidden.
func checkAnything(t *testing.T, c *Codec, wire []byte) {
	t.Helper()
	spans, spansErr := c.Spans(wire)
	end := 0
	for _, s := range spans {
		if s.Start != end || s.Value < s.Start || s.End < s.Value || s.End > len(wire) {
			t.Fatalf("%v in %d bytes", spans, len(wire))
		}
		end = s.End
	}
	m, err := c.UnpackPartial(wire)
	if (err == nil) && (spansErr != nil || end != len(wire)) {
		t.Fatalf("unpacked, but parts only to %d of %d: %v", end, len(wire), spansErr)
	}
	for n := range m.Fields {
		if c.entries[n].refuse(m.Fields[n]) != nil {
			t.Fatalf("a partial message has a value in field %d that cannot be", n)
		}
	}
	masked := c.MaskPayload(wire)
	if len(masked) != len(wire) {
		t.Fatalf("%d bytes masked to %d", len(wire), len(masked))
	}
	for i, b := range masked {
		if b == hidden {
			continue
		}
		if b != wire[i] {
			t.Fatalf("masking wrote %#x at %d", b, i)
		}
		if err != nil && (i < c.headerBytes || i >= c.headerBytes+c.mtiBytes()) {
			t.Fatalf("byte %d of a broken message is shown", i)
		}
	}
	checkQuick(t, c, wire)
	if _, mac, err := c.MACData(wire); err == nil && len(mac) != macLength {
		t.Fatalf("a MAC of %d bytes", len(mac))
	}
}

// checkQuick: the quick way to MTI and STAN finds what the way field by field does, and fails where and as that one does
// as far as field 11.
func checkQuick(t *testing.T, c *Codec, wire []byte) {
	t.Helper()
	want, wantErr := c.Identify(wire)
	if beyond := (*FieldError)(nil); errors.As(wantErr, &beyond) && beyond.Field > fieldSTAN {
		wantErr = nil
	}
	text, mti, err := c.AppendMTIAndSTAN([]byte("before"), wire)
	if !bytes.HasPrefix(text, []byte("before")) {
		t.Fatalf("%q was written over what there was", text)
	}
	text = text[len("before"):]
	if string(text[:mti]) != want.MTI || string(text[mti:]) != want.STAN || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("quickly %q, %d, %v; field by field %+v, %v", text, mti, err, want, wantErr)
	}
}

// checkAccepted holds for every message that Unpack takes.
func checkAccepted(t *testing.T, c *Codec, wire []byte, m Message) {
	t.Helper()
	id, err := c.Identify(wire)
	if err != nil || id != (Identity{m.MTI, m.Fields[11], m.Fields[41]}) {
		t.Fatalf("Identify: %+v, %v for a good message", id, err)
	}
	packed, err := c.Pack(m)
	if errors.Is(err, ErrFrameLength) {
		return
	}
	if err != nil {
		t.Fatalf("Pack refuses what Unpack gave: %v", err)
	}
	again, err := c.Unpack(packed)
	if err != nil || again.Header != m.Header || !same(again, m) {
		t.Fatalf("%v, %v; want %v", again, err, m)
	}
	checkSpelling(t, c, wire, packed, m)
	spans, err := c.Spans(wire)
	if err != nil {
		t.Fatal(err)
	}
	masked := c.MaskPayload(wire)
	for _, s := range spans {
		if s.Field > 1 && c.dialect.Fields[s.Field].Sensitive != "" && strings.Trim(string(masked[s.Value:s.End]), "*") != "" {
			t.Fatalf("field %d is shown", s.Field)
		}
	}
	for n, value := range c.Masked(m) {
		if pan := m.Fields[2]; len(pan) >= shortestPAN && strings.Contains(value, pan) {
			t.Fatalf("field %s shows the card number", n)
		}
	}
}

// checkSpelling: what was read is what would be written, but for hexadecimal in lower case, an empty
// secondary bitmap, and a zero after an odd track 2.
func checkSpelling(t *testing.T, c *Codec, wire, packed []byte, m Message) {
	t.Helper()
	emptySecondary := len(packed) < len(wire)
	if emptySecondary && slices.Max(append(slices.Collect(maps.Keys(m.Fields)), 0)) > lastOfFirst {
		t.Fatalf("%d bytes became %d", len(wire), len(packed))
	}
	if emptySecondary {
		return
	}
	for i := range wire {
		zeroFill := c.digits == encodingBCD && wire[i]&0xF == 0 && packed[i]&0xF == fillTrack && wire[i]>>4 == packed[i]>>4
		if !bytes.EqualFold(wire[i:i+1], packed[i:i+1]) && !zeroFill {
			t.Fatalf("packed %q\nfrom   %q", packed, wire)
		}
	}
}
