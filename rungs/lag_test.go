package rungs

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watchLag()
		<-time.After(time.Second)
		if late := l.take(); late != 0 {
			t.Errorf("virtual time is late by %v", late)
		}
		for _, test := range []struct {
			by    []time.Duration // each half a second after the one before
			worst time.Duration
		}{
			{[]time.Duration{30 * time.Millisecond}, 30 * time.Millisecond},
			{[]time.Duration{30 * time.Millisecond, 20 * time.Millisecond}, 50 * time.Millisecond},
			{[]time.Duration{30 * time.Millisecond, 0, 0, 20 * time.Millisecond}, 30 * time.Millisecond},
			{[]time.Duration{lagUsual, lagUsual, lagUsual}, lagUsual},
			{[]time.Duration{2 * time.Second, 0, 0}, 2 * time.Second},
		} {
			<-time.After(2 * lagWindow)
			for _, late := range test.by {
				l.note(late)
				<-time.After(lagWindow / 2)
			}
			if first, then := l.take(), l.take(); first != test.worst || then != 0 {
				t.Errorf("late by %v: %v, then %v, want %v", test.by, first, then, test.worst)
			}
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
}
