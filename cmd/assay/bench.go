package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/rungs"
)

func newBench() *cobra.Command {
	o := rungs.StandInOptions{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Stand in for a lab: a simulated bench with a rig file",
		Long: `Starts the simulated bench on pseudo-terminals, in real time and with the terminal's own timers,
and writes a rig file that names them. Until Ctrl-C it stands in for a lab: in another shell,
'assay run --rig DIR/rig.yaml' drives it as it would drive real instruments and a real terminal.`,
		Example: `  assay bench --dir /tmp/bench &
  assay run --rig /tmp/bench/rig.yaml --scenario CID-PHONE`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := rungs.StartStandIn(o)
			if err != nil {
				return usage(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The bench is up; Ctrl-C ends it.\nrig file: %s\n", s.RigFile)
			<-cmd.Context().Done()
			return s.Close()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Dir, "dir", "bench", "folder for the rig file and the links to the instruments")
	flags.StringVar(&o.Profile, "profile", "countertop", "terminal profile")
	flags.StringVar(&o.Host, "host", "", "address that the terminal dials (default 127.0.0.1)")
	flags.StringVar(&o.Lang, "lang", "", "language of the terminal (default: the profile's first)")
	flags.StringSliceVar(&o.Defects, "defect", nil, "plant defects in the simulated terminal; 'assay run --help' lists them")
	flags.StringSliceVar(&o.Faults, "bench-fault", nil, "plant faults in the simulated bench")
	return cmd
}
