package terminal

import (
	"encoding/hex"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv/parameters"
)

// What a battery keeps, each a record of its own, so that one torn write spoils no other: a record that is torn is not there.
const (
	recordLogon      = backed + "logon"
	recordParameters = backed + "parameters"
)

// loads are what the acquirer has loaded: records of package parameters, in hexadecimal. nil: never loaded.
type loads struct {
	Applications []string `json:"applications"`
	Keys         []string `json:"keys"`
}

// readBacked reads what the battery has kept.
func (m *memory) readBacked() {
	if keys, err := unseal[workingKeys](m.nvram.Get(recordLogon)); err == nil {
		m.logon = &keys
	}
	m.loads, _ = unseal[loads](m.nvram.Get(recordParameters)) // nothing where it is torn or not there
}

// saveLogon keeps what a sign-on brought.
func (m *memory) saveLogon(keys workingKeys) error {
	if err := m.nvram.Commit(map[string][]byte{recordLogon: seal(keys)}); err != nil {
		return ending{promptFileError}
	}
	m.logon = &keys
	return nil
}

// saveLoads keeps what was downloaded.
func (m *memory) saveLoads(change func(*loads)) error {
	next := m.loads
	change(&next)
	if !m.defects.has(defectParametersInRAM) {
		if err := m.nvram.Commit(map[string][]byte{recordParameters: seal(next)}); err != nil {
			return ending{promptFileError}
		}
	}
	m.loads = next
	return nil
}

// complete says whether all is there that a kernel needs.
func (l loads) complete() bool { return l.Applications != nil && l.Keys != nil }

// set is what the records mean. They were read once before they were kept.
func (l loads) set() (parameters.Set, error) {
	var set parameters.Set
	for _, record := range l.Applications {
		raw, err := hex.DecodeString(record)
		if err != nil {
			return set, err
		}
		applications, err := parameters.Applications(raw)
		if err != nil {
			return set, err
		}
		set.Applications = append(set.Applications, applications...)
	}
	for _, record := range l.Keys {
		raw, err := hex.DecodeString(record)
		if err != nil {
			return set, err
		}
		keys, err := parameters.Keys(raw)
		if err != nil {
			return set, err
		}
		set.Keys = append(set.Keys, keys...)
	}
	return set, nil
}

// loadsOf are the records of a set.
func loadsOf(set parameters.Set) loads {
	l := loads{Applications: []string{}, Keys: []string{}}
	for _, a := range set.Applications {
		l.Applications = append(l.Applications, hex.EncodeToString(a.Encode()))
	}
	for _, k := range set.Keys {
		l.Keys = append(l.Keys, hex.EncodeToString(k.Encode()))
	}
	return l
}

// Provision is what the workshop does before a terminal leaves it: it loads the model's parameters for the chip kernel. The NVRAM is
// otherwise left as it is; one that can't be written is left without.
func Provision(nvram *NVRAM, p *terminals.Profile) {
	if p.EMV != nil {
		_ = nvram.Commit(map[string][]byte{recordParameters: seal(loadsOf(p.EMV.Parameters()))})
	}
}

// loadKernel makes the kernel of what is in memory. Without parameters there is none, and no chip is read.
func (a *app) loadKernel() error {
	a.kernel = nil
	if a.profile.EMV == nil || !a.memory.loads.complete() && !a.defects.has(defectParametersUnchecked) {
		return nil
	}
	set, err := a.memory.loads.set()
	if err != nil {
		return err
	}
	a.kernel, err = newKernel(a.profile, set, a.defects)
	return err
}
