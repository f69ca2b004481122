package iso8583

import (
	"errors"
	"strings"
	"testing"
)

func TestReplyHeader(t *testing.T) {
	c := codec(t, packedDialect())
	for request, want := range map[string]string{
		"600003123407": "601234000307", // the addresses change places, the rest is the host's own
		"600003123499": "601234000307",
		"":             "600000000307",
		"60":           "600000000307", // not a header of this dialect
	} {
		if got := c.ReplyHeader(request); got != want {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
	if got := codec(t, dialect()).ReplyHeader(""); got != "" {
		t.Errorf("without a header: %q", got)
	}
}

func TestHeaderParts(t *testing.T) {
	c := codec(t, packedDialect())
	for _, tt := range []struct {
		header, name, want string
		ok                 bool
	}{
		{"600003123499", "source", "1234", true}, {"", "source", "0000", true}, {"600003123499", "request", "99", true},
		{"600003123499", "sauce", "", false}, {"6000", "source", "", false},
	} {
		if got, ok := c.HeaderPart(tt.header, tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("%q %s: %q, %v; want %q", tt.header, tt.name, got, ok, tt.want)
		}
	}
	if got, err := c.SetHeaderPart("", "request", "03"); got != "600003000003" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, tt := range []struct{ header, name, value, want string }{
		{"", "reqest", "03", `did you mean "request"?`}, {"", "request", "3", "wrong length"}, {"60", "request", "03", "wrong length"},
		{"", "request", "0x", "character not allowed"},
	} {
		if _, err := c.SetHeaderPart(tt.header, tt.name, tt.value); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestHeaderInText(t *testing.T) {
	d := dialect()
	d.Header, d.HeaderEncoding = []HeaderPart{{Name: "id", Length: 3, Value: "015"}}, "ascii"
	c := codec(t, d)
	wire, err := c.Pack(Message{MTI: "0800"})
	if err != nil || string(wire) != "0150800"+"0000000000000000" {
		t.Errorf("%q, %v", wire, err)
	}
	if m, err := c.Unpack(wire); err != nil || m.Header != "015" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestSpans(t *testing.T) {
	c := codec(t, packedDialect())
	spans, err := c.Spans([]byte(goldenPacked))
	if err != nil {
		t.Fatal(err)
	}
	want := []Span{{-1, 0, 0, 6}, {0, 6, 6, 8}, {1, 8, 8, 16}, {2, 16, 17, 27}, {3, 27, 27, 30}}
	for i, s := range want {
		if spans[i] != s {
			t.Errorf("%d: %v, want %v", i, spans[i], s)
		}
	}
	for i := 1; i < len(spans); i++ {
		if spans[i].Start != spans[i-1].End {
			t.Errorf("%v does not follow %v", spans[i], spans[i-1])
		}
	}
	if last := spans[len(spans)-1]; last.Field != 64 || last.End != len(goldenPacked) {
		t.Errorf("the last is %v", last)
	}
	spans, err = c.Spans([]byte(goldenPacked[:29]))
	if !errors.Is(err, ErrTruncated) || len(spans) != 4 || spans[3].Field != 2 {
		t.Errorf("cut: %v, %v", spans, err)
	}
	if spans, err = c.Spans([]byte(goldenPacked[:7])); len(spans) != 1 || err == nil {
		t.Errorf("cut in the MTI: %v, %v", spans, err)
	}
	if _, err = c.Spans([]byte(goldenPacked + "x")); !errors.Is(err, ErrTrailing) {
		t.Errorf("%v, want ErrTrailing", err)
	}
}
