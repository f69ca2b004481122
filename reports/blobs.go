package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// maxBlob bounds one piece of evidence of a scenario, in bytes.
const maxBlob = 64 << 20

// BlobPath is where evidence lies within a run folder, by its digest.
func BlobPath(digest string) string {
	return filepath.Join(evidenceDir, "sha256", digest[:2], digest)
}

// Keep stores evidence under its digest, once however often it is kept. The data must be masked.
func (f *Folder) Keep(kind, name string, data []byte) (record.Evidence, error) {
	if len(data) > maxBlob {
		return record.Evidence{}, fmt.Errorf("%s has %d bytes; at most %d are kept", name, len(data), maxBlob)
	}
	sum := sha256.Sum256(data)
	e := record.Evidence{Kind: kind, Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}
	path := filepath.Join(f.path, BlobPath(e.SHA256))
	f.blobs.Lock()
	defer f.blobs.Unlock()
	if info, err := os.Stat(path); err == nil && info.Size() == e.Bytes {
		return e, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return e, err
	}
	if err := writeSynced(path+".new", data); err != nil {
		return e, err
	}
	return e, os.Rename(path+".new", path)
}

// RunEvidence is evidence of no single scenario, such as what a container said.
type RunEvidence struct {
	record.Evidence
	Path string `json:"path"` // within the run folder
}

// list finds the files that were created for the run as a whole, and their digests.
func (f *Folder) list() ([]RunEvidence, error) {
	root := filepath.Join(f.path, evidenceDir)
	all := []RunEvidence{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "sha256" && filepath.Dir(path) == root:
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		e, err := digest(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(f.path, path)
		if err != nil {
			return err
		}
		e.Name, e.Kind = d.Name(), kindOf(relative)
		all = append(all, RunEvidence{e, filepath.ToSlash(relative)})
		return nil
	})
	return all, err
}

// kindOf tells the kind of a file of the run from its path.
func kindOf(path string) string {
	switch {
	case strings.HasSuffix(path, ".pcapng"):
		return record.Capture
	case strings.Contains(path, "hosts/"):
		return record.Container
	case strings.Contains(path, "wire/"):
		return record.WireLog
	case strings.HasSuffix(path, "rig.json"):
		return record.RigFacts
	}
	return record.Other
}

func digest(path string) (record.Evidence, error) {
	file, err := os.Open(path)
	if err != nil {
		return record.Evidence{}, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	return record.Evidence{SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: n}, err
}

func (f *Folder) writeEvidence() error {
	all, err := f.list()
	if err != nil {
		return err
	}
	return f.write(EvidenceFile, func() ([]byte, error) {
		b, err := json.MarshalIndent(all, "", "  ")
		return append(b, '\n'), err
	})
}
