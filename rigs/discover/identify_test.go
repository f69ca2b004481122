package discover

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs/serial"
)

// peer answers on a pseudo-terminal as a script says, and keeps what it was told.
type peer struct {
	mu    sync.Mutex
	heard []byte
}

func (p *peer) told() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.heard)
}

// answers listens on a line until it ends: greeting comes by itself, an answer when its question was heard.
func (p *peer) answers(line io.ReadWriter, greeting string, answers map[string]string) {
	_, _ = io.WriteString(line, greeting) // a closed line shows in the result
	buf := make([]byte, 256)
	for {
		n, err := line.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.heard = append(p.heard, buf[:n]...)
		p.mu.Unlock()
		for question, answer := range answers {
			if bytes.Contains(buf[:n], []byte(question)) {
				_, _ = io.WriteString(line, answer)
			}
		}
	}
}

// found is what is found out, in virtual time, about a peer.
func found(t *testing.T, d *Device, greeting string, answers map[string]string) (f Found, told string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := memnet.Pipe()
		p, done := &peer{}, make(chan struct{})
		go func() { defer close(done); p.answers(theirs, greeting, answers) }()
		f = Found{Path: "x", Device: d}
		f.converse(t.Context(), serial.New("x", ours))
		_ = theirs.Close()
		<-done
		told = p.told()
	})
	return f, told
}

// TestIdentifyOnAPseudoTerminal: the same in real time, where a path is opened.
func TestIdentifyOnAPseudoTerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	p, done := &peer{}, make(chan struct{})
	go func() {
		defer close(done)
		p.answers(master, "\r\nGrbl 1.1h ['$' for help]\r\n", map[string]string{"$I": "[VER:1.1h.20190825:]\r\nok\r\n"})
	}()
	f := Identify(t.Context(), slave.Name(), nil)
	if f.Err != nil || f.Driver != "grbl" || !strings.HasSuffix(f.Says, "VER:1.1h.20190825:") {
		t.Errorf("%+v", f)
	}
	_ = slave.Close()
	_ = master.Close()
	<-done
	harmless(t, p.told())
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name, greeting string
		answers        map[string]string
		instrument     string
		driver, says   string
	}{
		{"GRBL by its banner", "\r\nGrbl 1.1h ['$' for help]\r\n", map[string]string{"$I": "[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\nok\r\n"}, "keypad", "grbl", "Grbl 1.1h ['$' for help], VER:1.1h.20190825:"},
		{"GRBL that was on already", "", map[string]string{"?": "<Alarm|MPos:0.000,0.000,0.000|FS:0,0>\r\n"}, "keypad", "grbl", "GRBL, status Alarm|MPos:0.000,0.000,0.000|FS:0,0"},
		{"FluidNC with a banner of its own", "Grbl 3.7 my robot\r\n", map[string]string{"$I": "[VER:3.7 FluidNC v3.7.8:]\r\nok\r\n"}, "keypad", "fluidnc", "FluidNC v3.7.8"},
		{"Marlin", "start\r\necho:Marlin bugfix-2.1.x\r\n", nil, "keypad", "marlin", "Marlin bugfix-2.1.x"},
		{"ChameleonUltra", "", map[string]string{"\x11\xef\x03\xe8": "\x11\xef\x03\xe8\x00\x68\x00\x02\xab\x02\x01\xfd"}, "card", "chameleon-ultra", "ChameleonUltra firmware 2.1"},
		{"Numato", "", map[string]string{"ver": "\r\n>ver\n\r00000008\n\r>"}, "power", "numato", "Numato firmware 00000008"},
		{"supply", "", map[string]string{"*IDN?": "RIGOL TECHNOLOGIES,DP832,DP8C1,00.01.14\n"}, "power", "scpi", "RIGOL TECHNOLOGIES,DP832,DP8C1,00.01.14"},
		{"a debug line with a card number", "[APP] card 4761739001010119 read\r\n", nil, "", "", "unknown: [APP] card 476173******0119 read"},
		{"nothing", "", nil, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, told := found(t, nil, c.greeting, c.answers)
			if f.Err != nil || f.Instrument != c.instrument || f.Driver != c.driver || !strings.Contains(f.Says, c.says) || (c.says == "") != (f.Says == "") {
				t.Errorf("%+v", f)
			}
			harmless(t, told)
		})
	}
}

// harmless fails for anything that could make a machine move or a relay switch.
func harmless(t *testing.T, told string) {
	t.Helper()
	for _, bad := range []string{"G0", "G1", "G28", "$H", "$J", "$X", "~", "\x18", "relay", "OUTP", "INSERT", "TAP", "HALT", "HELLO"} {
		if strings.Contains(told, bad) {
			t.Errorf("%q was sent", bad)
		}
	}
}

func TestIdentifyKeepsToWhatAMakerBuilds(t *testing.T) {
	f, told := found(t, &Device{VID: "2a19", PID: "0c05"}, "", map[string]string{"ver": "ver\r00000008\r>"})
	if f.Driver != "numato" || strings.Contains(told, "$I") || strings.Contains(told, "?") {
		t.Errorf("%+v after %q", f, told)
	}
}

func TestIdentifySaysWhyItCouldNotAsk(t *testing.T) {
	found, err := All(t.Context(), System, []string{"/dev/no-such-port"})
	if err != nil || len(found) != 1 || found[0].Err == nil || !errors.Is(found[0].Err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", found, err)
	}
	if lines := Instruments(found); len(lines) != 0 {
		t.Errorf("a rig file with %v", lines)
	}
}
