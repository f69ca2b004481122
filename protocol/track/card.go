package track

import "strings"

// Limits of ISO/IEC 7813. Lengths of tracks are in characters, sentinels and LRC included.
const (
	MinPANLength  = 8
	MaxPANLength  = 19
	MinNameLength = 2
	MaxNameLength = 26
	MaxTrack1     = 79
	MaxTrack2     = 40

	expiryLength  = 4
	serviceLength = 3
	frameLength   = 3 // start sentinel, end sentinel, LRC
)

// Track2 is the content of track 2 (ISO/IEC 7813). All fields are decimal digits.
type Track2 struct {
	PAN           string // 8 to 19 digits
	Expiry        string // YYMM
	Service       string // service code, 3 digits
	Discretionary string // whatever fits; may be empty
}

// String returns "PAN=YYMMsvcDisc" without sentinels: the form of field 35 of ISO 8583. It is the
// card's data in clear and must never reach a log.
func (t Track2) String() string {
	return t.PAN + "=" + t.Expiry + t.Service + t.Discretionary
}

// Validate returns ErrFormat if t can't be a track 2.
func (t Track2) Validate() error {
	if !digits(t.PAN, MinPANLength, MaxPANLength) || !expiry(t.Expiry) ||
		!digits(t.Service, serviceLength, serviceLength) ||
		!digits(t.Discretionary, 0, MaxTrack2) ||
		len(t.String())+frameLength > MaxTrack2 {
		return ErrFormat
	}
	return nil
}

// Parse2 reads the form that String writes. Error: ErrFormat.
func Parse2(text string) (Track2, error) {
	pan, rest, found := strings.Cut(text, "=")
	if !found || len(rest) < expiryLength+serviceLength {
		return Track2{}, ErrFormat
	}
	t := Track2{
		PAN:           pan,
		Expiry:        rest[:expiryLength],
		Service:       rest[expiryLength : expiryLength+serviceLength],
		Discretionary: rest[expiryLength+serviceLength:],
	}
	if err := t.Validate(); err != nil {
		return Track2{}, err
	}
	return t, nil
}

// Encode2 returns the symbols of track 2, or nil if t does not validate.
func Encode2(t Track2) []byte {
	if t.Validate() != nil {
		return nil
	}
	return numeric.encode(t.String())
}

// Decode2 reads the symbols of track 2. Errors, in the order in which they are looked for:
// ErrBlank, ErrFormat (too many symbols), ErrParity, ErrSentinel, ErrLRC, ErrFormat (content).
func Decode2(symbols []byte) (Track2, error) {
	text, err := numeric.decode(symbols, MaxTrack2)
	if err != nil {
		return Track2{}, err
	}
	return Parse2(text)
}

// Track1 is the content of a format B track 1 (ISO/IEC 7813).
type Track1 struct {
	PAN           string // 8 to 19 digits
	Name          string // 2 to 26 characters, "SURNAME/GIVEN"
	Expiry        string // YYMM
	Service       string // service code, 3 digits
	Discretionary string // characters of the track 1 set without separators; may be empty
}

func (t Track1) text() string {
	return "B" + t.PAN + "^" + t.Name + "^" + t.Expiry + t.Service + t.Discretionary
}

// Validate returns ErrFormat if t can't be a track 1.
func (t Track1) Validate() error {
	if !digits(t.PAN, MinPANLength, MaxPANLength) || !expiry(t.Expiry) ||
		!digits(t.Service, serviceLength, serviceLength) ||
		len(t.Name) < MinNameLength || len(t.Name) > MaxNameLength || !plain(t.Name) ||
		!plain(t.Discretionary) || len(t.text())+frameLength > MaxTrack1 {
		return ErrFormat
	}
	return nil
}

// Encode1 returns the symbols of a format B track 1, or nil if Track1.Validate would complain.
func Encode1(pan, name, expiry, service, disc string) []byte {
	t := Track1{PAN: pan, Name: name, Expiry: expiry, Service: service, Discretionary: disc}
	if t.Validate() != nil {
		return nil
	}
	return alpha.encode(t.text())
}

// Decode1 reads the symbols of a format B track 1, with the errors of Decode2.
func Decode1(symbols []byte) (Track1, error) {
	text, err := alpha.decode(symbols, MaxTrack1)
	if err != nil {
		return Track1{}, err
	}
	parts := strings.Split(text, "^")
	if len(parts) != 3 || !strings.HasPrefix(parts[0], "B") ||
		len(parts[2]) < expiryLength+serviceLength {
		return Track1{}, ErrFormat
	}
	t := Track1{
		PAN:           parts[0][1:],
		Name:          parts[1],
		Expiry:        parts[2][:expiryLength],
		Service:       parts[2][expiryLength : expiryLength+serviceLength],
		Discretionary: parts[2][expiryLength+serviceLength:],
	}
	if err := t.Validate(); err != nil {
		return Track1{}, err
	}
	return t, nil
}

func digits(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// expiry reports whether s is YYMM with a month that exists.
func expiry(s string) bool {
	return digits(s, expiryLength, expiryLength) && s[2:] >= "01" && s[2:] <= "12"
}

// plain reports whether s has only track 1 characters that are no sentinel and no separator.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x5F || c == '%' || c == '^' || c == '?' {
			return false
		}
	}
	return true
}
