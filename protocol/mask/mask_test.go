package mask_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/mask"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"prose", "Card removed, no charge", "Card removed, no charge"},
		{"PAN", "pan 4111111111111111 ok", "pan 411111******1111 ok"},
		{"touching letters", "PAN4111111111111111X", "PAN411111******1111X"},
		{"13 digits", "4222222222222", "422222***2222"},
		{"19 digits", "6200000000000000003", "620000*********0003"},
		{"12 digits stay", "RRN 412345678901, ID 123456789012", "RRN 412345678901, ID 123456789012"},
		{"longer", "1234567890123456789012345", "123456***************2345"},
		{"length in front", "164111111111111111", "164111********1111"},
		{"spaces", "4111 1111 1111 1111", "4111 11** **** 1111"},
		{"hyphens", "3782-822463-10005", "3782-82****-*0005"},
		{"a digit a key", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 * * * * * * 1 1 1 1"},
		{"two spaces divide", "411111  111111", "411111  111111"},
		{"full width", "４１１１１１１１１１１１１１１１", "４１１１１１******１１１１"},
		{"full width space", "4111　1111　1111　1111", "4111　11**　****　1111"},
		{"Arabic digits", "٤١١١١١١١١١١١١١١١", "٤١١١١١******١١١١"},
		{"not UTF-8", "\xff4111111111111111\xfe", "\xff411111******1111\xfe"},

		{"track 1", "%B4111111111111111^DOE/J^25122010000000?x", "%B411111******1111^********************?x"},
		{"track 1, no end sentinel", "%B4111111111111111^DOE/J^2512201", "%B411111******1111^*************"},
		{"track 1, spaces in the number", "%B3782 822463 10005^DOE^2512?", "%B3782 82**** *0005^********?"},
		{"track 1, masked number", "%B411111******1111^DOE/J^2512?", "%B411111******1111^**********?"},
		{"track 1, short number", "%B12345678^DOE^2512?", "%B********^********?"},
		{"track 1, no start sentinel", "B4111111111111111^DOE/J^2512\nnext", "B411111******1111^**********\nnext"},
		{"track 1 in JSON", `{"t":"%B4111111111111111^DOE^25","n":1}`, `{"t":"%B411111******1111^******","n":1}`},
		{"track 2", ";4111111111111111=25122010000012300000?", ";411111******1111=********************?"},
		{"track 2, no sentinels", "t2=4111111111111111=2512201 next", "t2=411111******1111=******* next"},
		{"track 2, short number", ";12345678=2512?", ";********=****?"},
		{"track 2, masked number", "411111******1111=2512201", "411111******1111=*******"},
		{"track 2, DE35", "4111111111111111D25122010000012300F", "411111******1111D******************"},
		{"track 2, hex dump", "41 11 11 11 11 11 11 11 D2 51 22 01 0F", "41 11 11 ** ** ** 11 11 D* ** ** ** **"},
		{"D begins a word", "4111111111111111 Declined", "411111******1111 Declined"},
		{"D begins a word, touching", "4111111111111111Debit", "411111******1111Debit"},

		{"ASCII as hex", "DE2=34313131313131313131313131313131", "DE2=********************************"},
		{"ASCII as hex, track 2", "343131313131313131313131313131313d32353132", strings.Repeat("*", 42)},
		{"ASCII as hex, odd place", "A34313131313131313131313131313131", strings.Repeat("*", 33)},
		{"hex of other things", "9F2608A1B2C3D4E5F60718 9F3704DEADBEEF", "9F2608A1B2C3D4E5F60718 9F3704DEADBEEF"},

		{"time stamp", "2026-02-03T04:05:06.123456789+08:00 412345678901", "2026-02-03T04:05:06.123456789+08:00 412345678901"},
		{"time stamp after digits", "000123 2026-02-03T04:05:06Z 000124", "000123 2026-02-03T04:05:06Z 000124"},
		{"time stamp with a space", "412345678901 2026-02-03 04:05:06", "412345678901 2026-02-03 04:05:06"},
		{"no time stamp: a number touches", "2026-02-03T04:05:06.4111111111111111", "2026-02-03T04:05:06.411111******1111"},
		{"no time stamp: month 13", "000123 2026-13-03T04:05", "000123 ****-13-03T04:05"},
		{"address", "192.168.100.200:8583", "192.168.100.200:8583"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := mask.Text(test.in)
			if got != test.want {
				t.Errorf("Text(%q)\n got %q\nwant %q", test.in, got, test.want)
			}
			if again := mask.Text(got); again != got {
				t.Errorf("not idempotent: %q", again)
			}
		})
	}
}

