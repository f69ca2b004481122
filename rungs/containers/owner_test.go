package containers

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestAnOwnerLivesAsLongAsItsLock and is known as dead only where that is certain.
func TestAnOwnerLivesAsLongAsItsLock(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	o, err := newOwner()
	if err != nil {
		t.Fatal(err)
	}
	alive := o.labels()
	if dead(alive, o.machine) {
		t.Error("an owner that holds its lock is dead")
	}
	// What a killed process leaves: the file, and nobody who holds it.
	abandoned := filepath.Join(filepath.Dir(o.path), "abandoned"+lockSuffix)
	if err := os.WriteFile(abandoned, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := forget(filepath.Dir(o.path), o.machine); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(abandoned); err == nil {
		t.Error("the lock of a dead owner stayed")
	}
	if _, err := os.Stat(o.path); err != nil {
		t.Error("the lock of a living owner was removed")
	}
	if err := o.close(); err != nil {
		t.Error(err)
	}
	if !dead(alive, o.machine) {
		t.Error("an owner that has ended is not dead")
	}
	for name, change := range map[string]map[string]string{
		"another machine's": {labelMachine: "elsewhere"},
		"no path":           {labelOwner: ""},
		"a relative path":   {labelOwner: "x.lock"},
		"no lock file":      {labelOwner: "/nowhere/passwd"},
	} {
		labels := maps.Clone(alive)
		maps.Copy(labels, change)
		if dead(labels, o.machine) {
			t.Errorf("%s: taken for dead", name)
		}
	}
}
