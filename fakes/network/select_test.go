package network_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

func TestSelectionByWhatAMessageIs(t *testing.T) {
	for _, c := range []struct {
		name  string
		pick  client.Select
		fired int // of the conversation below
	}{
		{"MTI", client.Select{MTI: "0200"}, 4},
		{"any digit", client.Select{MTI: "0?00"}, 5},
		{"every message", client.Select{MTI: "????"}, 7},
		{"direction", client.Select{MTI: "0200", Direction: client.FromHost}, 1},
		{"STAN", client.Select{MTI: "0200", STAN: "000002"}, 1},
		{"field", client.Select{MTI: "0200", Fields: map[string]string{"39": "a*"}}, 2},
		{"field, any character", client.Select{MTI: "0200", Fields: map[string]string{"39": "a?"}}, 1},
		{"two fields", client.Select{MTI: "0200", Fields: map[string]string{"39": "a*", "11": "000001"}}, 1},
		{"nth of what the rest picks", client.Select{MTI: "0200", Fields: map[string]string{"39": "a*"}, Nth: 2}, 1},
		{"nth that never comes", client.Select{MTI: "0200", STAN: "000002", Nth: 2}, 0},
		{"none", client.Select{MTI: "0220"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, memory(), nil)
				terminal, host := w.connect(t)
				w.arm(t, client.Fault{ID: "it", Kind: "drop", Message: c.pick})
				for _, m := range []string{"0200000001a", "0200000002ab", "0200000003b", "0400000004a"} {
					send(t, terminal, m)
				}
				for _, m := range []string{"0200000005b", "0210000006a", "0810000007a"} {
					send(t, host, m)
				}
				synctest.Wait()
				if n := w.fired(t, "it"); n != c.fired {
					t.Errorf("fired %d times, want %d", n, c.fired)
				}
			})
		})
	}
}

func TestSelectionByUplink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.addUplink(t)
		w.arm(t, client.Fault{ID: "other", Kind: "drop", Uplink: "backup", Message: onRequest})
		terminal, host := w.connect(t)
		ask(t, terminal, host)
		if n := w.fired(t, "other"); n != 0 {
			t.Errorf("fired %d times on the primary", n)
		}
	})
}

// Faults that change a message act together, and before the one that delivers it.
func TestFaultsCompose(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.arm(t, client.Fault{ID: "stan", Kind: "rewrite", Message: onResponse, Field: "11", Value: "999999"},
			client.Fault{ID: "twice", Kind: "duplicate", Message: onResponse},
			client.Fault{ID: "bit", Kind: "corrupt", Message: onResponse, At: "last"})
		terminal, host := w.connect(t)
		send(t, host, response)
		receive(t, terminal, "0210999999responsd")
		receive(t, terminal, "0210999999responsd")
		for _, id := range []string{"stan", "twice", "bit"} {
			w.events.wait(t, "fired "+id)
			if n := w.fired(t, id); n != 1 {
				t.Errorf("%s fired %d times", id, n)
			}
		}
	})
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		terminal, host := w.connect(t)
		_, _ = terminal.SetDeadline(time.Time{}), host.SetDeadline(time.Time{})
		w.arm(t, client.Fault{ID: "window", Kind: "drop", Message: onRequest,
			Schedule: &client.Schedule{From: 2 * time.Second, Until: 9 * time.Second, Every: 3 * time.Second, For: time.Second}},
			client.Fault{ID: "flapping", Kind: "refuse", Schedule: &client.Schedule{From: time.Second, Every: 4 * time.Second, For: 2 * time.Second}})
		<-time.After(500 * time.Millisecond)
		var lost, shut strings.Builder
		for range 12 { // at 0.5 s, 1.5 s, …
			send(t, terminal, request)
			synctest.Wait()
			_ = host.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := framing.ReadFrame(host)
			lost.WriteString(mark(err))
			c, err := w.dial(t.Context(), w.server.Addr("").String())
			if err == nil {
				_ = c.Close()
			}
			shut.WriteString(mark(err))
			<-time.After(time.Second)
		}
		if got, want := lost.String(), "__x__x__x___"; got != want {
			t.Errorf("lost at %s, want %s", got, want)
		}
		if got, want := shut.String(), "_xx__xx__xx_"; got != want {
			t.Errorf("refused at %s, want %s", got, want)
		}
		if n := w.fired(t, "flapping"); n != 3 {
			t.Errorf("flapping fired %d times, want 3", n)
		}
		w.heal(t)
		w.connectAfter(t)
	})
}

func mark(err error) string {
	if err != nil {
		return "x"
	}
	return "_"
}

// connectAfter connects behind connections that nobody at the host has accepted.
func (w *world) connectAfter(t *testing.T) {
	t.Helper()
	if c, err := w.dial(t.Context(), w.server.Addr("").String()); err != nil {
		t.Error(err)
	} else {
		_ = c.Close()
	}
}

