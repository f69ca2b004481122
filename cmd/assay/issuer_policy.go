package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/cards"
)

// maxTolerance is the greatest --tolerance, in percent.
const maxTolerance = 100

// policyFlags are the flags of `assay issuer serve` that say how strict the bank is.
type policyFlags struct {
	signOn    bool
	batch     bool
	tolerance int64
	limit     int64
	partial   []string
}

func (p *policyFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&p.signOn, "require-sign-on", false, "refuse transactions of terminals that have not signed on, where a sign-on downloads keys")
	flags.BoolVar(&p.batch, "check-batch", false, "refuse transactions of another batch than the terminal's, where messages carry one")
	flags.Int64Var(&p.tolerance, "tolerance", 0, "by how many percent a completion may exceed what was authorised")
	flags.Int64Var(&p.limit, "limit", 0, "greatest amount of a transaction, in minor units (default: none)")
	flags.StringSliceVar(&p.partial, "partial", nil, "test cards whose sales are approved in part where funds are short")
}

// policy is what the flags say, for a bank with these cards.
func (p policyFlags) policy(chosen []cards.Card) (bank.Policy, error) {
	switch {
	case p.tolerance < 0 || p.tolerance > maxTolerance:
		return bank.Policy{}, fmt.Errorf("--tolerance: 0 to %d percent are possible, not %d", maxTolerance, p.tolerance)
	case p.limit < 0 || p.limit > ledger.MaxAmount:
		return bank.Policy{}, errors.New("--limit: an amount in minor units is needed, of at most 12 digits")
	}
	var ids []string
	for _, c := range chosen {
		ids = append(ids, c.ID)
	}
	for _, id := range p.partial {
		if err := oneOf("partial", id, ids); err != nil {
			return bank.Policy{}, err
		}
	}
	return bank.Policy{SignOn: p.signOn, Batch: p.batch, Tolerance: p.tolerance, Limit: p.limit, Partial: p.partial}, nil
}

// given says whether any of the flags is there.
func (p policyFlags) given() bool {
	return p.signOn || p.batch || p.tolerance != 0 || p.limit != 0 || len(p.partial) > 0
}
