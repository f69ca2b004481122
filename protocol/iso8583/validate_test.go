package iso8583

import (
	"errors"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Dialect)
		want   []string // parts of the message; none: valid
	}{
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
	}
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
