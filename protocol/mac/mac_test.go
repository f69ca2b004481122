package mac_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/mac"
)

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The data of NIST's CMAC examples.
const nist = "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51" +
	"30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"

// The keys of the same, and their lengths; those of TDES are of SP 800-38B's first printing.
const (
	aes128 = "2B7E151628AED2A6ABF7158809CF4F3C"
	aes192 = "8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B"
	aes256 = "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4"
	tdes3  = "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5"
	tdes2  = "4CF15134A2850DD58A3D10BA80570D38"
)

func TestSum(t *testing.T) {
	const (
		iso1 = "4E6F77206973207468652074696D6520666F7220616C6C20" // "Now is the time for all "
		iso2 = "4E6F77206973207468652074696D6520666F72206974"     // "Now is the time for it"
		iso  = "0123456789ABCDEFFEDCBA9876543210"
	)
	tests := []struct{ algorithm, key, data, want string }{
		// Source: FIPS 113 appendix 1 (the ASCII text "7654321 Now is the time for ").
		{"x9.9", "0123456789ABCDEF", "37363534333231204E6F77206973207468652074696D6520666F7220", "F1D30F6849312CA4"},
		// Source: psec tests/test_mac.py (github.com/knovichikhin/psec), generate_cbc_mac with padding 1.
		{"x9.9", "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB", "68656C6C6F20776F726C64", "68D9038F23360DF3"},
		// Source: ISO/IEC 9797-1:1999 annex B, MAC algorithm 3 with DES and padding method 1.
		{"x9.19", iso, iso1, "A1C72E74EA3FA9B6"},
		{"x9.19", iso, iso2, "2E2B1428CC78254F"},
		{"x9.19-32", iso, iso2, "2E2B142800000000"},
		// Source: ANSI X9.24-1:2009 A.4, the MAC of the first transaction of the DUKPT example
		// ("4012345678909D987" under its MAC key).
		{"x9.19", "042666B4918430A368DE9628D03984C9", "34303132333435363738393039443938 37", "9CCC78173FC4FB64"},
		// Source: the published TAK and the folded blocks of blog.51cto.com/xiaohaiwa/5379715; the MAC
		// was recomputed with OpenSSL. Blocks that are alike fold to nothing, and a short last block is
		// filled with zeros.
		{"unionpay-ecb", "C24A8FB57AA20123", "4D08F434464FE7BF", hex.EncodeToString([]byte("8A9E91B8"))},
		{"unionpay-ecb", "C24A8FB57AA20123", "4D08F434464FE7BF 1122334455667788 1122334455667788", hex.EncodeToString([]byte("8A9E91B8"))},
		{"unionpay-ecb", "C24A8FB57AA20123", "5D08F434464FE7BF 10", hex.EncodeToString([]byte("8A9E91B8"))},
		// Source: NIST SP 800-38B appendix D, AES examples; here the eight leftmost bytes.
		{"cmac", aes128, "", "BB1D6929E9593728"},
		{"cmac", aes128, nist[:32], "070A16B46B4D4144"},
		{"cmac", aes128, nist[:80], "DFA66747DE9AE630"},
		{"cmac", aes128, nist, "51F0BEBF7E3B9D92"},
		{"cmac", aes192, "", "D17DDF46ADAACDE5"},
		{"cmac", aes192, nist[:80], "8A1DE5BE2EB31AAD"},
		{"cmac", aes256, "", "028962F61B7BF89E"},
		{"cmac", aes256, nist, "E1992190549F6ED5"},
		// Source: the same, TDES examples.
		{"cmac-tdes", tdes3, "", "B7A688E122FFAF95"},
		{"cmac-tdes", tdes3, nist[:16], "8E8F293136283797"},
		{"cmac-tdes", tdes3, nist[:40], "743DDBE0CE2DC2ED"},
		{"cmac-tdes", tdes3, nist[:64], "33E6B1092400EAE5"},
		{"cmac-tdes", tdes2, "", "BD2EBF9A3BA00361"},
		{"cmac-tdes", tdes2, nist[:40], "62DD1B471902BD4E"},
	}
	for _, tt := range tests {
		t.Run(tt.algorithm+" "+tt.want, func(t *testing.T) {
			key, data, want := fromHex(t, tt.key), fromHex(t, tt.data), fromHex(t, tt.want)
			got, err := mac.Sum(tt.algorithm, key, data)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("Sum = %X, %v; want %s", got, err, tt.want)
			}
			if err := mac.Verify(tt.algorithm, key, data, want); err != nil {
				t.Fatalf("Verify: %v", err)
			}
			want[0] ^= 1
			if err := mac.Verify(tt.algorithm, key, data, want); !errors.Is(err, mac.ErrMAC) {
				t.Fatalf("a flipped bit: %v", err)
			}
			if err := mac.Verify(tt.algorithm, key, data, want[:4]); !errors.Is(err, mac.ErrMAC) {
				t.Fatalf("half a MAC: %v", err)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	for _, tt := range []struct {
		algorithm string
		size      int
		want      error
	}{
		{"x9.19", 8, mac.ErrKey}, {"x9.19-32", 24, mac.ErrKey}, {"x9.9", 7, mac.ErrKey},
		{"unionpay-ecb", 0, mac.ErrKey}, {"cmac", 8, mac.ErrKey}, {"cmac-tdes", 8, mac.ErrKey},
		{"cmac-tdes", 32, mac.ErrKey}, {"X9.19", 16, mac.ErrAlgorithm}, {"", 16, mac.ErrAlgorithm},
	} {
		if got, err := mac.Sum(tt.algorithm, make([]byte, tt.size), nil); !errors.Is(err, tt.want) || got != nil {
			t.Errorf("%s with %d bytes: %v", tt.algorithm, tt.size, err)
		}
		if err := mac.Verify(tt.algorithm, make([]byte, tt.size), nil, make([]byte, 8)); !errors.Is(err, tt.want) {
			t.Errorf("Verify %s with %d bytes: %v", tt.algorithm, tt.size, err)
		}
	}
}

// Every MAC has eight bytes, leaves its input alone and depends on each bit of the data.
func TestEveryBitCounts(t *testing.T) {
	key := fromHex(t, tdes2)
	for _, algorithm := range mac.Names {
		for _, size := range []int{0, 1, 7, 8, 9, 16, 17, 33} {
			data := bytes.Repeat([]byte{0x5A}, size)
			first, err := mac.Sum(algorithm, key, data)
			if err != nil || len(first) != mac.Size || !bytes.Equal(data, bytes.Repeat([]byte{0x5A}, size)) {
				t.Fatalf("%s of %d bytes: %X, %v", algorithm, size, first, err)
			}
			for bit := range 8 * size {
				data[bit/8] ^= 1 << (bit % 8)
				if mac.Verify(algorithm, key, data, first) == nil {
					t.Errorf("%s of %d bytes: bit %d does not count", algorithm, size, bit)
				}
				data[bit/8] ^= 1 << (bit % 8)
			}
		}
	}
}

func BenchmarkSum(b *testing.B) {
	key, data := make([]byte, 16), make([]byte, 240)
	for _, algorithm := range mac.Names {
		b.Run(algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := mac.Sum(algorithm, key, data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(algorithm+" prepared", func(b *testing.B) {
			b.ReportAllocs()
			m, err := mac.New(algorithm, key)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m.Sum(data)
			}
		})
	}
}
