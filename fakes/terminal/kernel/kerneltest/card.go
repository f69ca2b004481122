// Package kerneltest has a card for tests that answers by a table, so that it can be made to misbehave in any way.
package kerneltest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/assay-hil/assay/protocol/emv"
)

// Card answers by a table: the longest beginning of a command that it knows decides. It belongs to one goroutine.
type Card struct {
	// Gone is the error of a card that is out.
	Gone error
	// Mute: no answer to reset. Removed: it is out.
	Mute, Removed bool
	// Answers are commands' beginnings in upper-case hexadecimal, and the answers to them, of which the last stays.
	Answers map[string][][]byte
	// Special are commands at which the card is "removed" or "silent".
	Special map[string]string
	// Hook is asked before the table; false leaves it to that.
	Hook func(command []byte) ([]byte, bool)
	// Sent are the commands so far, in upper-case hexadecimal.
	Sent []string
}

// New gives a card that knows nothing: every command gets 6A82.
func New(gone error) *Card {
	return &Card{Gone: gone, Answers: map[string][][]byte{}, Special: map[string]string{}}
}

// Clone gives a card with the same table, which has heard nothing yet.
func (c *Card) Clone() *Card {
	next := *c
	next.Answers, next.Special, next.Sent = maps.Clone(c.Answers), maps.Clone(c.Special), nil
	return &next
}

// PowerOn resets the card.
func (c *Card) PowerOn(context.Context) ([]byte, error) {
	if c.Removed {
		return nil, c.Gone
	}
	if c.Mute {
		return nil, errors.New("mute")
	}
	return []byte{0x3B, 0x00}, nil
}

// PowerOff does nothing.
func (c *Card) PowerOff() {}

// Transmit answers a command.
func (c *Card) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text := fmt.Sprintf("%X", command)
	c.Sent = append(c.Sent, text)
	for prefix, what := range c.Special {
		if !strings.HasPrefix(text, prefix) {
			continue
		}
		if what == "removed" {
			c.Removed = true
		} else {
			return nil, errors.New("no answer")
		}
	}
	if c.Removed {
		return nil, fmt.Errorf("table: %w", c.Gone)
	}
	if c.Hook != nil {
		if answer, ok := c.Hook(command); ok {
			return answer, nil
		}
	}
	best := ""
	for prefix := range c.Answers {
		if strings.HasPrefix(text, prefix) && len(prefix) >= len(best) {
			best = prefix
		}
	}
	answers := c.Answers[best]
	switch len(answers) {
	case 0:
		return []byte{0x6A, 0x82}, nil
	case 1:
	default:
		c.Answers[best] = answers[1:]
	}
	return answers[0], nil
}

// Notation reads "77{82:1C00 94:08010100} 9000": objects with their tags, templates in braces, text in quotes,
// and bytes.
func Notation(text string) ([]byte, error) {
	out, rest, err := notationIn(strings.ReplaceAll(text, "{", " { "))
	if err == nil && rest != "" {
		err = fmt.Errorf("%q is left over", rest)
	}
	return out, err
}

func notationIn(text string) (out []byte, rest string, err error) {
	for {
		text = strings.TrimLeft(text, " ")
		if text == "" || text[0] == '}' {
			return out, text, nil
		}
		word, after, _ := strings.Cut(strings.Replace(text, "}", " }", 1), " ")
		after = strings.TrimLeft(after, " ")
		tag, value, object := strings.Cut(word, ":")
		switch {
		case strings.HasPrefix(after, "{"):
			inside, left, err := notationIn(after[1:])
			if err != nil || left == "" {
				return nil, "", fmt.Errorf("%s: no closing brace: %w", word, err)
			}
			if out, err = appendObject(out, word, inside); err != nil {
				return nil, "", err
			}
			text = left[1:]
			continue
		case object && strings.HasPrefix(value, "'"):
			end := strings.Index(text[len(tag)+2:], "'")
			if out, err = appendObject(out, tag, []byte(text[len(tag)+2:len(tag)+2+end])); err != nil {
				return nil, "", err
			}
			text = text[len(tag)+3+end:]
			continue
		case object:
			raw, err := hex.DecodeString(value)
			if err != nil {
				return nil, "", err
			}
			if out, err = appendObject(out, tag, raw); err != nil {
				return nil, "", err
			}
		default:
			raw, err := hex.DecodeString(word)
			if err != nil {
				return nil, "", err
			}
			out = append(out, raw...)
		}
		text = after
	}
}

func appendObject(out []byte, tag string, value []byte) ([]byte, error) {
	var number uint32
	if _, err := fmt.Sscanf(tag, "%X", &number); err != nil {
		return nil, fmt.Errorf("tag %q: %w", tag, err)
	}
	return append(out, emv.List{{Tag: number, Value: value}}.Encode()...), nil
}
