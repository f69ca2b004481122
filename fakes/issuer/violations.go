package issuer

import (
	"fmt"
	"sync"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// MaxViolations bounds the list; the first ones are kept, since they explain the rest.
const MaxViolations = 1000

// violations are messages that a real host would call protocol errors, in words.
type violations struct {
	mu    sync.Mutex
	texts []string
	more  int
}

func (v *violations) add(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.texts) == MaxViolations {
		v.more++
		return
	}
	v.texts = append(v.texts, text)
}

func (v *violations) list() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	texts := append([]string{}, v.texts...)
	if v.more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", v.more))
	}
	return texts
}

// violate records a violation. The text must not contain card data. The caller holds mu.
func (s *Server) violate(e *era, text string) {
	e.violations.add(text)
	s.events.Append(client.EventViolation, map[string]string{"text": text})
}

// violated records a violation outside of a message's processing.
func (s *Server) violated(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.RLock()
	s.violate(s.era, text)
	s.mu.RUnlock()
	s.log.Warn("violation", "text", text)
}

// label names a message by its fields.
func label(m iso8583.Message) string {
	text := m.MTI
	if terminal := m.Fields[fieldTerminal]; terminal != "" {
		text += " terminal " + terminal
	}
	if stan := m.Fields[fieldSTAN]; stan != "" {
		text += " STAN " + stan
	}
	return text
}
