//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/emv"
)

// pcscLimit bounds a PC/SC stack's whole life in these tests: its start takes a second or two.
const pcscLimit = 90 * time.Second

// pcscScript is a PC/SC stack with a card in its virtual reader, in namespaces of its own: vpcd listens on every address, and
// pcscd knows one place for its socket. It needs no service manager: where CI runs as root without one, neither systemd nor
// polkit is asked (Debian's pcscd has no polkit; one that has is told to do without). $1 is a folder, $2 the card, $3 its side; the rest
// is for opensc-tool. Everything that it started ends with it.
const pcscScript = `
set -eu
folder=$1 card=$2 side=$3; shift 3
mount -t tmpfs tmpfs /run
mkdir -p /run/pcscd
ip link set lo up
polkit=
if pcscd --help 2>&1 | grep -q -- --disable-polkit; then polkit=--disable-polkit; fi
pcscd --foreground --config "$folder/readers" $polkit >"$folder/pcscd.log" 2>&1 & stack=$!
trap 'kill $stack $plug 2>/dev/null || true; wait' EXIT
plug=
until [ -S /run/pcscd/pcscd.comm ]; do kill -0 $stack; sleep 0.1; done
"$ASSAY" card serve --card "$card" --interface "$side" --wait 30s >"$folder/card.json" & plug=$!
until [ -s "$folder/card.json" ]; do kill -0 $plug; sleep 0.1; done
until opensc-tool --reader 0 --atr >/dev/null 2>&1; do kill -0 $stack; kill -0 $plug; sleep 0.1; done
opensc-tool --reader 0 "$@"
`

// readerConf describes the virtual reader to pcscd.
const readerConf = `FRIENDLYNAME "Virtual PCD"
DEVICENAME   /dev/null:0x8C7B
LIBPATH      %s
CHANNELID    0x8C7B
`

// pcsc says where vpcd's driver is, or skips the test with what this machine lacks.
func pcsc(t *testing.T) (driver string) {
	t.Helper()
	for _, c := range []struct{ command, pack string }{{"pcscd", "pcscd"}, {"opensc-tool", "opensc"}, {"ip", "iproute2"}, {"mount", "mount"}} {
		if _, err := exec.LookPath(c.command); err != nil {
			t.Skipf("Debian's %s is not installed: %v", c.pack, err)
		}
	}
	found, err := filepath.Glob("/usr/lib/pcsc/drivers/serial/libifdvpcd.so*")
	if err != nil || len(found) == 0 {
		t.Skip("Debian's vsmartcard-vpcd is not installed: no /usr/lib/pcsc/drivers/serial/libifdvpcd.so")
	}
	probe := exec.Command("true")
	probe.SysProcAttr = ownNamespaces()
	err = probe.Run()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) { // the latter where the kernel's limit of them is 0
		t.Skipf("no namespaces for network and mounts may be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// ownNamespaces are for network and mounts; who is not root gets one for users too.
func ownNamespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Setpgid: true}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// askThroughPCSC sends commands to a card through opensc-tool and pcscd, and gives the answers with their status.
func askThroughPCSC(t *testing.T, card, side string, commands ...string) [][]byte {
	t.Helper()
	driver, folder := pcsc(t), t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "readers"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "readers", "vpcd"), fmt.Appendf(nil, readerConf, driver), 0o644); err != nil {
		t.Fatal(err)
	}
	self := static(t)
	ctx, cancel := context.WithTimeout(t.Context(), pcscLimit)
	defer cancel()
	args := []string{"-c", pcscScript, "pcsc", folder, card, side}
	for _, c := range commands {
		args = append(args, "--send-apdu", c)
	}
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Env = append(os.Environ(), "ASSAY="+self)
	cmd.SysProcAttr = ownNamespaces()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "pcscd.log"))
		t.Fatalf("%v\n%s\npcscd:\n%s", err, out, log)
	}
	return answersOf(t, string(out))
}

