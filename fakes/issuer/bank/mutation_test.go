package bank

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConversationsCanFail changes every expectation of every conversation, one at a time, and wants it
// noticed at its own line.
func TestConversationsCanFail(t *testing.T) {
	for _, file := range conversations(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			commands := parseConversation(t, file)
			for i := range commands {
				for _, changed := range mutations(commands[i]) {
					wrong := slices.Clone(commands[:i+1])
					wrong[i] = changed
					at := fmt.Sprintf("%s:%d: ", file, changed.line)
					if failure := converse(t, file, wrong); !strings.HasPrefix(failure, at) {
						t.Errorf("%s%v %q went unnoticed: %s", at, changed.words, changed.block, failure)
					}
				}
			}
		})
	}
}

// mutations are wrong versions of an expectation: one word of an answer, or a line too few or too many of
// a view.
func mutations(c command) []command {
	switch c.words[0] {
	case "host", "policy", "send", "refuse", "advance", "reset", "restart", "reopen":
		return nil
	case "expect":
		c.words = slices.Clone(c.words)
		word := &c.words[1+c.line%(len(c.words)-1)]
		name, value, pair := strings.Cut(*word, "=")
		switch {
		case pair && value == "*":
			*word = name + "=nothing-like-it"
		case pair:
			*word = name + "=" + value + "9"
		case name == "keys" || name == "bad-keys":
			*word = map[string]string{"keys": "bad-keys", "bad-keys": "keys"}[name]
		case strings.HasPrefix(name, "-"):
			*word = "39=-"
		default:
			*word = "0999"
		}
		return []command{c}
	}
	more, fewer := c, c
	more.block = append(slices.Clone(c.block), "and this")
	if len(c.block) == 0 {
		return []command{more}
	}
	fewer.block = c.block[:len(c.block)-1]
	return []command{more, fewer}
}
