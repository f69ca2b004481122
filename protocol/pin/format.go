package pin

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"

	"github.com/assay-hil/assay/protocol/tdes"
)

// Formats of ISO 9564-1 for online PINs.
const (
	Format0 = 0 // PIN XOR PAN, filled with F; 8 bytes, TDES
	Format1 = 1 // PIN and a random rest, without a PAN; 8 bytes, TDES
	Format3 = 3 // as 0, filled with random A to F; 8 bytes, TDES
	Format4 = 4 // PIN field and PAN field apart, joined by the encipherment; 16 bytes, AES
)

// ErrFormat means that a format is none of 0, 1, 3 and 4.
var ErrFormat = fmt.Errorf("pin: unknown PIN block format; known are %d, %d, %d and %d", Format0, Format1, Format3, Format4)

const (
	fill4     = 0xA // fill digit of format 4's PIN field
	lowFill   = 0xA // least fill digit of format 3
	blockSize = 8
)

// Size is the length of a format's block in bytes; 0 for an unknown format.
func Size(format int) int {
	switch format {
	case Format0, Format1, Format3:
		return blockSize
	case Format4:
		return aes.BlockSize
	}
	return 0
}

// Encode returns a clear PIN block of ISO 9564-1 §9: 8 bytes for the formats 0, 1 and 3. For format 4
// it is the PIN field, 16 bytes; the PAN comes in when it is enciphered (see Seal), and is checked
// here only. random gives the fill of the formats 1, 3 and 4: crypto/rand.Reader, or in tests
// another; format 0 takes none. Errors: ErrFormat, ErrPIN, ErrPAN, those of random.
func Encode(format int, pin, pan string, random io.Reader) ([]byte, error) {
	if Size(format) == 0 {
		return nil, ErrFormat
	}
	if len(pin) < MinPINLength || len(pin) > MaxPINLength || !decimal(pin) {
		return nil, ErrPIN
	}
	var account [blockSize]byte
	if format != Format1 {
		var err error
		if account, err = accountField(pan); err != nil {
			return nil, err
		}
	}
	noise := make([]byte, blockSize)
	if format != Format0 {
		if _, err := io.ReadFull(random, noise); err != nil {
			return nil, fmt.Errorf("pin: random fill: %w", err)
		}
	}
	field := pinField(format, pin, noise)
	switch format {
	case Format1:
		return field[:], nil
	case Format4:
		return append(field[:], noise...), nil
	}
	block := xor(field, account)
	return block[:], nil
}

// pinField is control, length, PIN and the format's fill, of which noise is the random part.
func pinField(format int, pin string, noise []byte) [blockSize]byte {
	random := unpack([blockSize]byte(noise))
	var nibbles [16]byte
	nibbles[0], nibbles[1] = byte(format), byte(len(pin))
	for i := 2; i < len(nibbles); i++ {
		switch {
		case i-2 < len(pin):
			nibbles[i] = pin[i-2] - '0'
		case format == Format0:
			nibbles[i] = fill
		case format == Format1:
			nibbles[i] = random[i]
		case format == Format3:
			nibbles[i] = lowFill + random[i]%(fill-lowFill+1)
		default:
			nibbles[i] = fill4
		}
	}
	return pack(nibbles)
}

// Decode returns the PIN of what Encode made. Errors: ErrFormat, ErrPAN, and ErrBlock when the block
// is none of this format under this PAN.
func Decode(format int, block []byte, pan string) (string, error) {
	if Size(format) == 0 {
		return "", ErrFormat
	}
	var account [blockSize]byte
	if format != Format1 {
		var err error
		if account, err = accountField(pan); err != nil {
			return "", err
		}
	}
	if len(block) != Size(format) {
		return "", ErrBlock
	}
	field := [blockSize]byte(block)
	if format == Format0 || format == Format3 {
		field = xor(field, account)
	}
	return decodeField(format, unpack(field))
}

