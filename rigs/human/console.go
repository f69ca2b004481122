package human

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/assay-hil/assay/rigs"
)

const (
	// answerMax is the longest line, in bytes, that is taken from the console.
	answerMax = 4096
	// typedAheadMax is how many lines typed too early are kept, to be dropped before a question.
	typedAheadMax = 64
)

// Errors of a Console. They come inside an *rigs.Error where an instrument asked.
var (
	// ErrDeclined: the person said that it was not done.
	ErrDeclined = errors.New("the person at the rig says that it was not done")
	// ErrNobody: the console has ended, so that nobody can answer.
	ErrNobody = errors.New("nobody is at the console: its input has ended; run in a terminal")
)

// Console is where a person reads requests and answers them: one request at a time, one line an
// answer. Its methods may be called by several goroutines; they take turns.
type Console struct {
	out   io.Writer
	turn  chan struct{} // holds one token while a request is open
	lines chan string   // what was typed; closed when the input has ended
	quit  chan struct{}
	once  sync.Once
}

// NewConsole reads answers from in and writes requests to out. One goroutine reads in until it
// ends; Close does not wait for it, because nothing ends a read of a keyboard.
func NewConsole(in io.Reader, out io.Writer) *Console {
	c := &Console{out: out, turn: make(chan struct{}, 1), lines: make(chan string, typedAheadMax), quit: make(chan struct{})}
	go c.read(in)
	return c
}

func (c *Console) read(in io.Reader) {
	defer close(c.lines)
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, answerMax)
	for scan.Scan() {
		select {
		case c.lines <- strings.TrimSpace(scan.Text()):
		case <-c.quit:
			return
		}
	}
}

// Close ends all requests, the open one included, with rigs.ErrClosed.
func (c *Console) Close() error {
	c.once.Do(func() { close(c.quit) })
	return nil
}

// Ask shows a request and waits for Enter. Errors: ErrDeclined when the person typed "no" (or "n")
// before it; what Answer fails with.
func (c *Console) Ask(ctx context.Context, text string) error {
	answer, err := c.Answer(ctx, text+", then press Enter (no and Enter: it did not work)")
	if err != nil {
		return err
	}
	if no := strings.ToLower(answer); no == "n" || no == "no" {
		return ErrDeclined
	}
	return nil
}

// Answer shows a question and gives the line that the person types after it, without blanks at its ends.
// What was typed before the question was there is not taken for its answer. Errors: the
// context's; ErrNobody; rigs.ErrClosed; the output's.
func (c *Console) Answer(ctx context.Context, text string) (string, error) {
	select {
	case c.turn <- struct{}{}:
	case <-c.quit:
		return "", rigs.ErrClosed
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	if err := c.forget(); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(c.out, ">> %s\n", text); err != nil {
		return "", fmt.Errorf("console: %w", err)
	}
	select {
	case line, open := <-c.lines:
		if !open {
			return "", ErrNobody
		}
		return line, nil
	case <-c.quit:
		return "", rigs.ErrClosed
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// forget drops what was typed before a question.
func (c *Console) forget() error {
	for range typedAheadMax {
		select {
		case _, open := <-c.lines:
			if !open {
				return ErrNobody
			}
		case <-c.quit:
			return rigs.ErrClosed
		default:
			return nil
		}
	}
	return nil
}
