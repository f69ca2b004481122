package harness

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

func (s *Session) watchDisplay(ctx context.Context) {
	d := s.world.Rig.Display
	for {
		select {
		case <-ctx.Done():
			return
		case screen, ok := <-d.Screens():
			if !ok {
				s.update(func(v *view) { v.dead = rigs.Fault(d.Name(), "read", lineError(d.Err())) })
				return
			}
			s.sawScreen(screen)
		}
	}
}

func (s *Session) sawScreen(screen rigs.Screen) {
	s.inspect(screen.At, "display", append(screen.Lines, screen.Noise)...)
	if screen.Noise != "" {
		if brokenLine(s.world.Profile.Screen, screen.Noise) {
			s.setGarbled("display")
		}
		s.note(screen.At, "display", "noise", map[string]string{"text": s.hidePIN(screen.At, "display", screen.Noise, false)})
		return
	}
	prompts := s.world.Profile.Recognise(screen.Lines, s.world.Lang)
	for i, row := range screen.Lines {
		screen.Lines[i] = s.hidePIN(screen.At, "display", row, slices.Contains(prompts, "pin"))
	}
	fields := map[string]string{"text": strings.Join(screen.Lines, "\n"), "prompts": strings.Join(prompts, " ")}
	if screen.Early > 0 {
		fields["early_us"] = strconv.FormatInt(screen.Early.Microseconds(), 10)
	}
	s.note(screen.At, "display", "screen", fields)
	s.prove("display")
	version := firmware(s.world.Profile, screen.Lines)
	s.mu.Lock()
	if version != "" {
		s.firmware = version
	}
	s.mu.Unlock()
	s.update(func(v *view) {
		v.screen, v.prompts, v.screenAt = screen.Lines, prompts, screen.At
		v.changes = append(v.changes, screen.At)
		for _, p := range prompts {
			v.shown = append(v.shown, shown{p, screen.At})
		}
	})
}

// firmware finds the version that the terminal itself shows; "" when it does not.
func firmware(p *terminals.Profile, lines []string) string {
	re := p.Screen.Firmware
	if re == nil {
		return ""
	}
	for _, line := range lines {
		if m := re.FindStringSubmatch(line); m != nil {
			return m[re.SubexpIndex("version")]
		}
	}
	return ""
}

func (s *Session) watchPrinter(ctx context.Context) {
	p := s.world.Rig.Printer
	for {
		select {
		case <-ctx.Done():
			return
		case paper, ok := <-p.Paper():
			if !ok {
				s.update(func(v *view) { v.dead = rigs.Fault(p.Name(), "read", lineError(p.Err())) })
				return
			}
			if paper.Cut {
				s.note(paper.At, "printer", "cut", nil)
				s.update(func(v *view) { v.cuts, v.cutAt = v.cuts+1, paper.At })
				continue
			}
			s.inspect(paper.At, "printer", paper.Text)
			s.note(paper.At, "printer", "line", map[string]string{"text": s.hidePIN(paper.At, "printer", paper.Text, false)})
		}
	}
}

// lineError makes sure that an ended stream has a reason.
func lineError(err error) error {
	if err == nil {
		return rigs.ErrLost
	}
	return err
}

// watchLine ends every wait when an instrument's line is lost while nobody speaks to it.
func (s *Session) watchLine(ctx context.Context, i rigs.Watched) {
	select {
	case <-ctx.Done():
	case <-i.Ended():
		s.note(time.Now(), i.Name(), "lost", map[string]string{"why": lineError(i.Err()).Error()})
		s.update(func(v *view) {
			if v.dead == nil { // the first cause is the one to tell
				v.dead = rigs.Fault(i.Name(), "line", lineError(i.Err()))
			}
		})
	}
}

func (s *Session) watchCard(ctx context.Context) {
	var trace apduTrace
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-s.world.Rig.Card.Events():
			if !ok {
				return // watchLine says why
			}
			s.prove("card")
			s.note(e.At, "card", e.Kind, trace.fields(e, s.card()))
		}
	}
}
