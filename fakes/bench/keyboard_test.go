package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const debounce = 20 * time.Millisecond

// script plays contacts, "ms key+" for down and "ms key-" for up, and gives the presses with
// their times.
func script(t *testing.T, k *keyboard, begin time.Time, contacts string) {
	t.Helper()
	for word := range strings.FieldsSeq(contacts) {
		var ms int
		var key string
		if _, err := fmt.Sscanf(word, "%d:%s", &ms, &key); err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		at := begin.Add(time.Duration(ms) * time.Millisecond)
		<-time.After(time.Until(at))
		k.contact(key[:len(key)-1], strings.HasSuffix(key, "+"), at)
	}
}

func TestDebounce(t *testing.T) {
	for _, test := range []struct {
		name, contacts string
		want           []string
	}{
		{"press", "0:1+ 100:1-", []string{"20:1"}},
		{"held for ever", "0:1+", []string{"20:1"}},
		{"exactly long enough", "0:1+ 20:1-", []string{"20:1"}},
		{"too short", "0:1+ 19:1-", nil},
		{"bounces", "0:1+ 3:1- 5:1+ 9:1- 10:1+ 60:1-", []string{"30:1"}},
		{"twice", "0:1+ 30:1- 40:1+ 70:1-", []string{"20:1", "60:1"}},
		{"second key while the first is down", "0:1+ 10:2+ 50:1- 90:2-", []string{"20:1"}},
		{"second key stays, comes again", "0:1+ 10:2+ 50:1- 60:2- 70:2+ 95:2-", []string{"20:1", "90:2"}},
		{"first key too short, second ignored", "0:1+ 5:2+ 10:1- 90:2-", nil},
		{"opens without having closed", "0:1- 5:2-", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeyboard(debounce)
				keys := k.attach()
				begin := time.Now()
				var got []string
				read := make(chan struct{})
				go func() {
					defer close(read)
					for late := time.After(time.Second); ; {
						select {
						case key := <-keys:
							got = append(got, fmt.Sprintf("%d:%s", time.Since(begin).Milliseconds(), key))
						case <-late:
							return
						}
					}
				}()
				script(t, k, begin, test.contacts)
				<-read
				if !slices.Equal(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
				if err := k.close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestLateReleaseCountsByItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyboard(debounce)
		keys := k.attach()
		begin := time.Now()
		<-time.After(time.Second) // the goroutine was kept from running
		k.contact("1", true, begin)
		k.contact("1", false, begin.Add(debounce-1))
		k.contact("2", true, begin.Add(100*time.Millisecond))
		k.contact("2", false, begin.Add(100*time.Millisecond+debounce))
		synctest.Wait()
		if len(keys) != 1 || <-keys != "2" {
			t.Error("presses are not judged by the times of their contacts")
		}
		_ = k.close()
	})
}

func TestKeyboardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyboard(debounce)
		keys := k.attach()
		var contacts []string
		for n := range KeyLimit + 4 {
			contacts = append(contacts, fmt.Sprintf("%d:%d+ %d:%d-", n*100, n, n*100+50, n))
		}
		script(t, k, time.Now(), strings.Join(contacts, " "))
		if len(keys) != KeyLimit || <-keys != "0" {
			t.Errorf("%d keys kept, want the first %d", len(keys), KeyLimit)
		}
		_ = k.close()
		k.contact("1", true, time.Now()) // nobody there any more: must not wait
	})
}

func TestKeyboardWithoutSupply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyboard(debounce)
		before := k.attach()
		script(t, k, time.Now(), "0:1+") // down when the supply goes
		k.detach()
		script(t, k, time.Now(), "30:1- 40:2+ 80:2- 90:3+") // pressed without, and held on
		after := k.attach()
		<-time.After(time.Second)
		if len(before) != 0 || len(after) != 0 {
			t.Errorf("%d presses before the cut, %d after it, want none", len(before), len(after))
		}
		script(t, k, time.Now(), "0:3- 10:4+ 40:4-")
		if len(after) != 1 || <-after != "4" {
			t.Error("a press after power-on is missing")
		}
		_ = k.close()
	})
}
