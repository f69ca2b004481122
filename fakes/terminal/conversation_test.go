package terminal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fakes/terminal/kernel"
)

// Conversations are files in testdata: what cashier, cardholder and host do, and what the
// terminal is then seen to do. testdata/README.md lists the words.

type conversation struct {
	title  string
	defect string // planted by "with defect"
	lines  []scriptLine
}

type scriptLine struct {
	place string // file:line
	words []string
}

// readConversations reads one file: "== TITLE" begins a conversation, "define NAME" … "end" a
// passage for "do NAME", # a comment.
func readConversations(t *testing.T, file string) []conversation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	passages := map[string][]scriptLine{}
	passage := ""
	for i, raw := range strings.Split(string(text), "\n") {
		words := strings.Fields(raw)
		at := scriptLine{fmt.Sprintf("%s:%d", filepath.Base(file), i+1), words}
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case words[0] == "==":
			all = append(all, conversation{title: strings.Join(words[1:], " ")})
		case words[0] == "define":
			passage = words[1]
		case words[0] == "end":
			passage = ""
		case passage != "" && words[0] == "do":
			passages[passage] = append(passages[passage], passages[words[1]]...)
		case passage != "":
			passages[passage] = append(passages[passage], at)
		case words[0] == "do":
			if len(passages[words[1]]) == 0 {
				t.Fatalf("%s: no passage %q", at.place, words[1])
			}
			c := &all[len(all)-1]
			c.lines = append(c.lines, passages[words[1]]...)
		case words[0] == "with" && words[1] == "defect":
			all[len(all)-1].defect = words[2]
		default:
			c := &all[len(all)-1]
			c.lines = append(c.lines, at)
		}
	}
	return all
}

// allConversations reads every file.
func allConversations(t *testing.T) (all []conversation) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		for _, c := range readConversations(t, file) {
			c.title = filepath.Base(file) + "/" + c.title
			all = append(all, c)
		}
	}
	return all
}

func TestConversations(t *testing.T) {
	for _, c := range allConversations(t) {
		t.Run(c.title, func(t *testing.T) {
			if err := play(t, c, c.defect); err != nil {
				t.Fatal(err)
			}
			if c.defect != "" && play(t, c, "") == nil {
				t.Errorf("a sound terminal says the same: defect %s doesn't bite here", c.defect)
			}
		})
	}
}

// Every defect fails a conversation that a sound terminal holds.
func TestEveryDefectFailsAConversation(t *testing.T) {
	for _, d := range terminal.Defects() {
		if slices.Contains(kernel.Defects(), d.Name) {
			continue // the kernel's own conversations show it
		}
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range likeliest(allConversations(t), d.Group) {
				if c.defect != "" {
					continue
				}
				if err := play(t, c, d.Name); err != nil {
					t.Logf("%s: %v", c.title, err)
					return
				}
			}
			t.Errorf("no conversation fails with it; it should break: %s", d.Rule)
		})
	}
}

// likeliest puts the conversations first in which defects of a group are found soonest.
func likeliest(all []conversation, group string) []conversation {
	file := map[string]string{"prompts": "codes", "security": "unionpay", "uplink": "uplink", "timers": "online", "matching": "online",
		"receipt": "receipt", "interface": "keys", "leaks": "defects"}[group]
	if file == "" {
		file = group
	}
	slices.SortStableFunc(all, func(a, b conversation) int {
		rank := map[bool]int{true: 0, false: 1}
		return rank[strings.HasPrefix(a.title, file)] - rank[strings.HasPrefix(b.title, file)]
	})
	return all
}

// play runs a conversation in virtual time.
func play(t *testing.T, c conversation, defect string) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		if defect != "" {
			s.config.Defects = []string{defect}
		}
		defer s.finish()
		for _, line := range c.lines {
			if err = s.step(line.words); err != nil {
				err = fmt.Errorf("%s: %s: %w (screen: %s)", line.place, strings.Join(line.words, " "), err, s.world.screen())
				return
			}
			synctest.Wait()
		}
	})
	return err
}
