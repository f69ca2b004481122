package rungs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	networkserver "github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/pcap"
)

const (
	// captureFolder is where a run's evidence has what passed between terminal and bank, a capture for each world.
	captureFolder = "network"
	// captureFiles bounds how many worlds of a run are captured.
	captureFiles = 1000
	// captureSize bounds one capture, in bytes.
	captureSize = 16 << 20
	// sectionSize bounds what one scenario has of it.
	sectionSize = 4 << 20
)

// captures keeps what passes the injector in a run's evidence, masked by the injector. nil keeps nothing.
type captures struct {
	evidence func(path string) (io.WriteCloser, error)
	// alone says that a world plays one scenario, which keeps all of its capture: a file for the world would be the same again.
	alone bool

	mu sync.Mutex
	n  int // worlds so far
}

// tap gives an injector what writes its capture, and adds the capture's end to the teardown; nil where none is kept. Call it before the injector's own
// end is added: that comes first then. Scenarios get their part of it from the section.
func (c *captures) tap(t *teardown, part *section) (networkserver.Tap, error) {
	if c == nil || c.evidence == nil {
		return nil, nil
	}
	end := func() error { return nil }
	if !c.alone {
		file, err := c.create()
		if err != nil {
			return nil, err
		}
		if file != nil {
			part.file, end = file, file.Close
		}
	}
	w, err := pcap.New(part, captureSize)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	t.add("capture", func() error { return errors.Join(w.Close(), end()) })
	return w.Tap(), nil
}

// create opens the next file; nil when there are enough.
func (c *captures) create() (io.WriteCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n < captureFiles {
		c.n++
		file, err := c.evidence(filepath.Join(captureFolder, fmt.Sprintf("world-%03d.pcapng", c.n)))
		if !errors.Is(err, fs.ErrExist) { // a run that goes on has some already
			return file, err
		}
	}
	return nil, nil
}

// section is the way of a capture to its file, and keeps what one scenario after the other has of it. A capture writes
// its beginning in one Write, and each packet in one more, so what is cut between two is a capture too.
type section struct {
	file io.Writer // nil for none

	mu     sync.Mutex
	header []byte
	part   []byte // packets since begin
	open   bool
}

// Write implements io.Writer.
func (s *section) Write(p []byte) (int, error) {
	s.mu.Lock()
	switch {
	case s.header == nil:
		s.header = slices.Clone(p)
	case s.open && len(s.part)+len(p) <= sectionSize:
		s.part = append(s.part, p...)
	default:
		s.open = false // the capture's file has the rest
	}
	s.mu.Unlock()
	if s.file == nil {
		return len(p), nil
	}
	return s.file.Write(p)
}

// begin begins a scenario's capture.
func (s *section) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part, s.open = nil, true
}

// taken is what passed since begin, as a capture; nil when nothing did.
func (s *section) taken() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.part) == 0 {
		return nil
	}
	return slices.Concat(s.header, s.part)
}
