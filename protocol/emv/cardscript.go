package emv

// script runs a command of an issuer script, once the transaction's first cryptogram was an ARQC:
// its MAC is over that (VIS). A wrong MAC changes nothing.
func (c *Card) script(command []byte) uint16 {
	s := &c.session
	if !s.online {
		return SWConditions
	}
	sw := c.secured(command)
	if sw != SWOK {
		s.app.scripts.failed = true
	} else {
		s.app.scripts.done = min(s.app.scripts.done+1, maxScriptsDone)
	}
	return sw
}

// secured verifies a script command and carries it out.
func (c *Card) secured(command []byte) uint16 {
	a := c.session.app
	atc := [2]byte{byte(a.counter >> 8), byte(a.counter)}
	m, err := NewMessaging(a.messages, a.messages, atc, c.session.arqc)
	if err != nil {
		return SWNoDiagnosis
	}
	data, err := m.Verify(command)
	if err != nil {
		return SWSecureMessaging
	}
	switch command[1] {
	case INSCardBlock:
		c.blocked, a.blocked = true, true
	case INSApplicationBlock:
		a.blocked = true
	case INSApplicationUnblock:
		a.blocked = false
	case INSPINChange:
		return c.changePIN(m, command[3], data)
	case INSPutData:
		return a.putData(command[2], command[3], data)
	}
	return SWOK
}

// changePIN unblocks the PIN or sets a new one (VIS). A card without a reference PIN verifies the command and is
// done: its PIN is the issuer's.
func (c *Card) changePIN(m Messaging, p2 byte, data []byte) uint16 {
	if c.pin == "" {
		return SWOK
	}
	if p2 == PINUnblock {
		if len(data) != 0 {
			return SWWrongLength
		}
		c.tries = c.profile.limit()
		return SWOK
	}
	current := ""
	if p2 == PINChangeWithOld {
		current = c.pin
	}
	pin, err := m.OpenPINChange(c.session.app.icc, data, current)
	if err != nil {
		return SWWrongData
	}
	c.pin, c.tries = pin, c.profile.limit()
	return SWOK
}

// putData sets one of the card's limits.
func (a *applet) putData(p1, p2 byte, data []byte) uint16 {
	if len(data) != 1 {
		return SWWrongLength
	}
	switch uint32(p1)<<8 | uint32(p2) {
	case TagLowerLimit:
		a.lower = data[0]
	case TagUpperLimit:
		a.upper = data[0]
	default:
		return SWDataNotFound
	}
	return SWOK
}
