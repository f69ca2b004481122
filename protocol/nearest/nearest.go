// Package nearest finds the word that was probably meant, for the complaints of everything that reads
// words written by people: files, paths, flags.
package nearest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxListed is how many valid words a complaint lists when none is near.
const maxListed = 24

// Unknown says that word is not one of words, and what was probably meant.
func Unknown(what, word string, words []string) string {
	if near, ok := Word(word, words); ok {
		return fmt.Sprintf("unknown %s %q; did you mean %q?", what, word, near)
	}
	if len(words) == 0 {
		return fmt.Sprintf("unknown %s %q; there is none", what, word)
	}
	if len(words) > maxListed {
		words = append(slices.Clone(words[:maxListed]), "…")
	}
	return fmt.Sprintf("unknown %s %q; known: %s", what, word, strings.Join(words, ", "))
}

// Word finds the word with the smallest edit distance, case apart, if it is near enough to be a
// slip of the fingers: at most a third of its letters and no fewer than two are wrong (one in
// a word of up to three), or it is the beginning of the word.
func Word(word string, words []string) (string, bool) {
	best, distance := "", 0
	for _, w := range words {
		d := editDistance(strings.ToLower(word), strings.ToLower(w))
		if best == "" || d < distance {
			best, distance = w, d
		}
	}
	allowed := max(2, len(word)/3)
	if len(word) <= 3 {
		allowed = 1
	}
	if best != "" && distance <= allowed {
		return best, true
	}
	for _, w := range words {
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(w), strings.ToLower(word)) {
			return w, true
		}
	}
	return "", false
}

// Slip finds the word of which this one is one slip of the fingers away: a letter too many, too few or wrong, or two
// swapped; a word that is one of them is no slip. It is for words that need not be known, where a name of one's own is right and a
// slip is not.
func Slip(word string, words []string) (string, bool) {
	const shortest = 4 // shorter ones are all alike
	if slices.Contains(words, word) {
		return "", false
	}
	for _, w := range words {
		if gap := len(w) - len(word); len(w) >= shortest && max(gap, -gap) <= utf8.UTFMax && editDistance(word, w) == 1 {
			return w, true
		}
	}
	return "", false
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours
// (optimal string alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
