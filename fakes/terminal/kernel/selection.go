package kernel

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"

	"github.com/assay-hil/assay/protocol/emv"
)

// Bounds of selection.
const (
	maxDirectory  = 10 // records of the payment system directory
	maxCandidates = 16
)

const contactDirectory = "1PAY.SYS.DDF01"

// candidate is an application that card and terminal share.
type candidate struct {
	app      Application // the terminal's
	name     []byte      // to be selected by
	label    string
	priority byte // 1 is the highest, 0 none
	confirm  bool // needs the cardholder's confirmation
}

// candidates builds the candidate list (Book 1 §12.3): from the card's directory, or else by trying the terminal's
// applications one by one. It is in the order of priority.
func (s *Session) candidates(ctx context.Context) ([]candidate, error) {
	found, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	blocked := false
	if len(found) == 0 {
		if found, blocked, err = s.tryAll(ctx); err != nil {
			return nil, err
		}
	}
	switch {
	case len(found) > 0:
	case blocked:
		return nil, stop{Ended, AppBlocked}
	default:
		return nil, stopNotFound
	}
	s.order(found)
	return found, nil
}

// order sorts by priority.
func (s *Session) order(found []candidate) {
	slices.SortStableFunc(found, func(a, b candidate) int {
		if s.bad(DefectAppOrder) {
			return int(b.priority) - int(a.priority)
		}
		return rank(a.priority) - rank(b.priority)
	})
}

// rank puts applications without a priority last.
func rank(priority byte) int {
	if priority == 0 {
		return 16
	}
	return int(priority)
}

// directory reads the payment system environment (Book 1 §12.3.2). A card without one, or with a broken one, gives none.
func (s *Session) directory(ctx context.Context) ([]candidate, error) {
	answer, status, err := s.command(ctx, 0x00, emv.INSSelect, 0x04, 0x00, []byte(contactDirectory), 0)
	switch {
	case err != nil:
		return nil, err
	case status == swSelectUnsupported:
		return nil, stop{Ended, CardBlocked}
	case status != emv.SWOK:
		return nil, nil
	}
	fci, err := emv.Read(answer)
	if err != nil {
		return nil, nil //nolint:nilerr // a broken directory is none
	}
	file, _ := fci.List.Find(tagSFI)
	if len(file) != 1 || file[0] < 1 || file[0] > 10 {
		return nil, nil
	}
	var found []candidate
	for number := byte(1); number <= maxDirectory; number++ {
		answer, status, err := s.command(ctx, 0x00, emv.INSReadRecord, number, file[0]<<3|4, nil, 0)
		if err != nil {
			return nil, err
		}
		if status == emv.SWRecordNotFound {
			break
		}
		record, err := emv.Read(answer)
		if err != nil || status != emv.SWOK || len(record.List) != 1 || record.List[0].Tag != emv.TagRecord {
			return nil, nil //nolint:nilerr // so too
		}
		found = s.entries(found, record.List[0].Value)
	}
	return found, nil
}

// entries adds what the terminal supports of a directory record's entries.
func (s *Session) entries(found []candidate, record []byte) []candidate {
	entries, err := emv.Read(record)
	if err != nil {
		return found
	}
	for _, entry := range entries.List {
		inside, err := emv.Read(entry.Value)
		if entry.Tag != tagDirectoryEntry || err != nil {
			continue
		}
		objects := map[uint32][]byte{}
		for _, o := range inside.List {
			objects[o.Tag] = o.Value
		}
		name := objects[tagADFName]
		for _, app := range s.cfg.Applications {
			if len(found) < maxCandidates && matches(app, name) {
				found = append(found, s.candidate(app, name, objects))
				break
			}
		}
	}
	return found
}

func matches(app Application, name []byte) bool {
	return bytes.Equal(app.AID, name) || app.Partial && bytes.HasPrefix(name, app.AID)
}

func (s *Session) candidate(app Application, name []byte, objects map[uint32][]byte) candidate {
	c := candidate{app: app, name: name, label: s.label(objects)}
	if c.label == "" {
		c.label = hex.EncodeToString(name)
	}
	if p := objects[emv.TagPriority]; len(p) == 1 {
		c.priority, c.confirm = p[0]&0x0F, p[0]&0x80 != 0
	}
	return c
}

