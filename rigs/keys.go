package rigs

import (
	"encoding/hex"
	"fmt"
	"os"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Keys are the test keys that a rig's terminal was loaded with; nil where the dialect's own are meant.
// They are never printed.
type Keys struct {
	// PINKey and Master are double- or triple-length TDES keys; MAC and PIN the working keys before the
	// first sign-on; BDK the base derivation key of DUKPT.
	PINKey, Master, MAC, PIN, BDK []byte
}

// keyFile is a file of keys as it is written.
type keyFile struct {
	PINKey key `yaml:"pin-key"`
	Master key `yaml:"master"`
	MAC    key `yaml:"mac"`
	PIN    key `yaml:"pin"`
	BDK    key `yaml:"bdk"`
}

// key is a key in hexadecimal. It may refer to a variable of the environment or to a file.
type key struct{ text string }

// UnmarshalStrict implements strict.Unmarshaler. No complaint quotes the value.
func (k *key) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		d.Errorf(n, "a key is one value in hexadecimal, ${NAME} or file:path")
		return
	}
	k.text = n.Value
}

// keySizes are the lengths of keys in use, in bytes.
var keySizes = map[int]bool{8: true, 16: true, 24: true, 32: true}

// LoadKeys reads a file of keys. Errors never quote a key.
func LoadKeys(path string) (Keys, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, err
	}
	var f keyFile
	if err := strict.Decode(path, data, &f); err != nil {
		return Keys{}, err
	}
	var keys Keys
	for _, k := range []struct {
		name string
		from key
		to   *[]byte
	}{{"pin-key", f.PINKey, &keys.PINKey}, {"master", f.Master, &keys.Master}, {"mac", f.MAC, &keys.MAC}, {"pin", f.PIN, &keys.PIN}, {"bdk", f.BDK, &keys.BDK}} {
		if k.from.text == "" {
			continue
		}
		text, _, err := Reveal(folder(path), k.from.text)
		if err != nil {
			return Keys{}, fmt.Errorf("%s: %s: %w", path, k.name, err)
		}
		b, err := hex.DecodeString(text)
		if err != nil || !keySizes[len(b)] {
			return Keys{}, fmt.Errorf("%s: %s: not a key: 16, 32, 48 or 64 hexadecimal digits are needed", path, k.name)
		}
		*k.to = b
	}
	return keys, nil
}
