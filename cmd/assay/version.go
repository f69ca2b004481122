package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// built is the version that the Makefile puts in: git's name of the commit.
var built string

// version names the build: what the Makefile put in, else what the go command knows.
func version() string {
	if built != "" {
		return "assay " + built
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return "assay " + info.Main.Version
	}
	return "assay (unknown version)"
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Example: "  assay version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s, %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
