package terminal_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/assay-hil/assay/fakes/terminal"
)

// What a conversation says that must be seen by then.

// card checks which commands the chip got: "card got 0082".
func (s *script) card(words []string) error {
	s.world.slot.mu.Lock()
	defer s.world.slot.mu.Unlock()
	for _, command := range s.world.slot.sent {
		if strings.HasPrefix(fmt.Sprintf("%X", command), words[1]) {
			return nil
		}
	}
	return errors.New("the chip never got it")
}

// screen checks what is shown: a prompt, then the data rows.
func (s *script) screen(words []string) error {
	want := s.wording(words[0])
	if len(words) > 1 {
		want += " | " + strings.Join(words[1:], " ")
	}
	if got := s.world.screen(); got != want {
		return fmt.Errorf("the screen is not %s", want)
	}
	return nil
}

func (s *script) wording(prompt string) string {
	lang := s.config.Lang
	if lang == "" {
		lang = "en"
	}
	text, ok := s.config.Profile.Prompt(prompt, lang)
	if !ok {
		return "(no prompt " + prompt + ")"
	}
	return text
}

// shown checks that prompts were seen one after another, up to now: "shown connecting processing".
func (s *script) shown(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	seen := s.world.screens
	if len(seen) < len(words) {
		return errors.New("not so many screens")
	}
	for i, word := range words {
		if got := seen[len(seen)-len(words)+i][0]; got != s.wording(word) {
			return fmt.Errorf("screen %d of them was %s", i+1, got)
		}
	}
	return nil
}

// memory checks NVRAM: "nvram pending no|98|06|A0", "nvram journal 1", "nvram batch 2", "nvram stan 3", "nvram
// dropped 1", "nvram advices 1", "nvram scripts 0", "nvram upload no|2"; and does to it: "nvram breaks", "nvram heals",
// "nvram lost".
func (s *script) memory(words []string) error {
	n := &s.world.nvram
	m := terminal.PeekMemory(n)
	got := ""
	switch words[0] {
	case "breaks", "heals":
		n.Break(words[0] == "breaks")
		return nil
	case "lost": // worn out: neither record is whole
		n.Power(true)
		return n.Commit(map[string][]byte{"memory.0": []byte("?"), "memory.1": []byte("?")})
	case "pending":
		got = "no"
		if m.Pending != nil {
			got = m.Pending.Reason
		}
	case "upload":
		got = "no"
		if m.Upload != nil {
			got = fmt.Sprint(m.Upload.Next)
		}
	default:
		count, ok := map[string]int{"journal": len(m.Journal), "batch": m.Batch, "stan": m.STAN, "dropped": len(m.Dropped),
			"advices": len(m.Advices), "scripts": len(m.Scripts)}[words[0]]
		if !ok {
			return fmt.Errorf("unknown record %q", words[0])
		}
		got = fmt.Sprint(count)
	}
	if got != words[1] {
		return fmt.Errorf("it is %q", got)
	}
	return nil
}

// printed checks the paper since the last check: "printed nothing", "printed TEXT" (a line), "printed no
// TEXT" (anywhere), "printed bytes HEX".
func (s *script) printed(words []string) error {
	s.world.mu.Lock()
	paper := s.world.paper.Bytes()
	s.world.mu.Unlock()
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(paper)
	if err != nil {
		return err
	}
	want := strings.Join(words, " ")
	switch {
	case want == "nothing":
		if len(paper) > 0 {
			return fmt.Errorf("paper: %q", text)
		}
	case words[0] == "bytes":
		if !strings.Contains(fmt.Sprintf("%X", paper), words[1]) {
			return fmt.Errorf("paper: %X", paper)
		}
	case words[0] == "no":
		if strings.Contains(string(text), words[1]) {
			return fmt.Errorf("paper: %q", text)
		}
	default:
		line := regexp.MustCompile(`(?m)^(\x1b@|\x1dV\x00)*` + regexp.QuoteMeta(want) + `$`)
		if !line.Match(text) {
			return fmt.Errorf("paper: %q", text)
		}
	}
	return nil
}

// debugged checks the debug line: "debug no TEXT", "debug has TEXT".
func (s *script) debugged(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if has := strings.Contains(strings.Join(s.world.debug, "\n"), words[1]); has != (words[0] == "has") {
		return fmt.Errorf("the debug line has %q", s.world.debug)
	}
	return nil
}

// signalled checks what beeper and lights did last: "signal error".
func (s *script) signalled(words []string) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if n := len(s.world.signals); n == 0 || s.world.signals[n-1] != words[0] {
		return fmt.Errorf("signals: %q", s.world.signals)
	}
	return nil
}

// sent checks a field of the last request against another: "terminal sent 90 0200 000002" (its beginning).
func (s *script) sent(words []string) error {
	var n int
	if _, err := fmt.Sscan(words[1], &n); err != nil {
		return err
	}
	if got, want := s.host.request.Fields[n], strings.Join(words[2:], ""); !strings.HasPrefix(got, want) {
		return fmt.Errorf("field %d is %q", n, got)
	}
	return nil
}