// decodeField reads the PIN field of any format.
func decodeField(format int, nibbles [16]byte) (string, error) {
	length := int(nibbles[1])
	if nibbles[0] != byte(format) || length < MinPINLength || length > MaxPINLength {
		return "", ErrBlock
	}
	digits := make([]byte, length)
	for i, n := range nibbles[2:] {
		switch {
		case i < length && n <= 9:
			digits[i] = '0' + n
		case i >= length && fills(format, n):
		default:
			return "", ErrBlock
		}
	}
	return string(digits), nil
}

func fills(format int, n byte) bool {
	switch format {
	case Format0:
		return n == fill
	case Format3:
		return n >= lowFill
	case Format4:
		return n == fill4
	}
	return true
}

// Seal encodes a PIN and enciphers the block: TDES in ECB mode with a key of 16 or 24 bytes for the
// formats 0, 1 and 3, AES with one of 16, 24 or 32 bytes for format 4 (ISO 9564-1:2017 §9.4.2.3: the
// PIN field enciphered, XOR the PAN field, enciphered again). random is as for Encode. Errors: ErrKey,
// and those of Encode.
func Seal(format int, key []byte, pin, pan string, random io.Reader) ([]byte, error) {
	block, err := Encode(format, pin, pan, random)
	if err != nil {
		return nil, err
	}
	if format != Format4 {
		return tdesBlock(tdes.Encrypt, key, block)
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrKey
	}
	account := panField(pan)
	c.Encrypt(block, block)
	for i := range block {
		block[i] ^= account[i]
	}
	c.Encrypt(block, block)
	return block, nil
}

// Open deciphers a block and returns the PIN. Errors: ErrKey, and those of Decode.
func Open(format int, key, block []byte, pan string) (string, error) {
	o, err := NewOpener(format, key)
	if err != nil {
		return "", err
	}
	return o.Open(block, pan)
}

// Opener opens blocks of one format under one key, whose preparation costs more than a block. It is
// safe for use by several goroutines.
type Opener struct {
	format int
	cipher cipher.Block
}

// NewOpener prepares a key. Errors: ErrFormat, ErrKey.
func NewOpener(format int, key []byte) (*Opener, error) {
	o := &Opener{format: format}
	var err error
	switch {
	case Size(format) == 0:
		return nil, ErrFormat
	case format == Format4:
		o.cipher, err = aes.NewCipher(key)
	case len(key) != tdes.DoubleSize && len(key) != tdes.TripleSize:
		return nil, ErrKey
	default:
		o.cipher, err = tdes.New(key)
	}
	if err != nil {
		return nil, ErrKey
	}
	return o, nil
}

// Open deciphers a block and returns the PIN. Errors: those of Decode.
func (o *Opener) Open(block []byte, pan string) (string, error) {
	if len(block) != Size(o.format) {
		return "", ErrBlock
	}
	clear := make([]byte, len(block))
	if o.format != Format4 {
		o.cipher.Decrypt(clear, block)
		return Decode(o.format, clear, pan)
	}
	if _, err := accountField(pan); err != nil {
		return "", err
	}
	account := panField(pan)
	o.cipher.Decrypt(clear, block)
	for i := range clear {
		clear[i] ^= account[i]
	}
	o.cipher.Decrypt(clear, clear)
	return Decode(o.format, clear, pan)
}

func tdesBlock(step func(key, data []byte) ([]byte, error), key, block []byte) ([]byte, error) {
	if len(key) != tdes.DoubleSize && len(key) != tdes.TripleSize {
		return nil, ErrKey
	}
	out, err := step(key, block)
	if err != nil {
		return nil, ErrKey
	}
	return out, nil
}

// panField is format 4's: how many digits the PAN has over twelve, the whole PAN, and zeros.
func panField(pan string) [aes.BlockSize]byte {
	var field [aes.BlockSize]byte
	put := func(i int, nibble byte) { field[i/2] |= nibble << (4 * (1 - i%2)) }
	put(0, byte(len(pan)-12))
	for i := range len(pan) {
		put(i+1, pan[i]-'0')
	}
	return field
}
