package iso8583

import "strings"

// dialect is iso87-ascii in small: every type and every length style once.
func dialect() Dialect {
	return Dialect{
		Name:    "iso87-ascii",
		Framing: Framing{LengthBytes: 2, MaxLength: 2048},
		Bitmap:  "hex",
		Fields: map[int]Field{
			2:  {Name: "PAN", Type: "n", Length: 19, Var: 2, Sensitive: "pan"},
			3:  {Name: "processing code", Type: "n", Length: 6},
			4:  {Name: "amount", Type: "n", Length: 12},
			7:  {Name: "transmission time", Type: "n", Length: 10},
			11: {Name: "STAN", Type: "n", Length: 6},
			14: {Name: "expiry", Type: "n", Length: 4, Sensitive: "pan"},
			35: {Name: "track 2", Type: "z", Length: 37, Var: 2, Sensitive: "track"},
			38: {Name: "authorisation", Type: "an", Length: 6},
			41: {Name: "terminal", Type: "ans", Length: 8},
			42: {Name: "merchant", Type: "ans", Length: 15},
			48: {Name: "customer ID", Type: "ans", Length: 255, Var: 3},
			52: {Name: "PIN block", Type: "b", Length: 8, Sensitive: "pin"},
			55: {Name: "EMV data", Type: "b", Length: 255, Var: 3, Sensitive: "track"},
			70: {Name: "network code", Type: "n", Length: 3},
		},
	}
}

func binaryDialect() Dialect {
	d := dialect()
	d.Name, d.Bitmap = "iso87-binary", "binary"
	return d
}

// packedDialect has all that the plain ones lack: header, BCD, both alignments, parts, tags, MAC, a field in
// EBCDIC and one in hexadecimal.
func packedDialect() Dialect {
	return Dialect{
		Name:    "packed",
		Framing: Framing{LengthBytes: 2, MaxLength: 2048},
		Header: []HeaderPart{
			{Name: "tpdu", Length: 2, Value: "60"},
			{Name: "destination", Length: 4, Value: "0003", Reply: "source"},
			{Name: "source", Length: 4, Value: "0000", Reply: "destination"},
			{Name: "request", Length: 2, Value: "07"},
		},
		Digits: "bcd",
		Bitmap: "binary",
		MAC:    &MAC{Field: 64, Algorithm: "x9.19"},
		Fields: map[int]Field{
			2:   {Name: "PAN", Type: "n", Length: 19, Var: 2, Sensitive: "pan"},
			3:   {Name: "processing code", Type: "n", Length: 6},
			4:   {Name: "amount", Type: "n", Length: 12},
			11:  {Name: "STAN", Type: "n", Length: 6},
			22:  {Name: "entry mode", Type: "n", Length: 3, Align: "left"},
			23:  {Name: "PAN sequence", Type: "n", Length: 3},
			35:  {Name: "track 2", Type: "z", Length: 37, Var: 2, Sensitive: "track"},
			36:  {Name: "track 3", Type: "z", Length: 104, Var: 3, Align: "right", Sensitive: "track"},
			39:  {Name: "response code", Type: "an", Length: 2},
			41:  {Name: "terminal", Type: "ans", Length: 8},
			43:  {Name: "name", Type: "ans", Length: 40, Var: 2, Encoding: "ebcdic"},
			44:  {Name: "digits in EBCDIC", Type: "n", Length: 4, Encoding: "ebcdic"},
			45:  {Name: "digits in ASCII", Type: "n", Length: 5, Var: 2, Encoding: "ascii"},
			48:  {Name: "free text", Type: "ans", Length: 99, Var: 3},
			52:  {Name: "PIN block", Type: "b", Length: 8, Sensitive: "pin"},
			53:  {Name: "key", Type: "b", Length: 4, Var: 2, Encoding: "hex"},
			55:  {Name: "EMV data", Type: "b", Length: 255, Var: 3, TLV: true},
			60:  {Name: "private", Type: "n", Length: 17, Var: 3, Parts: []Part{{"type", 2}, {"batch", 6}, {"function", 3}, {"rest", 0}}},
			64:  {Name: "MAC", Type: "b", Length: 8},
			90:  {Name: "original", Type: "n", Length: 42},
			128: {Name: "MAC", Type: "b", Length: 8},
		},
	}
}

// ebcdicDialect is a mainframe's: everything that can be is in code page 037.
func ebcdicDialect() Dialect {
	d := dialect()
	d.Name, d.Bitmap, d.Digits, d.Text = "ebcdic", "binary", "ebcdic", "ebcdic"
	d.Framing = Framing{LengthBytes: 4, LittleEndian: true, Inclusive: true, MaxLength: 4096}
	return d
}

const testPAN = "4761739001010119"

// purchase is the message whose bytes golden and goldenBinary are.
func purchase() Message {
	return Message{MTI: "0200", Fields: map[int]string{
		2: testPAN, 3: "000000", 4: "000000001250", 11: "000007", 35: testPAN + "=28122010000",
		41: "TERM0001", 48: "", 52: "00A1B2C3D4E5F6FF", 55: "9F2608",
	}}
}

// packedPurchase is the message whose bytes goldenPacked are.
func packedPurchase() Message {
	return Message{Header: "600003000007", MTI: "0200", Fields: map[int]string{
		2: "4761739001010119123", 3: "000000", 4: "000000001250", 11: "000007", 22: "051", 23: "001", 35: "4761739001010119123=28122",
		36: "12=34", 39: "00", 41: "TERM0001", 43: "Cafe 9", 44: "0815", 45: "12345", 48: "", 52: "00A1B2C3D4E5F6FF",
		53: "0AFF", 55: "9F260812345678ABCDEF01", 60: "22000123003", 64: "0102030405060708",
	}}
}

// goldenPacked was written by hand: ISO 8583:1987 in packed form, as terminals in China send it.
var goldenPacked = strings.Join([]string{
	"\x60\x00\x03\x00\x00\x07", "\x02\x00",
	"\x70\x20\x06\x00\x32\xB9\x1A\x11", // 2 3 4, 11, 22 23, 35 36 39, 41 43 44 45 48, 52 53 55, 60 64
	"\x19\x47\x61\x73\x90\x01\x01\x01\x19\x12\x30",
	"\x00\x00\x00", "\x00\x00\x00\x00\x12\x50", "\x00\x00\x07",
	"\x05\x10", "\x00\x01", // 3 digits: left, right
	"\x25\x47\x61\x73\x90\x01\x01\x01\x19\x12\x3D\x28\x12\x2F",
	"\x00\x05\x01\x2D\x34",
	"00", "TERM0001",
	"\x06\xC3\x81\x86\x85\x40\xF9", "\xF0\xF8\xF1\xF5", "\x0512345", "\x00\x00",
	"\x00\xA1\xB2\xC3\xD4\xE5\xF6\xFF", "\x040AFF",
	"\x00\x11\x9F\x26\x08\x12\x34\x56\x78\xAB\xCD\xEF\x01",
	"\x00\x11\x22\x00\x01\x23\x00\x30", "\x01\x02\x03\x04\x05\x06\x07\x08",
}, "")
