package nearest

import (
	"strings"
	"testing"
)

func TestUnknown(t *testing.T) {
	for _, c := range []struct {
		word  string
		words []string
		want  string
	}{
		{"btach", []string{"type", "batch"}, `unknown part "btach"; did you mean "batch"?`},
		{"zebra", []string{"type", "batch"}, `unknown part "zebra"; known: type, batch`},
		{"zebra", nil, `unknown part "zebra"; there is none`},
		{"zebra", strings.Fields(strings.Repeat("word ", maxListed+1)), "word, …"},
	} {
		if got := Unknown("part", c.word, c.words); !strings.HasSuffix(got, c.want) {
			t.Errorf("%q: %q, want %q", c.word, got, c.want)
		}
	}
}

func TestWord(t *testing.T) {
	words := []string{"customer-id", "chip", "pin", "prompt"}
	for word, want := range map[string]string{
		"custmer-id": "customer-id", "Chip": "chip", "pni": "pin", "promt": "prompt", "cust": "customer-id", "zebra": "", "x": "",
	} {
		if got, ok := Word(word, words); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", word, got, ok, want)
		}
	}
}
