//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/messages"
)

// leaks is a conversation of each dialect in which card data stand wherever they can, with a terminal's bad
// manners. CARD is a card's number, TRACK the track of its stripe.
var leaks = map[string][]string{
	"iso87-ascii": {
		`{mti: "0200", pin: "PIN", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120000", 11: "000001", 12: "120000", 13: "0101",
		  14: "EXPIRY", 22: "021", 25: "00", 35: "TRACK", 41: "TERM0001", 42: "MERCHANT0000001", 48: "ID CARD", 49: "156", 126: "123"}}`,
		`{mti: "0200", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120000", 11: "000002", 12: "120000", 13: "0101", 14: "EXPIRY",
		  22: "052", 23: "001", 25: "00", 35: "TRACK", 41: "TERM0001", 42: "MOST", 49: "156", 55.5A: "CARD", 55.57: "PACKED", 55.9F26: "0102030405060708"}}`,
		`{mti: "0400", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120100", 11: "000001", 12: "120000", 13: "0101", 14: "EXPIRY",
		  22: "021", 25: "00", 39: "98", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156", 90: "020000000101011200000000000000000000000000"}}`,
		`{mti: "0320", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120100", 11: "000009", 12: "120000", 13: "0101", 41: "TERM0001",
		  42: "MERCHANT0000001", 49: "156", 60: "CARD", 90: "020000000101011200000000000000000000000000"}}`,
		`{mti: "0500", fields: {3: "920000", 7: "0101120200", 11: "000003", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156", 60: "CARD",
		  76: "0000000001", 88: "0000000000001250"}}`,
	},
	"unionpay-bcd": {
		`{mti: "0800", fields: {11: "000001", 41: "TERM0001", 42: "MERCHANT0000001", 60: "00000001003"}}`,
		`{mti: "0200", pin: "PIN", fields: {2: "CARD", 3: "000000", 4: "000000001250", 11: "000002", 22: "021", 25: "00", 26: "12", 35: "TRACK",
		  41: "TERM0001", 42: "MERCHANT0000001", 49: "156", 53: "2600000000000000", 60: "22000001000"}}`,
		`{mti: "0200", pin: "PIN", mac: "3132333435363738", fields: {2: "CARD", 3: "000000", 4: "000000001250", 11: "000003", 22: "021", 25: "00",
		  26: "12", 35: "TRACK", 41: "TERM0001", 42: "MOST", 49: "156", 53: "2600000000000000", 60: "22000001000"}}`,
		`{mti: "0500", fields: {11: "000004", 41: "TERM0001", 42: "MERCHANT0000001", 48: "` + strings.Repeat("0", 62) + `", 49: "156", 60: "00000001201"}}`,
		`{mti: "0320", fields: {11: "000005", 41: "TERM0001", 42: "MERCHANT0000001", 48: "01000000020000CARD000000001251", 60: "00000001201"}}`,
		`{mti: "0320", fields: {11: "000006", 41: "TERM0001", 42: "MERCHANT0000001", 48: "` + strings.Repeat("0", 62) + `", 60: "00000001202"}}`,
	},
	"iso93-binary": {
		`{mti: "1200", pin: "PIN", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120000", 11: "000001", 12: "260101120000",
		  22: "210101200140", 24: "200", 35: "TRACK", 41: "TERM0001", 42: "MOST", 48: "CARD", 49: "156", 62: "TRACK"}}`,
		`{mti: "1420", fields: {2: "CARD", 3: "000000", 4: "000000001250", 7: "0101120000", 11: "000002", 12: "260101120100", 22: "210101200140",
		  24: "400", 25: "4021", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156", 56: "1200000001260101120000"}}`,
	},
}

// Card data and keys are nowhere to be found after a conversation: not in a log, the journal, the feed, the state,
// the ledger file, a recording or what is printed, in no encoding.
func TestIssuerLeaksNothing(t *testing.T) {
	for name, texts := range leaks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var files []string
			card := testCard(t, "stripe")
			dir := t.TempDir()
			s := serve(t, "--dialect", name, "--verbose", "--ledger", filepath.Join(dir, "books.log"))
			recording := filepath.Join(dir, "recording.yaml")
			proxy := serve(t, "--dialect", name, "--verbose", "--proxy", s.Listen, "--record", recording)
			var out bytes.Buffer
			for i, text := range texts {
				file := filepath.Join(dir, fmt.Sprintf("%d.in", i))
				if err := os.WriteFile(file, []byte(filledIn(text, card)), 0o600); err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			code, stdout, stderr := assay(t, append([]string{"issuer", "send", "--dialect", name, "--to", proxy.Listen}, files...)...)
			if code != exitPass {
				t.Fatalf("exit %d: %s", code, stderr)
			}
			fmt.Fprintln(&out, stdout, stderr)
			out.WriteString(botched(t, s.Listen, name, files))
			fmt.Fprintln(&out, asked(t, s))
			fmt.Fprintln(&out, proxy.stop(t, os.Interrupt), s.stop(t, os.Interrupt))
			for _, file := range []string{"books.log", "recording.yaml"} {
				data, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil || len(data) == 0 {
					t.Fatalf("%s: %d bytes, %v", file, len(data), err)
				}
				out.Write(data)
			}
			searched(t, out.Bytes(), secretsOf(t, name, card))
		})
	}
}

