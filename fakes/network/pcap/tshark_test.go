package pcap_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/network/pcap"
)

// tshark runs it on a capture and gives what it prints.
func tshark(t *testing.T, capture string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed here (package tshark or wireshark-cli)")
	}
	var complaints strings.Builder
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-n", "-r", capture}, args...)...)
	cmd.Stderr = &complaints
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	return string(out)
}

// sign-on and its answer as iso87-ascii has them; the PAN-like field 2 is masked as a codec would.
const (
	signOn = "0800" + "8220000000000000" + "0400000000000000" + "1122120000" + "000001" + "301"
	answer = "0810" + "8220000002000000" + "0400000000000000" + "1122120000" + "000001" + "00" + "301"
	sale   = "0200" + "6000000000000000" + "16" + "0000000000000000" + "000000"
)

func writeCapture(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.pcapng")
	w, err := pcap.Create(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	near := w.Open(pcap.Terminal, terminal, port, "uplink primary, connection 1")
	far := w.Open(pcap.Host, six, sixPort, "uplink primary, connection 1")
	near.Data(pcap.Dialler, frame(signOn)[:1]) // split inside the length
	near.Data(pcap.Dialler, frame(signOn)[1:])
	far.Data(pcap.Dialler, frame(signOn))
	far.Data(pcap.Listener, frame(answer))
	near.Data(pcap.Listener, frame(answer))
	near.Data(pcap.Dialler, frame(sale))
	w.Note("fault lost fired: drop")
	near.Data(pcap.Dialler, make([]byte, 200_000))
	near.Fin(pcap.Dialler)
	near.Fin(pcap.Listener)
	far.Fin(pcap.Dialler)
	far.Fin(pcap.Listener)
	again := w.Open(pcap.Terminal, terminal, port, "uplink primary, connection 2") // the same ports
	again.Data(pcap.Dialler, frame(sale))
	again.Fin(pcap.Listener)
	again.Fin(pcap.Dialler)
	// Not closed: a capture is whole also when its process was killed.
	t.Cleanup(func() { _ = w.Close() })
	return path
}

func TestTsharkFindsNothingWrong(t *testing.T) {
	path := writeCapture(t)
	if found := tshark(t, path, "-Y", "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags && !tcp.analysis.reused_ports",
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"); found != "" {
		t.Errorf("found:\n%s", found)
	}
	for _, severity := range []string{"_ws.expert.severity == Error", "_ws.expert.severity == Warning"} {
		if found := tshark(t, path, "-Y", severity, "-d", "tcp.port==8583,iso8583"); strings.Contains(found, "TCP") {
			t.Errorf("%s:\n%s", severity, found)
		}
	}
	if got := tshark(t, path, "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"); got != "terminal\tuplink primary, connection 1\nhost\tuplink primary, connection 1\nterminal\tuplink primary, connection 2\n" {
		t.Errorf("handshakes:\n%s", got)
	}
}

func TestTsharkCanFindSomethingWrong(t *testing.T) {
	path := writeCapture(t)
	capture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(capture), signOn)
	capture[at] ^= 1
	if err := os.WriteFile(path, capture, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := tshark(t, path, "-Y", "tcp.checksum.status == 0", "-o", "tcp.check_checksum:TRUE"); strings.Count(found, "\n") != 1 {
		t.Errorf("a changed byte is not found:\n%s", found)
	}
}

func TestTsharkReassembles(t *testing.T) {
	got := tshark(t, writeCapture(t), "-q", "-z", "follow,tcp,raw,1")
	for _, want := range []string{fmt.Sprintf("\n%s\n", hex.EncodeToString(frame(signOn))), fmt.Sprintf("\n\t%s\n", hex.EncodeToString(frame(answer)))} {
		if !strings.Contains(got, want) {
			t.Errorf("not found: %q in\n%s", want, got)
		}
	}
}

func TestTsharkReadsMessages(t *testing.T) {
	got := tshark(t, writeCapture(t), "-Y", "iso8583 && tcp.stream < 2", "-T", "fields", "-e", "tcp.stream", "-e", "iso8583.mti", "-e", "iso8583.bit11",
		"-e", "iso8583.bit39", "-d", "tcp.port==8583,iso8583", "-d", "tcp.port==8584,iso8583", "-o", "iso8583.len_endian:Big endian")
	for _, want := range []string{"0\t0800\t000001\t", "1\t0800\t000001\t", "1\t0810\t000001\t00", "0\t0810\t000001\t00", "0\t0200\t\t"} {
		if !strings.Contains(got, want) {
			t.Errorf("not found: %q in\n%s", want, got)
		}
	}
}

// A capture that grows is readable at any time: here after every packet of its first messages.
func TestTsharkReadsWhatIsThereSoFar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "growing.pcapng")
	w, err := pcap.Create(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if got := tshark(t, path); got != "" {
		t.Errorf("an empty capture: %s", got)
	}
	s := w.Open(pcap.Terminal, terminal, port, "")
	for packets, step := range []func(){func() {}, func() { s.Data(pcap.Dialler, frame(signOn)) }, func() { s.Reset(pcap.Listener) }} {
		step()
		if got := tshark(t, path); strings.Count(got, "\n") != 3+packets {
			t.Errorf("want %d packets:\n%s", 3+packets, got)
		}
	}
}
