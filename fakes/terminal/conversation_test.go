package terminal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/assay-hil/assay/fakes/terminal"
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

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	bitten := map[string]bool{}
	for _, file := range files {
		for _, c := range readConversations(t, file) {
			t.Run(filepath.Base(file)+"/"+c.title, func(t *testing.T) {
				if err := play(t, c, c.defect); err != nil {
					t.Fatal(err)
				}
				if c.defect == "" {
					return
				}
				bitten[c.defect] = true
				if play(t, c, "") == nil {
					t.Errorf("a sound terminal says the same: defect %s doesn't bite here", c.defect)
				}
			})
		}
	}
	for _, name := range terminal.Defects() {
		if !bitten[name] {
			t.Errorf("no conversation shows defect %s", name)
		}
	}
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
