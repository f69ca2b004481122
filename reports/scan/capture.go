package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// isCapture says whether a file begins as a pcapng capture does (draft-ietf-opsawg-pcapng §4.1). It leaves the file
// at its beginning.
func isCapture(file io.ReaderAt) bool {
	begin := make([]byte, 4)
	_, err := file.ReadAt(begin, 0)
	return err == nil && bytes.Equal(begin, []byte{0x0A, 0x0D, 0x0D, 0x0A})
}

// flow is one direction of a connection in a capture.
type flow struct {
	network, transport gopacket.Flow
}

// maxStream bounds what is kept of a direction before it is looked at.
const maxStream = 1 << 20

// streams scans what a capture's connections carried, each direction put together in the order of its packets. A capture
// that ends in the middle, as after a crash, is scanned so far.
func (s *Scanner) streams(file io.ReadSeeker, path string) ([]Finding, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	reader, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return nil, fmt.Errorf("%s: not a capture that can be read: %w", path, err)
	}
	var all []Finding
	look := func(b []byte) {
		for _, f := range s.scan(b, false) {
			f.File, f.Line = path, 0
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	open := map[flow][]byte{}
	for {
		data, _, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", path, err)
		}
		packet := gopacket.NewPacket(data, reader.LinkType(), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
		network, transport := packet.NetworkLayer(), packet.TransportLayer()
		if network == nil || transport == nil {
			look(data)
			continue
		}
		if tcp, ok := transport.(*layers.TCP); ok && len(tcp.Payload) == 0 {
			continue
		}
		id := flow{network.NetworkFlow(), transport.TransportFlow()}
		open[id] = append(open[id], transport.LayerPayload()...)
		if b := open[id]; len(b) >= maxStream {
			look(b)
			open[id] = append([]byte(nil), b[len(b)-overlap:]...)
		}
	}
	for _, b := range open {
		look(b)
	}
	return all, nil
}
