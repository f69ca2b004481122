package oda

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
)

// Sizes of moduli in bytes (EMV Book 2 §B2.1).
const (
	MinModulus = 64
	MaxModulus = 248
)

// PublicKey is an RSA key.
type PublicKey struct {
	Modulus  []byte // MinModulus to MaxModulus bytes, the first not zero
	Exponent uint32 // 3 or 65537
}

// valid says whether the key is one of EMV.
func (k PublicKey) valid() bool {
	n := len(k.Modulus)
	return n >= MinModulus && n <= MaxModulus && k.Modulus[0] != 0 && k.Modulus[n-1]&1 == 1 && (k.Exponent == 3 || k.Exponent == 65537)
}

// ExponentBytes is the exponent as certificates and tags have it: 03 or 010001.
func (k PublicKey) ExponentBytes() []byte { return big.NewInt(int64(k.Exponent)).Bytes() }

// recover is the public operation; its result is as long as the modulus.
func (k PublicKey) recover(signed []byte) ([]byte, error) {
	if !k.valid() {
		return nil, ErrKey
	}
	if len(signed) != len(k.Modulus) {
		return nil, ErrLength
	}
	n, x := new(big.Int).SetBytes(k.Modulus), new(big.Int).SetBytes(signed)
	if x.Cmp(n) >= 0 {
		return nil, ErrLength
	}
	x.Exp(x, big.NewInt(int64(k.Exponent)), n)
	return x.FillBytes(make([]byte, len(signed))), nil
}

// PrivateKey is an RSA key that can sign. It is safe for use by several goroutines.
type PrivateKey struct {
	PublicKey
	p, q, dp, dq, inverse *big.Int // by the Chinese remainder theorem
}

// NewPrivateKey makes a key of its primes. Error: ErrKey.
func NewPrivateKey(p, q []byte, exponent uint32) (*PrivateKey, error) {
	k := &PrivateKey{p: new(big.Int).SetBytes(p), q: new(big.Int).SetBytes(q)}
	k.PublicKey = PublicKey{new(big.Int).Mul(k.p, k.q).Bytes(), exponent}
	if !k.valid() || k.p.Cmp(k.q) == 0 {
		return nil, ErrKey
	}
	one, e := big.NewInt(1), big.NewInt(int64(exponent))
	part := func(prime *big.Int) *big.Int { return new(big.Int).ModInverse(e, new(big.Int).Sub(prime, one)) }
	k.dp, k.dq, k.inverse = part(k.p), part(k.q), new(big.Int).ModInverse(k.q, k.p)
	if k.dp == nil || k.dq == nil || k.inverse == nil {
		return nil, ErrKey
	}
	probe := make([]byte, len(k.Modulus)) // numbers that are no primes show themselves
	probe[len(probe)-1] = 2
	if back, err := k.recover(k.sign(probe)); err != nil || string(back) != string(probe) {
		return nil, ErrKey
	}
	return k, nil
}

// GenerateKey makes a new key of so many bits, at least 1024, with exponent 3 or 65537. It gives its primes for
// NewPrivateKey. Errors: ErrKey, those of crypto/rsa.
func GenerateKey(bits int, exponent uint32) (p, q []byte, err error) {
	const leastBits = 1024 // crypto/rsa makes no smaller ones
	if bits < leastBits || bits > 8*MaxModulus || bits%8 != 0 || exponent != 3 && exponent != 65537 {
		return nil, nil, ErrKey
	}
	const attempts = 1000 // with exponent 3, four of nine pairs of primes fit
	for range attempts {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, nil, fmt.Errorf("oda: %w", err)
		}
		p, q = key.Primes[0].Bytes(), key.Primes[1].Bytes()
		if _, err := NewPrivateKey(p, q, exponent); err == nil {
			return p, q, nil
		}
	}
	return nil, nil, ErrKey
}

// sign is the private operation on a block as long as the modulus and less than it.
func (k *PrivateKey) sign(block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	a, b := new(big.Int).Exp(new(big.Int).Mod(m, k.p), k.dp, k.p), new(big.Int).Exp(new(big.Int).Mod(m, k.q), k.dq, k.q)
	h := a.Sub(a, b)
	h.Mul(h, k.inverse).Mod(h, k.p)
	return h.Mul(h, k.q).Add(h, b).FillBytes(make([]byte, len(block)))
}
