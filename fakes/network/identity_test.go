package network_test

import (
	"testing"

	"github.com/assay-hil/assay/fakes/network"
)

// An identity gives back what it was made of, and is made of digits alone.
func TestIdentity(t *testing.T) {
	for _, stan := range []string{"", "0", "7", "000123", "999999", "123", "00012"} {
		id, ok := network.IdentityOf("0210", stan)
		if !ok || id.MTI() != "0210" || id.STAN() != stan {
			t.Errorf("of STAN %q: %v, %q, %q", stan, ok, id.MTI(), id.STAN())
		}
		if other, _ := network.IdentityOf([]byte("0210"), []byte(stan)); other != id {
			t.Errorf("of STAN %q in bytes: %q", stan, other.STAN())
		}
	}
	// Every byte in every place: the digits pass, and nothing else.
	for place := range len("0210") + len("000123") {
		for c := range 256 {
			text := []byte("0210000123")
			text[place] = byte(c)
			id, ok := network.IdentityOf(text[:4], text[4:])
			if want := c >= '0' && c <= '9'; ok != want || !ok && id != (network.Identity{}) || ok && id.MTI()+id.STAN() != string(text) {
				t.Errorf("byte %#x at %d: %v, %q, %q", c, place, ok, id.MTI(), id.STAN())
			}
		}
	}
	for _, test := range [][2]string{{"", "000123"}, {"021", "000123"}, {"02100", "000123"}, {"0210", "0000123"}} {
		if _, ok := network.IdentityOf(test[0], test[1]); ok {
			t.Errorf("%q is an identity", test)
		}
	}
	short, _ := network.IdentityOf("0210", "123")
	long, _ := network.IdentityOf("0210", "000123")
	if short == long {
		t.Error("123 and 000123 are the same")
	}
}
