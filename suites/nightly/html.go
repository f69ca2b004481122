package nightly

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/assay-hil/assay/harness/record"
)

//go:embed index.tmpl.html
var page string

var tmpl = template.Must(template.New("index").Funcs(template.FuncMap{"mark": mark}).Parse(page))

// html makes the page for people. It needs nothing else; its links lead to the reports of the processes.
func html(s Summary) ([]byte, error) {
	var b bytes.Buffer
	if err := tmpl.Execute(&b, s); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return bytes.Map(printable, b.Bytes()), nil
}

// printable replaces the characters that HTML may not hold.
func printable(c rune) rune {
	if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 {
		return '\uFFFD'
	}
	return c
}

// mark is the sign before a verdict, so that it does not hang on colour.
func mark(v record.Verdict) string {
	switch v {
	case record.Pass:
		return "✓"
	case record.Marginal:
		return "~"
	case record.Fail:
		return "✗"
	case record.Skipped, record.NotRun:
		return "–"
	default:
		return "?"
	}
}
