package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDirIsOneForEveryNameOfAFile(t *testing.T) {
	root, file := t.TempDir(), filepath.Join(t.TempDir(), "rig.yaml")
	link := file + "-link"
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	one, err := Dir(root, "lab 7/../x", file)
	if err != nil || filepath.Dir(one) != filepath.Join(root, "rigs") {
		t.Fatalf("%s %v", one, err)
	}
	if two, err := Dir(root, "lab 7/../x", link); err != nil || two != one {
		t.Errorf("%s and %s, %v", one, two, err)
	}
}

func TestRoot(t *testing.T) {
	t.Setenv(Variable, "")
	t.Setenv("XDG_STATE_HOME", "/x")
	if root, err := Root(""); err != nil || root != "/x/assay" {
		t.Errorf("%s %v", root, err)
	}
	t.Setenv(Variable, "/lab")
	if root, err := Root(""); err != nil || root != "/lab" {
		t.Errorf("%s %v", root, err)
	}
	if root, err := Root("/given"); err != nil || root != "/given" {
		t.Errorf("%s %v", root, err)
	}
}

func TestUpdatesDoNotGetLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "count.json")
	const writers = 8
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			if err := Update(path, func(n *int) error { *n++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var n int
	if err := Read(path, &n); err != nil || n != writers {
		t.Errorf("%d, %v", n, err)
	}
}

func TestLockIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Lock(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(path, 3*lockRetry); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}
