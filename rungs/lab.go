package rungs

import (
	"cmp"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// newLab is the rig that a file describes, with a terminal of its own. Timers are never
// changed.
func newLab(path string) (Rung, error) {
	f, err := rigs.LoadFile(path)
	if err != nil {
		return nil, err
	}
	profile, err := terminals.Load(f.Profile)
	if err != nil {
		return nil, err
	}
	given := f.Drivers()
	return &realtime{
		name: f.Name, profiles: []*terminals.Profile{profile}, scale: 1, lang: cmp.Or(f.Lang, profile.Languages[0]),
		has: func(capability string) bool {
			return rigs.Has(func(instrument string) bool { _, there := given[instrument]; return there }, capability)
		},
		plan: func(_ *teardown, p *terminals.Profile, _ string) (plan, error) {
			return plan{
				wire: newLoopback(map[string]string{uplinkName: f.Listen}),
				lines: func(name string) (*serial.Line, error) {
					l, ok := given[name]
					if !ok {
						return nil, nil
					}
					if name == "display" {
						l.Baud = cmp.Or(l.Baud, p.Screen.Baud)
					}
					return serial.Open(l.Port, serial.Mode{Baud: l.Baud})
				},
				settings: labSettings(f),
			}, nil
		},
	}, nil
}

func labSettings(f *rigs.File) settings {
	s := settings{name: f.Name, uncertainty: f.Uncertainty}
	if k := f.Instruments.Keypad; k != nil {
		s.origin, s.contact = grbl.Point(k.Origin), k.Contact
	}
	if p := f.Instruments.Power; p != nil {
		s.channel, s.normallyClosed = p.Channel, p.NormallyClosed
	}
	return s
}