var (
	received = regexp.MustCompile(`Received \(SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})\)`)
	dumped   = regexp.MustCompile(`^((?:[0-9A-F]{2} ){1,16})`)
)

// answersOf reads what opensc-tool prints of each answer: the status, then a dump of the data.
func answersOf(t *testing.T, out string) (answers [][]byte) {
	t.Helper()
	var status []byte
	for line := range strings.Lines(out) {
		switch m, d := received.FindStringSubmatch(line), dumped.FindStringSubmatch(line); {
		case m != nil:
			if status != nil {
				answers[len(answers)-1] = append(answers[len(answers)-1], status...)
			}
			status = unhexed(t, m[1]+m[2])
			answers = append(answers, nil)
		case d != nil && len(answers) > 0:
			answers[len(answers)-1] = append(answers[len(answers)-1], unhexed(t, strings.ReplaceAll(d[1], " ", ""))...)
		}
	}
	if len(answers) == 0 {
		t.Fatalf("no answers in what opensc-tool says:\n%s", out)
	}
	answers[len(answers)-1] = append(answers[len(answers)-1], status...)
	return answers
}

func unhexed(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Software that nobody here wrote reads a card: it selects the PPSE and an application, begins a transaction and reads every record.
func TestOpenSCReadsACard(t *testing.T) {
	card, err := cards.Find("visa")
	if err != nil {
		t.Fatal(err)
	}
	chip, err := card.NewChip()
	if err != nil {
		t.Fatal(err)
	}
	const selectPPSE, selectVisa, options = "00A404000E325041592E5359532E444446303100", "00A4040007A000000003101000", "80A8000002830000"
	records := []string{"00B2010C00", "00B2020C00", "00B2011400", "00B2011C00", "00B2021C00"}
	commands := append([]string{selectPPSE, selectVisa, options}, records...)
	answers := askThroughPCSC(t, "visa", "contact", commands...)
	if len(answers) != len(commands) {
		t.Fatalf("%d answers to %d commands", len(answers), len(commands))
	}
	for i, answer := range answers {
		if want := chip.Transmit(unhexed(t, commands[i])); !bytes.Equal(answer, want) {
			t.Errorf("%s: through PC/SC %X, from the card %X", commands[i], answer, want)
		}
	}
	for i, want := range map[int][]byte{0: []byte("2PAY.SYS.DDF01"), 1: []byte("VISA CREDIT"), 3: []byte("TEST/CARD")} {
		if !bytes.Contains(answers[i], want) || !bytes.HasSuffix(answers[i], []byte{0x90, 0x00}) {
			t.Errorf("%s: %X", commands[i], answers[i])
		}
	}
	// The records are those of the AFL, no more and no fewer.
	afl, err := emv.Parse(answers[2][:len(answers[2])-2])
	if err != nil {
		t.Fatal(err)
	}
	locator, _ := afl.Find(emv.TagAFL)
	total := 0
	for ; len(locator) >= 4; locator = locator[4:] {
		total += int(locator[2]-locator[1]) + 1
	}
	if total != len(records) {
		t.Errorf("%d records were read, the AFL has %d", len(records), total)
	}
}

// A blocked card says so through PC/SC as well, and another card in the field has only its contactless side.
func TestOpenSCMeetsOtherCards(t *testing.T) {
	const selectPPSE, selectVisa, selectElectron = "00A404000E325041592E5359532E444446303100", "00A4040007A000000003101000", "00A4040007A000000003201000"
	if got := askThroughPCSC(t, "application-blocked", "contact", selectVisa); !bytes.HasSuffix(got[0], []byte{0x62, 0x83}) {
		t.Errorf("blocked application: %X", got[0])
	}
	got := askThroughPCSC(t, "two-applications", "contactless", selectPPSE, selectElectron)
	if !bytes.Contains(got[0], []byte("VISA ELECTRON")) || !bytes.HasSuffix(got[1], []byte{0x90, 0x00}) {
		t.Errorf("in the field: %X", got)
	}
}
