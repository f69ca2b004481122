package issuer

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	testTerminal = "TERM0001"
	testMerchant = "MERCHANT0000001"
)

// message is a right message of its kind, then changed as the words say.
func (w *world) message(a args) iso8583.Message {
	mti := a.plain[0]
	f := map[int]string{7: "0101120000", 11: pad(a.get("stan", "1"), 6), 41: testTerminal, 42: testMerchant}
	switch mti {
	case "0200", "0201":
		w.sale(a, f)
	case "0400":
		w.sale(a, f)
		for _, n := range []int{23, 35, 48, 52, 55} {
			delete(f, n)
		}
		f[90] = "0200" + f[11] + f[7] + strings.Repeat("0", 22)
		f[7], f[39] = "0101120100", "98"
	case "0500":
		f[3], f[49], f[60] = "920000", "156", pad(a.get("batch", "1"), 6)
		f[76], f[88] = pad(a.get("count", "0"), 10), pad(a.get("sum", "0"), 16)
	case "0800":
		f[70] = "001"
	}
	for n, v := range a.fields {
		f[n] = v
	}
	for _, n := range a.gone {
		delete(f, n)
	}
	return iso8583.Message{MTI: mti, Fields: f}
}

// sale fills in a sale. By default the chip card with its right PIN, 12.50.
func (w *world) sale(a args, f map[int]string) {
	c := cardNamed(w.t, a.get("card", "chip"))
	f[2], f[3], f[4], f[12], f[13], f[14] = c.PAN, "000000", pad(a.get("amount", "1250"), 12), "120000", "0101", c.Expiry
	f[22], f[25], f[35], f[49] = "021", "00", c.PAN+"="+c.Expiry+c.Service+c.Discretionary, "156"
	if c.Chip != nil {
		var sk []byte
		var ac [8]byte
		f[22], f[23] = "051", "0"+c.Chip.Sequence
		f[55], sk, ac = chipField(w.t, c, f[4])
		for _, code := range []string{"00", "05", "51", "96"} {
			w.expects[f[11]+code] = proofOf(w, f[55], sk, ac, code)
		}
	}
	switch number := a.get("pin", c.PIN); number {
	case "none":
		f[22] = "022"
	default:
		f[52] = pinBlock(w.t, number, c.PAN)
	}
}

// proofOf is DE55 of a right answer: tag 91 by the scheme of the request's DE55.
func proofOf(w *world, de55 string, sk []byte, ac [8]byte, code string) string {
	raw, err := hex.DecodeString(de55)
	if err != nil {
		w.fatalf("%v", err)
	}
	data, err := emv.Parse(raw)
	if err != nil {
		w.fatalf("%v", err)
	}
	answer, err := emv.IssuerResponse(data, sk, ac, [2]byte([]byte(code)), code == "00")
	if err != nil {
		w.fatalf("%v", err)
	}
	return strings.ToUpper(hex.EncodeToString(emv.List{{Tag: emv.TagIssuerAuth, Value: answer}}.Encode()))
}

func pad(s string, length int) string { return strings.Repeat("0", max(0, length-len(s))) + s }

// ledger: the charges as "STAN amount state [settled] [customer ID]", then balances that have changed.
func (w *world) ledger(s client.State) (lines []string) {
	for _, c := range s.Charges {
		line := fmt.Sprintf("%s %d %s", c.STAN, c.Amount, c.State)
		if c.Settled {
			line += " settled"
		}
		if c.CustomerID != "" {
			line += " customer=" + c.CustomerID
		}
		lines = append(lines, line)
	}
	for _, c := range testCards() {
		used := slices.ContainsFunc(s.Charges, func(x client.Charge) bool { return strings.HasSuffix(x.Card, c.PAN[len(c.PAN)-4:]) })
		if left := w.server.book.Available(c.ID, "156"); used && left != c.Balance {
			lines = append(lines, fmt.Sprintf("balance %s %d", c.ID, left))
		}
	}
	return lines
}

// journalView: "in|out MTI STAN [code] [rule=…] [effect]".
func journalView(s client.State) (lines []string) {
	for _, e := range s.Journal {
		words := []string{"out", e.MTI, e.STAN}
		if e.In {
			words[0] = "in"
		}
		if e.Code != "" {
			words = append(words, e.Code)
		}
		if e.Rule != "" {
			words = append(words, "rule="+e.Rule)
		}
		if e.Effect != "" {
			words = append(words, e.Effect)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

func settlementView(s client.State) (lines []string) {
	for _, x := range s.Settlements {
		lines = append(lines, fmt.Sprintf("terminal %d/%d host %d/%d agrees=%v",
			x.TerminalCount, x.TerminalAmount, x.HostCount, x.HostAmount, x.Agrees))
	}
	return lines
}

// events: "kind mti stan code rule effect" of what the feed holds, and words of the others.
func (w *world) events(client.State) (lines []string) {
	events, _, _ := w.server.events.After(0)
	for _, e := range events {
		words := []string{e.Kind}
		for _, name := range []string{"connection", "why", "text", "mti", "stan", "code", "rule", "effect"} {
			if v := e.Fields[name]; v != "" {
				words = append(words, v)
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}
