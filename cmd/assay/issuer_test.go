package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// written puts a text into a file of the test and gives its name.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	goodRules = "dialect: iso87-ascii\nrules:\n  - {name: sales, match: {operation: purchase}, answer: books}\n"
	echoFile  = "mti: \"0800\"\nfields: {7: \"1122120000\", 11: \"000001\", 41: \"ASSAY001\", 42: \"MERCHANT0000001\", 70: \"301\"}\n"
)

func TestIssuerBadInputIsExit2WithTheRemedy(t *testing.T) {
	rules := written(t, "good.yaml", goodRules)
	message := written(t, "echo.yaml", echoFile)
	send := []string{"issuer", "send", "--dialect", "iso87-ascii", "--to", "127.0.0.1:1"}
	serve := []string{"issuer", "serve", "--dialect", "iso87-ascii"}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown command", []string{"issuer", "snd"}, `did you mean "send"?`},
		{"unknown flag", []string{"issuer", "lint", "--dialekt", "x", rules}, `did you mean "--dialect"?`},
		{"no rule file", []string{"issuer", "lint"}, "assay issuer lint FILE"},
		{"absent rule file", []string{"issuer", "lint", rules + "x"}, "no such file"},
		{"unknown dialect", []string{"issuer", "lint", "--dialect", "iso87-asci", rules}, `did you mean "iso87-ascii"?`},
		{"another dialect", []string{"issuer", "lint", "--dialect", "iso93-binary", rules}, "good.yaml:1:"},
		{"no dialect", []string{"issuer", "lint", written(t, "none.yaml", "rules: []\n")}, "give --dialect"},
		{"unknown dialect in the file", []string{"issuer", "lint", written(t, "dialect.yaml", strings.Replace(goodRules, "iso87-ascii", "iso87-asci", 1))},
			`dialect.yaml:1:1: unknown host dialect "iso87-asci"; did you mean "iso87-ascii"?`},
		{"broken rules", []string{"issuer", "lint", rules, written(t, "bad.yaml", strings.Replace(goodRules, "operation", "opertion", 1))},
			`bad.yaml:3:27: unknown key "opertion"; did you mean "operation"?`},
		{"unknown card in rules", []string{"issuer", "lint", written(t, "card.yaml", strings.Replace(goodRules, "operation: purchase", "card: chipp", 1))},
			`did you mean "chip"?`},

		{"no message file", send, "a message file is needed"},
		{"absent message file", append(send, message+"x"), "no such file"},
		{"broken message", append(send, written(t, "m.yaml", strings.Replace(echoFile, "70:", "170:", 1))), "m.yaml:2:"},
		{"no dialect to send", []string{"issuer", "send", "--to", "127.0.0.1:1", message}, "--dialect is needed"},
		{"unknown dialect to send", []string{"issuer", "send", "--dialect", "unionpay", "--to", "127.0.0.1:1", message}, "--dialect"},
		{"nowhere to send", []string{"issuer", "send", "--dialect", "iso87-ascii", message}, "--to is needed"},
		{"no port", []string{"issuer", "send", "--dialect", "iso87-ascii", "--to", "localhost", message}, "such as 127.0.0.1:8583"},
		{"no time", append(send, "--timeout", "0s", message), "--timeout"},
		{"CA without TLS", append(send, "--ca", rules, message), "--tls"},
		{"CA that is none", append(send, "--tls", "--ca", rules, message), "no certificate in PEM"},
		{"serve without a dialect", []string{"issuer", "serve"}, "--dialect is needed"},
		{"unknown TLS word", append(serve, "--tls", "expird"), `did you mean "expired"?`},
		{"TLS folder without TLS", append(serve, "--tls-dir", "x"), "--tls good"},
		{"flush without books", append(serve, "--ledger-sync"), "--ledger"},
		{"unknown card", append(serve, "--cards", "chip,strip"), `did you mean "stripe"?`},
		{"card of another choice", append(serve, "--cards", "chip", "--partial", "stripe"), "--partial: unknown word"},
		{"tolerance beyond all", append(serve, "--tolerance", "101"), "--tolerance: 0 to 100 percent"},
		{"limit below zero", append(serve, "--limit", "-1"), "--limit: an amount in minor units"},
		{"proxy that is strict", append(serve, "--proxy", "127.0.0.1:1", "--record", "x", "--check-batch"), "--proxy passes on"},
		{"broken message behind a good one", append(send, message, written(t, "m2.yaml", strings.Replace(echoFile, "70:", "170:", 1))), "m2.yaml:2:"},
		{"keys that are none", append(send, "--keys", rules, message), "is no file of keys"},
		{"rules and recording", append(serve, "--rules", rules, "--replay", rules), "exclude each other"},
		{"broken rules to serve", append(serve, "--rules", message), "echo.yaml:1:1"},
		{"proxy without record", append(serve, "--proxy", "127.0.0.1:1"), "belong together"},
		{"proxy with rules", append(serve, "--proxy", "127.0.0.1:1", "--record", "x", "--rules", rules), "fake bank"},
		{"recording over a file", append(serve, "--proxy", "127.0.0.1:1", "--record", rules), "exists already"},
		{"address without port", append(serve, "--listen", "localhost"), "such as 127.0.0.1:8583"},
		{"control address without port", append(serve, "--control", "localhost"), "--control"},
		{"token file without token", append(serve, "--token-file", written(t, "token", "\n")), "holds no token"},
		{"argument to serve", append(serve, "now"), "unknown command"},
		{"parameters of no terminal", append(serve, "--parameters", "countertob"), `did you mean "countertop"?`},
		{"parameters for another host", append(serve, "--proxy", "127.0.0.1:1", "--record", "x", "--parameters", "countertop"), "--parameters are for the fake bank"},
		{"certificate without key", append(send, "--tls", "--cert", rules, message), "belong together"},
	} {
		code, stdout, stderr := assay(t, c.args...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %q %q; want exit 2 and %q", c.name, code, stdout, stderr, c.want)
		}
	}
}

