package iso8583

import (
	"errors"
	"strings"
	"testing"
)

func path(t testing.TB, c *Codec, s string) Path {
	t.Helper()
	p, err := c.Path(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGet(t *testing.T) {
	c, m := codec(t, packedDialect()), packedPurchase()
	m.Fields[55] = "9A03261122" + "7006" + "9F36020007" + "00" + "95050000000000"
	for s, want := range map[string]string{
		"mti": "0200", "4": "000000001250", "60": "22000123003", "60.type": "22", "60.1": "22", "60.batch": "000123", "60.3": "003",
		"55.9A": "261122", "55.9F36": "0007", "55.95": "0000000000", "55.70": "9F3602000700", "header.source": "0000", "header.request": "07",
	} {
		p := path(t, c, s)
		if got, ok := c.Get(m, p); got != want || !ok || p.String() != s || p.IsZero() {
			t.Errorf("%s: %q, %v; want %q", s, got, ok, want)
		}
	}
	m.Fields[60] = "2200"
	delete(m.Fields, 4)
	for _, s := range []string{"4", "60.batch", "60.function", "60.rest", "55.9F26", "90"} {
		if got, ok := c.Get(m, path(t, c, s)); ok || got != "" {
			t.Errorf("%s: %q is there", s, got)
		}
	}
	if _, ok := c.Get(m, Path{}); ok || !(Path{}).IsZero() {
		t.Error("the zero path names something")
	}
	if _, ok := c.Get(Message{}, path(t, c, "mti")); ok {
		t.Error("no MTI is there")
	}
	for path, field := range map[string]int{"mti": 0, "header.source": -1, "55.9A": 55, "4": 4} {
		if p, _ := c.Path(path); p.Field() != field {
			t.Errorf("%s is of field %d", path, p.Field())
		}
	}
}

// Data that are no TLV have no tags, whatever they look like.
func TestGetTagOfBrokenData(t *testing.T) {
	c := codec(t, packedDialect())
	for _, data := range []string{"", "9", "9F", "9F36", "9F3602", "9F360200", "9F3680", "9F36830000010", "9F818181813601", "1F", "zz", "9A01ZZ"} {
		m := Message{MTI: "0200", Fields: map[int]string{55: data}}
		for _, tag := range []string{"55.9F36", "55.9A"} {
			if got, ok := c.Get(m, path(t, c, tag)); ok {
				t.Errorf("%q: %s is %q", data, tag, got)
			}
		}
	}
}

// A value is no template, whatever its bytes look like.
func TestGetTagInsideAValue(t *testing.T) {
	c := codec(t, packedDialect())
	m := Message{MTI: "0200", Fields: map[int]string{55: "9F1003" + "9A0101"}}
	if got, ok := c.Get(m, path(t, c, "55.9A")); ok {
		t.Errorf("9A inside of 9F10: %q", got)
	}
	m.Fields[55] = "7005" + "7103" + "9A0101"
	if got, ok := c.Get(m, path(t, c, "55.9A")); !ok || got != "01" {
		t.Errorf("9A in a template in a template: %q, %v", got, ok)
	}
}

func TestSet(t *testing.T) {
	c := codec(t, packedDialect())
	for _, tt := range []struct {
		field       int
		before      string
		path, value string
		after       string
		want        error
	}{
		{4, "", "4", "000000000001", "000000000001", nil},
		{60, "22000123003", "60.batch", "000124", "22000124003", nil},
		{60, "22000123003", "60.rest", "5", "220001230035", nil},
		{60, "220001230035", "60.rest", "", "22000123003", nil},
		{60, "", "60.type", "22", "22", nil},
		{60, "22", "60.batch", "000124", "22000124", nil},
		{60, "22", "60.batch", "124", "", ErrLength},
		{60, "22000123003", "60.batch", "124", "", ErrLength},
		{60, "", "60.batch", "000124", "", ErrLength},
		{55, "9A03261122", "55.9A", "270101", "9A03270101", nil},
		{55, "9A03261122" + "95010A", "55.9A", "27", "9A0127" + "95010A", nil},
		{55, "9A03261122", "55.95", "00", "9A03261122950100", nil},
		{55, "", "55.9F10", strings.Repeat("AB", 130), "9F108182" + strings.Repeat("AB", 130), nil},
		{55, "70039A0101", "55.9A", "02", "70039A0102", nil},
		{55, "70039A0101", "55.9A", "0203", "", ErrLength},
		{55, "", "55.9A", "0", "", ErrLength},
		{55, "", "55.9A", "xx", "", ErrCharacters},
		{55, "A001", "55.9A", "00", "", ErrMalformed},
		{55, "no", "55.9A", "00", "", ErrMalformed},
	} {
		m := Message{MTI: "0200", Fields: map[int]string{tt.field: tt.before}}
		err := c.Set(&m, path(t, c, tt.path), tt.value)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s = %q: %v, want %v", tt.path, tt.value, err, tt.want)
		}
		if want := tt.after; err == nil && m.Fields[tt.field] != want {
			t.Errorf("%s = %q: %q, want %q", tt.path, tt.value, m.Fields[tt.field], want)
		}
		if err != nil && m.Fields[tt.field] != tt.before {
			t.Errorf("%s: the refused value changed the field to %q", tt.path, m.Fields[tt.field])
		}
	}
}

func TestSetElsewhere(t *testing.T) {
	c := codec(t, packedDialect())
	var m Message
	for s, value := range map[string]string{"mti": "0210", "header.request": "03", "39": "00"} {
		if err := c.Set(&m, path(t, c, s), value); err != nil {
			t.Error(err)
		}
	}
	if m.MTI != "0210" || m.Header != "600003000003" || m.Fields[39] != "00" {
		t.Errorf("%+v", m)
	}
	if err := c.Set(&m, path(t, c, "header.request"), "x"); err == nil {
		t.Error("a header part of one letter is set")
	}
	if err := c.Set(&m, Path{}, "x"); err == nil {
		t.Error("the zero path is set")
	}
}

func TestPathRefuses(t *testing.T) {
	c := codec(t, packedDialect())
	for s, want := range map[string]string{
		"":               `unknown field ""`,
		"5":              `unknown field "5"; did you mean`,
		"04":             `unknown field "04"`,
		"four":           `unknown field "four"`,
		"mti.1":          `unknown field "mti"`,
		"MTI":            `did you mean "mti"?`,
		"60.btach":       `unknown part of field 60 "btach"; did you mean "batch"?`,
		"60.9":           `unknown part of field 60 "9"`,
		"60.":            `unknown part of field 60 ""; known: type, batch, function, rest`,
		"4.batch":        `unknown part of field 4 "batch"; there is none`,
		"header.reqest":  `unknown part of the header "reqest"; did you mean "request"?`,
		"header":         `unknown field "header"`,
		"55.9f26":        "upper-case hexadecimal",
		"55.9F":          "another number of bytes",
		"55.9F26.1":      "upper-case hexadecimal",
		"55.":            "upper-case hexadecimal",
		"55.9F818181811": "upper-case hexadecimal",
	} {
		_, err := c.Path(s)
		var pe *PathError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), want) || pe.Path != s {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"mti", "4", "60.batch", "60.2", "55.9F26", "header.request", "60.", ".", "55.9F8181", "-1", "+4"} {
		f.Add(seed, "9A03261122700401020304", "00")
	}
	f.Add("55.C1", "C100", "0A0B")
	c := codec(f, packedDialect())
	f.Fuzz(func(t *testing.T, s, data, value string) {
		p, err := c.Path(s)
		if err != nil {
			var pe *PathError
			if !errors.As(err, &pe) || !p.IsZero() {
				t.Fatalf("%q: %v, %v", s, p, err)
			}
			return
		}
		m := Message{MTI: "0200", Fields: map[int]string{}}
		if p.Field() > 0 {
			m.Fields[p.Field()] = data
		}
		c.Get(m, p)
		if c.Set(&m, p, value) != nil || value == "" {
			return
		}
		if got, ok := c.Get(m, p); !ok || got != value {
			t.Fatalf("%s of %q: set %q, got %q", s, data, value, got)
		}
	})
}
