package reader_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench/reader"
)

// script is a card that expects frames and has an answer for each; "" stays silent.
type script struct {
	t     *testing.T
	steps [][2]string
	sak   byte
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *script) Select() ([]byte, byte, bool) { return []byte{1, 2, 3, 4}, s.sak, s.sak != 0xFF }

func (s *script) Frame(_ context.Context, frame []byte, wait time.Duration) []byte {
	if len(s.steps) == 0 {
		s.t.Errorf("unexpected frame %X", frame)
		return nil
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	if want := unhex(s.t, step[0]); !bytes.Equal(frame, want) {
		s.t.Errorf("frame %X, want %X", frame, want)
	}
	if step[1] == "" {
		<-time.After(wait)
		return nil
	}
	return unhex(s.t, step[1])
}

// The scenarios are those of ISO/IEC 14443-4 Annex B, from the reader's side.
func TestReader(t *testing.T) {
	rats := [2]string{"E080", "05 78 80 70 00"}
	for _, c := range []struct {
		name  string
		steps [][2]string
		want  string
		err   error
	}{
		{"one block", [][2]string{{"02 0102", "02 9000"}}, "9000", nil},
		{"the card chains", [][2]string{{"02 0102", "12 AA"}, {"A3", "03 9000"}}, "AA9000", nil},
		{"an answer is lost", [][2]string{{"02 0102", ""}, {"B2", "02 9000"}}, "9000", nil},
		{"the command is lost", [][2]string{{"02 0102", ""}, {"B2", "A3"}, {"02 0102", "02 9000"}}, "9000", nil},
		{"more time", [][2]string{{"02 0102", "F2 02"}, {"F2 02", "02 9000"}}, "9000", nil},
		{"a chained block is lost", [][2]string{{"02 0102", "12 AA"}, {"A3", ""}, {"A3", "03 9000"}}, "AA9000", nil},
		{"silence", [][2]string{{"02 0102", ""}, {"B2", ""}, {"B2", ""}, {"B2", ""}}, "", reader.ErrSilent},
		{"a false extension", [][2]string{{"02 0102", "30 3B"}, {"B2", "30 3B"}, {"B2", "30 3B"}, {"B2", "30 3B"}}, "", reader.ErrProtocol},
		{"more time than there is", [][2]string{{"02 0102", "F2 3C"}, {"B2", "F2 00"}, {"B2", "F2"}, {"B2", "F2 3F"}}, "", reader.ErrProtocol},
		{"a number that nobody gave", [][2]string{{"02 0102", "0A01 9000"}, {"B2", "02 9000"}}, "9000", nil},
		{"the wrong block", [][2]string{{"02 0102", "03 9000"}, {"B2", "02 9000"}}, "9000", nil},
		{"a receipt for a whole command", [][2]string{{"02 0102", "A2"}}, "", reader.ErrProtocol},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{t: t, sak: 0x20, steps: append([][2]string{rats}, c.steps...)}
			r := reader.New(s, reader.Config{})
			if _, err := r.Activate(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := r.Transmit(t.Context(), []byte{1, 2})
			if !bytes.Equal(got, unhex(t, c.want)) || !errors.Is(err, c.err) || len(s.steps) != 0 {
				t.Errorf("%s: %X, %v, %d steps left", c.name, got, err, len(s.steps))
			}
		})
	}
}

func TestLongCommandsAreChained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, sak: 0x20, steps: [][2]string{
			{"E080", "02 00"}, {"12 00010203040506070809 0A0B0C", "A2"}, {"03 0D0E", "03 9000"}, {"C2", "C2"},
		}}
		r := reader.New(s, reader.Config{})
		if _, err := r.Activate(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := r.Transmit(t.Context(), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
		if err != nil || !bytes.Equal(got, []byte{0x90, 0}) {
			t.Errorf("%X, %v", got, err)
		}
		if err := r.Deselect(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestBadCards(t *testing.T) {
	for _, c := range []struct {
		name  string
		sak   byte
		cid   byte
		ats   string
		err   error
		waits bool
	}{
		{"no card", 0xFF, 0, "", reader.ErrNoCard, false},
		{"a memory card", 0x08, 0, "", reader.ErrProtocol, false},
		{"no ATS", 0x20, 0, "", reader.ErrSilent, true},
		{"a wrong TL", 0x20, 0, "0378", reader.ErrProtocol, true},
		{"a cut ATS", 0x20, 0, "0278", reader.ErrProtocol, true},
		{"no CID", 0x20, 2, "0578807000", reader.ErrProtocol, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{t: t, sak: c.sak}
			if c.waits {
				s.steps = [][2]string{{hex.EncodeToString([]byte{0xE0, 0x80 | c.cid}), c.ats}}
			}
			r := reader.New(s, reader.Config{CID: c.cid})
			if _, err := r.Activate(t.Context()); !errors.Is(err, c.err) {
				t.Errorf("%s: %v, want %v", c.name, err, c.err)
			}
			if _, err := r.Transmit(t.Context(), []byte{1}); !errors.Is(err, reader.ErrNoCard) {
				t.Errorf("%s: Transmit = %v", c.name, err)
			}
		})
	}
}
