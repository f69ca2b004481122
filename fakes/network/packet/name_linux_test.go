package packet

import (
	"os"
	"os/exec"
	"testing"
)

func TestParseName(t *testing.T) {
	good := name{pid: 4711, start: 123456, bench: 2, role: Terminal}
	if got, ok := parseName(good.String()); !ok || got != good {
		t.Errorf("%q: %+v, %v", good, got, ok)
	}
	for _, s := range []string{
		"", "assay-", "blue", "assay-4711-2-terminal", "assay-4711.-2-terminal", "assay-x.1-2-terminal",
		"assay-1.2-x-terminal", "assay-+1.2-3-terminal", "assay-01.2-3-terminal", "assay-1.2-3-terminal-x", "xassay-1.2-3-host",
	} {
		if got, ok := parseName(s); ok {
			t.Errorf("%q is taken for ours: %+v", s, got)
		}
	}
}

// FuzzParseName: what is taken for ours is just what we write.
func FuzzParseName(f *testing.F) {
	f.Add("assay-4711.123456-2-terminal")
	f.Add("assay-1.2-3-")
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := parseName(s); ok && n.String() != s {
			t.Errorf("%q is read as %q", s, n)
		}
	})
}

// TestParseStart reads lines as proc_pid_stat(5) has them; the command may look like anything.
func TestParseStart(t *testing.T) {
	const rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21"
	for line, want := range map[string]uint64{
		"12 (cat) S" + rest:         777,
		"12 (a) R 1 (b)) S" + rest:  777,
		"12 (cat) Z" + rest:         0, // dead, nobody has waited for it
		"12 (cat) S 1 2 3":          0,
		"":                          0,
		"12 (cat) S 1 2 3 4 5 6 7 ": 0,
	} {
		got, err := parseStart("test", line)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v; want %d", line, got, err, want)
		}
	}
}

// TestAlive: a process is alive under its own start time only, and not when it is dead.
func TestAlive(t *testing.T) {
	pid, start, err := self()
	if err != nil {
		t.Fatal(err)
	}
	if !(name{pid: pid, start: start}).alive() {
		t.Error("we are not alive")
	}
	if (name{pid: pid, start: start + 1}).alive() {
		t.Error("one that had our ID before is alive")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(exe, "-test.run=^$")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if start, err := startOf(child.Process.Pid); err == nil {
		t.Errorf("a dead child has start time %d", start)
	}
}
