package rules

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// indent is the number of spaces of a level in a written file.
const indent = 2

// Format writes a setup as a rule file for a dialect, which Parse reads as the same setup. The
// lines of comment come first.
func Format(s client.Setup, dialect string, comment ...string) ([]byte, error) {
	doc := &yaml.Node{Kind: yaml.MappingNode}
	doc.Content = append(doc.Content, text("dialect"), quoted(dialect))
	doc.Content = append(doc.Content, written(reflect.ValueOf(s)).Content...)
	if len(s.Rules) == 0 {
		doc.Content = append(doc.Content, text("rules"), &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle})
	}
	var out bytes.Buffer
	for _, line := range comment {
		fmt.Fprintf(&out, "# %s\n", strings.ReplaceAll(line, "\n", " "))
	}
	e := yaml.NewEncoder(&out)
	e.SetIndent(indent)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return out.Bytes(), e.Close()
}

// written gives a value of package client as it stands in a file: under the names that it has in JSON, with
// hyphens, and without what is empty.
func written(v reflect.Value) *yaml.Node {
	if d, ok := v.Interface().(time.Duration); ok {
		return text(d.String())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return written(v.Elem())
	case reflect.Struct:
		return structure(v)
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, written(v.Index(i)))
		}
		if v.Type().Elem().Kind() == reflect.String {
			n.Style = yaml.FlowStyle
		}
		return n
	case reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, k := range keys {
			n.Content = append(n.Content, quoted(k.String()), written(v.MapIndex(k)))
		}
		return n
	case reflect.String:
		return quoted(v.String())
	}
	return text(fmt.Sprint(v.Interface()))
}

func structure(v reflect.Value) *yaml.Node {
	if a, ok := v.Interface().(client.Answer); ok && plain(a) {
		return text("books")
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if empty(v.Field(i)) && option == "omitempty" {
			continue
		}
		if r, ok := v.Interface().(client.Rule); ok && name == "answer" && len(r.Answers) > 0 && plain(r.Answer) {
			continue
		}
		n.Content = append(n.Content, text(strings.ReplaceAll(name, "_", "-")), written(v.Field(i)))
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// empty is what JSON calls empty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

func quoted(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: s, Tag: "!!str", Style: yaml.DoubleQuotedStyle}
}
