//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

func TestNetworkBadInputIsExit2WithTheRemedy(t *testing.T) {
	serve := func(more ...string) []string {
		return append([]string{"network", "serve", "--dialect", "iso87-ascii", "--uplink", "primary=127.0.0.1:0,127.0.0.1:1"}, more...)
	}
	plan := func(text string) []string { return serve("--plan", written(t, "plan.yaml", text)) }
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown command", []string{"network", "fault"}, `did you mean "faults"?`},
		{"unknown flag", serve("--uplnk", "x"), `did you mean "--uplink"?`},
		{"no dialect", []string{"network", "serve", "--uplink", "primary=127.0.0.1:0,127.0.0.1:1"}, "--dialect is needed"},
		{"unknown dialect", []string{"network", "serve", "--dialect", "iso87-asci", "--uplink", "a=127.0.0.1:0,127.0.0.1:1"}, `did you mean "iso87-ascii"?`},
		{"no uplink", []string{"network", "serve", "--dialect", "iso87-ascii"}, "write --uplink primary=LISTEN,UPSTREAM"},
		{"half an uplink", serve("--uplink", "backup=127.0.0.1:0"), "is not NAME=LISTEN,UPSTREAM"},
		{"an uplink twice", serve("--uplink", "primary=127.0.0.1:0,127.0.0.1:1"), `"primary" is there twice`},
		{"no port", serve("--uplink", "backup=127.0.0.1,127.0.0.1:1"), `"127.0.0.1" is not HOST:PORT`},
		{"port in use", serve("--uplink", "backup="+taken.Addr().String()+",127.0.0.1:1"), "choose another port, or 0 for any free one"},
		{"an address of elsewhere", serve("--uplink", "backup=192.0.2.1:0,127.0.0.1:1"), "this machine has no such address"},
		{"packets on an address", serve("--packet"), "write primary=:0,127.0.0.1:1"},
		{"packet fault without packets", plan("packet:\n  - {kind: loss, percent: 5}\n"), "needs --packet"},
		{"unknown packet fault", plan("packet:\n  - {kind: los}\n"), `plan.yaml:2:5: packet fault: unknown kind "los"; did you mean "loss"?`},
		{"control in use", serve("--control", taken.Addr().String()), "control: "},
		{"control for everybody", serve("--control", ":0"), "give --token-file FILE"},
		{"seed of nothing", serve("--seed", "7"), "needs --plan FILE"},
		{"TLS word", serve("--tls", "expird"), `did you mean "expired"?`},
		{"TLS host without TLS", serve("--tls-host", "pos.test"), "need --tls good"},
		{"DNS name without DNS", serve("--dns-name", "pos.test=127.0.0.1"), "needs --dns LISTEN"},
		{"DNS name without address", serve("--dns", "127.0.0.1:0", "--dns-name", "pos.test"), "is not NAME=ADDRESS"},
		{"no plan", serve("--plan", filepath.Join(t.TempDir(), "none.yaml")), "no such file"},
		{"unknown key in a plan", plan("faults:\n  - {id: a, knd: drop}\n"), `plan.yaml:2:13: unknown key "knd"; did you mean "kind"?`},
		{"unknown fault in a plan", plan("faults:\n  - {id: a, kind: dorp, message: {mti: \"0200\"}}\n"), `did you mean "drop"?`},
		{"unknown TLS fault", append(plan("tls:\n  - {id: a, kind: expird}\n"), "--tls", "good", "--tls-dir", t.TempDir()), `plan.yaml:2:5: unknown kind "expird"; did you mean "expired"?`},
		{"unknown DNS fault", append(plan("dns:\n  - {id: a, kind: nxdomian}\n"), "--dns", "127.0.0.1:0"), `did you mean "nxdomain"?`},
		{"TLS fault without TLS", plan("tls:\n  - {id: a, kind: expired}\n"), "needs --tls good"},
		{"a path that the dialect has not", plan("faults:\n  - {id: a, kind: rewrite, field: \"61\", value: x, message: {mti: \"0210\"}}\n"), "61"},
		{"a capture nowhere", serve("--pcap", filepath.Join(t.TempDir(), "no", "such.pcapng")), "no such file"},
		{"an empty token", serve("--token-file", written(t, "token", "\n")), "a token is one line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // what starts after all ends with 0
			defer cancel()
			var out, complaints bytes.Buffer
			if code := run(ctx, c.args, &out, &complaints); code != exitUsage {
				t.Errorf("exit %d, want %d", code, exitUsage)
			}
			if text := complaints.String(); !strings.Contains(text, c.want) || !strings.HasPrefix(text, "assay:") {
				t.Errorf("got %s\nwant %q", text, c.want)
			}
		})
	}
}

