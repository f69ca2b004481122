// Command rules is a program whose every mutant shows.
package main

import "fmt"

type planted map[string]bool

func (p planted) has(name string) bool { return p[name] }

type row struct {
	name  string
	count int
}

// check has rules of every kind, and a defect that nobody plants.
func check(p planted, n int, name string) (row, error) {
	if p.has("no-limit") {
		n = 1
		return row{name: name}, nil
	}
	if n > 3 && !p.has("unbounded") {
		return row{}, fmt.Errorf("%d is too much", n)
	}
	r := row{name: name, count: n}
	switch {
	case n == 0, name == "nobody":
		r.count = 7
	case p.has("negative"):
		r.count = -1
	}
	return r, nil
}

// grown gives a variable that the call beside it has changed.
func grown(n int) (int, error) { return n, grow(&n) }

func grow(n *int) error {
	*n += 2
	return fmt.Errorf("grown to %d", *n)
}

func main() {
	fmt.Println(grown(1))
	for _, n := range []int{0, 1, 2, 3, 4, 5} {
		for _, name := range []string{"a", "nobody"} {
			r, err := check(nil, n, name)
			fmt.Println(r, err)
		}
	}
}
