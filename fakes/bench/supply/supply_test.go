package supply_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench/supply"
	"github.com/assay-hil/assay/protocol/memnet"
)

// talk sends a text, piece by piece, and gives everything that the supply sent, and what it switched.
func talk(t *testing.T, cfg supply.Config, pieces ...string) (answers string, switched []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		s := supply.New(near, cfg, func(output int, on bool) { switched = append(switched, fmt.Sprintf("%d %v", output, on)) })
		for _, p := range pieces {
			if _, err := far.Write([]byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		got, _ := io.ReadAll(far) // ends with the deadline
		answers = string(got)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		_ = far.Close()
	})
	return answers, switched
}

func TestSupply(t *testing.T) {
	const fine = "+0,\"No error\"\n"
	for _, c := range []struct {
		name     string
		cfg      supply.Config
		sent     string
		want     string
		switched []string
	}{
		{"identity", supply.Config{}, "*IDN?\n", supply.Identity + "\n", nil},
		{"on", supply.Config{}, "OUTP 1\nOUTP?\nMEAS:VOLT?\n", "1\n+5.00000000E+00\n", []string{"1 true"}},
		{"off", supply.Config{On: 1}, "OUTP OFF\nOUTP?\nMEAS:VOLT?\n", "0\n+0.00000000E+00\n", []string{"1 false"}},
		{"on again", supply.Config{On: 1}, "OUTP ON\n", "", nil},
		{"long forms, lower case, CR LF", supply.Config{}, ":output:state on\r\noutput?\r\n", "1\n", []string{"1 true"}},
		{"several in a line", supply.Config{}, "INST:NSEL 2;OUTP 1;OUTP?;MEAS:VOLT?\n", "1;+5.00000000E+00\n", []string{"2 true"}},
		{"another output is not concerned", supply.Config{}, "INST:NSEL 3\nOUTP 1\nINST:NSEL 1\nOUTP?\n", "0\n", []string{"3 true"}},
		{"no such output", supply.Config{}, "INST:NSEL 4\nSYST:ERR?\nSYST:ERR?\n", "-222,\"Data out of range\"\n" + fine, nil},
		{"unknown", supply.Config{}, "VOLT 5\nSYST:ERR?\n", "-113,\"Undefined header\"\n", nil},
		{"no argument", supply.Config{}, "OUTP\nINST:NSEL\nSYST:ERR?\nSYST:ERR?\n", strings.Repeat("-109,\"Missing parameter\"\n", 2), nil},
		{"not a state", supply.Config{}, "OUTP MAYBE\nSYST:ERR?\n", "-224,\"Illegal parameter value\"\n", nil},
		{"errors are forgotten", supply.Config{}, "X\n*CLS\nSYST:ERR?\n", fine, nil},
		{"too many errors", supply.Config{}, strings.Repeat("X\n", 25) + strings.Repeat("SYST:ERR?\n", 21),
			strings.Repeat("-113,\"Undefined header\"\n", 19) + "-350,\"Queue overflow\"\n" + fine, nil},
		{"too long", supply.Config{}, strings.Repeat(" ", 300) + "*IDN?\nSYST:ERR?\n", "-363,\"Input buffer overrun\"\n", nil},
		{"dead", supply.Config{Faults: supply.Faults{Dead: true}}, "OUTP 1\n*IDN?\n", "", nil},
		{"stuck", supply.Config{Faults: supply.Faults{Stuck: true}}, "OUTP 1\nOUTP?\nSYST:ERR?\n", "0\n" + fine, nil},
		{"tripped", supply.Config{Faults: supply.Faults{Tripped: true}}, "OUTP 1\nOUTP?\nMEAS:VOLT?\n", "1\n+0.00000000E+00\n", []string{"1 true"}},
		{"locked", supply.Config{Faults: supply.Faults{Locked: true}}, "OUTP 1\nOUTP?\nSYST:ERR?\n", "0\n-203,\"Command protected\"\n", nil},
		{"talks", supply.Config{Faults: supply.Faults{Talks: true}}, "OUTP?\n", "temperature 31.5\n0\n", nil},
		{"garbled", supply.Config{Faults: supply.Faults{Garbled: true}}, "OUTP?\n", " \x1a", nil},
		{"an answer is late", supply.Config{Faults: supply.Faults{SwallowsAnswer: 1}}, "*IDN?\nOUTP?\n", supply.Identity + "\n0\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, pieces := range [][]string{{c.sent}, strings.Split(c.sent, "")} {
				got, switched := talk(t, c.cfg, pieces...)
				if got != c.want || !slices.Equal(switched, c.switched) {
					t.Errorf("in %d pieces: %q, switched %q; want %q, %q", len(pieces), got, switched, c.want, c.switched)
				}
			}
		})
	}
}
