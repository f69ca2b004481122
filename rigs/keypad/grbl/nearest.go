package grbl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// unknownKey is the error for a key that the keypad lacks; it names the most similar one.
func unknownKey(keys map[string]terminals.Key, name string) error {
	best, cost := "", 0
	for _, known := range slices.Sorted(maps.Keys(keys)) {
		if d := distance(strings.ToLower(name), strings.ToLower(known)); best == "" || d < cost {
			best, cost = known, d
		}
	}
	return fmt.Errorf("no key %q on this keypad; the nearest name is %q", name, best)
}

// distance is the number of single letters to change, add or drop (Levenshtein).
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			replace := diagonal
			if r != s {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
