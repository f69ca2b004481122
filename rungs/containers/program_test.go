package containers

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLibrariesOfALoader reads lists as glibc's and musl's loaders print them.
func TestLibrariesOfALoader(t *testing.T) {
	for name, c := range map[string]struct {
		loader, list string
		want         []string
		says         string
	}{
		"glibc 2.36": {"/lib64/ld-linux-x86-64.so.2", "\tlinux-vdso.so.1 (0x00007ffd7b5f0000)\n\tlibresolv.so.2 => /lib/x86_64-linux-gnu/libresolv.so.2 (0x00007f0000000000)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1111111111)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f2222222222)\n",
			[]string{"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libresolv.so.2", "/lib/x86_64-linux-gnu/libc.so.6"}, ""},
		"musl 1.2": {"/lib/ld-musl-x86_64.so.1", "\t/lib/ld-musl-x86_64.so.1 (0x7f0000000000)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f0000000000)\n",
			[]string{"/lib/ld-musl-x86_64.so.1"}, ""},
		"missing": {"/lib64/ld-linux-x86-64.so.2", "\tlibodd.so.1 => not found\n", nil, "libodd.so.1"},
	} {
		got, err := parseLibraries(c.loader, c.list)
		if !slices.Equal(got, c.want) || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestWhatIsNoProgramIsRefused with how to build one.
func TestWhatIsNoProgramIsRefused(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{script, filepath.Join(t.TempDir(), "missing")} {
		if _, err := newProgram(t.Context(), file); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestContextHoldsNothingButTheProgram and what it loads.
func TestContextHoldsNothingButTheProgram(t *testing.T) {
	dir := t.TempDir()
	exe, library := filepath.Join(dir, "assay"), filepath.Join(dir, "libc.so.6")
	for _, file := range []string{exe, library} {
		if err := os.WriteFile(file, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	context, err := program{exe, []string{library}}.context()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for r := tar.NewReader(context); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = string(text)
	}
	want := map[string]string{"Dockerfile": dockerfile, "root/assay": exe, "root" + library: library}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s holds %q", name, got[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("files: %v", got)
	}
}
