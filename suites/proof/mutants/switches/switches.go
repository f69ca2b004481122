// Package switches is what a program that carries mutants is rewritten to call: every mutant is in the same program, and
// at most one is on, which the environment says before the program begins. So one build serves all mutants, and the
// program can tell which of them a scenario meets at all.
//
// In the tree nobody calls it: the calls are in the overlay that package mutants makes.
package switches

import (
	"os"
	"reflect"
	"strconv"
	"sync/atomic"
)

// Variable names the mutant that is on, by its number from 1; unset or 0 is none.
const Variable = "ASSAY_MUTANT"

// Max bounds the number of mutants in one program.
const Max = 1 << 14

var (
	on  = chosen()
	met [Max]atomic.Bool
)

func chosen() int {
	n, err := strconv.Atoi(os.Getenv(Variable))
	if err != nil || n < 0 || n >= Max {
		return 0
	}
	return n
}

// Met gives the mutants that would have made a difference since the last Forget.
func Met() []int {
	var all []int
	for id := range met {
		if met[id].Load() {
			all = append(all, id)
		}
	}
	return all
}

// Forget begins anew.
func Forget() {
	for id := range met {
		met[id].Store(false)
	}
}

// meet notes that a mutant makes a difference here, and says whether it is on.
func meet(id int) bool {
	met[id].Store(true)
	return id == on
}

// Keep is asked before a statement that a mutant deletes.
func Keep(id int) bool { return !meet(id) }

// Not is a condition that a mutant turns round.
func Not(id int, holds bool) bool { return holds != meet(id) }

// Never is a condition that with a mutant never holds: what it guards is deleted.
func Never(id int, holds bool) bool { return holds && !meet(id) }

// Always is a condition that with a mutant always holds.
func Always(id int, holds bool) bool { return holds || meet(id) }

// Edge is a comparison that a mutant decides the other way where both sides are equal: < becomes ≤, ≥ becomes >.
func Edge[T comparable](id int, holds bool, a, b T) bool {
	if a != b {
		return holds
	}
	return holds != meet(id)
}

// Instead is a value that a mutant replaces.
func Instead[T any](id int, value, other T) T {
	if meet(id) {
		return other
	}
	return value
}

// Drop is a value that a mutant leaves out; where there is none, as with an error that did not happen, it makes no difference.
func Drop[T any](id int, value T) T {
	var zero T
	if reflect.ValueOf(&value).Elem().IsZero() {
		return value
	}
	return Instead(id, value, zero)
}
