package kernel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel/kerneltest"
	"github.com/assay-hil/assay/protocol/emv"
)

// player is one conversation under way.
type player struct {
	cfg     Config
	card    *kerneltest.Card
	tx      Transaction
	session *Session
	result  Result
	err     error
	pins    []string // what the cardholder types, or "bypass", "broken", "cancel"
	choice  int
	talked  []string // what the kernel asked
}

var errCancelled = errors.New("cancelled")

func newPlayer() *player {
	return &player{
		card: kerneltest.New(ErrRemoved),
		tx: Transaction{Amount: 1250, At: time.Date(2026, 11, 22, 19, 33, 0, 0, time.UTC), Sequence: 7,
			Unpredictable: [4]byte{1, 2, 3, 4}, Draw: 99},
		cfg: Config{
			Type: 0x22, Capabilities: [3]byte{0xE0, 0xE8, 0xC8}, Additional: [5]byte{0x60, 0, 0xF0, 0xA0, 1}, Country: "156", Currency: "156",
			Chooses: true, Wallets: true,
			Applications: []Application{
				{AID: digits("A000000333010101"), Partial: true, Version: [2]byte{0, 0x30}},
				{
					AID: digits("A0000000031010"), Partial: true, Version: [2]byte{0, 0x96}, FloorLimit: 10000,
					TACDefault: [5]byte{0xD8, 0x40, 0x04, 0xF8, 0x00}, TACDenial: [5]byte{0x00, 0x10, 0x00, 0x00, 0x00},
					TACOnline:   [5]byte{0xD8, 0x40, 0x04, 0xF8, 0x00},
					Contactless: &Limits{Floor: 0, CVM: 30000, Transaction: 100000},
				},
				{AID: digits("A0000000041010"), Version: [2]byte{0, 2}, Contactless: &Limits{Floor: 0, CVM: 30000, Transaction: 50000}},
			},
		},
	}
}

func (p *player) Choose(_ context.Context, labels []string) (int, error) {
	p.talked = append(p.talked, "choose "+strings.Join(labels, ","))
	if p.choice < 0 {
		return 0, errCancelled
	}
	return p.choice, nil
}

func (p *player) OfflinePIN(_ context.Context, entry PINEntry) (string, error) {
	said := "offline-pin"
	if entry.Wrong {
		said += " wrong"
	}
	if entry.Last {
		said += " last"
	}
	p.talked = append(p.talked, said)
	return p.pin()
}

func (p *player) OnlinePIN(_ context.Context, pan string) error {
	p.talked = append(p.talked, "online-pin "+pan[len(pan)-4:])
	_, err := p.pin()
	return err
}

func (p *player) pin() (string, error) {
	if len(p.pins) == 0 {
		return "", errCancelled
	}
	typed := p.pins[0]
	p.pins = p.pins[1:]
	switch typed {
	case "bypass":
		return "", ErrPINBypassed
	case "broken":
		return "", fmt.Errorf("pad: %w", ErrPINPad)
	case "cancel":
		return "", errCancelled
	}
	return typed, nil
}

func (p *player) step(words []string, text string) error {
	rest := strings.TrimSpace(strings.TrimPrefix(text, words[0]))
	switch words[0] {
	case "answers", "then":
		answer, err := kerneltest.Notation(strings.TrimSpace(strings.TrimPrefix(rest, words[1])))
		if words[0] == "answers" {
			p.card.Answers[words[1]] = nil
		}
		p.card.Answers[words[1]] = append(p.card.Answers[words[1]], answer)
		return err
	case "removed", "silent":
		p.card.Special[words[1]] = words[0]
	case "mute":
		p.card.Mute = true
	case "oda":
		return p.signed(words[1], strings.Join(words[2:], " "))
	case "set":
		return p.set(words[1], words[2:])
	case "pin":
		p.pins = append(p.pins, words[1:]...)
	case "choice":
		n, err := strconv.Atoi(words[1])
		p.choice = n
		return err
	case "insert":
		return p.insert()
	case "tap":
		return p.tap()
	case "host":
		return p.host(words[1:], rest)
	default:
		return p.check(words, rest)
	}
	return nil
}

