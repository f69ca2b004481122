//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

const (
	unionpaySignOn = "mti: \"0800\"\nfields: {11: \"000001\", 41: \"ASSAY001\", 42: \"MERCHANT0000001\", 60: \"00000001003\"}\n"
	unionpaySale   = `mti: "0200"
fields:
  {3: "000000", 4: "000000001250", 11: "000002", 22: "021", 25: "00", 26: "12", 41: "ASSAY001", 42: "MERCHANT0000001",
   49: "156", 53: "2600000000000000", 60: "22000001000", 35: "5413330089020011=301210198765815100"}
pin: "7531"
`
)

// A day with `assay issuer send`: the bank wants a sign-on, its keys go on from call to call and from setup to setup,
// and the card's PIN and CVV are checked.
func TestIssuerSendKeepsKeys(t *testing.T) {
	s := serve(t, "--dialect", "unionpay-bcd", "--require-sign-on", "--limit", "5000", "--partial", "stripe", "--tolerance", "15")
	keys := filepath.Join(t.TempDir(), "term.keys")
	signOn, sale := written(t, "on.yaml", unionpaySignOn), written(t, "sale.yaml", unionpaySale)
	changed := func(old, new string) string {
		text := strings.Replace(strings.Replace(unionpaySale, old, new, 1), `"000002"`, `"000003"`, 1)
		return written(t, "changed.yaml", text)
	}
	ask := func(want string, files ...string) {
		t.Helper()
		args := []string{"--dialect", "unionpay-bcd", "--keys", keys}
		answer := send(t, s.Listen, files[len(files)-1], append(args, files[:len(files)-1]...)...)
		if !strings.Contains(answer, want) || strings.Contains(answer, "wrong under") {
			t.Errorf("%v: want %s in\n%s", files, want, answer)
		}
		for _, secret := range []string{"5413330089020011", "7531", "81510"} {
			if strings.Contains(answer, secret) {
				t.Errorf("card data:\n%s", answer)
			}
		}
	}
	ask(`39: "77"`, sale)
	ask("---\n", signOn, sale)
	ask(`39: "12"`, changed(`"000000001250"`, `"000000001251"`), written(t, "void.yaml", strings.Replace(unionpaySale, "22000001000", "99000001000", 1)))
	if info, err := os.Stat(keys); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	if err := s.client(t).Setup(ctx, client.Setup{Otherwise: client.OtherwiseBooks}); err != nil {
		t.Fatal(err)
	}
	ask(`39: "00"`, sale) // books are new, keys are not
	ask(`39: "55"`, changed(`"7531"`, `"7532"`))
	if err := s.client(t).Setup(ctx, client.Setup{Otherwise: client.OtherwiseBooks}); err != nil {
		t.Fatal(err)
	}
	ask(`39: "34"`, changed("81510", "81610"))
	if err := s.client(t).Setup(ctx, client.Setup{Otherwise: client.OtherwiseBooks}); err != nil {
		t.Fatal(err)
	}
	ask(`39: "13"`, changed(`"000000001250"`, `"000000005001"`))
	if err := s.client(t).Setup(ctx, client.Setup{Otherwise: client.OtherwiseBooks, ForgetSessions: true}); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := assay(t, "issuer", "send", "--dialect", "unionpay-bcd", "--to", s.Listen, "--keys", keys, sale)
	if code != exitPass || !strings.Contains(stdout, `39: "A0"`) {
		t.Errorf("after a setup that forgets: exit %d\n%s", code, stdout)
	}
	s.stop(t, os.Interrupt)
}

// A key that its check value does not fit is not taken, and said to be so.
func TestIssuerSendNoticesABadCheckValue(t *testing.T) {
	rules := written(t, "rules.yaml", "dialect: unionpay-bcd\nrules:\n  - {name: on, match: {operation: sign-on}, answer: {approve: {bad-kcv: true}}}\n")
	s := serve(t, "--dialect", "unionpay-bcd", "--rules", rules)
	keys := filepath.Join(t.TempDir(), "term.keys")
	code, _, stderr := assay(t, "issuer", "send", "--dialect", "unionpay-bcd", "--to", s.Listen, "--keys", keys, written(t, "on.yaml", unionpaySignOn))
	if code != exitInconclusive || !strings.Contains(stderr, "PIN key: the key check value is wrong") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if _, err := os.Stat(keys); !os.IsNotExist(err) {
		t.Errorf("keys were kept: %v", err)
	}
	s.stop(t, os.Interrupt)
}
