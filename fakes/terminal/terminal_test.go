package terminal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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
		{"a host without framing", func(c *terminal.Config, _ *terminal.Hardware) { c.Host.Dialect.Framing.LengthBytes = 3 }, terminal.ErrConfig, []string{`host "test"`}},
		{"a missing PIN key", func(c *terminal.Config, _ *terminal.Hardware) { c.Host.PINKey = nil }, terminal.ErrConfig, []string{"PIN key"}},
		{"no profile", func(c *terminal.Config, _ *terminal.Hardware) { c.Profile = nil }, terminal.ErrConfig, nil},
		{"no host", func(c *terminal.Config, _ *terminal.Hardware) { c.Host = nil }, terminal.ErrConfig, nil},
		{"no keys", func(_ *terminal.Config, h *terminal.Hardware) { h.Keys = nil }, terminal.ErrConfig, []string{"keys"}},
		{"no chip reader though the profile has one", func(_ *terminal.Config, h *terminal.Hardware) { h.Chip = nil }, terminal.ErrConfig, []string{"chip reader"}},
		{"no printer though the profile has one", func(_ *terminal.Config, h *terminal.Hardware) { h.Printer = nil }, terminal.ErrConfig, []string{"printer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := terminal.Config{Profile: testProfile(), Host: testHost()}
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
		Profile: testProfile(), Host: testHost(), Defects: []string{"id-lenght-unchecked"},
	}, newWorld().hardware())
	var unknown *terminal.UnknownDefectError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), `"id-length-unchecked"`) {
		t.Fatalf("got %v", err)
	}
}

func TestDefectsAreSortedAndDescribed(t *testing.T) {
	if !slices.IsSorted(terminal.Defects()) {
		t.Errorf("not sorted: %v", terminal.Defects())
	}
	for _, name := range terminal.Defects() {
		if text := terminal.DescribeDefect(name); text == "" || strings.Contains(text, "\n") {
			t.Errorf("%s is described as %q", name, text)
		}
	}
	if terminal.DescribeDefect("none") != "" {
		t.Error("an unknown defect has a description")
	}
}

func TestNeededIsComplete(t *testing.T) {
	for _, id := range terminal.Needed() {
		p := testProfile()
		delete(p.Prompts, id)
		if _, err := terminal.New(terminal.Config{Profile: p, Host: testHost()}, newWorld().hardware()); !errors.Is(err, terminal.ErrPrompt) {
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
			if _, err := terminal.New(terminal.Config{Profile: p, Lang: lang, Host: host}, newWorld().hardware()); err != nil {
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
		for _, lang := range p.Languages {
			lines := want[lang]
			if !p.Receipt.Approved.MatchString(lines[0]) || !p.Receipt.Amount.MatchString(lines[1]) || !p.Receipt.Trace.MatchString(lines[2]) {
				t.Errorf("%s in %s: a pattern doesn't match %v", p.ID, lang, lines)
			}
		}
	}
}

func TestBrokenMemoryStopsTheTerminal(t *testing.T) {
	for _, record := range []string{"stan", "batch", "journal", "reversal"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.nvram.Commit(map[string][]byte{record: []byte("{broken")})
			app, err := terminal.New(terminal.Config{Profile: testProfile(), Host: testHost()}, w.hardware())
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Run(context.Background()); err == nil || !strings.Contains(err.Error(), record) {
				t.Errorf("record %s: %v", record, err)
			}
		})
	}
}
