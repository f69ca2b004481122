package kernel

import (
	"context"
	"errors"

	"github.com/assay-hil/assay/protocol/emv"
)

// ErrNothingToComplete is returned by Complete for a session that did not end with Online, or that was completed.
var ErrNothingToComplete = errors.New("no cryptogram waits for an answer")

// Complete tells the card what the host said, and lets it have the last word: issuer authentication, scripts, second
// GENERATE AC (Book 3 §10.9, §10.10). A card that the host approved and that then refuses, or is gone, gives Declined or Ended:
// the sale is then to be reversed. The error is ErrNothingToComplete or the context's.
func (s *Session) Complete(ctx context.Context, answer Answer) (Result, error) {
	if s.over || s.result.Outcome != Online {
		return s.result, ErrNothingToComplete
	}
	s.over = true
	err := s.settle(s.complete(ctx, answer))
	return s.result, err
}

func (s *Session) complete(ctx context.Context, answer Answer) error {
	wanted := s.verdict(answer)
	s.terminal[emv.TagARC] = []byte(s.result.Code)
	if err := s.authenticateIssuer(ctx, answer.Data); err != nil {
		return s.without(err, wanted)
	}
	before, after := emv.TagScript1, emv.TagScript2
	if s.bad(DefectScriptPhase) {
		before, after = after, before
	}
	if err := s.scripts(ctx, answer.Data, before, ScriptBefore); err != nil {
		return s.without(err, wanted)
	}
	given, err := s.generate(ctx, wanted, emv.TagCDOL2)
	if err != nil {
		return s.without(err, wanted)
	}
	if err := s.scripts(ctx, answer.Data, after, ScriptAfter); err != nil && ctx.Err() != nil {
		return err // what the card does now changes nothing but the script's result
	}
	switch {
	case given == emv.TypeTC && s.unsigned():
		return stop{Declined, ODAFailed}
	case given == emv.TypeTC && wanted == emv.TypeTC:
		s.result.Outcome = Approved
		return nil
	case wanted == emv.TypeTC:
		return stopRefused
	}
	return stop{Declined, TerminalRefused}
}

// verdict says which cryptogram to ask for: the host's will, or without one that of the default action codes (Book 3 §10.7).
func (s *Session) verdict(answer Answer) byte {
	s.result.Code = answer.Code
	switch {
	case answer.Code != "" && answer.Approved:
		return emv.TypeTC
	case answer.Code != "":
		return emv.TypeAAC
	case s.tvr.meets(union(s.app.TACDefault, s.code(emv.TagIACDefault, 0xFF))):
		s.result.Code = codeDeclinedUnasked
		return emv.TypeAAC
	}
	s.result.Code = codeApprovedUnasked
	return emv.TypeTC
}

// without is what becomes of a card that doesn't take the answer any more. A card that is gone after a decline has nothing to say.
func (s *Session) without(err error, wanted byte) error {
	var end stop
	if !errors.As(err, &end) {
		return err
	}
	if end.reason == Removed && wanted == emv.TypeTC && s.bad(DefectRemovalUnnoticed) {
		s.result.Outcome = Approved
		return nil
	}
	if wanted != emv.TypeTC {
		return stop{Declined, TerminalRefused}
	}
	end.outcome = Ended // it is too late for another way
	return end
}

// authenticateIssuer hands the issuer's proof to a card that wants it by EXTERNAL AUTHENTICATE (Book 3 §10.9); others take it with
// the second GENERATE AC. A card that isn't convinced is noted and decides for itself.
func (s *Session) authenticateIssuer(ctx context.Context, fromIssuer emv.List) error {
	proof, ok := fromIssuer.Find(emv.TagIssuerAuth)
	if !ok {
		return nil
	}
	s.terminal[emv.TagIssuerAuth] = proof
	if !s.profile(aipIssuerAuth) {
		return nil
	}
	failed := len(proof) < 8 || len(proof) > 16
	if !failed {
		_, status, err := s.command(ctx, 0x00, emv.INSExternalAuthenticate, 0, 0, proof, -1)
		if err != nil {
			return err
		}
		failed = status != emv.SWOK
	}
	s.tsi.set(DidIssuerAuth)
	if failed && !s.bad(DefectIssuerAuth) {
		s.tvr.set(IssuerFailed)
	}
	return nil
}

const (
	// maxScripts is how many scripts of an answer are run, maxCommands how many commands of one.
	maxScripts, maxCommands = 8, 32
	// maxScriptBytes is what all scripts of an answer may have together (Book 3 §10.10).
	maxScriptBytes = 128
)

// The upper half of the first byte of a script's result (Book 4 annex A5).
const (
	scriptNotRun = 0x00
	scriptFailed = 0x10
	scriptRan    = 0x20
)

// scripts runs the scripts with one template tag (Book 3 §10.10) and notes a failure.
func (s *Session) scripts(ctx context.Context, fromIssuer emv.List, tag uint32, failed Bit) error {
	count, size := 0, 0
	for _, object := range fromIssuer {
		if size += len(object.Value); object.Tag != tag || count >= maxScripts {
			continue
		}
		count++
		s.tsi.set(DidScripts)
		result, err := s.script(ctx, object.Value, size > maxScriptBytes)
		if result[0]&0xF0 != scriptRan {
			s.tvr.set(failed)
		}
		if !s.bad(DefectScriptResult) {
			s.result.Scripts = append(s.result.Scripts, result[:]...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// script runs one: its commands in order, until one fails. The result is in the form of Book 4 annex A5.
func (s *Session) script(ctx context.Context, script []byte, tooLong bool) ([5]byte, error) {
	result := [5]byte{scriptNotRun}
	parts, err := emv.Read(script)
	if err != nil || tooLong {
		return result, nil //nolint:nilerr // it is the script that failed
	}
	commands := 0
	for i, part := range parts.List {
		switch {
		case part.Tag == emv.TagScriptID && i == 0 && len(part.Value) == 4:
			copy(result[1:], part.Value)
		case part.Tag == emv.TagScriptCommand && commands < maxCommands:
			commands++
			ran, err := s.run(ctx, part.Value)
			if !ran {
				result[0] = scriptFailed | byte(min(commands, 15))
				return result, err
			}
		default:
			return result, nil
		}
	}
	result[0] = scriptRan
	return result, nil
}

// run sends a script's command to the card as it stands. 90, 62 and 63 in SW1 are no failure.
func (s *Session) run(ctx context.Context, command []byte) (bool, error) {
	answer, err := s.card.Transmit(ctx, command)
	if err != nil {
		return false, lost(ctx, err)
	}
	_, status, err := emv.SplitResponse(answer)
	if err != nil {
		return false, nil //nolint:nilerr // so too
	}
	first := status >> 8
	return first == 0x90 || first == 0x62 || first == 0x63, nil
}
