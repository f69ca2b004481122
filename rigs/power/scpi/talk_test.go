package scpi

import (
	"errors"
	"strings"
	"testing"
)

func TestParseVolts(t *testing.T) {
	for text, want := range map[string]float64{"+5.01230000E+00": 5.0123, "5": 5, "4.98V": 4.98, "12.0 v": 12, "-0.001": -0.001} {
		if got, err := parseVolts(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "V", "9.9E37", "NAN", "inf", "5.0A", "5,0"} {
		if got, err := parseVolts(text); !errors.Is(err, ErrAnswer) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestNoError(t *testing.T) {
	for text, want := range map[string]bool{`0,"No error"`: true, `+0,"No error"`: true, "0": true, `-222,"Data out of range"`: false, `10,"x"`: false} {
		if noError(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// FuzzAnswer: whatever a line brings is an answer of the form that was asked for, or an error.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"1\r", "OFF", "+5.0E+00", "9.9E37", "\x00\xff", `-113,"Undefined header"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		text, err := printable(line)
		if err == nil && (text == "" || strings.ContainsAny(text, "\r\n\x1b")) {
			t.Errorf("%q is printable", text)
		}
		if _, err := parseState(text); err == nil && len(text) > len("OFF") {
			t.Errorf("%q is a state", text)
		}
		if v, err := parseVolts(text); err == nil && (v != v || v > voltsMax || v < -voltsMax) {
			t.Errorf("%q is %v V", text, v)
		}
		noError(text)
	})
}