func TestPAN(t *testing.T) {
	tests := map[string]string{
		"": "", "411111111111": "************", "4222222222222": "422222***2222",
		"4111111111111111": "411111******1111", "411111******1111": "411111******1111",
	}
	for in, want := range tests {
		if got := mask.PAN(in); got != want {
			t.Errorf("PAN(%q) = %q, want %q", in, got, want)
		}
	}
}

// Texts made of the characters that shapes are made of meet each other's edges often.
func TestShapesMixed(t *testing.T) {
	const alphabet = `11111111222233334444555%B;^=DdA?* -:T"`
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		b := make([]byte, 10+r.IntN(60))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		in := string(b)
		once := mask.Text(in)
		if again := mask.Text(once); again != once {
			t.Fatalf("Text(%q) = %q, then %q", in, once, again)
		}
		if longestRun(once) >= 13 {
			t.Fatalf("Text(%q) = %q", in, once)
		}
	}
}

// FuzzText puts a card number with a right check digit anywhere into any text.
func FuzzText(f *testing.F) {
	f.Add("pan  ok", uint64(1), uint8(4), uint8(16))
	f.Add(";=25122010000?", uint64(2), uint8(1), uint8(19))
	f.Add("%B^DOE/J^2512?", uint64(3), uint8(2), uint8(13))
	f.Add("2026-02-03T04:05:06.1+08:00", uint64(4), uint8(21), uint8(15))
	f.Add("3431313131313131313131313131", uint64(5), uint8(7), uint8(16))
	f.Add("４１１１ 1111-*1111=\xff", uint64(6), uint8(9), uint8(16))
	f.Add("%B12*3^\x00?%b4111D2A ;12345678 = 9", uint64(7), uint8(3), uint8(14))
	f.Fuzz(func(t *testing.T, text string, seed uint64, at, length uint8) {
		pan := luhnPAN(seed, 13+int(length)%7)
		place := int(at) % (len(text) + 1)
		in := text[:place] + pan + text[place:]
		got := mask.Text(in)
		if strings.Contains(got, pan) {
			t.Errorf("Text(%q) = %q holds the number", in, got)
		}
		if run := longestRun(got); run >= 13 {
			t.Errorf("Text(%q) = %q has %d digits in a row", in, got, run)
		}
		if again := mask.Text(got); again != got {
			t.Errorf("Text(%q) = %q, then %q", in, got, again)
		}
		for _, text := range []string{text, mask.Text(text)} {
			if once := mask.Text(text); mask.Text(once) != once {
				t.Errorf("Text(%q) = %q, then %q", text, once, mask.Text(once))
			}
		}
		if masked := mask.PAN(text); mask.PAN(masked) != masked {
			t.Errorf("PAN(%q) = %q is not idempotent", text, masked)
		}
	})
}

// luhnPAN is a number of that length with its check digit (ISO/IEC 7812-1 annex B).
func luhnPAN(seed uint64, length int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	digits := make([]byte, length)
	sum := 0
	for i := range length - 1 {
		d := r.IntN(10)
		digits[i] = byte('0' + d)
		if (length-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	digits[length-1] = byte('0' + (10-sum%10)%10)
	return string(digits)
}

func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		run++
		if s[i] < '0' || s[i] > '9' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

func BenchmarkText200(b *testing.B) {
	lines := map[string]string{
		"clean": `{"seq":412,"at":"2026-02-03T04:05:06.123456789+08:00","source":"network","kind":"message","fields":{"connection":"3","direction":"terminal>host","mti":"0200","stan":"000123","fate":"passed","rrn":"412345678901"}}`,
		"card":  `{"seq":413,"at":"2026-02-03T04:05:06.123456789+08:00","source":"issuer","kind":"received","fields":{"mti":"0200","stan":"000123","text":"card 4111111111111111, track ;4111111111111111=25122010000?"}}`,
	}
	for name, line := range lines {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				mask.Text(line)
			}
		})
	}
}
