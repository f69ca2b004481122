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
		l.note(30 * time.Millisecond)
		l.note(20 * time.Millisecond)
		if first, then := l.take(), l.take(); first != 30*time.Millisecond || then != 0 {
			t.Errorf("%v, then %v", first, then)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
}
