//go:build unix

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/assay-hil/assay/harness/record"
)

// dockerSocket is where an engine listens unless DOCKER_HOST says otherwise.
const dockerSocket = "/var/run/docker.sock"

// labelOwner is the label of what a run has under Docker; its value is the path of the run's lock.
const labelOwner = "assay.owner"

// docker is the engine of this machine. Where its socket is and nobody answers, the test fails.
func docker(t *testing.T) *client.Client {
	t.Helper()
	if _, err := os.Stat(dockerSocket); err != nil && os.Getenv("DOCKER_HOST") == "" {
		t.Skipf("this machine has no Docker: DOCKER_HOST is not set, and %v", err)
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Fatal(err)
	}
	return c
}

// static builds the command as `make build` does, once: it must run in an empty image.
func static(t *testing.T) string {
	t.Helper()
	exe, err := staticBuild()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

var staticBuild = sync.OnceValues(func() (string, error) {
	exe := filepath.Join(ownState, "static-assay") // TestMain removes the folder
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return exe, nil
})

// startWith starts a command whose locks are in a folder of its own.
func startWith(t *testing.T, exe, cache string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(exe, args...)}
	p.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	p.Stderr = &p.other
	pipe, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(2*processLimit, func() { _ = p.Process.Kill() })
	t.Cleanup(func() { limit.Stop(); _ = p.Process.Kill() })
	return p
}

// owners counts what runs with locks in a folder have under Docker: containers, networks and
// images, by their locks.
func owners(t *testing.T, c *client.Client, cache string) map[string][3]int {
	t.Helper()
	filters, all := make(client.Filters).Add("label", labelOwner), map[string][3]int{}
	count := func(kind int, labels map[string]string) {
		if owner := labels[labelOwner]; strings.HasPrefix(owner, cache) {
			n := all[owner]
			n[kind]++
			all[owner] = n
		}
	}
	containers, err := c.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range containers.Items {
		count(0, i.Labels)
	}
	networks, err := c.NetworkList(t.Context(), client.NetworkListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range networks.Items {
		count(1, i.Labels)
	}
	images, err := c.ImageList(t.Context(), client.ImageListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.Items {
		count(2, i.Labels)
	}
	return all
}

// TestSameVerdictsInContainers plays a scenario of each kind with both: a host that answers, one
// that declines, refuses, breaks off, is silent and dies.
func TestSameVerdictsInContainers(t *testing.T) {
	t.Parallel()
	docker(t)
	exe, dir := static(t), t.TempDir()
	const scenarios = "SALE-PLAIN,HOST-96,NET-REFUSED,NET-RESET,NET-SILENT,NET-PRIMARY-DIES"
	running := map[string]*process{}
	for _, hosts := range []string{"embedded", "containers"} {
		running[hosts] = startWith(t, exe, filepath.Join(dir, "cache"), "run", "--rig", "sim", "--benches", "1", "--scenario", scenarios, "--hosts", hosts, "--out", filepath.Join(dir, hosts))
	}
	verdicts := map[string]string{}
	for hosts, p := range running {
		if code, out := p.ended(t); code != exitPass {
			t.Errorf("%s: exit %d\n%s", hosts, code, out)
		}
		all := results(t, filepath.Join(dir, hosts))
		slices.SortFunc(all, func(a, b record.Result) int { return cmp.Compare(a.Name, b.Name) }) // side by side they end in any order
		for _, r := range all {
			if r.Verdict == record.Marginal { // the machine is busy with other tests
				r.Verdict = record.Pass
			}
			verdicts[hosts] += fmt.Sprintln(r.Scenario, r.Profile, r.Verdict, r.Cause)
		}
	}
	if verdicts["embedded"] != verdicts["containers"] || strings.Count(verdicts["containers"], "\n") != 6 {
		t.Errorf("embedded:\n%s\ncontainers:\n%s", verdicts["embedded"], verdicts["containers"])
	}
	for _, name := range []string{"issuer.log", "network.log"} {
		text, err := os.ReadFile(filepath.Join(dir, "containers", "evidence", "hosts", "world-1", name))
		if err != nil || !strings.Contains(string(text), `"msg"`) {
			t.Errorf("%s is not in the evidence: %v", name, err)
		}
	}
}

// TestWhatAKilledRunLeavesIsRemovedByTheNext kills a run with containers, which cannot notice.
func TestWhatAKilledRunLeavesIsRemovedByTheNext(t *testing.T) {
	t.Parallel()
	c := docker(t)
	exe, cache, dir := static(t), t.TempDir(), t.TempDir()
	args := func(out string) []string {
		return []string{"run", "--rig", "sim", "--hosts", "containers", "--scenario", "SALE-PLAIN,HOST-96", "--out", filepath.Join(dir, out)}
	}
	killed := startWith(t, exe, cache, args("killed")...)
	killed.line(t)
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.ended(t)
	left := owners(t, c, cache)
	if len(left) != 1 {
		t.Fatalf("owners after a kill: %v", left)
	}
	for owner, n := range left {
		if n != [3]int{2, 1, 1} {
			t.Errorf("%s left containers, networks, images: %v", owner, n)
		}
	}
	next := startWith(t, exe, cache, args("next")...)
	next.line(t)
	for owner := range owners(t, c, cache) {
		if _, there := left[owner]; there {
			t.Errorf("%s is still there when the next run has begun", owner)
		}
	}
	if code, out := next.ended(t); code != exitPass {
		t.Errorf("exit %d\n%s", code, out)
	}
	if left := owners(t, c, cache); len(left) != 0 {
		t.Errorf("left after the next: %v", left)
	}
	locks, err := os.ReadDir(filepath.Join(cache, "assay", "containers"))
	if err != nil || len(locks) != 0 {
		t.Errorf("locks that are left: %v, %v", locks, err)
	}
}

// TestAnInterruptedRunRemovesItsContainers presses Ctrl-C in the second scenario.
func TestAnInterruptedRunRemovesItsContainers(t *testing.T) {
	t.Parallel()
	c := docker(t)
	exe, cache := static(t), t.TempDir()
	p := startWith(t, exe, cache, "run", "--rig", "sim", "--hosts", "containers", "--scenario", "SALE-PLAIN,NET-SILENT", "--out", filepath.Join(t.TempDir(), "run"))
	p.line(t)
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code, out := p.ended(t); code != exitInconclusive {
		t.Errorf("exit %d\n%s", code, out)
	}
	if left := owners(t, c, cache); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestContainersThatCannotBeAreAMistakeOfUse, with what to do, and no folder is made.
func TestContainersThatCannotBeAreAMistakeOfUse(t *testing.T) {
	for name, c := range map[string]struct{ host, rig, hosts, says string }{
		"no engine":    {"unix:///nowhere/docker.sock", "sim", "containers", "--hosts embedded needs none"},
		"virtual time": {"", "virtual", "containers", "use --rig sim"},
		"no such word": {"", "sim", "container", `did you mean "containers"?`},
	} {
		if c.host != "" {
			t.Setenv("DOCKER_HOST", c.host)
		}
		folder := filepath.Join(t.TempDir(), "run")
		code, out := start(t, "run", "--rig", c.rig, "--hosts", c.hosts, "--out", folder).ended(t)
		if code != exitUsage || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit %d, want 2 and %q\n%s", name, code, c.says, out)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: a run folder was made", name)
		}
	}
}
