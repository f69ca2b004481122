package bank

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv/parameters"
)

// A terminal that asks with what it has gets all applications and all keys, packet by packet.
func TestDownload(t *testing.T) {
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	set := p.EMV.Parameters()
	w := newWorld(t, "unionpay-bcd", func(c *Config) { c.Parameters = &set })
	fetch := func(function string) (records []byte) {
		for held := 0; ; {
			res := w.ask(t, "parameters stan=1 kind="+function+" 62="+hex.EncodeToString(parameters.Request(held)))
			raw, err := hex.DecodeString(res.Reply.Fields[fieldDownload])
			if err != nil || res.Reason != approved || len(raw) > downloadRoom {
				t.Fatalf("%+v, %v", res, err)
			}
			packet, err := parameters.ReadPacket(raw)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, packet.Records...)
			if !packet.More {
				return records
			}
			held += bytes.Count(packet.Records, []byte{0x9F, 0x06})
		}
	}
	applications, err := parameters.Applications(fetch("38?"))
	if err != nil || !reflect.DeepEqual(applications, set.Applications) {
		t.Errorf("applications: %v\n got %+v\nwant %+v", err, applications, set.Applications)
	}
	all := fetch("37?")
	var want []byte
	for _, k := range set.Keys {
		want = append(want, k.Encode()...)
	}
	if !bytes.Equal(all, want) || len(set.Keys) < 2 {
		t.Errorf("%d keys: %d bytes, want %d", len(set.Keys), len(all), len(want))
	}
}

// Who does not say what it has, and a bank that has nothing: an approval and nothing else. What is no request is refused.
func TestDownloadOfNothing(t *testing.T) {
	w := newWorld(t, "unionpay-bcd", func(c *Config) { c.Parameters = &parameters.Set{} })
	if res := w.ask(t, "parameters stan=1 kind=38?"); res.Reason != approved || res.Reply.Fields[fieldDownload] != "" {
		t.Errorf("without a request: %+v", res)
	}
	if res := w.ask(t, "parameters stan=2 kind=38? 62=00"); res.Reason != approved || res.Reply.Fields[fieldDownload] != "30" {
		t.Errorf("a bank that has none: %+v", res)
	}
	if res := w.ask(t, "parameters stan=3 kind=38? 62=FF"); res.Reason != formatError || len(res.Faults) != 1 {
		t.Errorf("more than there can be: %+v", res)
	}
	none := newWorld(t, "unionpay-bcd", nil)
	if res := none.ask(t, "parameters stan=1 kind=38? 62=00"); res.Reason != approved || res.Reply.Fields[fieldDownload] != "" {
		t.Errorf("a bank without parameters: %+v", res)
	}
}
