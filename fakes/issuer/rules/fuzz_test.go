package rules

import (
	"encoding/json"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// FuzzSetup: no setup that comes over the API makes the rules panic, neither when it is read nor when its
// answers are applied; and none lets an answer out that was not asked for.
func FuzzSetup(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"rules":[{"name":"a","match":{},"answer":{"wrong":["stan","mti","terminal","amount","mac","arpc"]}}]}`,
		`{"rules":[{"name":"a","match":{"mti":"02*","fields":{"55.9F26":"absent"}},"answer":{"set":{"60.batch":"000001"},"drop":["39"],"bad_bitmap":true}}]}`,
		`{"ordered":true,"scenarios":{"s":["x"]},"rules":[{"name":"a","match":{"every":3},"when":{"scenario":"s","state":"x"},"then":"started","answers":[{"junk":"00"},{"wrong_length":"-5","duplicate":3,"merge":true}],"cycle":true}]}`,
		`{"rules":[{"name":"a","match":{},"answer":{"exact":true,"copy":["4","header.tpdu"],"truncate":3,"end":"reset","dribble":{"bytes":1,"every":5}}}]}`,
	} {
		f.Add([]byte(seed))
	}
	terms := termsOf(f, "unionpay-bcd")
	request := iso8583.Message{MTI: "0200", Fields: map[int]string{2: "4111111111111111", 3: "000000", 4: "000000001250", 11: "000007", 41: "TERM0001", 60: "22000001"}}
	answer := iso8583.Message{MTI: "0210", Fields: map[int]string{4: "000000001250", 11: "000007", 39: "00", 41: "TERM0001", 55: "910A01020304050607083030", 60: "22000001"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s client.Setup
		if json.Unmarshal(data, &s) != nil {
			return
		}
		set, err := FromSetup(s, terms)
		if err != nil {
			return
		}
		e := NewEngine(set)
		for range 3 {
			d := e.Next(View{Message: request, Operation: terms.Host.Operation(terms.Codec, request)})
			plan, err := d.Plan(terms.Codec, answer, sealer(terms.Codec))
			if silent := err != nil || d.Answer.Never; silent && plan.Payload != nil {
				t.Errorf("an answer of %d bytes with %v", len(plan.Payload), err)
			}
		}
	})
}
