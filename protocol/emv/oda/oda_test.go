package oda

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

//go:embed testdata/vectors.txt
var vectorFile string

// vector is one of testdata/vectors.txt, which names their sources.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	for line := range strings.Lines(vectorFile) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key == name {
			return unhex(t, value)
		}
	}
	t.Fatalf("no vector %s", name)
	return nil
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func visa(t testing.TB) Authority {
	return Authority{RID: [5]byte{0xA0, 0, 0, 0, 3}, Index: 0x94, Key: PublicKey{vector(t, "visa-authority"), 3}}
}

func mastercard(t testing.TB) Authority {
	return Authority{RID: [5]byte{0xA0, 0, 0, 0, 4}, Index: 0xF1, Key: PublicKey{vector(t, "mastercard-authority"), 3}}
}

// Source: checksums published with the schemes' test keys, as in openemv/emv-utils, src/emv_capk_static_data.h.
func TestChecksum(t *testing.T) {
	for want, a := range map[string]Authority{
		"C4A3C43CCF87327D136B804160E47D43B60E6E0F": visa(t),
		"D8E68DA167AB5A85D8C3D55ECB9B0517A1A5B4BB": mastercard(t),
	} {
		if sum := a.Checksum(); !strings.EqualFold(hex.EncodeToString(sum[:]), want) {
			t.Errorf("checksum %X, want %s", sum, want)
		}
	}
}

