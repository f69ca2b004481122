package emv_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

func TestBuildCommand(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		le   int
		want string
	}{
		{"case 1", nil, -1, "80AE0102"},
		{"case 2", nil, 0, "80AE010200"},
		{"case 2, 16 bytes", nil, 16, "80AE010210"},
		{"case 3", []byte{0x83, 0}, -1, "80AE0102028300"},
		{"case 4", []byte{0x83, 0}, 256, "80AE010202830000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := emv.BuildCommand(0x80, 0xAE, 1, 2, tt.data, tt.le)
			if !bytes.Equal(got, fromHex(t, tt.want)) {
				t.Fatalf("got %X, want %s", got, tt.want)
			}
		})
	}
	if emv.BuildCommand(0, 0, 0, 0, make([]byte, 256), -1) != nil {
		t.Error("256 data bytes taken")
	}
	if emv.BuildCommand(0, 0, 0, 0, nil, 257) != nil {
		t.Error("Le 257 taken")
	}
}

func TestSplitResponse(t *testing.T) {
	data, sw, err := emv.SplitResponse([]byte{1, 2, 0x90, 0})
	if err != nil || sw != emv.SWOK || !bytes.Equal(data, []byte{1, 2}) {
		t.Fatalf("got %X %04X %v", data, sw, err)
	}
	if data, sw, err := emv.SplitResponse([]byte{0x6A, 0x82}); err != nil || sw != emv.SWFileNotFound || len(data) != 0 {
		t.Fatalf("got %X %04X %v", data, sw, err)
	}
	for _, r := range [][]byte{nil, {0x90}} {
		if _, _, err := emv.SplitResponse(r); !errors.Is(err, emv.ErrResponse) {
			t.Fatalf("%d bytes: %v", len(r), err)
		}
	}
}
