package mutants

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// writer puts mutants into one file.
type writer struct {
	pkg      *pkg
	file     *ast.File
	name     string // of the file, as its mutants tell it
	text     []byte
	imported map[string]string // package path → its name here
	first    int               // number of the file's first mutant
	edits    edits
	found    []Mutant
	function string
	results  *types.Tuple // of the function around
}

func (w *writer) offset(p token.Pos) int { return w.pkg.fset.Position(p).Offset }

func (w *writer) source(n ast.Node) string {
	return string(w.text[w.offset(n.Pos()):w.offset(n.End())])
}

// longest is how much of a changed piece of code is told.
const longest = 70

// add makes a mutant of a node: before is a format that takes the switch's number.
func (w *writer) add(n ast.Node, kind, before, after string) {
	code := strings.Join(strings.Fields(w.source(n)), " ")
	if len(code) > longest {
		code = code[:longest] + " …"
	}
	id := w.first + len(w.found)
	w.found = append(w.found, Mutant{ID: id, File: w.name, Line: w.pkg.fset.Position(n.Pos()).Line, Func: w.function, Kind: kind, Code: code})
	w.edits.wrap(w.offset(n.Pos()), w.offset(n.End()), fmt.Sprintf(before, id), after)
}

// walk goes through the functions.
func (w *writer) walk() {
	for _, d := range w.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil || asksForDefect(f.Name.Name) && w.takesString(f) {
			continue
		}
		w.function = f.Name.Name
		w.results = w.pkg.info.Defs[f.Name].Type().(*types.Signature).Results()
		w.block(f.Body.List)
	}
}

// asksForDefect knows the names of the functions that say whether a defect is planted: has of the terminal, bad of its kernel.
func asksForDefect(name string) bool { return name == "has" || name == "bad" }

func (w *writer) takesString(f *ast.FuncDecl) bool {
	params := w.pkg.info.Defs[f.Name].Type().(*types.Signature).Params()
	return params.Len() == 1 && types.Identical(params.At(0).Type(), types.Typ[types.String])
}

// block mutates statements, each of which may also be deleted.
func (w *writer) block(list []ast.Stmt) {
	for _, s := range list {
		if w.deletable(s) {
			w.add(s, Delete, "if switches.Keep(%d) { ", " }")
		}
		w.stmt(s)
	}
}

// deletable are statements without which the rest still compiles.
func (w *writer) deletable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && !w.unheard(call)
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE
	case *ast.IncDecStmt:
		return true
	}
	return false
}

// unheard are calls of which nobody outside ever learns.
func (w *writer) unheard(call *ast.CallExpr) bool {
	switch w.source(call.Fun) {
	case "a.debug", "panic", "fmt.Errorf", "errors.New":
		return true
	}
	return false
}

func (w *writer) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.BlockStmt:
		w.block(s.List)
	case *ast.IfStmt:
		w.ifStmt(s)
	case *ast.ForStmt:
		w.part(s.Init)
		if s.Cond != nil {
			w.condition(s.Cond)
		}
		w.part(s.Post)
		w.block(s.Body.List)
	case *ast.RangeStmt:
		w.expr(s.X)
		w.block(s.Body.List)
	case *ast.SwitchStmt:
		w.part(s.Init)
		if s.Tag != nil {
			w.expr(s.Tag)
		}
		for _, c := range s.Body.List {
			w.caseClause(c.(*ast.CaseClause), s.Tag == nil)
		}
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			w.block(c.(*ast.CommClause).Body)
		}
	case *ast.LabeledStmt:
		w.stmt(s.Stmt)
	case *ast.ReturnStmt:
		w.returnStmt(s)
	default:
		w.part(s)
	}
}

// part mutates what stands in a simple statement.
func (w *writer) part(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		for _, e := range s.Rhs {
			w.expr(e)
		}
	case *ast.ExprStmt:
		w.expr(s.X)
	case *ast.DeferStmt:
		w.expr(s.Call)
	}
}

