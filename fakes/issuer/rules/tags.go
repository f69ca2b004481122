package rules

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/assay-hil/assay/protocol/emv"
)

// constructed is the bit of a tag's first byte that marks a template (EMV book 3, B1).
const constructed = 0x20

// cardTag says if an EMV tag carries card data (EMV book 3, annex A): track 1 and 2 and their parts,
// card number, expiry, name.
func cardTag(tag string) bool {
	switch tag {
	case "56", "57", "5A", "5F20", "5F24", "9F0B", "9F1F", "9F20", "9F6B":
		return true
	}
	return false
}

// OpenData says if chip data, in hexadecimal, may be written down: they are BER-TLV, have no card data and,
// but for issuer scripts (71 and 72), no templates, in which there could be some.
func OpenData(value string) bool {
	raw, err := hex.DecodeString(value)
	if err != nil {
		return false
	}
	list, err := emv.Parse(raw)
	if err != nil {
		return false
	}
	for _, object := range list {
		tag := fmt.Sprintf("%02X", object.Tag)
		first, _ := strconv.ParseUint(tag[:2], 16, 8) // two hexadecimal digits
		script := tag == "71" || tag == "72"
		if cardTag(tag) || first&constructed != 0 && !script {
			return false
		}
	}
	return true
}
