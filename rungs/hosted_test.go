package rungs

import (
	"os"
	"strings"
	"testing"
)

// TestARigWithKeysOfItsOwnHasNoContainers: a bank with other keys than the terminal's would fail it.
func TestARigWithKeysOfItsOwnHasNoContainers(t *testing.T) {
	rig := standIn(t).RigFile
	plain, err := os.ReadFile(rig)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"host: {keys: keys.yaml}\n", "host: {dialect: ./own.yaml}\n"} {
		if err := os.WriteFile(rig, append(plain, host...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Options{Rig: rig, Hosts: Containers}).ofItsOwn(); err == nil || !strings.Contains(err.Error(), "use --hosts embedded") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := os.WriteFile(rig, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Options{Rig: rig, Hosts: Containers}).ofItsOwn(); err != nil {
		t.Error(err)
	}
}

// TestALeadIsNoAddressOfTheRig: only what a rig file gave is published.
func TestALeadIsNoAddressOfTheRig(t *testing.T) {
	w := newLoopback(map[string]string{uplinkName: "192.0.2.1:8583"})
	w.lead(backupName, "172.18.0.3:8584")
	if w.fixed(uplinkName) != "192.0.2.1:8583" || w.fixed(backupName) != "" || w.fixed(issuerName) != "" {
		t.Errorf("%q, %q, %q", w.fixed(uplinkName), w.fixed(backupName), w.fixed(issuerName))
	}
	if w.address(backupName) != "172.18.0.3:8584" {
		t.Errorf("the name leads to %s", w.address(backupName))
	}
}
