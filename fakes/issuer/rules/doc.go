// Package rules decides how the issuer answers a message: which of the programmed rules is meant, and
// what becomes of the answer on its way out.
//
//	terms := rules.Terms{Host: host, Codec: codec, Cards: cards}
//	set, err := rules.Load("declines.yaml", terms)      // or rules.FromSetup(setup, terms)
//	engine := rules.NewEngine(set)
//	d := engine.Next(rules.View{Message: m, Operation: host.Operation(codec, m)})
//	…                                                   // the bank makes the reply that d asks for
//	plan, err := d.Plan(codec, reply, seal)             // and this is how it goes out
//
// A rule file is YAML:
//
//	dialect: iso87-ascii
//	otherwise: violation          # what no rule expects is a violation; or: books
//	scenarios: {line: [dead]}     # states besides "started"
//	rules:
//	  - name: the second sale is declined
//	    match: {operation: purchase, card: chip, amount: {min: 100, max: 5000}, nth: 2}
//	    answer: {reason: insufficient-funds, late: 3s}
//	  - name: other sales
//	    priority: 200
//	    match: {operation: purchase}
//	    answer: books
//
// What a rule matches (all that is given must hold; client.Match):
//
//	mti        pattern: "?" is any one character, "*" at the end any rest
//	operation  purchase, reversal …: the dialect's word; repeats count as what they repeat
//	fields     by path ("22", "60.batch", "55.9F36", "header.terminal-state"): pattern, present or absent
//	amount     minor units of DE4: a number, or {min: …, max: …}
//	card       ID of a test card
//	terminal   pattern of DE41
//	nth        the occurrence, from 1; or every: n, from: n, to: n
//	when       {scenario: …, state: …}, beside match; then: the next state
//
// How it answers (client.Answer): one of the words books, never, close, reset, stall and restart, or a
// mapping of
//
//	code, reason              decline (or approve) with this DE39 and post nothing
//	approve                   by the books with {authorisation, rrn, amount, script, bad-kcv}
//	late, never               after a time; not at all, though it is processed
//	exact, copy, set, drop    fields of the answer, by path
//	wrong                     a list of stan, mti, terminal, amount, mac, arpc
//	bad-bitmap, wrong-length  ("+n", "-n", zero, huge), junk (hexadecimal, before the frame)
//	duplicate, merge          copies; in one write with them, or with the connection's next answer
//	truncate, dribble         the first n bytes; {bytes: n, every: 100ms}
//	end                       close, reset or stall after it
//	unsolicited               {after, mti, fields}: one more message
//	restart                   {down: 5s}: drop all connections, forget what is in memory, listen again
//
// or answers: a list of those, one after the other; the last repeats, or with cycle: true they begin
// again.
//
// Two rules of the same priority that can match the same message are refused when they are loaded, unless it
// can be proved that they exclude each other (see disjoint.go).
package rules