func (w *writer) ifStmt(s *ast.IfStmt) {
	w.part(s.Init)
	switch planted(s.Cond) {
	case never:
	case always:
		w.block(s.Body.List)
	default:
		w.add(s.Cond, Guard, "switches.Never(%d, ", ")")
		w.condition(s.Cond)
		w.block(s.Body.List)
	}
	if s.Else != nil {
		w.stmt(s.Else)
	}
}

func (w *writer) caseClause(c *ast.CaseClause, conditions bool) {
	reachable := len(c.List) == 0
	for _, e := range c.List {
		switch {
		case !conditions:
			w.expr(e)
		case planted(e) == never:
			continue
		default:
			w.add(e, Guard, "switches.Never(%d, ", ")")
			w.condition(e)
		}
		reachable = true
	}
	if reachable {
		w.block(c.Body)
	}
}

// returnStmt: a result may be nothing.
func (w *writer) returnStmt(s *ast.ReturnStmt) {
	for i, e := range s.Results {
		if w.results != nil && len(s.Results) == w.results.Len() {
			t := w.results.At(i).Type()
			// A variable beside a call is read after it, and must not be read by a call of its own before.
			beside := len(s.Results) > 1 && !calls(e) && slices.ContainsFunc(s.Results, calls)
			if name, ok := w.typeName(t); ok && !beside && !w.empty(e) && planted(e) == unknown {
				w.add(e, Result, "switches.Drop["+name+"](%d, ", ")")
			}
		}
		w.expr(e)
	}
}

// calls says that an expression calls something.
func calls(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, call := n.(*ast.CallExpr)
		found = found || call
		return !found
	})
	return found
}

// empty says that an expression is its type's zero already.
func (w *writer) empty(e ast.Expr) bool {
	tv := w.pkg.info.Types[e]
	if tv.IsNil() {
		return true
	}
	if lit, ok := e.(*ast.CompositeLit); ok && len(lit.Elts) == 0 {
		return true
	}
	if tv.Value == nil {
		return false
	}
	switch tv.Value.Kind() {
	case constant.Bool:
		return !constant.BoolVal(tv.Value)
	case constant.String:
		return constant.StringVal(tv.Value) == ""
	case constant.Int, constant.Float:
		return constant.Sign(tv.Value) == 0
	}
	return false
}

// condition mutates a condition: each of its clauses is turned round, or left out.
func (w *writer) condition(e ast.Expr) {
	if planted(e) != unknown {
		return
	}
	switch b := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		if b.Op != token.LAND && b.Op != token.LOR {
			break
		}
		left, right := planted(b.X) == unknown, planted(b.Y) == unknown
		for _, side := range []ast.Expr{b.X, b.Y} {
			if left && right { // or there is nothing left without it
				if b.Op == token.LAND {
					w.add(side, Clause, "switches.Always(%d, ", ")")
				} else {
					w.add(side, Clause, "switches.Never(%d, ", ")")
				}
			}
			w.condition(side)
		}
		return
	}
	w.add(e, Flip, "switches.Not(%d, ", ")")
	w.expr(e)
}

// namesDefect tells has(defectX) from a method of the same name that asks for something else.
func namesDefect(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.HasPrefix(strings.ToLower(e.Name), "defect")
	case *ast.BasicLit:
		return e.Kind == token.STRING
	}
	return false
}

// certainty is what is known of a condition when no defect is planted.
type certainty int

const (
	unknown certainty = iota
	never
	always
)

// planted knows the question whether a defect is planted.
func planted(e ast.Expr) certainty {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && asksForDefect(sel.Sel.Name) && len(e.Args) == 1 && namesDefect(e.Args[0]) {
			return never
		}
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return map[certainty]certainty{never: always, always: never}[planted(e.X)]
		}
	case *ast.BinaryExpr:
		x, y := planted(e.X), planted(e.Y)
		switch {
		case e.Op == token.LAND && (x == never || y == never), e.Op == token.LOR && x == never && y == never:
			return never
		case e.Op == token.LOR && (x == always || y == always), e.Op == token.LAND && x == always && y == always:
			return always
		}
	}
	return unknown
}
