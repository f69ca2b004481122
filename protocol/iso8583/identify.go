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
func (c *Codec) Identify(payload []byte) (Identity, error) { return c.identify(payload) }

// AppendMTIAndSTAN is Identify without the terminal, for who must be quick: it reads only as far as field 11, and appends
// MTI and STAN to dst. The MTI is the first mti bytes of what it has appended.
func (c *Codec) AppendMTIAndSTAN(dst, payload []byte) (text []byte, mti int, err error) {
	p, err := c.preamble(payload)
	if p.digits[0] != 0 {
		dst, mti = append(dst, p.digits[:]...), len(p.digits)
	}
	if err != nil {
		return dst, mti, err
	}
	c.leap(payload, &p)
	text, _, err = c.identifiers(dst, payload, &p, fieldSTAN)
	return text, mti, err
}

// untilSTAN is how many bits of the first bitmap are of field 11 and those behind it. Above them, fields 3 to 10 are a byte.
const untilSTAN = 64 - (fieldSTAN - 1)

// leap goes on to field 11, over a field 2 of whatever length and others whose lengths together are known. Where that
// can't be, nothing happens.
func (c *Codec) leap(payload []byte, p *preamble) {
	pos := p.body
	if p.fields.has(2) {
		if c.entries[2] == nil {
			return
		}
		_, _, end, err := c.entries[2].extent(payload, pos)
		if err != nil {
			return
		}
		pos = end
	}
	over := c.leaps[byte(p.fields[0]>>untilSTAN)]
	if over < 0 || pos+over > len(payload) {
		return
	}
	p.body = pos + over
	p.fields[0] &= 1<<untilSTAN - 1
}

// makeLeaps computes how long fields 3 to 10 are together, for each set of them; -1 where one is unknown or has a
// length of its own.
func (c *Codec) makeLeaps() {
	for set := range c.leaps {
		for n := 3; n < fieldSTAN; n++ {
			if set>>(fieldSTAN-1-n)&1 == 0 {
				continue
			}
			e := c.entries[n]
			if e == nil || !e.fixed {
				c.leaps[set] = -1
				break
			}
			c.leaps[set] += e.wire(e.most)
		}
	}
}

func (c *Codec) identify(payload []byte) (Identity, error) {
	p, err := c.preamble(payload)
	var room [32]byte // on the stack, and all values in one string
	text := room[:0]
	if p.digits[0] != 0 {
		text = append(text, p.digits[:]...)
	}
	mti := len(text)
	stan := mti
	if err == nil {
		text, stan, err = c.identifiers(text, payload, &p, fieldTerminal)
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