func (p *player) set(what string, words []string) error {
	app := &p.cfg.Applications[1]
	value := strings.Join(words, " ")
	number, _ := strconv.Atoi(value)
	raw, _ := kerneltest.Notation(value)
	bits := func(into *[5]byte) { copy(into[:], raw) }
	switch what {
	case "amount":
		p.tx.Amount = int64(number)
	case "type":
		p.tx.Type = raw[0]
	case "draw":
		p.tx.Draw = number
	case "forced":
		p.tx.ForceOnline = true
	case "date":
		at, err := time.Parse("2006-01-02", value)
		p.tx.At = at
		return err
	case "terminal-type":
		p.cfg.Type = raw[0]
	case "capabilities":
		copy(p.cfg.Capabilities[:], raw)
	case "chooses":
		p.cfg.Chooses = value == "yes"
	case "wallets":
		p.cfg.Wallets = value == "yes"
	case "exception":
		p.cfg.Exceptions = append(p.cfg.Exceptions, value)
	case "floor":
		app.FloorLimit = int64(number)
	case "contactless-floor":
		app.Contactless.Floor = int64(number)
	case "random":
		_, err := fmt.Sscan(value, &app.Random.Threshold, &app.Random.Target, &app.Random.Max)
		return err
	case "tac-default":
		bits(&app.TACDefault)
	case "tac-denial":
		bits(&app.TACDenial)
	case "tac-online":
		bits(&app.TACOnline)
	default:
		return fmt.Errorf("unknown setting %q", what)
	}
	return nil
}

func (p *player) insert() error {
	k, err := New(p.cfg)
	if err != nil {
		return err
	}
	p.session, p.err = k.Contact(context.Background(), p.card, p, p.tx)
	if p.err == nil {
		p.result = p.session.Result()
	}
	return nil
}

func (p *player) tap() error {
	k, err := New(p.cfg)
	if err != nil {
		return err
	}
	p.result, p.err = k.Tap(context.Background(), p.card, p, p.tx)
	return nil
}

// host answers: "host 00 approves OBJECTS", "host 51 declines OBJECTS", "host silent".
func (p *player) host(words []string, rest string) error {
	if p.session == nil {
		return errors.New("no card waits for an answer")
	}
	var answer Answer
	if words[0] != "silent" {
		answer.Code, answer.Approved = words[0], words[1] == "approves"
		raw, err := kerneltest.Notation(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(rest, words[0])), words[1])))
		if err != nil {
			return err
		}
		data, err := emv.Read(raw)
		if err != nil {
			return err
		}
		answer.Data = data.List
	}
	p.result, p.err = p.session.Complete(context.Background(), answer)
	return nil
}

// check compares what the kernel found: "outcome declined card refuses", "tvr 8000000000", "tsi 6800", "cvm 020300", "asked …".
func (p *player) check(words []string, rest string) error {
	r, got := p.result, ""
	switch words[0] {
	case "outcome":
		if got = r.Outcome.String(); r.Reason != None {
			got += ": " + r.Reason.String()
		}
		if p.err != nil {
			got = p.err.Error()
		}
	case "tvr":
		got = fmt.Sprintf("%X", r.TVR)
	case "tsi":
		got = fmt.Sprintf("%X", r.TSI)
	case "cvm":
		got = fmt.Sprintf("%X", r.CVM)
	case "code":
		got = r.Code
	case "scripts":
		got = fmt.Sprintf("%X", r.Scripts)
	case "account":
		got = fmt.Sprintf("%s %s %s", r.PAN, r.Expiry, r.Sequence)
	case "label":
		got = r.Label
	case "verified":
		var how []string
		for _, w := range []struct {
			on   bool
			word string
		}{{r.Signature, "signature"}, {r.OnlinePIN, "online-pin"}, {r.DeviceCVM, "device"}} {
			if w.on {
				how = append(how, w.word)
			}
		}
		got = strings.Join(how, " ")
	case "asked":
		got = strings.Join(p.talked, "; ")
	case "object":
		var tag uint32
		_, _ = fmt.Sscanf(words[1], "%X", &tag)
		value, _ := r.Data.Find(tag)
		got = fmt.Sprintf("%s %X", words[1], value)
	case "sent", "unsent":
		return p.sent(words[0] == "sent", words[1])
	default:
		return fmt.Errorf("unknown word %q", words[0])
	}
	if strings.TrimSpace(got) != rest {
		return fmt.Errorf("it is %q", got)
	}
	return nil
}

func (p *player) sent(want bool, prefix string) error {
	for _, command := range p.card.Sent {
		if strings.HasPrefix(command, prefix) {
			if !want {
				return fmt.Errorf("it was sent %s", command)
			}
			return nil
		}
	}
	if want {
		return fmt.Errorf("the card got %s", strings.Join(p.card.Sent, " "))
	}
	return nil
}
