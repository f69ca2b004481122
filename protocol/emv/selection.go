package emv

import (
	"bytes"
	"slices"
)

// doSelect finds an application or a directory by its name, an application also by the beginning of it (EMV Book 1
// §11.3). P2 says whether the first is wanted or the next one after that which was found last by the same name.
func (c *Card) doSelect(_, p2 byte, name []byte) ([]byte, uint16) {
	if len(name) < minAIDLength || len(name) > maxAIDLength {
		return nil, SWWrongLength
	}
	if c.blocked {
		return nil, SWCardBlocked
	}
	from := 0
	if p2 != 0 {
		if !bytes.Equal(name, c.session.sought) {
			return nil, SWFileNotFound
		}
		from = c.session.next
	} else if fci, ok := c.selectDirectory(name); ok {
		return fci, SWOK
	}
	for i := from; i < len(c.apps); i++ {
		if c.shows(c.apps[i]) && bytes.HasPrefix(c.apps[i].app.AID, name) {
			return c.selectApplication(i, name)
		}
	}
	return nil, SWFileNotFound
}

func (c *Card) selectDirectory(name []byte) ([]byte, bool) {
	switch {
	case string(name) == PSE && c.profile.PSE && c.face == OnContact:
		c.session = session{phase: phaseDirectory, files: directoryFile(c.apps)}
		return c.profile.pseFCI(), true
	case string(name) == PPSE && c.profile.PPSE:
		c.session = session{phase: phaseDirectory}
		return ppseFCI(slices.DeleteFunc(slices.Clone(c.apps), func(a *applet) bool { return !c.shows(a) })), true
	}
	return nil, false
}

// shows says whether an application can be had on the interface that is alive.
func (c *Card) shows(a *applet) bool { return c.face == OnContact || a.app.Contactless != nil }

func (c *Card) selectApplication(i int, name []byte) ([]byte, uint16) {
	a := c.apps[i]
	c.session = session{phase: phaseSelected, sought: bytes.Clone(name), next: i + 1, app: a}
	fci := a.contact.fci
	if c.face == OnContactless {
		fci = a.tapped.fci
	}
	if a.blocked {
		return fci, SWBlocked
	}
	return fci, SWOK
}

// getData reads what is in no file (EMV Book 3 §6.5.7).
func (c *Card) getData(p1, p2 byte, data []byte) ([]byte, uint16) {
	a := c.session.app
	if len(data) != 0 {
		return nil, SWWrongLength
	}
	if a == nil {
		return nil, SWConditions
	}
	tag := uint32(p1)<<8 | uint32(p2)
	var value []byte
	switch {
	case tag == TagATC:
		value = []byte{byte(a.counter >> 8), byte(a.counter)}
	case tag == TagLastOnline:
		value = []byte{byte(a.lastOnline >> 8), byte(a.lastOnline)}
	case tag == TagPINTries && c.pin != "":
		value = []byte{c.tries}
	case tag == TagLowerLimit && a.upper > 0:
		value = []byte{a.lower}
	case tag == TagUpperLimit && a.upper > 0:
		value = []byte{a.upper}
	default:
		return nil, SWDataNotFound
	}
	return List{{tag, value}}.Encode(), SWOK
}
