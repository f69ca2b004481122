package kernel

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // EMV
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
	"github.com/assay-hil/assay/protocol/emv"
)

// The card side of offline data authentication, written apart from the kernel's: certificates by Book 2 §5.1, §6.1 tables 2, 3, 10, 11.

type testKey struct{ n, d *big.Int }

// newTestKey makes an RSA key of so many bytes with exponent 3.
func newTestKey(size int) testKey {
	for {
		p, errP := rand.Prime(rand.Reader, size*4)
		q, errQ := rand.Prime(rand.Reader, size*4)
		if errP != nil || errQ != nil {
			panic("no primes")
		}
		n, one := new(big.Int).Mul(p, q), big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(3), phi)
		if d != nil && n.BitLen() == size*8 {
			return testKey{n, d}
		}
	}
}

func (k testKey) size() int { return len(k.n.Bytes()) }

// sign puts 6A, body, hash over body and more, BC under the private key.
func (k testKey) sign(body []byte, more ...[]byte) []byte {
	sum := sha1.Sum(slices.Concat(append([][]byte{body}, more...)...)) //nolint:gosec // so
	plain := slices.Concat([]byte{0x6A}, body, sum[:], []byte{0xBC})
	out := make([]byte, k.size())
	return new(big.Int).Exp(new(big.Int).SetBytes(plain), k.d, k.n).FillBytes(out)
}

// padded fills up with BB so that sign's result has the key's size.
func (k testKey) padded(body []byte) []byte {
	return append(body, bytes.Repeat([]byte{0xBB}, k.size()-signedOverhead-len(body))...)
}

// signedOverhead is what signed data have besides their body: header, hash and trailer.
const signedOverhead = 22

var testKeys = sync.OnceValue(func() [3]testKey { return [3]testKey{newTestKey(128), newTestKey(112), newTestKey(96)} })

// certify makes a certificate for a key: format, who it is for (4 or 10 bytes), and what belongs beside it.
func certify(by, of testKey, format byte, who []byte, expiry string, static []byte) (cert, remainder []byte) {
	head := slices.Concat([]byte{format}, who, digits(expiry), []byte{0, 0, 1, 1, 1, byte(of.size()), 1})
	room := by.size() - signedOverhead - len(head)
	modulus := of.n.Bytes()
	left := bytes.Repeat([]byte{0xBB}, room)
	copy(left, modulus)
	if len(modulus) > room {
		remainder = modulus[room:]
	}
	return by.sign(append(head, left...), remainder, []byte{3}, static), remainder
}

