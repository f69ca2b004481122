package terminal

import (
	"cmp"
	"slices"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Defect is a bug that can be planted. Each acts in one place of the application, the one where a
// programmer would really make it.
type Defect struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// What the terminal does wrong, and what comes of it.
	What string `json:"what"`
	// Rule is what it breaks, Seen where such a thing was met; "" where we know of no report.
	Rule string `json:"rule"`
	Seen string `json:"seen,omitempty"`
}

// Groups of defects, in the order in which they are listed.
const (
	groupID         = "customer-id"
	groupPrompts    = "prompts"
	groupCodes      = "codes"
	groupReversal   = "reversal"
	groupMatching   = "matching"
	groupSecurity   = "security"
	groupUplink     = "uplink"
	groupTimers     = "timers"
	groupCard       = "card"
	groupMemory     = "memory"
	groupSettlement = "settlement"
	groupReceipt    = "receipt"
	groupInterface  = "interface"
	groupLeaks      = "leaks"
)

func groups() []string {
	return []string{groupID, groupPrompts, groupCodes, groupReversal, groupMatching, groupSecurity, groupUplink,
		groupTimers, groupCard, groupMemory, groupSettlement, groupReceipt, groupInterface, groupLeaks}
}

// Defects lists every defect that Config.Defects can name, by group and then by name.
func Defects() []Defect {
	all := slices.Concat(idDefects(), codeDefects(), reversalDefects(), matchingDefects(), uplinkDefects(),
		cardDefects(), memoryDefects(), settlementDefects(), interfaceDefects(), leakDefects())
	slices.SortFunc(all, func(a, b Defect) int {
		return cmp.Or(slices.Index(groups(), a.Group)-slices.Index(groups(), b.Group), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// DefectNames are the names of Defects, sorted.
func DefectNames() []string {
	var names []string
	for _, d := range Defects() {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

// UnknownDefectError is returned by New for a defect that it does not know. Its message names
// the nearest that it does.
type UnknownDefectError struct{ Name string }

func (e *UnknownDefectError) Error() string {
	return strict.UnknownMessage("defect", e.Name, DefectNames())
}

// planted are the defects that a terminal has.
type planted map[string]bool

// has is asked at the one place where the defect is.
func (p planted) has(name string) bool { return p[name] }

// plant checks the names and makes them a set.
func plant(names []string) (planted, error) {
	set := make(planted, len(names))
	known := DefectNames()
	for _, name := range names {
		if _, ok := slices.BinarySearch(known, name); !ok {
			return nil, &UnknownDefectError{Name: name}
		}
		set[name] = true
	}
	return set, nil
}