func TestNetworkLists(t *testing.T) {
	var text, list bytes.Buffer
	if code := run(t.Context(), []string{"network", "faults"}, &text, io.Discard); code != exitPass {
		t.Errorf("exit %d", code)
	}
	if code := run(t.Context(), []string{"network", "faults", "--json"}, &list, io.Discard); code != exitPass {
		t.Errorf("--json: exit %d", code)
	}
	var faults []struct{ Level, Kind string }
	if err := json.Unmarshal(list.Bytes(), &faults); err != nil {
		t.Fatal(err)
	}
	levels := map[string]int{}
	for _, f := range faults {
		levels[f.Level]++
	}
	if levels["message"] == 0 || levels["tls"] == 0 || levels["dns"] == 0 || levels["packet"] == 0 {
		t.Errorf("levels: %v", levels)
	}
	if lines := strings.Count(text.String(), "\n"); lines != len(faults)+1 {
		t.Errorf("%d lines for %d faults", lines, len(faults))
	}
}

func TestNetworkProbeSaysWhyNot(t *testing.T) {
	var out, list bytes.Buffer
	if code := run(t.Context(), []string{"network", "probe"}, &out, io.Discard); code != exitPass {
		t.Errorf("exit %d", code)
	}
	if code := run(t.Context(), []string{"network", "probe", "--json"}, &list, io.Discard); code != exitPass {
		t.Errorf("--json: exit %d", code)
	}
	var found []struct {
		Fault, Mechanism, Why string
		OK                    bool
	}
	if err := json.Unmarshal(list.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 || strings.Count(out.String(), "\n") != len(found)+1 {
		t.Errorf("%d faults:\n%s", len(found), out.String())
	}
	for _, c := range found {
		if c.OK && c.Mechanism == "" || !c.OK && c.Why == "" {
			t.Errorf("%+v: neither how nor why not", c)
		}
	}
	if code := run(t.Context(), []string{"network", "clean"}, io.Discard, io.Discard); code != exitPass {
		t.Errorf("clean: exit %d", code)
	}
}

var asciiFraming = iso8583.Framing{LengthBytes: 2, MaxLength: 4096}

// Messages of iso87-ascii; the PAN is a test card's.
const (
	pan         = "4761739001010010"
	saleRequest = "0200" + "4020000000000000" + "16" + pan + "000001"
	saleAnswer  = "0210" + "4020000000000000" + "16" + pan + "000001"
)

// startUpstream answers every request with saleAnswer, and ends with the test.
func startUpstream(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				for {
					if _, err := asciiFraming.ReadFrame(c); err != nil {
						return
					}
					if err := asciiFraming.WriteFrame(c, []byte(saleAnswer)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// payThrough is one request and what comes of it.
func payThrough(c net.Conn, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if err := asciiFraming.WriteFrame(c, []byte(saleRequest)); err != nil {
		return "", err
	}
	answer, err := asciiFraming.ReadFrame(c)
	return string(answer), err
}

// injectorProcess is an injector as a user runs it.
type injectorProcess struct {
	*process
	ready   readyNetwork
	control *network.Client
}

func serveInjector(t *testing.T, args ...string) *injectorProcess {
	t.Helper()
	s := &injectorProcess{process: start(t, append([]string{"network", "serve", "--dialect", "iso87-ascii", "--uplink", "primary=127.0.0.1:0," + startUpstream(t)}, args...)...)}
	if err := json.Unmarshal([]byte(s.line(t)), &s.ready); err != nil {
		t.Fatal(err)
	}
	if s.ready.PID != s.Process.Pid || s.ready.Dialect != "iso87-ascii" {
		t.Errorf("ready: %+v", s.ready)
	}
	token := ""
	if s.ready.TokenFile != "" {
		data, err := os.ReadFile(s.ready.TokenFile)
		if err != nil {
			t.Fatal(err)
		}
		token = strings.TrimSpace(string(data))
	}
	s.control = network.New(http.DefaultClient, s.ready.Control, network.WithToken(token))
	return s
}

func (s *injectorProcess) dial() (net.Conn, error) {
	return net.Dial("tcp", s.ready.Uplinks["primary"])
}

// interrupted is Ctrl-C, and what the process says until its end.
func (s *injectorProcess) interrupted(t *testing.T) string {
	t.Helper()
	begin := time.Now()
	if err := s.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	code, rest := s.ended(t)
	if took := time.Since(begin); code != exitPass || took > 30*time.Second {
		t.Errorf("exit %d after %v\n%s", code, took, rest)
	}
	return rest
}

// An injector as a user runs it: armed over HTTP, with a token, a capture, and an end in order.
func TestNetworkServe(t *testing.T) {
	dir := t.TempDir()
	capture := filepath.Join(dir, "run.pcapng")
	s := serveInjector(t, "--token-file", filepath.Join(dir, "token"), "--pcap", capture, "--verbose")
	if answer, err := payThrough(s.dial()); err != nil || answer != saleAnswer {
		t.Errorf("without a fault: %q, %v", answer, err)
	}
	plan := network.Plan{Faults: []network.Fault{{ID: "cut", Kind: "reset", Message: network.Select{MTI: "0210"}}}}
	var refused *network.Error
	if err := network.New(http.DefaultClient, s.ready.Control).Arm(t.Context(), plan); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("without the token: %v", err)
	}
	if err := s.control.Arm(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if _, err := payThrough(s.dial()); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("with the fault: %v, want ECONNRESET", err)
	}
	waitForFired(t, s.control, "cut")
	if err := s.control.Heal(t.Context()); err != nil {
		t.Error(err)
	}
	if answer, err := payThrough(s.dial()); err != nil || answer != saleAnswer {
		t.Errorf("after healing: %q, %v", answer, err)
	}
	open, err := s.dial() // Ctrl-C does not wait for it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	log := s.interrupted(t)
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if !strings.Contains(log, `"msg":"fired","level_of_fault":"message"`) {
		t.Errorf("the log does not tell of the fault:\n%s", log)
	}
	written, err := os.ReadFile(capture)
	if err != nil || !bytes.Contains(written, []byte("0210402000")) || !bytes.Contains(written, []byte("fired fault fault=cut kind=reset")) {
		t.Errorf("the capture of %d bytes: %v", len(written), err)
	}
	for _, text := range []string{log, string(written)} {
		if strings.Contains(text, pan) || strings.Contains(text, pan[4:12]) {
			t.Error("a card number is in clear")
		}
	}
}

// A capture is whole up to the moment at which the process was killed.
func TestNetworkCaptureSurvivesKill(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed here (package tshark or wireshark-cli)")
	}
	capture := filepath.Join(t.TempDir(), "run.pcapng")
	s := serveInjector(t, "--pcap", capture)
	if answer, err := payThrough(s.dial()); err != nil || answer != saleAnswer {
		t.Fatalf("%q, %v", answer, err)
	}
	if err := s.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code, _ := s.ended(t); code == exitPass {
		t.Error("it was not killed")
	}
	_, port, err := net.SplitHostPort(s.ready.Uplinks["primary"])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tshark, "-n", "-r", capture, "-d", "tcp.port=="+port+",iso8583", "-o", "iso8583.len_endian:Big endian",
		"-Y", "tcp.port=="+port+" && iso8583", "-T", "fields", "-e", "iso8583.mti", "-e", "iso8583.bit2", "-e", "iso8583.bit11")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	const want = "0200\t0000000000000000\t000001\n0210\t0000000000000000\t000001\n"
	if err != nil || string(out) != want {
		t.Errorf("tshark reads %q, %v; want %q", out, err, want)
	}
}

// waitForFired waits for the event: it comes when the fault has acted, which the terminal may see before.
func waitForFired(t *testing.T, c *network.Client, fault string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for reader := c.Events(); ; {
		events, err := reader.Next(ctx, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == "fired" && e.Fields["fault"] == fault {
				return
			}
		}
	}
}
