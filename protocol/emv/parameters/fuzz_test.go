package parameters_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/assay-hil/assay/protocol/emv/parameters"
)

// What a host sends is read or refused, and what was read is the same when it is written and read again.
func FuzzReadPacket(f *testing.F) {
	applications, keys := sample().Records()
	for _, all := range [][][]byte{applications, keys, nil} {
		for held := range all {
			f.Add(parameters.Next(all, held, 200).Encode())
		}
		f.Add(parameters.Next(all, len(all), 200).Encode())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parameters.ReadPacket(raw)
		if err != nil {
			return
		}
		if again := p.Encode(); !bytes.Equal(again, raw) {
			t.Errorf("packet %X is written as %X", raw, again)
		}
		if read, err := parameters.Applications(p.Records); err == nil {
			written, _ := parameters.Set{Applications: read}.Records()
			if got, err := parameters.Applications(bytes.Join(written, nil)); err != nil || !reflect.DeepEqual(got, read) {
				t.Errorf("applications: %v\n got %+v\nwant %+v", err, got, read)
			}
		}
		if read, err := parameters.Keys(p.Records); err == nil {
			_, written := parameters.Set{Keys: read}.Records()
			if got, err := parameters.Keys(bytes.Join(written, nil)); err != nil || !reflect.DeepEqual(got, read) {
				t.Errorf("keys: %v\n got %+v\nwant %+v", err, got, read)
			}
		}
	})
}
