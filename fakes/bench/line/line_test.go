package line_test

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/assay-hil/assay/fakes/bench/line"
	"github.com/assay-hil/assay/protocol/memnet"
)

func TestLineCarriesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		l := line.Open(near)
		if !l.Send([]byte("ready")) {
			t.Fatal("Send on a fresh line was refused")
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "ready" {
			t.Fatalf("far end read %q, %v", got, err)
		}
		if _, err := far.Write([]byte("go")); err != nil {
			t.Fatal(err)
		}
		if chunk := <-l.Received(); string(chunk) != "go" {
			t.Fatalf("Received %q, want go", chunk)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, ok := <-l.Received(); ok {
			t.Error("Received still delivers after Close")
		}
		if l.Send([]byte("x")) {
			t.Error("Send after Close was taken")
		}
	})
}

func TestLineDropsWhenNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := memnet.Pipe()
		l := line.Open(near)
		big := make([]byte, memnet.Capacity)
		dropped := false
		for range line.QueueLimit + 3 {
			dropped = !l.Send(big) || dropped
			synctest.Wait()
		}
		if !dropped {
			t.Error("an unread line took everything")
		}
		l.Discard()
		if !l.Send([]byte("x")) {
			t.Error("Send after Discard was refused")
		}
		if err := l.Close(); err != nil { // must not hang on the blocked write
			t.Fatal(err)
		}
	})
}

func TestLineEndsWithItsPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		l := line.Open(near)
		if err := far.Close(); err != nil {
			t.Fatal(err)
		}
		if _, ok := <-l.Received(); ok {
			t.Error("Received delivers after the far end closed")
		}
		l.Send([]byte("lost"))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