// signed gives the card keys and signatures: "oda sda|dda|cda", and what is wrong with them.
func (p *player) signed(method, wrong string) error {
	keys := testKeys()
	ca, issuer, icc := keys[0], keys[1], keys[2]
	p.cfg.Keys = []CAKey{{RID: [5]byte{0xA0, 0, 0, 0, 3}, Index: 0x92, Modulus: ca.n.Bytes(), Exponent: []byte{3}}}
	record, err := kerneltest.Notation("5F25:250101 5F24:311231 5A:4761739001010119 5F34:01 9F4A:82")
	if err != nil {
		return err
	}
	aip := map[string]string{"sda": "5C00", "dda": "3C00", "cda": "1D00"}[method]
	static := slices.Concat(record, digits(aip))
	expiry, who, number := "1231", digits("476173FF"), digits("4761739001010119FFFF")
	switch wrong {
	case "expired issuer":
		expiry = "1025"
	case "other issuer":
		who = digits("541333FF")
	case "other number":
		number = digits("4761739001010010FFFF")
	case "changed record":
		static = append(bytes.Clone(static), 0)
	case "unknown authority":
		p.cfg.Keys[0].Index = 0x91
	}
	cert, remainder := certify(ca, issuer, 0x02, who, expiry, nil)
	if wrong == "bad certificate" {
		cert[5] ^= 1
	}
	objects := emv.List{{Tag: tagCAIndex, Value: []byte{0x92}}, {Tag: tagIssuerCert, Value: cert}, {Tag: tagIssuerExponent, Value: []byte{3}}, {Tag: tagIssuerRemainder, Value: remainder}}
	if method == "sda" {
		objects = append(objects, emv.TLV{Tag: tagSSAD, Value: issuer.sign(issuer.padded([]byte{0x03, 1, 0xDA, 0xC0}), static)})
	} else {
		iccCert, iccRemainder := certify(issuer, icc, 0x04, number, "1231", static)
		objects = append(objects, emv.TLV{Tag: tagICCCert, Value: iccCert}, emv.TLV{Tag: tagICCExponent, Value: []byte{3}},
			emv.TLV{Tag: tagICCRemainder, Value: iccRemainder}, emv.TLV{Tag: tagDDOL, Value: []byte{0x9F, 0x37, 4}})
	}
	if wrong == "missing certificate" {
		objects = slices.DeleteFunc(objects, func(o emv.TLV) bool { return o.Tag == tagIssuerCert })
	}
	p.card.Answers["00B2010C"] = [][]byte{append(emv.List{{Tag: emv.TagRecord, Value: record}}.Encode(), 0x90, 0)}
	// The objects are too many for one record.
	half := len(objects) / 2
	for i, part := range []emv.List{objects[:half], objects[half:]} {
		p.card.Answers[fmt.Sprintf("00B2%02X1C", i+1)] = [][]byte{append(emv.List{{Tag: emv.TagRecord, Value: part.Encode()}}.Encode(), 0x90, 0)}
	}
	options := emv.List{{Tag: emv.TagResponse2, Value: emv.List{{Tag: emv.TagAIP, Value: digits(aip)}, {Tag: emv.TagAFL, Value: digits("080101011001010018010200")}}.Encode()}}
	p.card.Answers["80A8"] = [][]byte{append(options.Encode(), 0x90, 0)}
	p.card.Hook = (&signer{icc: icc, wrong: wrong}).answer
	return nil
}

// signer answers INTERNAL AUTHENTICATE, and GENERATE AC where a signature is wanted.
type signer struct {
	icc   testKey
	wrong string
	told  []byte // data of PDOL and CDOL1 so far
}

func (s *signer) answer(command []byte) ([]byte, bool) {
	dynamic := func(data, challenge []byte) []byte {
		signature := s.icc.sign(s.icc.padded(append([]byte{0x05, 1, byte(len(data))}, data...)), challenge)
		if s.wrong == "bad signature" {
			signature[3] ^= 1
		}
		return signature
	}
	switch {
	case command[1] == insInternalAuthenticate:
		list := emv.List{{Tag: emv.TagResponse1, Value: dynamic([]byte{2, 0xAA, 0xBB}, command[5:9])}}
		return append(list.Encode(), 0x90, 0), true
	case command[1] == emv.INSGenerateAC && command[2]&wantsCDA != 0:
		sent := command[5 : 5+int(command[4])]
		s.told = append(s.told, sent...)
		kind := command[2] & 0xC0
		if s.wrong == "approves" {
			kind = emv.TypeTC
		}
		objects := emv.List{{Tag: emv.TagCID, Value: []byte{kind}}, {Tag: emv.TagATC, Value: []byte{0, 1}}, {Tag: emv.TagIAD, Value: digits("06011203A00000")}}
		covered := objects.Encode()
		if s.wrong == "other cryptogram" {
			covered[2] ^= 0x40
		}
		sum := sha1.Sum(slices.Concat(s.told, covered)) //nolint:gosec // so
		data := slices.Concat([]byte{2, 0xAA, 0xBB, kind}, digits("1122334455667788"), sum[:])
		objects = append(objects, emv.TLV{Tag: tagSDAD, Value: dynamic(data, []byte{1, 2, 3, 4})})
		return append(emv.List{{Tag: emv.TagResponse2, Value: objects.Encode()}}.Encode(), 0x90, 0), true
	}
	return nil, false
}
