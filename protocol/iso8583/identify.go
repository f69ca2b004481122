package iso8583

// Identity is what a message is told by, without reading all of it. A field that the message does not
// have is empty.
type Identity struct {
	MTI      string
	STAN     string // field 11
	Terminal string // field 41
}

// Fields that identify a message (ISO 8583:1987, 4.4.11 and 4.4.41).
const (
	fieldSTAN     = 11
	fieldTerminal = 41
)

// Identify reads only as far as field 41 and checks no value but those that it returns, so
// that it also works for messages that Unpack refuses. With an error, the part that could be
// read is still filled in.
func (c *Codec) Identify(payload []byte) (Identity, error) { return c.identify(payload, fieldTerminal) }

// MTIAndSTAN is Identify without the terminal, for who must be quick: it reads only as far as field 11.
func (c *Codec) MTIAndSTAN(payload []byte) (mti, stan string, err error) {
	id, err := c.identify(payload, fieldSTAN)
	return id.MTI, id.STAN, err
}

func (c *Codec) identify(payload []byte, last int) (Identity, error) {
	p, err := c.preamble(payload)
	var room [32]byte // on the stack, and all values in one string: a proxy asks this of every message
	text := room[:0]
	if p.digits[0] != 0 {
		text = append(text, p.digits[:]...)
	}
	mti := len(text)
	stan := mti
	if err == nil {
		text, stan, err = c.identifiers(text, payload, &p, last)
	}
	all := string(text)
	return Identity{MTI: all[:mti], STAN: all[mti:stan], Terminal: all[stan:]}, err
}

// identifiers adds STAN and, if the last field to read is that far, terminal; stan is where the first of them ends.
func (c *Codec) identifiers(text, payload []byte, p *preamble, last int) (_ []byte, stan int, err error) {
	pos := p.body
	stan = len(text)
	for n := p.fields.next(1); n > 0 && n <= last; n = p.fields.next(n) {
		e := c.entries[n]
		if e == nil {
			return text, stan, &FieldError{Field: n, Err: ErrUnknownField}
		}
		units, value, end, err := e.extent(payload, pos)
		if err != nil {
			return text, stan, &FieldError{Field: n, Err: err}
		}
		pos = end
		if n != fieldSTAN && n != fieldTerminal {
			continue
		}
		read, err := e.decode(text, payload[value:end], units)
		if err != nil {
			return text, stan, &FieldError{Field: n, Err: err}
		}
		if text = read; n == fieldSTAN {
			stan = len(text)
		}
	}
	return text, stan, nil
}

// RepeatOf gives the MTI of which this is the repeat: "0401" repeats "0400". It is false for an MTI that
// is no repeat (ISO 8583:1987, 4.2.3: the message's originator counts from even to odd).
func RepeatOf(mti string) (string, bool) {
	if len(mti) != mtiLength || !digits(mti) || mti[3]%2 == 0 || mti[3] > '5' {
		return "", false
	}
	return mti[:3] + string(mti[3]-1), true
}
