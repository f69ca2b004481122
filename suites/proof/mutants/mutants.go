// Package mutants asks whether the catalogue would notice if a rule of the terminal were gone. It changes the terminal's
// program in one small place at a time, a mutant: a comparison is turned round, a statement or what a condition guards is
// deleted, a constant is replaced, a result or a field is left out. The catalogue must then turn red somewhere.
//
// All mutants are built into one program, each behind a switch (package switches), by way of an overlay of
// the go command: the tree is never edited. What only a planted defect would execute is left as it is.
//
// The command is in the folder run; nothing of this is part of assay.
package mutants

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutant is one small change of the program.
type Mutant struct {
	ID   int    `json:"id"`   // of its switch, from 1
	File string `json:"file"` // below the folder of the first part
	Line int    `json:"line"`
	Func string `json:"func"`
	Kind string `json:"kind"` // one of Kinds
	// Code is what is changed.
	Code string `json:"code"`
}

func (m Mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s %s", m.File, m.Line, m.Func, m.Kind, m.Code)
}

// Kinds of mutants.
const (
	Flip     = "turn round" // a condition
	Boundary = "move the edge of"
	Guard    = "delete what is guarded by"
	Clause   = "leave out the clause"
	Delete   = "delete"
	Constant = "replace"
	Result   = "return nothing for"
	Field    = "leave out the field"
)

// Rewritten is a package with its mutants.
type Rewritten struct {
	Mutants []Mutant
	// Files are the new texts, by path.
	Files map[string][]byte
}

// switchesPath is imported by what is rewritten.
const switchesPath = "github.com/assay-hil/assay/suites/proof/mutants/switches"

// Part is a package and those of its files that get mutants.
type Part struct {
	Folder string
	Files  []string // all but the tests and the lists of defects, where none is named
}

// Rewrite puts mutants into packages. Those of the packages below the first part's folder are named by their way from there.
func Rewrite(parts ...Part) (Rewritten, error) {
	r := Rewritten{Files: map[string][]byte{}}
	for _, part := range parts {
		p, err := load(part.Folder)
		if err != nil {
			return Rewritten{}, err
		}
		names := part.Files
		if len(names) == 0 {
			for _, f := range p.files {
				if name := p.name(f); !strings.HasPrefix(name, "defects") {
					names = append(names, name)
				}
			}
		}
		for _, name := range names {
			shown, err := filepath.Rel(parts[0].Folder, filepath.Join(part.Folder, name))
			if err == nil {
				err = r.rewrite(p, filepath.Join(part.Folder, name), shown)
			}
			if err != nil {
				return Rewritten{}, err
			}
		}
	}
	return r, nil
}

// rewrite puts mutants into a file, shown is how it is named in them.
func (r *Rewritten) rewrite(p *pkg, path, shown string) error {
	i := slices.IndexFunc(p.files, func(f *ast.File) bool { return p.name(f) == filepath.Base(path) })
	if i < 0 {
		return fmt.Errorf("there is no file %s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	w := &writer{pkg: p, file: p.files[i], name: shown, text: text, first: len(r.Mutants) + 1, imported: imports(p.files[i])}
	w.walk()
	if len(w.found) == 0 {
		return nil
	}
	// On the package's own line, so that lines stay what they are.
	w.edits.wrap(w.offset(w.file.Name.Pos()), w.offset(w.file.Name.End()), "", `; import switches "`+switchesPath+`"`)
	r.Mutants = append(r.Mutants, w.found...)
	r.Files[path] = w.edits.apply(text)
	if _, err := parser.ParseFile(token.NewFileSet(), path, r.Files[path], 0); err != nil {
		return fmt.Errorf("the rewritten %s is not Go: %w", path, err)
	}
	return nil
}

// Overlay writes the new texts into a folder and gives the file that the go command's -overlay takes.
func (r Rewritten) Overlay(folder string) (string, error) {
	replace := map[string]string{}
	for path, text := range r.Files {
		original, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		replace[original] = filepath.Join(folder, strings.ReplaceAll(path, string(filepath.Separator), "-"))
		if err := os.WriteFile(replace[original], text, 0o644); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "overlay.json")
	return path, os.WriteFile(path, list, 0o644)
}

// imports gives the name by which a file knows each package that it imports.
func imports(f *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		names[path] = path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			names[path] = spec.Name.Name
		}
	}
	return names
}
