package mutants

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math"
	"strings"
)

// expr mutates what stands in an expression.
func (w *writer) expr(e ast.Expr) {
	if e == nil || planted(e) != unknown {
		return
	}
	if w.constant(e) {
		return
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		w.binary(e)
	case *ast.UnaryExpr:
		w.expr(e.X)
	case *ast.ParenExpr:
		w.expr(e.X)
	case *ast.StarExpr:
		w.expr(e.X)
	case *ast.SelectorExpr:
		w.expr(e.X)
	case *ast.IndexExpr:
		w.expr(e.X)
		if tv := w.pkg.info.Types[e.Index]; !tv.IsType() {
			w.expr(e.Index)
		}
	case *ast.SliceExpr:
		for _, part := range []ast.Expr{e.X, e.Low, e.High, e.Max} {
			w.expr(part)
		}
	case *ast.CallExpr:
		w.call(e)
	case *ast.CompositeLit:
		w.literal(e)
	case *ast.FuncLit:
		outer := w.results
		w.results = w.pkg.info.Types[e].Type.(*types.Signature).Results()
		w.block(e.Body.List)
		w.results = outer
	case *ast.TypeAssertExpr:
		w.expr(e.X)
	}
}

func (w *writer) call(e *ast.CallExpr) {
	if w.unheard(e) || w.pkg.info.Types[e.Fun].IsType() && len(e.Args) == 0 {
		return
	}
	if !w.pkg.info.Types[e.Fun].IsType() {
		w.expr(e.Fun)
	}
	for i, arg := range e.Args {
		if tv := w.pkg.info.Types[arg]; tv.IsType() || i == 0 && w.pkg.info.Types[e.Fun].IsBuiltin() && len(e.Args) == 1 {
			continue
		}
		w.expr(arg)
	}
}

// literal: fields of a struct may be left out.
func (w *writer) literal(e *ast.CompositeLit) {
	_, isStruct := w.pkg.info.Types[e].Type.Underlying().(*types.Struct)
	for _, element := range e.Elts {
		pair, keyed := element.(*ast.KeyValueExpr)
		if !keyed {
			w.expr(element)
			continue
		}
		tv := w.pkg.info.Types[pair.Value]
		if isStruct && tv.Value == nil && !tv.IsNil() {
			if name, ok := w.typeName(tv.Type); ok {
				w.add(pair.Value, Field, "switches.Drop["+name+"](%d, ", ")")
			}
		}
		w.expr(pair.Value)
	}
}

func (w *writer) binary(e *ast.BinaryExpr) {
	switch e.Op {
	case token.LAND, token.LOR:
		w.condition(e)
		return
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if !w.inCondition(e) {
			w.add(e, Flip, "switches.Not(%d, ", ")")
		}
		if e.Op != token.EQL && e.Op != token.NEQ && w.quiet(e.X) && w.quiet(e.Y) {
			w.add(e, Boundary, "switches.Edge(%d, ", ", "+w.source(e.X)+", "+w.source(e.Y)+")")
		}
	}
	w.expr(e.X)
	w.expr(e.Y)
}

// inCondition says that a comparison has just been turned round, as a clause.
func (w *writer) inCondition(e *ast.BinaryExpr) bool {
	if len(w.found) == 0 {
		return false
	}
	last := w.found[len(w.found)-1]
	return last.Kind == Flip && w.edits.all[len(w.edits.all)-2].at == w.offset(e.Pos()) && w.edits.all[len(w.edits.all)-1].at == w.offset(e.End())
}

// quiet says that an expression may be evaluated twice.
func (w *writer) quiet(e ast.Expr) bool {
	is := true
	ast.Inspect(e, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			switch w.source(call.Fun) {
			case "len", "min", "max", "utf8.RuneCountInString":
			default:
				is = false
			}
		}
		return is
	})
	return is
}

// constant mutates a constant, and says whether the expression is one.
func (w *writer) constant(e ast.Expr) bool {
	tv := w.pkg.info.Types[e]
	if tv.Value == nil {
		return false
	}
	basic, ok := tv.Type.Underlying().(*types.Basic)
	name, named := w.typeName(tv.Type)
	if !ok || !named || basic.Info()&types.IsUntyped != 0 {
		return true
	}
	source := w.source(e)
	other := ""
	switch {
	case strings.HasPrefix(source, "prompt"):
		if other = "promptCommError"; source == other {
			other = "promptApproved"
		}
	case basic.Info()&types.IsBoolean != 0:
		other = "!(" + source + ")"
	case basic.Info()&types.IsInteger != 0:
		other = "(" + source + ")+1"
		if basic.Kind() == types.Uint8 && constant.Compare(tv.Value, token.EQL, constant.MakeInt64(math.MaxUint8)) {
			other = "(" + source + ")-1"
		}
	case basic.Info()&types.IsString != 0 && source != `""`:
		other = "(" + source + `)+"?"`
	default:
		return true
	}
	w.add(e, Constant, "switches.Instead["+name+"](%d, ", ", "+other+")")
	return true
}

// typeName writes a type as this file would; false when it can't.
func (w *writer) typeName(t types.Type) (string, bool) {
	ok := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == w.pkg.types {
			return ""
		}
		known, imported := w.imported[p.Path()]
		ok = ok && imported
		return known
	})
	if basic, is := t.(*types.Basic); is && basic.Info()&types.IsUntyped != 0 {
		ok = false
	}
	return name, ok
}
