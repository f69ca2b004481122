package dukpt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/tdes"
)

const (
	bdk  = "0123456789ABCDEFFEDCBA9876543210"
	ipek = "6AC292FAA1315B4D858AB3A3D7D5933A"
)

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got []byte, err error, want string) {
	t.Helper()
	if err != nil || !bytes.Equal(got, fromHex(t, want)) {
		t.Errorf("%s = %X, %v; want %s", what, got, err, want)
	}
}

// Source: ANSI X9.24-1:2009 A.4.2 and A.4.3 (the counter rolls over), as printed in
// test/dukpt_tdes_test.c of github.com/openemv/dukpt. The PIN block is 041274EDCBA9876F.
func TestTransactionKeys(t *testing.T) {
	initial, err := IPEK(fromHex(t, bdk), fromHex(t, "FFFF9876543210E00000"))
	same(t, "initial key", initial, err, ipek)
	for _, tt := range []struct{ ksn, key, pin string }{
		{"FFFF9876543210E00001", "042666B49184CFA368DE9628D0397BC9", "1B9C1845EB993A7A"},
		{"FFFF9876543210E00002", "C46551CEF9FD24B0AA9AD834130D3BC7", "10A01C8D02C69107"},
		{"FFFF9876543210E00003", "0DF3D9422ACA56E547676D07AD6BADFA", "18DC07B94797B466"},
		{"FFFF9876543210E00004", "279C0F6AEED0BE652B2C733E1383AE91", "0BC79509D5645DF7"},
		{"FFFF9876543210E00005", "5F8DC6D2C845C125508DDC048093B83F", "5BC0AF22AD87B327"},
		{"FFFF9876543210E00006", "5E415CB0BAF9F03CD0C14B63FB62FF43", "A16DF70AE36158D8"},
		{"FFFF9876543210E00007", "0C8F780B7C8B49D0AE84A9EB2A6CE660", "27711C16CB257F8E"},
		{"FFFF9876543210E00008", "27F66D5244FF62E1AA6F6120EDEB4280", "50E55547A5027551"},
		{"FFFF9876543210E00015", "E161D1956A61F6D2F37AFD7F9CC3699A", "72105C22EBC791E6"},
		{"FFFF9876543210EFF800", "F9CDFEBF4F5B1D9EB3EC12454527E176", "33365F5CC6F23C35"},
		{"FFFF9876543210EFF801", "5BEE92627E97825C911BF619DF72CA3B", "3A86BF003F835C9D"},
		{"FFFF9876543210EFF802", "64CA2F8AB93F61B01620B00BF77C7301", "3DB977D05C36DF3F"},
		{"FFFF9876543210EFF804", "35A168695B3BA83307E871C42021DD37", "BA83243305712099"},
		{"FFFF9876543210EFF808", "12C380FCB72ED3C26FC6079AF63F4787", "B0DA04AC90A36D85"},
		{"FFFF9876543210EFF810", "D8007C833A1E3C49C6889B97A68C54FF", "2CF02BD9C309EEDA"},
		{"FFFF9876543210EFF820", "A9C9FF9B735FDD49591F296B0BF0FD70", "9D1E2F77AEEE81C6"},
		{"FFFF9876543210EFF840", "0E3E221062CB5E03A384602783A004FA", "40870B0F8BA2011C"},
		{"FFFF9876543210EFF880", "CA8225C587124DFBB87F279C0BE29727", "22E340D6ABB40981"},
		{"FFFF9876543210EFF900", "906AAC1751D4971A144D52C76C6E1F97", "1A4C10AFBA03A430"},
		{"FFFF9876543210EFFA00", "2B9E2CE7C2750337E10B54D2989EA6AF", "849763B43E5F9CFF"},
		{"FFFF9876543210EFFC00", "F9430DF975082491C77BE4EF4FDB91EE", "DEFC6F09F8927B71"},
		{"FFFF9876543210F00000", "AA4D58DB653EC74A48C75F2F047DD2B5", "73EC88AD0AC5830E"},
	} {
		key, err := transactionKey(initial, fromHex(t, tt.ksn))
		same(t, "key of "+tt.ksn, key, err, tt.key)
		key, err = Key(initial, fromHex(t, tt.ksn), PIN)
		if err != nil {
			t.Fatal(err)
		}
		block, err := tdes.Encrypt(key, fromHex(t, "041274EDCBA9876F"))
		same(t, "PIN block of "+tt.ksn, block, err, tt.pin)
	}
}

