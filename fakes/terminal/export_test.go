package terminal

// State is what a terminal keeps in NVRAM.
type State = state

// Row is a line of the journal, Message what waits to be told.
type (
	Row     = journalRow
	Message = message
)

// PeekMemory reads the newest whole record of a terminal's memory; zero when there is none.
func PeekMemory(n *NVRAM) State {
	m, _ := loadMemory(n, defaultJournal, nil) // what is torn is not there
	return m.state
}

// PokeLogon has a terminal that is off have signed on before.
func PokeLogon(n *NVRAM) {
	n.Power(true)
	m, _ := loadMemory(n, defaultJournal, nil)
	if err := m.saveLogon(workingKeys{}); err != nil {
		panic(err)
	}
}

// PokeMemory changes the memory of a terminal that is off.
func PokeMemory(n *NVRAM, change func(*State)) {
	n.Power(true) // of whoever services it
	m, _ := loadMemory(n, defaultJournal, nil)
	if err := m.save(change); err != nil {
		panic(err)
	}
}