func TestIssuerLint(t *testing.T) {
	rules := written(t, "good.yaml", goodRules)
	for _, args := range [][]string{{"issuer", "lint", rules}, {"issuer", "lint", "--dialect", "iso87-ascii", rules}} {
		code, stdout, stderr := assay(t, args...)
		if code != exitPass || !strings.Contains(stdout, "good.yaml: ok, 1 rule, 0 scenarios, dialect iso87-ascii, otherwise violation") {
			t.Errorf("%v: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

// scripted is a host that does one thing with the first message of every connection.
func scripted(t *testing.T, d dialect, serve func(conn net.Conn, request []byte)) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			request, err := d.host.Dialect.Framing.ReadFrame(conn)
			if err == nil {
				serve(conn, request)
			}
			_ = conn.Close()
		}
	}()
	return ln.Addr().String()
}

func ascii(t *testing.T) dialect {
	t.Helper()
	d, err := openDialect("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIssuerSendPrintsTheAnswerMasked(t *testing.T) {
	d := ascii(t)
	const pan = "4761739001010119"
	address := scripted(t, d, func(conn net.Conn, request []byte) {
		m, err := d.codec.Unpack(request)
		if err != nil {
			return
		}
		m.MTI, m.Fields[39], m.Fields[2] = "0810", "00", pan
		payload, err := d.codec.Pack(m)
		if err != nil {
			return
		}
		_ = d.host.Dialect.Framing.WriteFrame(conn, payload)
	})
	code, stdout, stderr := assay(t, "issuer", "send", "--dialect", "iso87-ascii", "--to", address, written(t, "echo.yaml", echoFile))
	if code != exitPass || !strings.Contains(stdout, `mti: "0810"`) || !strings.Contains(stdout, `39: "00"`) {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if strings.Contains(stdout+stderr, pan) {
		t.Fatalf("a card number is printed:\n%s", stdout)
	}
}

func TestIssuerSendWithoutAnAnswerIsExit3(t *testing.T) {
	d := ascii(t)
	message := written(t, "echo.yaml", echoFile)
	for _, c := range []struct {
		name, want string
		serve      func(conn net.Conn, request []byte)
	}{
		{"closed", "EOF", func(net.Conn, []byte) {}},
		{"cut", "unexpected EOF", func(conn net.Conn, _ []byte) { _, _ = conn.Write([]byte{0, 9, '0'}) }},
		{"no message", "can't be read", func(conn net.Conn, _ []byte) { _ = d.host.Dialect.Framing.WriteFrame(conn, []byte("0810")) }},
		{"silent", "deadline", func(conn net.Conn, _ []byte) { _, _ = io.Copy(io.Discard, conn) }},
	} {
		code, stdout, stderr := assay(t, "issuer", "send", "--dialect", "iso87-ascii", "--timeout", "300ms", "--to", scripted(t, d, c.serve), message)
		if code != exitInconclusive || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%s: exit %d, %q %q; want exit 3 and %q", c.name, code, stdout, stderr, c.want)
		}
	}
	if code, _, stderr := assay(t, "issuer", "send", "--dialect", "iso87-ascii", "--to", "127.0.0.1:1", message); code != exitInconclusive {
		t.Errorf("nobody listens: exit %d, %q", code, stderr)
	}
}

// Signs of life before the answer are answered, and are no answer.
func TestExchangeAnswersPolls(t *testing.T) {
	framing := iso8583.Framing{LengthBytes: 2, Polls: true, MaxLength: 100}
	client, host := net.Pipe()
	t.Cleanup(func() { _ = client.Close(); _ = host.Close() })
	go func() {
		poll := make([]byte, 2)
		if _, err := framing.ReadFrame(host); err != nil {
			return
		}
		_, _ = host.Write(framing.Poll())
		if _, err := io.ReadFull(host, poll); err == nil && bytes.Equal(poll, framing.Poll()) {
			_ = framing.WriteFrame(host, []byte("answer"))
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := converse(ctx, client, framing, []byte("request"))
	if err != nil || string(got) != "answer" {
		t.Fatalf("%q, %v", got, err)
	}
}