// Source: ANSI X9.24-1:2009 A.4.1, the first transaction with the data "4012345678909D987".
func TestMACAndDataKeys(t *testing.T) {
	initial, ksn := fromHex(t, ipek), fromHex(t, "FFFF9876543210E00001")
	data := append([]byte("4012345678909D987"), make([]byte, 7)...)
	for _, tt := range []struct {
		usage Usage
		want  string
	}{
		{MACRequest, "9CCC78173FC4FB64"}, {MACResponse, "20364223C1FF00FA"},
	} {
		key, err := Key(initial, ksn, tt.usage)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := mac.Sum("x9.19", key, data)
		same(t, "MAC", sum, err, tt.want)
	}
	for _, tt := range []struct {
		usage Usage
		want  string
	}{
		{DataRequest, "FC0D53B7EA1FDA9EE68AAF2E70D9B9506229BE2AA993F04F"},
		{DataResponse, "1FCC89AF66222F27B903898BB2BC8589CDBFDE5EC6AFCC25"},
	} {
		key, err := Key(initial, ksn, tt.usage)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "enciphered data", cbc(t, key, data), nil, tt.want)
	}
}

func cbc(t *testing.T, key, data []byte) []byte {
	t.Helper()
	out, chain := []byte{}, make([]byte, tdes.BlockSize)
	for ; len(data) > 0; data = data[tdes.BlockSize:] {
		for i := range chain {
			chain[i] ^= data[i]
		}
		next, err := tdes.Encrypt(key, chain)
		if err != nil {
			t.Fatal(err)
		}
		chain = next
		out = append(out, chain...)
	}
	return out
}

func TestKeyRejects(t *testing.T) {
	good := "FFFF9876543210E00001"
	tests := []struct {
		name  string
		size  int
		ksn   string
		usage Usage
		want  error
	}{
		{"short key", 8, good, PIN, ErrKey},
		{"short KSN", 16, "9876543210E00001", PIN, ErrKSN},
		{"counter zero", 16, "FFFF9876543210E00000", PIN, ErrKSN},
		{"eleven ones", 16, "FFFF9876543210EFFE00", PIN, ErrKSN}, // 0FFE00: 11 ones
		{"usage of AES alone", 16, good, KeyEncryption, ErrUsage},
		{"both ways", 16, good, MACBoth, ErrUsage},
		{"unknown usage", 16, good, -1, ErrUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Key(make([]byte, tt.size), fromHex(t, tt.ksn), tt.usage); !errors.Is(err, tt.want) || got != nil {
				t.Fatalf("Key: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := IPEK(make([]byte, 24), fromHex(t, good)); !errors.Is(err, ErrKey) {
		t.Errorf("IPEK with 24 bytes: %v", err)
	}
	if _, err := IPEK(make([]byte, 16), nil); !errors.Is(err, ErrKSN) {
		t.Errorf("IPEK without a KSN: %v", err)
	}
}

// Deriving a key leaves what it is derived from as it was.
func TestKeyKeepsItsInput(t *testing.T) {
	initial, ksn := fromHex(t, ipek), fromHex(t, "FFFF9876543210EFF801")
	if _, err := Key(initial, ksn, DataRequest); err != nil {
		t.Fatal(err)
	}
	same(t, "initial key", initial, nil, ipek)
	same(t, "KSN", ksn, nil, "FFFF9876543210EFF801")
}

func BenchmarkKey(b *testing.B) {
	initial, ksn := fromHex(b, ipek), fromHex(b, "FFFF9876543210EFF800")
	for b.Loop() {
		if _, err := Key(initial, ksn, PIN); err != nil {
			b.Fatal(err)
		}
	}
}
