package packet

import (
	"errors"
	"io"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// inner makes a bench, or skips the test with the exact reason.
func inner(t *testing.T) *Bench {
	t.Helper()
	b, err := New(t.Context())
	Excused(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestRefusedRulesLeaveNothing: after rules that the kernel does not take, as one does that lacks
// an expression, none of them is left and the next fault can be armed.
func TestRefusedRulesLeaveNothing(t *testing.T) {
	b := inner(t)
	table := b.rules.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "refused"})
	chain := b.rules.AddChain(&nftables.Chain{Name: "c", Table: table})
	b.rules.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Lookup{SourceRegister: register, SetName: "missing"},
	}})
	if err := b.rules.Flush(); err == nil {
		t.Fatal("rules with a set that does not exist were taken")
	}
	for range 3 {
		if err := errors.Join(b.Arm(Spec{Kind: Refused}), b.Heal()); err != nil {
			t.Error(err)
		}
	}
	tables, err := b.rules.ListTables()
	if err != nil || len(tables) != 0 {
		t.Errorf("%d tables left, %v", len(tables), err)
	}
}

// TestPacketsAreSingle: no packet in the router is longer than a link's MTU, as those are that a
// kernel leaves whole for a network card to cut.
func TestPacketsAreSingle(t *testing.T) {
	b := inner(t)
	fault, err := b.armRules(Spec{Kind: MTUBlackhole, Size: MTU})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := b.Listen(t.Context(), Host, ":1")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := b.Dial(t.Context(), Terminal, b.Addr(Host).String()+":1")
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	go func() {
		defer conn.Close()
		_, _ = conn.Write(make([]byte, size)) // what arrives is counted below
	}()
	host, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if n, err := io.Copy(io.Discard, host); n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := fault.fired(); n != 0 || err != nil {
		t.Errorf("%d packets longer than %d bytes, %v", n, MTU, err)
	}
	if err := fault.heal(); err != nil {
		t.Error(err)
	}
}
