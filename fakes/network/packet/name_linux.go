package packet

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// namespaceDir is where namespaces have names, as with "ip netns".
const namespaceDir = "/run/netns"

// prefix begins the names of all that assay makes.
const prefix = "assay-"

// name of a namespace: who made it, which of that process's benches it belongs to, and its role.
// The process is known by its ID and when it started, for IDs come again.
type name struct {
	pid   int
	start uint64 // clock ticks from boot
	bench int
	role  string
}

func (n name) String() string {
	return fmt.Sprintf("%s%d.%d-%d-%s", prefix, n.pid, n.start, n.bench, n.role)
}

func (n name) path() string { return filepath.Join(namespaceDir, n.String()) }

// parseName reads a name of ours; ok is false for everybody else's.
func parseName(s string) (n name, ok bool) {
	rest, ours := strings.CutPrefix(s, prefix)
	parts := strings.Split(rest, "-")
	if !ours || len(parts) != 3 {
		return name{}, false
	}
	pid, start, _ := strings.Cut(parts[0], ".")
	var err [3]error
	n.pid, err[0] = strconv.Atoi(pid)
	n.start, err[1] = strconv.ParseUint(start, 10, 64)
	n.bench, err[2] = strconv.Atoi(parts[1])
	n.role = parts[2]
	// Only what String would write is ours: "+1" and "01" are numbers too.
	return n, err == [3]error{} && n.String() == s
}

// alive tells if the process that made it still runs.
func (n name) alive() bool {
	start, err := startOf(n.pid)
	return err == nil && start == n.start
}

// startOf is when a process started, in clock ticks from boot. A dead one that nobody has
// waited for does not count as running.
func startOf(pid int) (uint64, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	line, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return parseStart(path, string(line))
}

// parseStart reads state and start time of a proc_pid_stat(5) line: fields 3 and 22. The second
// field, the command in brackets, may hold anything.
func parseStart(path, line string) (uint64, error) {
	const state, start = 3, 22
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) <= start-state {
		return 0, fmt.Errorf("%s: %d fields behind the command, %d needed", path, len(fields), start-state+1)
	}
	if s := fields[0]; s == "Z" || s == "X" {
		return 0, fmt.Errorf("%s: state %s: %w", path, s, os.ErrProcessDone)
	}
	return strconv.ParseUint(fields[start-state], 10, 64)
}
