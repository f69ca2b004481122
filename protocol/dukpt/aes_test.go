package dukpt

import (
	"errors"
	"testing"
)

const (
	bdk128     = "FEDCBA9876543210F1F1F1F1F1F1F1F1"
	initial128 = "1273671EA26AC29AFA4D1084127652A1"
	initial256 = "CE9CE0C101D1138F97FB6CAD4DF045A7083D4EAE2D35A31789D01CCF0949550F"
	identity   = "1234567890123456"
)

// Source: the supplement of test vectors to ANSI X9.24-3:2017, as printed in
// test/dukpt_aes128_test.c and test/dukpt_aes256_test.c of github.com/openemv/dukpt.
func TestInitialKey(t *testing.T) {
	for base, want := range map[string]string{bdk128: initial128, bdk128 + bdk128: initial256} {
		got, err := InitialKey(fromHex(t, base), fromHex(t, identity+"00000001"))
		same(t, "initial key", got, err, want)
	}
}

// Source: the same supplement; the initial keys of 16 and 32 bytes above.
func TestWorkingKey(t *testing.T) {
	tests := []struct {
		name, initial, counter string
		usage                  Usage
		kind                   Type
		want                   string
	}{
		{"PIN", initial128, "00000001", PIN, AES128, "AF8CB133A78F8DC2D1359F18527593FB"},
		{"PIN, second", initial128, "00000002", PIN, AES128, "D30BDC73EC9714B000BEC66BDB7B6D09"},
		{"PIN, third", initial128, "00000003", PIN, AES128, "7D69F01F3B45449F62C7816ECE723268"},
		{"PIN, eighth", initial128, "00000008", PIN, AES128, "4D9DF3FBEE3448FC3E676D04320A90F5"},
		{"MAC generation", initial128, "00000001", MACRequest, AES128, "A2DC23DE6FDE0824A2BC321E08E4B8B7"},
		{"MAC verification", initial128, "00000001", MACResponse, AES128, "DBB463945B286C07CD3AD82EE96FD9C9"},
		{"MAC both", initial128, "00000001", MACBoth, AES128, "85675439D18D7F1158BD8E3EAA3D502B"},
		{"data encryption", initial128, "00000001", DataRequest, AES128, "A35C412EFD41FDB98B69797C02DCD08F"},
		{"data decryption", initial128, "00000001", DataResponse, AES128, "16292C6EA8F64C5420A0584BFBC577BE"},
		{"data both", initial128, "00000001", DataBoth, AES128, "A308E080DD15A1B741F1721BF67DE11C"},
		{"key encryption", initial128, "00000001", KeyEncryption, AES128, "36A724B7BEFA5A25F5E7B5782A4554A2"},
		{"TDES of two parts", initial128, "00000001", PIN, TDES2, "630C706D9546E47D4449313F61C4D4AB"},
		{"TDES of three parts", initial128, "00000001", PIN, TDES3, "EA8B3F37EB9B15831167EF2977FD8762D9B5913F35766F6A"},
		{"PIN under 32 bytes", initial256, "00000001", PIN, AES256, "8C1AB7BEE973829E30242E0BBBDD4946D540C98FC1B5BDCF94790001A23FD502"},
		{"MAC under 32 bytes", initial256, "00000001", MACRequest, AES256, "61DABDF4B340CF461EE860B1D1AB55357142BD2D6977306859CF49AEFE8F1549"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			initial := fromHex(t, tt.initial)
			got, err := WorkingKey(initial, fromHex(t, identity+tt.counter), tt.usage, tt.kind)
			same(t, "working key", got, err, tt.want)
			same(t, "initial key afterwards", initial, nil, tt.initial)
		})
	}
}

func TestWorkingKeyRejects(t *testing.T) {
	tests := []struct {
		name  string
		size  int
		ksn   string
		usage Usage
		kind  Type
		want  error
	}{
		{"short key", 8, identity + "00000001", PIN, AES128, ErrKey},
		{"TDES KSN", 16, "FFFF9876543210E00001", PIN, AES128, ErrKSN},
		{"counter zero", 16, identity + "00000000", PIN, AES128, ErrKSN},
		{"seventeen ones", 16, identity + "0001FFFF", PIN, AES128, ErrKSN},
		{"unknown usage", 16, identity + "00000001", 99, AES128, ErrUsage},
		{"unknown type", 16, identity + "00000001", PIN, 99, ErrType},
		{"stronger than the initial key", 16, identity + "00000001", PIN, AES256, ErrType},
		{"stronger than the initial key by 8 bytes", 24, identity + "00000001", PIN, AES256, ErrType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := WorkingKey(make([]byte, tt.size), fromHex(t, tt.ksn), tt.usage, tt.kind)
			if !errors.Is(err, tt.want) || got != nil {
				t.Fatalf("WorkingKey: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := InitialKey(make([]byte, 8), fromHex(t, identity+"00000001")); !errors.Is(err, ErrKey) {
		t.Errorf("InitialKey with 8 bytes: %v", err)
	}
	if _, err := InitialKey(make([]byte, 16), fromHex(t, identity)); !errors.Is(err, ErrKSN) {
		t.Errorf("InitialKey with 8 bytes of KSN: %v", err)
	}
	// A weaker working key under a stronger initial key is what the standard allows.
	if _, err := WorkingKey(make([]byte, 32), fromHex(t, identity+"00000001"), PIN, AES128); err != nil {
		t.Errorf("AES-128 under AES-256: %v", err)
	}
}
