package terminal_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*terminal.Config, *terminal.Hardware)
		is     error
		says   []string
	}{
		{"a missing prompt", func(c *terminal.Config, _ *terminal.Hardware) {
			delete(c.Profile.Prompts, "comm-timeout")
			delete(c.Profile.Prompts["pin"], "zh")
			c.Lang = "zh"
		}, terminal.ErrPrompt, []string{`"test"`, `"zh"`, "comm-timeout", "pin"}},
		{"a code whose prompt is missing", func(c *terminal.Config, _ *terminal.Hardware) {
			c.Profile.Codes["05"] = "not-worded"
		}, terminal.ErrPrompt, []string{"not-worded"}},
		{"codes without a default", func(c *terminal.Config, _ *terminal.Hardware) {
			delete(c.Profile.Codes, "default")
		}, terminal.ErrPrompt, []string{"default"}},
		{"a language without wording", func(c *terminal.Config, _ *terminal.Hardware) { c.Lang = "fr" }, terminal.ErrPrompt, []string{`"fr"`}},
		{"a receipt language", func(c *terminal.Config, _ *terminal.Hardware) {
			for _, text := range c.Profile.Prompts {
				text["fr"] = text["en"]
			}
			c.Lang = "fr"
		}, terminal.ErrConfig, []string{`"fr"`}},
		{"a receipt encoding", func(c *terminal.Config, _ *terminal.Hardware) { c.Profile.Receipt.Encoding = "big5" }, terminal.ErrConfig, []string{"big5"}},
		{"a currency", func(c *terminal.Config, _ *terminal.Hardware) { c.Profile.Identity.Currency = "RMB" }, terminal.ErrConfig, []string{"currency"}},
		{"a host without framing", func(c *terminal.Config, _ *terminal.Hardware) { c.Host.Dialect.Framing.LengthBytes = 3 }, terminal.ErrConfig, []string{`host "iso87-ascii"`}},
		{"a missing PIN key", func(c *terminal.Config, _ *terminal.Hardware) { c.Host.PINKey = nil }, terminal.ErrConfig, []string{"PIN key"}},
		{"no profile", func(c *terminal.Config, _ *terminal.Hardware) { c.Profile = nil }, terminal.ErrConfig, nil},
		{"no host", func(c *terminal.Config, _ *terminal.Hardware) { c.Host = nil }, terminal.ErrConfig, nil},
		{"no keys", func(_ *terminal.Config, h *terminal.Hardware) { h.Keys = nil }, terminal.ErrConfig, []string{"keys"}},
		{"no chip reader though the profile has one", func(_ *terminal.Config, h *terminal.Hardware) { h.Chip = nil }, terminal.ErrConfig, []string{"chip reader"}},
		{"no printer though the profile has one", func(_ *terminal.Config, h *terminal.Hardware) { h.Printer = nil }, terminal.ErrConfig, []string{"printer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := terminal.Config{Profile: testProfile(), Host: testHost(testDialect)}
			hardware := newWorld().hardware()
			tt.change(&config, &hardware)
			_, err := terminal.New(config, hardware)
			if !errors.Is(err, tt.is) {
				t.Fatalf("got %v, want %v", err, tt.is)
			}
			for _, word := range tt.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q doesn't name %s", err, word)
				}
			}
		})
	}
}

func TestUnknownDefectNamesTheNearest(t *testing.T) {
	_, err := terminal.New(terminal.Config{
		Profile: testProfile(), Host: testHost(testDialect), Defects: []string{"id-lenght-unchecked"},
	}, newWorld().hardware())
	var unknown *terminal.UnknownDefectError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), `"id-length-unchecked"`) {
		t.Fatalf("got %v", err)
	}
}

func TestDefectsAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range terminal.Defects() {
		for _, text := range []string{d.Name, d.Group, d.What, d.Rule} {
			if text == "" || strings.Contains(text, "\n") {
				t.Errorf("%s: %+v", d.Name, d)
			}
		}
		if seen[d.Name] {
			t.Errorf("%s is there twice", d.Name)
		}
		seen[d.Name] = true
	}
	if !slices.IsSorted(terminal.DefectNames()) {
		t.Errorf("not sorted: %v", terminal.DefectNames())
	}
}

func TestNeededIsComplete(t *testing.T) {
	for _, id := range terminal.Needed() {
		p := testProfile()
		p.CustomerID = &terminals.CustomerID{Charset: "0123456789", Min: 4, Max: 6}
		p.Capabilities = append(p.Capabilities, "modem")
		delete(p.Prompts, id)
		if _, err := terminal.New(terminal.Config{Profile: p, Host: testHost(testDialect)}, newWorld().hardware()); !errors.Is(err, terminal.ErrPrompt) {
			t.Errorf("prompt %s is needed but not checked: %v", id, err)
		}
	}
}

// The embedded profiles and hosts must make terminals, in all their languages.
func TestEmbeddedProfilesMakeTerminals(t *testing.T) {
	all, err := terminals.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		host, err := hosts.Load(p.Host)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range p.Languages {
			if _, err := terminal.New(terminal.Config{Profile: p, Lang: lang, Host: host, Trust: x509.NewCertPool()}, newWorld().hardware()); err != nil {
				t.Errorf("%s in %s: %v", p.ID, lang, err)
			}
		}
	}
}

// The receipts must be understood by the patterns of the embedded profiles.
func TestReceiptsMatchTheProfiles(t *testing.T) {
	all, err := terminals.All()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][3]string{
		"en": {"APPROVED", "AMOUNT: RMB 12.50", "TRACE: 000001"},
		"zh": {"交易成功", "金额: RMB 12.50", "凭证号: 000001"},
	}
	for _, p := range all {
		if !p.Has("printer") {
			continue
		}
		for _, lang := range p.Languages {
			lines := want[lang]
			if !p.Receipt.Approved.MatchString(lines[0]) || !p.Receipt.Amount.MatchString(lines[1]) || !p.Receipt.Trace.MatchString(lines[2]) {
				t.Errorf("%s in %s: a pattern doesn't match %v", p.ID, lang, lines)
			}
		}
	}
}
