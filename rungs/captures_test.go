package rungs

import (
	"bytes"
	"io"
	"testing"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/assay-hil/assay/fakes/network/pcap"
)

// packets counts those of a capture; -1 when it is none.
func packets(t *testing.T, capture []byte) int {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return -1
	}
	for n := 0; ; n++ {
		if _, _, err := r.ReadPacketData(); err == io.EOF {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSectionHasAScenariosPackets: each scenario gets what was written since it began, as a capture that can be read by itself,
// and the file gets everything.
func TestSectionHasAScenariosPackets(t *testing.T) {
	var file bytes.Buffer
	part := &section{file: &file}
	w, err := pcap.New(part, captureSize)
	if err != nil {
		t.Fatal(err)
	}
	w.Note("before any scenario")
	part.begin()
	if part.taken() != nil {
		t.Error("a scenario in which nothing passed has a capture")
	}
	w.Note("one")
	w.Note("two")
	if n := packets(t, part.taken()); n != 2 {
		t.Errorf("%d packets of the first scenario, want 2", n)
	}
	part.begin()
	w.Note("three")
	if n := packets(t, part.taken()); n != 1 {
		t.Errorf("%d packets of the second scenario, want 1", n)
	}
	if n := packets(t, file.Bytes()); n != 4 {
		t.Errorf("%d packets in the file, want 4", n)
	}
}

// TestSectionIsBounded: a scenario's part ends at its limit between two packets, the file goes on.
func TestSectionIsBounded(t *testing.T) {
	var file bytes.Buffer
	part := &section{file: &file}
	for _, p := range [][]byte{{1}, nil, bytes.Repeat([]byte{2}, sectionSize-10), bytes.Repeat([]byte{3}, 20), {4}} {
		if p == nil {
			part.begin()
			continue
		}
		if _, err := part.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if got := part.taken(); len(got) != 1+sectionSize-10 || got[0] != 1 {
		t.Errorf("%d bytes, want the beginning and one packet", len(got))
	}
	if file.Len() != 1+sectionSize-10+20+1 {
		t.Errorf("the file has %d bytes", file.Len())
	}
}
