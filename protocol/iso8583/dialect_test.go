package iso8583

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

const testPAN = "4761739001010119"

// purchase is the message whose bytes golden and goldenBinary are.
func purchase() Message {
	return Message{MTI: "0200", Fields: map[int]string{
		2: testPAN, 3: "000000", 4: "000000001250", 11: "000007", 35: testPAN + "=28122010000",
		41: "TERM0001", 48: "", 52: "00A1B2C3D4E5F6FF", 55: "9F2608",
	}}
}
