package kernel

import (
	"context"

	"github.com/assay-hil/assay/protocol/emv"
)

// maxRecords bounds how many records are read from one card.
const maxRecords = 32

// processingOptions is GET PROCESSING OPTIONS (Book 3 §6.5.8, §10.1). It reports false when the card refuses with 6985.
func (s *Session) processingOptions(ctx context.Context) (bool, error) {
	wanted, err := s.dol(s.said[emv.TagPDOL])
	if err != nil {
		return false, err
	}
	s.asked[0] = wanted
	answer, status, err := s.command(ctx, 0x80, emv.INSGetProcessingOptions, 0, 0, emv.List{{Tag: emv.TagCommand, Value: wanted}}.Encode(), 0)
	if err != nil {
		return false, err
	}
	if status == emv.SWConditions {
		return false, nil
	}
	options, ok := answerOf(answer, status, func(plain []byte) emv.List {
		if len(plain) < 2 {
			return nil
		}
		return emv.List{{Tag: emv.TagAIP, Value: plain[:2]}, {Tag: emv.TagAFL, Value: plain[2:]}}
	})
	if !ok {
		return false, stopError
	}
	s.hear(options)
	if len(s.said[emv.TagAIP]) != 2 {
		return false, stopError
	}
	return true, nil
}

func (s *Session) profile(bit byte) bool { return s.said[emv.TagAIP][0]&bit != 0 }

// readRecords reads what the application file locator lists (Book 3 §10.2). A data object that comes twice ends the
// transaction, as does a record that is no list of objects.
func (s *Session) readRecords(ctx context.Context) error {
	locator := s.said[emv.TagAFL]
	if len(locator) == 0 || len(locator)%4 != 0 {
		return stopData
	}
	seen := map[uint32]bool{}
	read := 0
	for ; len(locator) > 0; locator = locator[4:] {
		file, first, last, signed := locator[0]>>3, int(locator[1]), int(locator[2]), int(locator[3])
		if read += last - first + 1; locator[0]&7 != 0 || file < 1 || file > 30 || first < 1 || first > last ||
			signed > last-first+1 || read > maxRecords {
			return stopData
		}
		for number := first; number <= last; number++ {
			answer, status, err := s.command(ctx, 0x00, emv.INSReadRecord, byte(number), file<<3|4, nil, 0)
			if err != nil {
				return err
			}
			if status != emv.SWOK {
				return stopError
			}
			if err := s.record(file, answer, number-first < signed, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// record keeps one record's objects, and its bytes when they are signed. Of files 1 to 10 the template's tag and length are
// not (Book 3 §10.3).
func (s *Session) record(file byte, answer []byte, signed bool, seen map[uint32]bool) error {
	record, err := emv.Read(answer)
	ours := err == nil && len(record.List) == 1 && record.List[0].Tag == emv.TagRecord
	if file > 10 { // proprietary: read, and not necessarily understood
		if signed {
			s.static = append(s.static, answer...)
		}
		return nil
	}
	if !ours {
		return stopData
	}
	inside, err := emv.Read(record.List[0].Value)
	if err != nil {
		return stopData
	}
	for _, o := range inside.List {
		if seen[o.Tag] {
			return stopData
		}
		seen[o.Tag] = true
	}
	s.hear(inside.List)
	if signed {
		s.static = append(s.static, record.List[0].Value...)
	}
	return nil
}
