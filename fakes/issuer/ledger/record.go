package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// A line of the file is a record: the CRC-32 (IEEE 802.3, 8 hexadecimal digits) of what follows it on the
// line, the record's number in the file from 1, and a JSON object. The object is an entry, or the
// opening of new books:
//
//	c8a1f3b2 1 {"kind":"open","at":"2026-01-02T03:04:05Z","accounts":[{"id":"chip","opening":500000}]}
//	07d2c9e0 2 {"at":"2026-01-02T03:04:06Z","kind":"charge","account":"chip","terminal":"TERM0001", …}
const kindOpen Kind = "open"

// maxRecord bounds a line of the file.
const maxRecord = 64 << 10

// opening is the record that new books begin with.
type opening struct {
	Kind     Kind             `json:"kind"`
	At       time.Time        `json:"at"`
	Accounts []openingAccount `json:"accounts"`
}

type openingAccount struct {
	ID      string `json:"id"`
	Opening int64  `json:"opening"`
}

// errDamaged: a line is not a record.
var errDamaged = errors.New("the record is damaged")

// appendRecord writes a record's line.
func appendRecord(dst []byte, number uint64, value any) ([]byte, error) {
	object, err := json.Marshal(value)
	if err != nil {
		return dst, err
	}
	const sum = 9 // digits and a space
	start := len(dst)
	dst = append(dst, "00000000 "...)
	dst = strconv.AppendUint(dst, number, 10)
	dst = append(dst, ' ')
	dst = append(dst, object...)
	copy(dst[start:], fmt.Sprintf("%08x", crc32.ChecksumIEEE(dst[start+sum:])))
	return append(dst, '\n'), nil
}

// parseRecord reads a line, without its end. It gives the object of the record that has this number.
func parseRecord(line string, number uint64) (object []byte, err error) {
	sum, rest, found := strings.Cut(line, " ")
	want, bad := strconv.ParseUint(sum, 16, 32)
	if !found || bad != nil || len(sum) != 8 || uint32(want) != crc32.ChecksumIEEE([]byte(rest)) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	digits, text, _ := strings.Cut(rest, " ")
	if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n != number {
		return nil, fmt.Errorf("%w: it is number %.20q, %d should be here", errDamaged, digits, number)
	}
	return []byte(text), nil
}

// kindOf reads what a record is.
func kindOf(object []byte) (Kind, error) {
	var head struct {
		Kind Kind `json:"kind"`
	}
	if err := json.Unmarshal(object, &head); err != nil {
		return "", fmt.Errorf("%w: not a JSON object", errDamaged)
	}
	return head.Kind, nil
}
