package iso8583

import (
	"errors"
	"strings"
	"testing"
)

// invalid is a dialect that was changed, and what Validate must say of it.
type invalid struct {
	name   string
	change func(*Dialect)
	want   []string // parts of the message; none: valid
}

func TestValidate(t *testing.T) {
	checkInvalid(t, []invalid{
		{"as it is", func(*Dialect) {}, nil},
		{"no name", func(d *Dialect) { d.Name = "" }, []string{"no name"}},
		{"length bytes", func(d *Dialect) { d.Framing.LengthBytes = 3 }, []string{"3 length bytes, want 2 or 4"}},
		{"limit beyond two bytes", func(d *Dialect) { d.Framing.MaxLength = 65536 }, []string{"65536 bytes, want 1 to 65535"}},
		{"no limit", func(d *Dialect) { d.Framing = Framing{LengthBytes: 4} }, []string{"0 bytes, want 1 to"}},
		{"bitmap", func(d *Dialect) { d.Bitmap = "bcd" }, []string{`bitmap "bcd"`}},
		{"no fields", func(d *Dialect) { d.Fields = nil }, []string{"no fields"}},
		{"numbers", func(d *Dialect) { d.Fields[1] = d.Fields[3]; d.Fields[65] = d.Fields[3]; d.Fields[129] = d.Fields[3] },
			[]string{"field 1: numbers", "field 65: numbers", "field 129: numbers"}},
		{"type", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "N", Length: 1} }, []string{`field 3: type "N"`}},
		{"field name", func(d *Dialect) { d.Fields[3] = Field{Type: "n", Length: 1} }, []string{"field 3: it has no name"}},
		{"sensitive", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "n", Length: 1, Sensitive: "yes"} },
			[]string{`field 3: sensitive "yes"`}},
		{"no length", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "n"} }, []string{"field 3: length 0"}},
		{"length digits", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "n", Length: 1, Var: 1} }, []string{"field 3: var 1"}},
		{"LLVAR too long", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "n", Length: 100, Var: 2} },
			[]string{"field 3: length 100: 100 on the wire, at most 99"}},
		{"LLVAR too long as text", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "b", Length: 50, Var: 2} },
			[]string{"field 3: length 50: 100 on the wire, at most 99"}},
		{"everything at once", func(d *Dialect) { d.Bitmap = ""; d.Fields[3] = Field{} },
			[]string{`bitmap ""`, "field 3: it has no name", `field 3: type ""`, "field 3: length 0"}},
	})
}

func TestValidateHeaderEncodingsPartsAndMAC(t *testing.T) {
	checkInvalid(t, []invalid{
		{"digits", func(d *Dialect) { d.Digits = "packed" }, []string{`digits "packed"`}},
		{"text", func(d *Dialect) { d.Text = "bcd" }, []string{`text "bcd"`}},
		{"bytes", func(d *Dialect) { d.Binary = "ascii" }, []string{`binary "ascii"`}},
		{"header encoding", func(d *Dialect) { d.HeaderEncoding = "hex" }, []string{`header-encoding "hex"`}},
		{"header", func(d *Dialect) {
			d.Header = []HeaderPart{{Name: "a", Length: 2, Value: "1x"}, {Name: "a.b", Length: 1, Value: "1", Reply: "c"}}
		},
			[]string{`header part "a": value "1x": want 2 digits`, "part 2: name", `reply "c"`, "3 digits do not fill bytes"}},
		{"header twice", func(d *Dialect) {
			d.Header = []HeaderPart{{Name: "a", Length: 1, Value: "1"}, {Name: "a", Length: 1, Value: "1"}}
		},
			[]string{`header part "a" is there twice`}},
		{"header too long", func(d *Dialect) { d.Header = []HeaderPart{{Name: "a", Length: 66, Value: strings.Repeat("0", 66)}} }, []string{"66 digits, at most 64"}},
		{"reply of another length", func(d *Dialect) {
			d.Header = []HeaderPart{{Name: "a", Length: 3, Value: "111"}, {Name: "b", Length: 1, Value: "1", Reply: "a"}}
		},
			[]string{`reply "a": want the name of a part of 1 digits`}},
		{"encoding", func(d *Dialect) { d.Fields[41] = Field{Name: "x", Type: "ans", Length: 8, Encoding: "bcd"} },
			[]string{`field 41: encoding "bcd": want ascii or ebcdic for type ans`}},
		{"encoding of bytes", func(d *Dialect) { d.Fields[52] = Field{Name: "x", Type: "b", Length: 8, Encoding: "ascii"} },
			[]string{`field 52: encoding "ascii": want binary or hex`}},
		{"alignment", func(d *Dialect) { d.Fields[3] = Field{Name: "x", Type: "n", Length: 3, Align: "centre"} }, []string{`align "centre"`}},
		{"tags in text", func(d *Dialect) { d.Fields[48] = Field{Name: "x", Type: "ans", Length: 8, TLV: true} }, []string{"field 48: tlv"}},
		{"parts", func(d *Dialect) {
			d.Fields[3] = Field{Name: "x", Type: "n", Length: 6, Parts: []Part{{"a", 2}, {"a", 0}, {"1", 5}, {"c.d", -1}}}
		}, []string{`part "a" is there twice`, `part 3: name "1"`, `part 4: name "c.d"`, `part "a": length 0`, "length -1"}},
		{"parts too long", func(d *Dialect) {
			d.Fields[3] = Field{Name: "x", Type: "n", Length: 6, Parts: []Part{{"a", 2}, {"b", 5}}}
		},
			[]string{"7 characters together, the field has 6"}},
		{"MAC", func(d *Dialect) { d.MAC = &MAC{Field: 63, Algorithm: "x9"} }, []string{`MAC algorithm "x9"`, "MAC in field 63: want 64 or 128"}},
		{"MAC without a field", func(d *Dialect) { d.MAC = &MAC{Field: 64, Algorithm: "cmac"} },
			[]string{"field 64 must be there, of type b and length 8", "field 128 must be there"}},
	})
}

func checkInvalid(t *testing.T, tests []invalid) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := dialect()
			tt.change(&d)
			err := d.Validate()
			if len(tt.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrDialect) {
				t.Fatalf("%v, want ErrDialect", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if _, err := NewCodec(d); !errors.Is(err, ErrDialect) {
				t.Errorf("NewCodec takes it: %v", err)
			}
		})
	}
}
