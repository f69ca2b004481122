package wear

import "testing"

func TestCountsOutliveTheCounterAndService(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		c := NewCounter(dir)
		c.Add(Presses)
		c.Add(Presses)
		c.Add(Inserts)
		for range 2 { // the second has nothing new
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if err := Service(dir); err != nil {
			t.Fatal(err)
		}
	}
	c := NewCounter(dir)
	c.Add(Presses)
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := Load(dir)
	if err != nil || r.Counts[Presses] != (Count{Total: 5, Service: 1}) || r.Counts[Inserts] != (Count{Total: 2}) || r.Serviced.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
}
