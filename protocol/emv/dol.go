package emv

// MaxDOLData is the most bytes that the data of one DOL may have (EMV Book 3 §5.4).
const MaxDOLData = 252

// DOLEntry asks for one data object in a fixed length.
type DOLEntry struct {
	Tag    uint32
	Length int // bytes, 0 to MaxDOLData
}

// DOL is a data object list: which objects a card wants, one after another without tags.
type DOL []DOLEntry

// ParseDOL reads a DOL's tags and lengths. Errors: *SyntaxError; ErrTooLong in it means that the
// data would exceed MaxDOLData.
func ParseDOL(b []byte) (DOL, error) {
	dol := DOL{}
	total := 0
	for offset := 0; offset < len(b); {
		tag, size, err := parseTag(b[offset:])
		if err != nil {
			return nil, &SyntaxError{"DOL", offset, err}
		}
		if offset+size == len(b) {
			return nil, &SyntaxError{"DOL", offset, ErrTruncated}
		}
		length := int(b[offset+size])
		if total += length; total > MaxDOLData {
			return nil, &SyntaxError{"DOL", offset, ErrTooLong}
		}
		dol = append(dol, DOLEntry{tag, length})
		offset += size + 1
	}
	return dol, nil
}

// Length is the number of data bytes that the DOL asks for.
func (d DOL) Length() int {
	total := 0
	for _, entry := range d {
		total += entry.Length
	}
	return total
}

// Build returns the data for a card: each entry's value from lookup, fitted to its length by the
// rules of EMV Book 3 §5.4. An object that lookup does not know, or a constructed one, is zeros.
func (d DOL) Build(lookup func(tag uint32) ([]byte, bool)) []byte {
	data := make([]byte, 0, d.Length())
	for _, entry := range d {
		value, ok := lookup(entry.Tag)
		if !ok || constructed(entry.Tag) {
			value = nil
		}
		data = append(data, fit(entry, value)...)
	}
	return data
}

// Split is Build's inverse on the card's side: it cuts data into the objects asked for. It
// reports false when the number of bytes is not the one that the DOL asks for.
func (d DOL) Split(data []byte) (List, bool) {
	if len(data) != d.Length() {
		return nil, false
	}
	list := make(List, 0, len(d))
	for _, entry := range d {
		list = append(list, TLV{entry.Tag, append([]byte{}, data[:entry.Length]...)})
		data = data[entry.Length:]
	}
	return list, true
}

// fit cuts or pads a value: numeric ones on the left with zeros, compressed numeric ones on the
// right with F, all others on the right with zeros. Absent ones are zeros.
func fit(entry DOLEntry, value []byte) []byte {
	out := make([]byte, entry.Length)
	excess := len(value) - entry.Length
	switch {
	case value == nil:
	case numeric(entry.Tag) && excess >= 0:
		copy(out, value[excess:])
	case numeric(entry.Tag):
		copy(out[-excess:], value)
	default:
		n := copy(out, value)
		if entry.Tag == TagPAN {
			for i := n; i < len(out); i++ {
				out[i] = 0xFF
			}
		}
	}
	return out
}

// numeric reports whether a tag's format is n (EMV Book 3 Annex A1).
func numeric(tag uint32) bool {
	switch tag {
	case TagAmount, TagAmountOther, TagTerminalCountry, TagCurrency, TagDate, TagType,
		TagExpiry, TagIssuerCountry, TagService, TagSequence, TagTerminalType,
		0x5F25, // application effective date
		0x5F36, // transaction currency exponent
		0x9F01, // acquirer identifier
		0x9F15, // merchant category code
		0x9F21, // transaction time
		0x9F39, // POS entry mode
		0x9F41: // transaction sequence counter
		return true
	}
	return false
}