// Source: openemv/emv-utils, two public test cards.
func TestPublishedIssuerKeys(t *testing.T) {
	for _, tt := range []struct {
		name, pan string
		authority Authority
	}{{"visa", "4761739001010119", visa(t)}, {"mastercard", "5413330089020011", mastercard(t)}} {
		c := Certificate{vector(t, tt.name+"-issuer-certificate"), nil, []byte{3}}
		key, err := tt.authority.Issuer(c, tt.pan, "2505")
		if err != nil || !bytes.Equal(key.Modulus, vector(t, tt.name+"-issuer-key")) || key.Exponent != 3 {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := tt.authority.Issuer(c, "4000000000000002", "2505"); !errors.Is(err, ErrIdentifier) {
			t.Errorf("%s, another PAN: %v", tt.name, err)
		}
		if _, err := tt.authority.Issuer(c, tt.pan, "3201"); !errors.Is(err, ErrExpired) {
			t.Errorf("%s, later: %v", tt.name, err)
		}
		c.Exponent = []byte{1, 0, 1}
		if _, err := tt.authority.Issuer(c, tt.pan, "2505"); !errors.Is(err, ErrRemainder) {
			t.Errorf("%s, another exponent: %v", tt.name, err)
		}
	}
}

// Source: openemv/emv-utils. The static data behind the hashes are not published, so frame, code and hash are held
// against the published ones.
func TestPublishedSignatures(t *testing.T) {
	body, hash, err := PublicKey{vector(t, "visa-issuer-key"), 3}.open(vector(t, "visa-static"), formatStatic)
	if err != nil || !bytes.Equal(body[1:3], []byte{0xDA, 0xC0}) || !bytes.Equal(hash, unhex(t, "4E2821974D704E338E7218F887763F7BDCE2B814")) {
		t.Errorf("signed static data: %X %X %v", body[:3], hash, err)
	}
	if _, err := (PublicKey{vector(t, "visa-issuer-key"), 3}).VerifyStatic(vector(t, "visa-static"), nil); !errors.Is(err, ErrHash) {
		t.Errorf("other static data: %v", err)
	}
	issuer := PublicKey{vector(t, "mastercard-issuer-key"), 3}
	c := Certificate{vector(t, "mastercard-card-certificate"), vector(t, "mastercard-card-remainder"), []byte{3}}
	body, hash, err = issuer.open(c.Data, formatCard)
	if err != nil || !bytes.Equal(hash, unhex(t, "91566E18006E2CBA8D286484A9E6BA9E32B48D1E")) {
		t.Errorf("card's certificate: %X %v", hash, err)
	}
	key, err := keyOf(body, cardHead, c)
	if err != nil || !bytes.Equal(key.Modulus, vector(t, "mastercard-card-key")) {
		t.Fatalf("card's key: %v", err)
	}
	// The signature of a CDA transaction with the unpredictable number 8B55633B.
	number, err := key.VerifyDynamic(vector(t, "mastercard-dynamic"), unhex(t, "8B55633B"))
	if err != nil || !bytes.Equal(number, unhex(t, "537EB5E03CC433C8")) {
		t.Errorf("dynamic signature: %X %v", number, err)
	}
	if _, err := key.VerifyDynamic(vector(t, "mastercard-dynamic"), unhex(t, "8B55633A")); !errors.Is(err, ErrHash) {
		t.Errorf("another unpredictable number: %v", err)
	}
	if _, err := key.VerifyCombined(vector(t, "mastercard-dynamic"), unhex(t, "8B55633B"), nil, 0); !errors.Is(err, ErrCombined) {
		t.Errorf("other transaction data: %v", err)
	}
}

func opensslKey(t testing.TB) *PrivateKey {
	t.Helper()
	k, err := NewPrivateKey(vector(t, "openssl-p"), vector(t, "openssl-q"), 3)
	if err != nil || !bytes.Equal(k.Modulus, vector(t, "openssl-key")) {
		t.Fatalf("key: %v", err)
	}
	return k
}

// Source: composed by hand and signed with OpenSSL, see testdata/vectors.txt. Both sides agree with it.
func TestOpenSSL(t *testing.T) {
	k := opensslKey(t)
	static := vector(t, "openssl-static-data")
	if got := k.SignStatic([2]byte{0xDA, 0xC5}, static); !bytes.Equal(got, vector(t, "openssl-static")) {
		t.Error("signed static data differ")
	}
	if code, err := k.VerifyStatic(vector(t, "openssl-static"), static); err != nil || code != [2]byte{0xDA, 0xC5} {
		t.Errorf("static: %X %v", code, err)
	}
	unpredictable, transaction := unhex(t, "11223344"), unhex(t, "0156000000001250")
	want := Combined{unhex(t, "0102030405060708"), 0x80, [8]byte(unhex(t, "76D5DAC91257A29B"))}
	if got, err := k.SignCombined(want, unpredictable, transaction); err != nil || !bytes.Equal(got, vector(t, "openssl-combined")) {
		t.Errorf("combined signature differs: %v", err)
	}
	got, err := k.VerifyCombined(vector(t, "openssl-combined"), unpredictable, transaction, 0x80)
	if err != nil || !bytes.Equal(got.Number, want.Number) || got.CID != want.CID || got.Cryptogram != want.Cryptogram {
		t.Errorf("combined: %+v %v", got, err)
	}
	for _, bad := range []struct {
		transaction string
		cid         byte
	}{{"0156000000001251", 0x80}, {"0156000000001250", 0x40}} {
		if _, err := k.VerifyCombined(vector(t, "openssl-combined"), unpredictable, unhex(t, bad.transaction), bad.cid); !errors.Is(err, ErrCombined) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestGenerateKey(t *testing.T) {
	p, q, err := GenerateKey(1024, 65537)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := NewPrivateKey(p, q, 65537); err != nil || len(k.Modulus) != 128 {
		t.Fatal(err)
	}
}

// chain is an authority, an issuer and a card, with keys of sizes that need remainders and of sizes that need none.
type chain struct {
	authority    Authority
	issuer, card *PrivateKey
	forIssuer    Certificate
	forCard      Certificate
	static       []byte
}

const chainPAN = "6200000000000005"

func newChain(t testing.TB, bits [3]int, exponent uint32) chain {
	t.Helper()
	var keys [3]*PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = NewPrivateKey(vector(t, fmt.Sprint("p-", bits[i])), vector(t, fmt.Sprint("q-", bits[i])), exponent); err != nil {
			t.Fatal(err)
		}
	}
	c := chain{authority: Authority{RID: [5]byte{0xA0, 0, 0, 3, 0x33}, Index: 1, Key: keys[0].PublicKey}, issuer: keys[1], card: keys[2], static: []byte("static")}
	var err error
	if c.forIssuer, err = keys[0].CertifyIssuer(Subject{"620000", "3112", [3]byte{1, 2, 3}}, keys[1].PublicKey); err != nil {
		t.Fatal(err)
	}
	if c.forCard, err = keys[1].CertifyCard(Subject{chainPAN, "3012", [3]byte{4, 5, 6}}, keys[2].PublicKey, c.static); err != nil {
		t.Fatal(err)
	}
	return c
}

// verify is a terminal's way through the chain.
func (c chain) verify(month string) error {
	issuer, err := c.authority.Issuer(c.forIssuer, chainPAN, month)
	if err != nil {
		return err
	}
	card, err := issuer.Card(c.forCard, c.static, chainPAN, month)
	if err != nil {
		return err
	}
	if !bytes.Equal(card.Modulus, c.card.Modulus) {
		return errors.New("another key")
	}
	signed, err := c.card.SignDynamic([]byte{1, 2}, []byte{1, 2, 3, 4})
	if err != nil {
		return err
	}
	number, err := card.VerifyDynamic(signed, []byte{1, 2, 3, 4})
	if err == nil && !bytes.Equal(number, []byte{1, 2}) {
		return errors.New("another number")
	}
	return err
}

func TestChain(t *testing.T) {
	for _, bits := range [][3]int{{1408, 1152, 1024}, {1984, 1152, 1024}, {1984, 1408, 1024}} {
		for _, exponent := range []uint32{3, 65537} {
			c := newChain(t, bits, exponent)
			if err := c.verify("2611"); err != nil {
				t.Errorf("%v, exponent %d: %v", bits, exponent, err)
			}
		}
	}
}

// Whatever is changed is noticed.
func TestChainNotices(t *testing.T) {
	good := newChain(t, [3]int{1408, 1152, 1024}, 3)
	for name, damage := range map[string]func(*chain){
		"authority's key":    func(c *chain) { c.authority.Key = opensslKey(t).PublicKey },
		"issuer certificate": func(c *chain) { c.forIssuer.Data = flipped(c.forIssuer.Data) },
		"issuer remainder":   func(c *chain) { c.forIssuer.Remainder = flipped(c.forIssuer.Remainder) },
		"issuer exponent":    func(c *chain) { c.forIssuer.Exponent = []byte{5} },
		"card certificate":   func(c *chain) { c.forCard.Data = flipped(c.forCard.Data) },
		"card remainder":     func(c *chain) { c.forCard.Remainder = c.forCard.Remainder[1:] },
		"static data":        func(c *chain) { c.static = []byte("Static") },
		"swapped":            func(c *chain) { c.forIssuer, c.forCard = c.forCard, c.forIssuer },
		"card's key":         func(c *chain) { c.card = opensslKey(t) },
	} {
		bad := good
		damage(&bad)
		if err := bad.verify("2611"); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	for month, want := range map[string]error{"3012": nil, "3101": ErrExpired, "3201": ErrExpired} {
		if err := good.verify(month); !errors.Is(err, want) {
			t.Errorf("in %s: %v", month, err)
		}
	}
}

func flipped(b []byte) []byte {
	out := bytes.Clone(b)
	out[len(out)/2] ^= 1
	return out
}

func TestEveryFlippedBitOfASignatureIsNoticed(t *testing.T) {
	k := opensslKey(t)
	signed, static := vector(t, "openssl-static"), vector(t, "openssl-static-data")
	for bit := range 8 * len(signed) {
		bad := bytes.Clone(signed)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := k.VerifyStatic(bad, static); err == nil {
			t.Fatalf("bit %d", bit)
		}
	}
}

func TestArguments(t *testing.T) {
	k := opensslKey(t)
	for _, s := range []Subject{{"62", "3112", [3]byte{}}, {"620000000", "3112", [3]byte{}}, {"62000x", "3112", [3]byte{}}, {"620000", "3113", [3]byte{}}} {
		if _, err := k.CertifyIssuer(s, k.PublicKey); !errors.Is(err, ErrArgument) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := k.SignDynamic([]byte{1}, nil); !errors.Is(err, ErrArgument) {
		t.Errorf("a number of one byte: %v", err)
	}
	if _, err := NewPrivateKey([]byte{15}, []byte{21}, 3); !errors.Is(err, ErrKey) {
		t.Errorf("no primes: %v", err)
	}
	if _, err := NewPrivateKey(vector(t, "openssl-p"), flipped(vector(t, "openssl-q")), 3); !errors.Is(err, ErrKey) {
		t.Errorf("another number than a prime: %v", err)
	}
	if _, _, err := GenerateKey(512, 3); !errors.Is(err, ErrKey) {
		t.Errorf("a short key: %v", err)
	}
	if _, err := (PublicKey{}).recover(nil); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
}

// FuzzRecover gives a terminal's side everything that a card may say.
func FuzzRecover(f *testing.F) {
	f.Add(vector(f, "visa-issuer-certificate"), []byte{}, []byte{3}, []byte("static"))
	f.Add(vector(f, "openssl-static"), []byte{}, []byte{1, 0, 1}, vector(f, "openssl-static-data"))
	f.Add(vector(f, "openssl-combined"), []byte{}, []byte{3}, []byte{0x11, 0x22, 0x33, 0x44})
	authority, key := visa(f), opensslKey(f)
	f.Fuzz(func(t *testing.T, data, remainder, exponent, static []byte) {
		c := Certificate{data, remainder, exponent}
		// Signed by the fuzzer's own authority, so that what is behind the hash is reached as well.
		if issuer, err := authority.Issuer(c, "4761739001010119", "2611"); err == nil && !issuer.valid() {
			t.Fatal("a key that is none")
		}
		if card, err := key.Card(c, static, chainPAN, "2611"); err == nil && !card.valid() {
			t.Fatal("a key that is none")
		}
		room := len(key.Modulus) - frameSize
		body := append(bytes.Clone(data), make([]byte, room)...)[:room]
		for _, format := range []byte{formatIssuer, formatCard, formatSigned} {
			c.Data = key.seal(format, body, remainder, exponent, static)
			_, _ = Authority{Key: key.PublicKey}.Issuer(c, chainPAN, "2611")
			_, _ = key.Card(c, static, chainPAN, "2611")
			signed := key.seal(format, body, static)
			if number, err := key.VerifyDynamic(signed, static); err == nil && (len(number) < minNumber || len(number) > maxNumber) {
				t.Fatal("a number of a wrong length")
			}
			_, _ = key.VerifyCombined(signed, static, remainder, 0x80)
		}
		_, _ = key.VerifyStatic(data, static)
	})
}

func BenchmarkSignDynamic(b *testing.B) {
	k := opensslKey(b)
	for b.Loop() {
		if _, err := k.SignDynamic([]byte{1, 2, 3, 4, 5, 6, 7, 8}, []byte{1, 2, 3, 4}); err != nil {
			b.Fatal(err)
		}
	}
}
