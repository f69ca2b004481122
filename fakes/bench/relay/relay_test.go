package relay_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench/relay"
	"github.com/assay-hil/assay/protocol/memnet"
)

// talk sends each command and returns everything that the board sent, and how contacts moved.
func talk(t *testing.T, cfg relay.Config, sent ...string) (answers string, moves []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		b := relay.New(near, cfg, func(channel int, on bool) {
			moves = append(moves, fmt.Sprintf("%d %v", channel, on))
		})
		for _, text := range sent {
			if _, err := far.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		got, _ := io.ReadAll(far) // ends with the deadline
		answers = string(got)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		_ = far.Close()
	})
	return answers, moves
}

func TestBoard(t *testing.T) {
	for _, test := range []struct {
		name  string
		cfg   relay.Config
		sent  string
		want  string
		moves []string
	}{
		{"on", relay.Config{}, "relay on 0\r", "relay on 0\n\r>", []string{"0 true"}},
		{"off", relay.Config{On: 1}, "relay off 0\r", "relay off 0\n\r>", []string{"0 false"}},
		{"on again", relay.Config{On: 1}, "relay on 0\r", "relay on 0\n\r>", nil},
		{"read on", relay.Config{On: 2}, "relay read 1\r", "relay read 1\n\ron\n\r>", nil},
		{"read off", relay.Config{On: 2}, "relay read 0\r", "relay read 0\n\roff\n\r>", nil},
		{"readall", relay.Config{On: 0x81}, "relay readall\r", "relay readall\n\r81\n\r>", nil},
		{"writeall", relay.Config{On: 0x01}, "relay writeall 06\r", "relay writeall 06\n\r>", []string{"0 false", "1 true", "2 true"}},
		{"writeall: no mask", relay.Config{On: 1}, "relay writeall zz\r", "relay writeall zz\n\r>", nil},
		{"writeall: too wide", relay.Config{On: 1}, "relay writeall 100\r", "relay writeall 100\n\r>", nil},
		{"ver", relay.Config{}, "ver\r", "ver\n\r00000008\n\r>", nil},
		{"id", relay.Config{}, "id get\r", "id get\n\r00000000\n\r>", nil},
		{"CR LF", relay.Config{}, "ver\r\n", "ver\n\r00000008\n\r>", nil},
		{"bare CR", relay.Config{}, "\r", "\n\r>", nil},
		{"no end", relay.Config{}, "relay on 0", "relay on 0", nil},
		{"no such channel", relay.Config{}, "relay on 8\r", "relay on 8\n\r>", nil},
		{"negative channel", relay.Config{}, "relay on -1\r", "relay on -1\n\r>", nil},
		{"unknown", relay.Config{}, "reboot now\r", "reboot now\n\r>", nil},
		{"too long", relay.Config{}, "relay on 0" + strings.Repeat(" ", 40) + "\r", "relay on 0" + strings.Repeat(" ", 40) + "\n\r>", nil},
		{"dead", relay.Config{Faults: relay.Faults{Dead: true}}, "relay on 0\r", "", nil},
		{
			"stuck", relay.Config{On: 1, Faults: relay.Faults{Stuck: true}}, "relay off 0\rrelay read 0\r",
			"relay off 0\n\r>relay read 0\n\ron\n\r>", nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, sent := range [][]string{{test.sent}, strings.Split(test.sent, "")} {
				got, moves := talk(t, test.cfg, sent...)
				if got != test.want || !slices.Equal(moves, test.moves) {
					t.Errorf("in %d writes: got %q, moves %q; want %q, %q", len(sent), got, moves, test.want, test.moves)
				}
			}
		})
	}
}

func FuzzRelayLine(f *testing.F) {
	for _, seed := range []string{"relay on 0\r", "relay writeall ff\rrelay readall\r", "\r\r\n", "relay read 9\r", "id get\rver\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		near, far := memnet.Pipe()
		state := uint8(0)
		b := relay.New(near, relay.Config{}, func(channel int, on bool) {
			if channel < 0 || channel >= relay.Channels {
				t.Errorf("channel %d moved", channel)
			}
			state ^= 1 << channel
			if on != (state&(1<<channel) != 0) {
				t.Errorf("channel %d moved to where it was", channel)
			}
		})
		in = append(slices.Clone(in[:min(len(in), 1000)]), "\rrelay readall\r"...)
		if _, err := far.Write(in); err != nil {
			t.Fatal(err)
		}
		_ = far.SetReadDeadline(time.Now().Add(10 * time.Second))
		var got []byte
		// Every command ends with a prompt, which no echo can look like: after the last one nothing moves.
		for chunk := make([]byte, 4096); bytes.Count(got, []byte("\n\r>")) < bytes.Count(in, []byte("\r")); {
			n, err := far.Read(chunk)
			got = append(got, chunk[:n]...)
			if err != nil {
				t.Fatalf("after %q: %v", got, err)
			}
		}
		if want := fmt.Sprintf("readall\n\r%02x\n\r>", state); !bytes.HasSuffix(got, []byte(want)) {
			t.Errorf("got %q, want it to end with %q", got, want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		_ = far.Close()
	})
}