func testCard(t *testing.T, id string) *cards.Card {
	t.Helper()
	all, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c *cards.Card) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no card %s", id)
	}
	return all[i]
}

func trackOf(c *cards.Card) string { return c.PAN + "=" + c.Expiry + c.Service + c.Discretionary }

// filledIn puts a card's data into a message.
func filledIn(text string, c *cards.Card) string {
	packed := strings.Replace(trackOf(c), "=", "D", 1)
	packed += strings.Repeat("F", len(packed)%2)
	return strings.NewReplacer("CARD", c.PAN, "MOST", c.PAN[:15], "TRACK", trackOf(c), "PACKED", packed, "EXPIRY", c.Expiry, `"PIN"`, `"`+c.PIN+`"`).Replace(text)
}

// botched sends the messages again, cut short and with the bits of their bitmaps changed, and gives what came back, masked
// as `send` does or, unreadable, not at all.
func botched(t *testing.T, address, name string, files []string) string {
	t.Helper()
	d, err := openDialect(name)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(callLimit)); err != nil {
		t.Fatal(err)
	}
	session := messages.NewSession(d.host, d.codec)
	var out strings.Builder
	for _, file := range files {
		payload, err := session.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range spoilt(payload) {
			if err := d.host.Dialect.Framing.WriteFrame(conn, wrong); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for {
		answer, err := d.host.Dialect.Framing.ReadFrame(conn)
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, err := session.Format(answer); err == nil {
			out.WriteString(text)
		}
	}
}

// spoilt gives a payload cut short in some places, and with some bits changed near its beginning.
func spoilt(payload []byte) (list [][]byte) {
	for cut := len(payload) / 4; cut < len(payload); cut += len(payload) / 7 {
		list = append(list, payload[:cut])
	}
	for at := 4; at < min(len(payload), 36); at++ {
		changed := bytes.Clone(payload)
		changed[at] ^= 4
		list = append(list, changed)
	}
	return append(list, bytes.Repeat([]byte{'4'}, 40))
}

// asked is everything that the control API tells.
func asked(t *testing.T, s *serving) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	c := s.client(t)
	state, err := c.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Journal) == 0 || len(state.Violations) == 0 {
		t.Errorf("%d messages and %d violations: nothing to be searched", len(state.Journal), len(state.Violations))
	}
	events, err := c.Events().Next(ctx, callLimit)
	if err != nil {
		t.Fatal(err)
	}
	one := 1000
	verdict, err := c.Verify(ctx, client.Verify{Match: client.Match{Fields: map[string]string{"41": "TERM0001", "42": "X"}}, AtLeast: &one})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{state, events, verdict})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// secretsOf are what must not be found, by what it is: in clear, and as other encodings write it.
func secretsOf(t *testing.T, name string, c *cards.Card) map[string][]byte {
	t.Helper()
	d, err := openDialect(name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{"PIN": []byte(`"` + c.PIN + `"`), "CVV2": []byte(`"123"`)}
	text := func(what, value string) {
		ebcdic := []byte(value)
		for i := range ebcdic {
			ebcdic[i] |= 0xF0 // code page 037 has its digits at F0
		}
		all[what] = []byte(value)
		all[what+" as hexadecimal of ASCII"] = []byte(hex.EncodeToString([]byte(value)))
		all[what+" in EBCDIC"] = ebcdic
		all[what+" as hexadecimal of EBCDIC"] = []byte(hex.EncodeToString(ebcdic))
		packed, err := hex.DecodeString(value[:len(value)/2*2])
		if err != nil {
			t.Fatal(err)
		}
		all[what+" packed"] = packed
	}
	const part = 10 // more than what may be shown of a number at its beginning
	text("card number", c.PAN)
	text("middle of the card number", c.PAN[2:2+part])
	text("discretionary data", c.Discretionary)
	k := d.host.Keys
	for what, key := range map[string][]byte{"master key": k.Master, "PIN key": k.PIN, "MAC key": k.MAC, "verification key": c.CVK} {
		if len(key) > 0 {
			all[what] = key
			all[what+" as hexadecimal"] = []byte(hex.EncodeToString(key))
		}
	}
	return all
}

// searched looks for secrets, whatever the case of hexadecimal digits.
func searched(t *testing.T, out []byte, secrets map[string][]byte) {
	t.Helper()
	lower := bytes.ToLower(out)
	for what, secret := range secrets {
		if at := bytes.Index(out, secret); at >= 0 {
			t.Errorf("%s is shown: …%q…", what, out[max(0, at-80):min(len(out), at+80)])
		} else if at := bytes.Index(lower, secret); at >= 0 {
			t.Errorf("%s is shown: …%q…", what, out[max(0, at-80):min(len(out), at+80)])
		}
	}
}
