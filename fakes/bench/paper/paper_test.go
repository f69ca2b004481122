package paper_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench/paper"
	"github.com/assay-hil/assay/protocol/memnet"
)

const query = "\x10\x04\x01"

// desk runs a printer line in virtual time; answers are what the printer says to each query.
func desk(t *testing.T, cfg paper.Config, answers [][]byte, f func(t *testing.T, p *paper.Paper, far *memnet.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		p := paper.New(near, cfg)
		go func() {
			for _, answer := range answers {
				got := make([]byte, len(query))
				if _, err := io.ReadFull(far, got); err != nil || string(got) != query {
					t.Errorf("printer got %q, %v; want a query", got, err)
					return
				}
				_, _ = far.Write(answer)
			}
		}()
		f(t, p, far)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		_ = far.Close()
	})
}

func TestPrint(t *testing.T) {
	for _, test := range []struct {
		name    string
		faults  paper.Faults
		answers [][]byte
		want    error
		took    time.Duration
	}{
		{"ready", paper.Faults{}, [][]byte{{0x12}}, nil, 0},
		{"ready, drawer open", paper.Faults{}, [][]byte{{0x16}}, nil, 0},
		{"offline", paper.Faults{}, [][]byte{{0x1A}}, paper.ErrPaper, 0},
		{"no status byte", paper.Faults{}, [][]byte{{0xFF}}, paper.ErrNoStatus, paper.StatusWait},
		{"silent", paper.Faults{}, [][]byte{nil}, paper.ErrNoStatus, paper.StatusWait},
		{"out of paper", paper.Faults{OutOfPaper: true}, nil, paper.ErrPaper, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			desk(t, paper.Config{Faults: test.faults}, test.answers, func(t *testing.T, p *paper.Paper, far *memnet.Conn) {
				begin := time.Now()
				n, err := p.Attach(t.Context()).Write([]byte("\x1b@TOTAL\n"))
				if !errors.Is(err, test.want) || err == nil && n != 8 || err != nil && n != 0 {
					t.Fatalf("Write: %d, %v; want %v", n, err, test.want)
				}
				if took := time.Since(begin); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				if test.want != nil {
					return
				}
				got := make([]byte, 8)
				if _, err := io.ReadFull(far, got); err != nil || string(got) != "\x1b@TOTAL\n" {
					t.Errorf("printer got %q, %v", got, err)
				}
			})
		})
	}
}

func TestOldStatusDoesNotCount(t *testing.T) {
	desk(t, paper.Config{}, [][]byte{nil}, func(t *testing.T, p *paper.Paper, far *memnet.Conn) {
		if _, err := far.Write([]byte{0x12}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := p.Attach(t.Context()).Write([]byte("x")); !errors.Is(err, paper.ErrNoStatus) {
			t.Errorf("Write: %v", err)
		}
	})
}

func TestPowerCutEndsAPrint(t *testing.T) {
	desk(t, paper.Config{}, [][]byte{nil}, func(t *testing.T, p *paper.Paper, _ *memnet.Conn) {
		ctx, cut := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cut()
		printer := p.Attach(ctx)
		for range 2 { // waiting, and afterwards
			if _, err := printer.Write([]byte("x")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Write: %v", err)
			}
		}
		p.Cut()
	})
}

func TestPulledCable(t *testing.T) {
	desk(t, paper.Config{}, nil, func(t *testing.T, p *paper.Paper, far *memnet.Conn) {
		_ = far.Close()
		synctest.Wait()
		if _, err := p.Attach(t.Context()).Write([]byte("x")); !errors.Is(err, paper.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
	})
}
