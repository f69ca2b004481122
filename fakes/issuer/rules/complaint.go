package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/mask"
)

// Error is one complaint about rules that do not come from a file; those from a file are *strict.Error.
type Error struct {
	Place string // for example `rule 2 "late": match.mti`
	Text  string
}

func (e *Error) Error() string { return e.Place + ": " + e.Text }

// complaints collects what is wrong with a setup. A place is the keys that lead to it, for
// example "rules", "0", "match", "mti".
type complaints struct {
	errs  []error
	place func(keys []string, text string) error
}

// add complains. A card number that somebody wrote where it does not belong is masked.
func (c *complaints) add(keys []string, format string, args ...any) {
	c.errs = append(c.errs, c.place(keys, mask.Text(fmt.Sprintf(format, args...))))
}

func (c *complaints) err() error { return errors.Join(c.errs...) }

// inSetup names places in a setup that came over the API.
func inSetup(s client.Setup) func([]string, string) error {
	return func(keys []string, text string) error {
		place := strings.Join(keys, ".")
		if len(keys) >= 2 && keys[0] == "rules" {
			i, _ := strconv.Atoi(keys[1]) // compile made it
			place = fmt.Sprintf("rule %d %q", i+1, mask.Text(s.Rules[i].Name))
			if len(keys) > 2 {
				place += ": " + strings.Join(keys[2:], ".")
			}
		}
		return &Error{Place: place, Text: text}
	}
}

// at extends a place.
func at(keys []string, more ...string) []string {
	return append(append(make([]string, 0, len(keys)+len(more)), keys...), more...)
}
