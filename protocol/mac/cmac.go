package mac

import (
	"crypto/cipher"
	"crypto/subtle"
)

// The constants Rb of NIST SP 800-38B §5.3, by block size.
const (
	reduce64  = 0x1B
	reduce128 = 0x87
)

// cmac is NIST SP 800-38B §6.2 with the whole last block as its result.
func cmac(c cipher.Block, data []byte) []byte {
	size := c.BlockSize()
	key := make([]byte, size)
	c.Encrypt(key, key)
	double(key) // K1
	last := make([]byte, size)
	sum := make([]byte, size)
	for len(data) > size {
		subtle.XORBytes(sum, sum, data[:size])
		c.Encrypt(sum, sum)
		data = data[size:]
	}
	copy(last, data)
	if len(data) < size {
		last[len(data)] = 0x80
		double(key) // K2
	}
	subtle.XORBytes(last, last, key)
	subtle.XORBytes(sum, sum, last)
	c.Encrypt(sum, sum)
	return sum
}

// double multiplies by x in the field of the block's size.
func double(b []byte) {
	reduce := byte(reduce128)
	if len(b) == Size {
		reduce = reduce64
	}
	carry := b[0] >> 7
	for i := range b {
		b[i] <<= 1
		if i+1 < len(b) {
			b[i] |= b[i+1] >> 7
		}
	}
	b[len(b)-1] ^= reduce * carry
}
