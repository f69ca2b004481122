package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Conversations are files in testdata: a card that answers by a table, a cardholder, a host's answer, and what the kernel makes of
// them. testdata/README.md lists the words.

type conversation struct {
	place, title string
	defect       string // that must make it fail: "caught by"
	lines        []line
}

type line struct {
	place string
	words []string
	text  string
}

func readConversations(t *testing.T) []conversation {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	var all []conversation
	for _, file := range files {
		passages := map[string][]line{}
		if common, err := os.ReadFile("testdata/cards.inc"); err == nil {
			readLines("cards.inc", string(common), passages)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, readLines(filepath.Base(file), string(text), passages)...)
	}
	return all
}

func readLines(file, text string, passages map[string][]line) (all []conversation) {
	passage := ""
	for i, raw := range strings.Split(text, "\n") {
		raw, _, _ = strings.Cut(raw, "#")
		words := strings.Fields(raw)
		at := line{fmt.Sprintf("%s:%d", file, i+1), words, strings.TrimSpace(raw)}
		add := func(lines ...line) {
			if passage != "" {
				passages[passage] = append(passages[passage], lines...)
				return
			}
			all[len(all)-1].lines = append(all[len(all)-1].lines, lines...)
		}
		switch {
		case len(words) == 0:
		case words[0] == "==":
			all = append(all, conversation{place: at.place, title: strings.Join(words[1:], " ")})
		case words[0] == "define":
			passage = words[1]
		case words[0] == "end":
			passage = ""
		case words[0] == "do":
			if len(passages[words[1]]) == 0 {
				panic(at.place + ": no passage " + words[1])
			}
			add(passages[words[1]]...)
		case words[0] == "caught":
			all[len(all)-1].defect = words[2]
		default:
			add(at)
		}
	}
	return all
}

// TestConversations plays every file. A conversation that says "caught by DEFECT" must fail when the defect is on, and every defect must
// be caught by one.
func TestConversations(t *testing.T) {
	caught := map[string]bool{}
	for _, c := range readConversations(t) {
		t.Run(c.place+" "+c.title, func(t *testing.T) {
			if err := play(c, ""); err != nil {
				t.Fatal(err)
			}
			if c.defect == "" {
				return
			}
			if !known(c.defect) {
				t.Fatalf("no defect %q", c.defect)
			}
			if play(c, c.defect) == nil {
				t.Errorf("passes with the defect %s", c.defect)
			}
			caught[c.defect] = true
		})
	}
	for _, name := range Defects() {
		if !caught[name] {
			t.Errorf("no conversation catches %s", name)
		}
	}
}

func play(c conversation, defect string) error {
	p := newPlayer()
	if defect != "" {
		p.cfg.Defects = map[string]bool{defect: true}
	}
	for _, l := range c.lines {
		if err := p.step(l.words, l.text); err != nil {
			return fmt.Errorf("%s: %s: %w", l.place, l.text, err)
		}
	}
	return nil
}
