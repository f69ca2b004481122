package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/strict"
)

func newIssuerLint() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "lint RULES...",
		Short: "Check rule files for the fake bank",
		Long: `Reads rule files as 'assay issuer serve --rules' does and says everything that is wrong with them,
by file and line: unknown words with the nearest known one, paths that the dialect does not have, rules of
equal priority that claim the same message.

A file says itself which dialect it is for, unless --dialect does. Exit code 0 means that all are good, 2 that
one is not.`,
		Example: `  assay issuer lint declines.yaml
  assay issuer lint --dialect unionpay-bcd *.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return usage(errors.New("no rule file is given; try: assay issuer lint FILE"))
			}
			var faults []error
			for _, file := range files {
				faults = append(faults, lint(cmd.OutOrStdout(), file, name))
			}
			if err := errors.Join(faults...); err != nil {
				return usage(err)
			}
			return nil
		},
	}
	dialectFlag(cmd, &name, "dialect of the rules (default: what the file says)")
	return cmd
}

// lint checks one file and says on out what a good one holds.
func lint(out io.Writer, file, dialectName string) error {
	set, d, err := openRules(file, dialectName)
	if err != nil {
		return err
	}
	setup := set.Setup()
	otherwise := setup.Otherwise
	if otherwise == "" {
		otherwise = "violation"
	}
	fmt.Fprintf(out, "%s: ok, %s, %s, dialect %s, otherwise %s\n", file,
		count(len(setup.Rules), "rule"), count(len(setup.Scenarios), "scenario"), d.host.ID, otherwise)
	return nil
}

// openRules reads a rule file for a dialect, or for the one that the file names.
func openRules(file, dialectName string) (*rules.Set, dialect, error) {
	d, err := dialectFor(file, dialectName)
	if err != nil {
		return nil, d, err
	}
	everyCard, err := chooseCards([]string{allCards})
	if err != nil {
		return nil, d, err
	}
	set, err := rules.Load(file, rules.Terms{Host: d.host, Codec: d.codec, Cards: everyCard})
	return set, d, err
}

func dialectFor(file, name string) (dialect, error) {
	if name != "" {
		return namedDialect(name)
	}
	f, err := os.Open(file)
	if err != nil {
		return dialect{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1)) // one that is longer is refused
	if err != nil {
		return dialect{}, err
	}
	if name, err = rules.DialectOf(file, data); err != nil {
		return dialect{}, err
	}
	if name == "" {
		return dialect{}, fmt.Errorf("%s: it names no dialect; add 'dialect: …' to it, or give --dialect", file)
	}
	d, err := openDialect(name)
	if err != nil {
		line, column := placeOf(data, "dialect")
		return d, &strict.Error{File: file, Line: line, Column: column, Message: err.Error()}
	}
	return d, nil
}

// placeOf finds a key of a file that strict.Decode has taken.
func placeOf(data []byte, key string) (line, column int) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return 1, 1
	}
	top := doc.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		if top[i].Value == key {
			return top[i].Line, top[i].Column
		}
	}
	return 1, 1
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
