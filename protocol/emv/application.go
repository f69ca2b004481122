package emv

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Application is the payment application on a test card and its key.
type Application struct {
	ATR           []byte // answer to reset; empty for a mute chip
	AID           []byte // 5 to 16 bytes
	Label         string // 1 to 16 characters
	PAN           string // 8 to 19 digits
	Expiry        string // YYMM; the card expires on that month's last day
	Sequence      string // PAN sequence number, 2 digits; "" is "00"
	Service       string // service code, 3 digits
	Discretionary string // rest of track 2, digits; with PAN, expiry and service at most 36
	Name          string // cardholder, at most 26 characters; "" is " /" (unknown, ISO/IEC 7813)
	MasterKey     []byte // issuer master key for cryptograms, 16 bytes. A test key.
}

// Limits of an Application.
const (
	minAIDLength    = 5
	maxAIDLength    = 16
	maxLabelLength  = 16
	minPANLength    = 8
	maxNameLength   = 26
	maxTrack2Digits = 36 // 37 characters with the separator (EMV Book 3: 57 has up to 19 bytes)
)

// ErrApplication means that an Application can't be put on a card. What is wrapped around it
// names the field and never its value.
var ErrApplication = errors.New("emv: invalid card application")

// Validate returns an error wrapping ErrApplication that names the first field that is not as
// documented.
func (a Application) Validate() error {
	_, expiryErr := time.Parse("0601", a.Expiry)
	checks := []struct {
		field string
		ok    bool
	}{
		{"AID", len(a.AID) >= minAIDLength && len(a.AID) <= maxAIDLength},
		{"Label", len(a.Label) >= 1 && len(a.Label) <= maxLabelLength},
		{"PAN", len(a.PAN) >= minPANLength && len(a.PAN) <= maxPANLength && decimal(a.PAN)},
		{"Expiry", len(a.Expiry) == 4 && decimal(a.Expiry) && expiryErr == nil},
		{"Sequence", a.Sequence == "" || len(a.Sequence) == 2 && decimal(a.Sequence)},
		{"Service", len(a.Service) == 3 && decimal(a.Service)},
		{"Discretionary", decimal(a.Discretionary) &&
			len(a.PAN)+len(a.Expiry)+len(a.Service)+len(a.Discretionary) <= maxTrack2Digits},
		{"Name", len(a.Name) <= maxNameLength},
		{"MasterKey", len(a.MasterKey) == keySize},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrApplication, c.field)
		}
	}
	return nil
}

// The fixed part of every test card.
var (
	// aip: cardholder verification, terminal risk management, issuer authentication with
	// EXTERNAL AUTHENTICATE. There is no offline data authentication.
	aip = [2]byte{0x1C, 0x00}
	// afl: records 1 and 2 of file 1, record 1 of file 2.
	afl = [8]byte{1 << 3, 1, 2, 0, 2 << 3, 1, 1, 0}
	// cvmList: no amounts; enciphered PIN verified online, if the terminal supports it. No other
	// method follows, so without PIN verification has failed.
	cvmList = [10]byte{8: 0x02, 9: 0x03}
	// auc: domestic and international, goods, services and cash, ATMs and other terminals.
	auc = [2]byte{0xFF, 0x00}
	// issuerCountry is China (ISO 3166-1 numeric 156).
	issuerCountry = [2]byte{0x01, 0x56}
	// The issuer action codes send every sale online, since data authentication was not done,
	// and decline where that is not possible. Denied outright: a service that is not allowed.
	iacDefault = [5]byte{0xF0, 0x40, 0x00, 0x88, 0x00}
	iacDenial  = [5]byte{0x00, 0x10, 0x00, 0x00, 0x00}
	iacOnline  = [5]byte{0xF0, 0x40, 0x04, 0x98, 0x00}
)

// cdol1 is what the card wants for its first cryptogram.
func cdol1() DOL {
	return DOL{
		{TagAmount, 6}, {TagAmountOther, 6}, {TagTerminalCountry, 2}, {TagTVR, 5},
		{TagCurrency, 2}, {TagDate, 3}, {TagType, 1}, {TagUnpredictable, 4},
	}
}

// cdol2 is what it wants for the second: the response code, then the same again.
func cdol2() DOL { return append(DOL{{TagARC, 2}}, cdol1()...) }

func (d DOL) encode() []byte {
	var b []byte
	for _, entry := range d {
		b = append(appendTag(b, entry.Tag), byte(entry.Length))
	}
	return b
}

// record is a record of one of the card's files.
type record struct {
	file, number byte
	data         []byte // with its template 70
}

// records builds the card's files from a valid application, as the AFL lists them.
func (a Application) records() []record {
	track2 := a.PAN + "D" + a.Expiry + a.Service + a.Discretionary
	name := a.Name
	if name == "" {
		name = " /"
	}
	build := func(file, number byte, l List) record {
		return record{file, number, List{{TagRecord, l.Encode()}}.Encode()}
	}
	return []record{
		build(1, 1, List{{TagTrack2, bcd(track2)}, {TagName, []byte(name)}}),
		build(1, 2, List{
			{TagPAN, bcd(a.PAN)}, {TagExpiry, bcd(a.lastDay())}, {TagSequence, bcd(a.sequence())},
			{TagService, bcd("0" + a.Service)}, {TagIssuerCountry, issuerCountry[:]}, {TagAUC, auc[:]},
		}),
		build(2, 1, List{
			{TagCDOL1, cdol1().encode()}, {TagCDOL2, cdol2().encode()}, {TagCVMList, cvmList[:]},
			{TagIACDefault, iacDefault[:]}, {TagIACDenial, iacDenial[:]}, {TagIACOnline, iacOnline[:]},
		}),
	}
}

// fci is the answer to SELECT.
func (a Application) fci() []byte {
	proprietary := List{{TagLabel, []byte(a.Label)}, {TagPriority, []byte{1}}}
	return List{{TagFCI, List{
		{TagDFName, a.AID}, {TagProprietary, proprietary.Encode()},
	}.Encode()}}.Encode()
}

func (a Application) sequence() string {
	if a.Sequence == "" {
		return "00"
	}
	return a.Sequence
}

// lastDay is the expiry as YYMMDD. Years are of this century, as for every EMV card now alive.
func (a Application) lastDay() string {
	year, _ := strconv.Atoi(a.Expiry[:2])
	month, _ := strconv.Atoi(a.Expiry[2:])
	return time.Date(2000+year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Format("060102")
}
