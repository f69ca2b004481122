package harness

import (
	"context"
	"fmt"

	"github.com/assay-hil/assay/harness/record"
)

// aboutProcedure is what a cashier presses to see what the terminal is, and to be back at the idle screen.
const aboutProcedure = "about"

// about opens the terminal's about-screen once a session, when it has not told its firmware by itself: only a terminal that
// was seen booting has. As what the draining does this is recorded and not judged, and only a rig's fault ends the scenario.
func (r *run) about(ctx context.Context) error {
	s, w := r.session, r.session.world
	if len(w.Profile.Procedures[aboutProcedure]) == 0 || w.Rig.Keypad == nil || w.Rig.Display == nil || !s.mayAskAbout() {
		return nil
	}
	err := r.procedure(ctx, aboutProcedure)
	s.mu.Lock()
	fields := map[string]string{"firmware": s.firmware}
	s.mu.Unlock()
	if err != nil {
		fields["error"] = err.Error()
	}
	r.note("about", fields)
	if err != nil && stoppedBy(err) != record.Terminal {
		return fmt.Errorf("the terminal's about-screen: %w", err)
	}
	if err := r.reachIdle(ctx); err != nil {
		return err
	}
	s.forget()
	return nil
}

// mayAskAbout says, once, that the firmware is not known.
func (s *Session) mayAskAbout() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	may := s.firmware == "" && !s.askedAbout
	s.askedAbout = true
	return may
}

// forget drops what was shown so far: it is none of this scenario's.
func (s *Session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.shown, s.now.changes = nil, nil
}