// What a fault could not do it says, and lets the message go.
func TestUnproven(t *testing.T) {
	for name, f := range map[string]client.Fault{
		"no such message":                      {Kind: "replay", Old: "0400"},
		"the message does not have that place": {Kind: "truncate", At: "field:55", Then: "stall"},
		"another length":                       {Kind: "rewrite", Field: "11", Value: "1"},
	} {
		t.Run(f.Kind, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				terminal, host := w.connect(t)
				f.ID, f.Message = "it", onResponse
				w.arm(t, f)
				send(t, host, response)
				receive(t, terminal, response)
				w.events.wait(t, "unproven it 1 host>terminal 0210 000001 "+name)
				if s := w.server.Status()[0]; s.Fired != 0 || s.Unproven != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
	t.Run("swap", func(t *testing.T) {
		onBoth(t, func(t *testing.T, w *world) {
			terminal, host := w.connect(t)
			w.arm(t, client.Fault{ID: "it", Kind: "swap", Message: onResponse})
			send(t, host, response)
			w.events.wait(t, "message 1 host>terminal 0210")
			w.heal(t)
			receive(t, terminal, response)
			w.events.wait(t, "unproven it 1 host>terminal 0210 000001 no message followed")
		})
	})
}

func TestPlansAsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	text := `
seed: 7
faults:
  - id: flap
    kind: refuse
    uplink: primary
    schedule: {from: 5s, every: 10s, for: 3s}
  - {id: stan, kind: rewrite, message: {mti: "0210", nth: 1, fields: {"39": "0?"}}, field: "11", value: "999999"}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := network.LoadPlan(path)
	if err != nil || len(p.Faults) != 2 || p.Seed != 7 || p.Faults[0].Schedule.Every != 10*time.Second || p.Faults[1].Message.Fields["39"] != "0?" {
		t.Fatalf("%+v, %v", p, err)
	}
	for text, want := range map[string]string{
		"faults: [{id: a, kind: dorp}]":                                   `p.yaml:1:10: unknown kind "dorp"; did you mean "drop"?`,
		"faults:\n- {id: a, kind: drop}":                                  `p.yaml:2:3: message.mti: 4 digits`,
		"faults:\n- {id: a, knd: drop}":                                   `p.yaml:2:11: unknown key "knd"; did you mean "kind"?`,
		"faults: [{id: a, kind: truncate, message: {mti: '0210'}}]":       "then: one of stall, close, reset is needed",
		"faults: [{id: a, kind: refuse, schedule: {every: 2s, for: 3s}}]": "for is the shorter",
	} {
		if _, err := network.ParsePlan("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %q", text, err, want)
		}
	}
}

// The adapter for real dialects: values by path, with all else as it was.
func TestISO8583(t *testing.T) {
	_, codec, payload := realMessages(t)
	m := network.ISO8583(codec)
	if id, ok := m.Identify(payload); id.MTI() != "0200" || id.STAN() != "000123" || !ok {
		t.Errorf("%s %s %v", id.MTI(), id.STAN(), ok)
	}
	if v, ok := m.Read(payload, "4"); v != "000000001250" || !ok {
		t.Errorf("amount %q %v", v, ok)
	}
	if _, ok := m.Read(payload, "39"); ok {
		t.Error("a request has a response code")
	}
	changed, err := m.Rewrite(payload, "11", "000456")
	if err != nil || len(changed) != len(payload) || strings.Replace(string(changed), "000456", "000123", 1) != string(payload) {
		t.Errorf("rewritten: %q, %v", changed, err)
	}
	without, err := m.Rewrite(payload, "49", "")
	if got, unpackErr := codec.Unpack(without); err != nil || unpackErr != nil || got.Fields[49] != "" || got.Fields[11] != "000123" {
		t.Errorf("without field 49: %v %v", err, unpackErr)
	}
	start, value, end, ok := m.Locate(payload, 35)
	if !ok || value-start != 2 || string(payload[value:end]) != "5413330089020011=2912201" {
		t.Errorf("field 35 at %d %d %d %v", start, value, end, ok)
	}
	if err := m.CheckPath("60.btach"); err == nil {
		t.Error("a path that there is not")
	}
}

// A poll is a sign of life and no message: it passes, and the stream goes on.
func TestPollsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), func(c *network.Config) { c.Framing.Polls = true })
		terminal, host := w.connect(t)
		w.arm(t, client.Fault{ID: "it", Kind: "drop", Message: client.Select{MTI: "????"}})
		if _, err := terminal.Write((iso8583.Framing{LengthBytes: 2, MaxLength: 1000, Polls: true}).Poll()); err != nil {
			t.Fatal(err)
		}
		sees(t, host, "\x00\x00")
		for _, c := range []net.Conn{terminal, host} {
			send(t, c, request)
		}
		synctest.Wait()
		if n := w.fired(t, "it"); n != 2 {
			t.Errorf("fired %d times", n)
		}
	})
}

// Whatever a plan file has in it, it is read or refused with a place.
func FuzzParsePlan(f *testing.F) {
	f.Add("faults:\n  - {id: a, kind: truncate, message: {mti: '0210', nth: 2}, at: 'field:39', then: stall}")
	f.Add("seed: 1\nfaults: [{id: a, kind: refuse, schedule: {from: 1s, every: 10s, for: 3s}}, {id: b, kind: junk, junk: 'zz'}]")
	f.Add("faults: [{kind: corrupt, at: 'value:129', mask: '00', probability: 2}]")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := network.ParsePlan("p.yaml", []byte(text)); err != nil && !strings.Contains(err.Error(), "p.yaml:") {
			t.Errorf("without a place: %v", err)
		}
	})
}