// label is the name to show: the preferred one where the terminal has its alphabet (here part 1 of ISO/IEC 8859), or the label.
func (s *Session) label(objects map[uint32][]byte) string {
	text := objects[emv.TagLabel]
	if table := objects[tagCodeTable]; len(table) == 1 && table[0] == 1 && len(objects[tagPreferredName]) > 0 {
		text = objects[tagPreferredName]
	}
	shown := make([]rune, 0, len(text))
	for _, b := range text[:min(len(text), 16)] {
		if b < 0x20 || b > 0x7E {
			b = ' '
		}
		shown = append(shown, rune(b))
	}
	return string(shown)
}

// tryAll selects the terminal's applications one by one (Book 1 §12.3.3).
func (s *Session) tryAll(ctx context.Context) (found []candidate, blocked bool, err error) {
	for _, app := range s.cfg.Applications {
		next := byte(0)
		for range maxCandidates {
			answer, status, err := s.command(ctx, 0x00, emv.INSSelect, 0x04, next, app.AID, 0)
			if err != nil {
				return nil, false, err
			}
			if status == swSelectUnsupported && next == 0 {
				return nil, false, stop{Ended, CardBlocked}
			}
			if status != emv.SWOK && status != emv.SWBlocked {
				break
			}
			objects, ok := s.fci(answer)
			switch {
			case ok && status == emv.SWBlocked && !s.bad(DefectBlockedUsed):
				blocked = true
			case ok && matches(app, objects[emv.TagDFName]) && len(found) < maxCandidates:
				found = append(found, s.candidate(app, objects[emv.TagDFName], objects))
			}
			if !app.Partial || !ok || bytes.Equal(app.AID, objects[emv.TagDFName]) && !app.Partial {
				break
			}
			next = 0x02
		}
	}
	return found, blocked, nil
}

// fci reads the answer to SELECT of an application (Book 1 §11.3.4): 6F with 84 and A5 in it.
func (s *Session) fci(answer []byte) (map[uint32][]byte, bool) {
	objects, err := emv.Read(answer)
	if err != nil || len(objects.List) != 1 || objects.List[0].Tag != emv.TagFCI {
		return nil, false
	}
	reader := &Session{said: map[uint32][]byte{}}
	reader.hear(objects.List)
	name := reader.said[emv.TagDFName]
	return reader.said, len(name) >= 5 && len(name) <= 16
}

// start finds the application to be used, selects it and starts it. One that refuses to be started (6985) makes room for the
// next (Book 3 §10.1, Book 4 §11.3).
func (s *Session) start(ctx context.Context, left []candidate) error {
	refused := error(stopError)
	for len(left) > 0 {
		i, err := s.pick(ctx, left)
		if err != nil {
			return err
		}
		chosen := left[i]
		left = slices.Delete(slices.Clone(left), i, i+1)
		answer, status, err := s.command(ctx, 0x00, emv.INSSelect, 0x04, 0x00, chosen.name, 0)
		if err != nil {
			return err
		}
		fci, ok := s.fci(answer)
		switch {
		case status == emv.SWBlocked && !s.bad(DefectBlockedUsed):
			refused = stop{Ended, AppBlocked}
			continue
		case status != emv.SWOK && status != emv.SWBlocked || !ok:
			continue
		}
		s.choose(chosen.app, fci)
		started, err := s.processingOptions(ctx)
		if err != nil || started {
			return err
		}
		if s.bad(DefectGPORefusal) {
			return stopError
		}
	}
	return refused
}

// pick says which candidate to use: the only one, the cardholder's choice, or the first that needs no confirmation (Book 1 §12.4).
func (s *Session) pick(ctx context.Context, left []candidate) (int, error) {
	if s.cfg.Chooses && (len(left) > 1 || left[0].confirm) {
		labels := make([]string, len(left))
		for i, c := range left {
			labels[i] = c.label
		}
		i, err := s.talk.Choose(ctx, labels)
		if err == nil && (i < 0 || i >= len(left)) {
			i = 0
		}
		return i, err
	}
	for i, c := range left {
		if !c.confirm {
			return i, nil
		}
	}
	return 0, stop{Ended, NotAccepted}
}
