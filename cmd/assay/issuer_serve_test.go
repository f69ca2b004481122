package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An end that takes too long is given up, with an error; one in time gives its own.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, own := time.Now(), errors.New("own")
		if err := within(func() error { return own }); !errors.Is(err, own) || time.Since(began) != 0 {
			t.Errorf("in time: %v after %v", err, time.Since(began))
		}
		err := within(func() error { <-time.After(2 * shutdownLimit); return nil })
		if err == nil || !strings.Contains(err.Error(), shutdownLimit.String()) || time.Since(began) != shutdownLimit {
			t.Errorf("too late: %v after %v", err, time.Since(began))
		}
		<-time.After(2 * shutdownLimit) // the end that was given up
	})
}

func TestNamesOf(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:1":    "localhost 127.0.0.1 ::1",
		"localhost:1":    "localhost 127.0.0.1 ::1",
		"host.example:1": "localhost 127.0.0.1 ::1 host.example",
		"192.0.2.7:1":    "localhost 127.0.0.1 ::1 192.0.2.7",
		"nonsense":       "localhost 127.0.0.1 ::1",
	} {
		if got := strings.Join(namesOf(address), " "); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := namesOf(":0"); len(got) < 3 {
		t.Errorf("all addresses: %v", got)
	}
}
