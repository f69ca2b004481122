package pcap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Writer writes one capture. Its methods may be called by many at once, and are methods of a nil
// Writer too, which writes nothing.
type Writer struct {
	mu     sync.Mutex
	out    io.Writer
	closer io.Closer
	buffer bytes.Buffer // one packet, between the format and the file
	format *pcapgo.NgWriter
	left   int64 // bytes until the capture is cut
	cut    bool
	err    error // the first that writing met; nothing is written after it
	hosts  hosts
	opened uint32 // streams so far
}

// Create makes a capture in a new file; one of that name is overwritten. With maxBytes 0 its
// size is DefaultMaxBytes.
func Create(path string, maxBytes int64) (*Writer, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("pcap: %w", err)
	}
	w, err := New(f, maxBytes)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.closer = f
	return w, nil
}

// New makes a capture on out, to which each packet goes in one Write.
func New(out io.Writer, maxBytes int64) (*Writer, error) {
	switch {
	case maxBytes == 0:
		maxBytes = DefaultMaxBytes
	case maxBytes < MinMaxBytes:
		return nil, fmt.Errorf("%w: %d bytes at most are too few; %d are needed", ErrConfig, maxBytes, MinMaxBytes)
	}
	w := &Writer{out: out, left: maxBytes - reserve}
	section := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{
		Application: "assay",
		Comment:     "Made up around a proxy's streams: payload and times are real, handshakes and acknowledgements are not. Card data is masked.",
	}}
	format, err := pcapgo.NewNgWriterInterface(&w.buffer, leg(Terminal, "between terminal and proxy"), section)
	if err == nil {
		_, err = format.AddInterface(leg(Host, "between proxy and host"))
	}
	if err != nil {
		return nil, fmt.Errorf("pcap: %w", err)
	}
	w.format = format
	return w, w.flush()
}

func leg(name, description string) pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: name, Description: description, LinkType: layers.LinkTypeEthernet}
}

// Close closes the file. The error is the first that writing met.
func (w *Writer) Close() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	if w.closer != nil {
		err = errors.Join(err, w.closer.Close())
		w.closer = nil
	}
	if w.err == nil {
		w.err = os.ErrClosed
	}
	return err
}

// Err is the first error that writing met: the capture ends before it.
func (w *Writer) Err() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Cut says whether the capture has reached its size and is incomplete.
func (w *Writer) Cut() bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// Note puts a comment into the capture, in a packet of its own that is of no conversation: which
// fault did what, for example. Bytes of messages do not belong into it.
func (w *Writer) Note(comment string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packet(Terminal, mark, comment)
}

// packet writes one. The writer is locked.
func (w *Writer) packet(side string, raw []byte, comment string) {
	if w.err != nil || w.cut {
		return
	}
	if int64(len(raw)+len(comment)+packetOverhead) > w.left {
		w.cut = true
		comment = "The capture is cut here: it has reached its size."
		raw = mark
	}
	info := gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(raw), Length: len(raw)}
	if side == Host {
		info.InterfaceIndex = 1
	}
	var options pcapgo.NgPacketOptions
	if comment != "" {
		options.Comments = []string{comment[:min(len(comment), maxComment)]}
	}
	if w.err = w.format.WritePacketWithOptions(info, raw, options); w.err == nil {
		w.err = w.flush()
	}
}

// packetOverhead is what a block has besides packet and comment, rounded up.
const packetOverhead = 64

// mark is a packet that only carries a comment: an empty frame of the type for local experiments
// (IEEE 802, 9.2.3).
var mark = append([]byte{0x02, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0x88, 0xb5}, make([]byte, 46)...)

// flush hands the buffer over, in one Write. The writer is locked.
func (w *Writer) flush() error {
	if err := w.format.Flush(); err != nil {
		return fmt.Errorf("pcap: %w", err)
	}
	n, err := w.out.Write(w.buffer.Bytes())
	w.left -= int64(n)
	w.buffer.Reset()
	if err != nil {
		return fmt.Errorf("pcap: %w", err)
	}
	return nil
}
