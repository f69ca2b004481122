package containers

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"
)

// dockerfile is the whole image: the program, no shell, no user that could do anything.
const dockerfile = `FROM scratch
COPY root/ /
ENV GODEBUG=netdns=go
USER 65534:65534
ENTRYPOINT ["/assay"]
`

// programPath is where the program is in the image.
const programPath = "/assay"

// program is what goes into the image: an executable and, unless it is static, what the system
// loads with it.
type program struct {
	executable string
	libraries  []string // absolute paths, the same in the image
}

// newProgram looks at an executable; "" is this process's own. The error is ErrProgram.
func newProgram(ctx context.Context, executable string) (program, error) {
	fail := func(err error) (program, error) {
		return program{}, fmt.Errorf("%w: %w; build it static: CGO_ENABLED=0 go build ./cmd/assay, or make build", ErrProgram, err)
	}
	if executable == "" {
		var err error
		if executable, err = os.Executable(); err != nil {
			return fail(err)
		}
	}
	interpreter, err := interpreterOf(executable)
	if err != nil {
		return fail(err)
	}
	p := program{executable: executable}
	if interpreter == "" {
		return p, nil
	}
	if p.libraries, err = librariesOf(ctx, interpreter, executable); err != nil {
		return fail(err)
	}
	return p, nil
}

// interpreterOf gives the dynamic loader that an executable asks for; "" where it is static.
func interpreterOf(executable string) (string, error) {
	f, err := elf.Open(executable)
	if err != nil {
		return "", fmt.Errorf("%s is no Linux executable (this is %s): %w", executable, runtime.GOOS, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	for _, part := range f.Progs {
		if part.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(part.Open())
		if err != nil {
			return "", fmt.Errorf("%s: %w", executable, err)
		}
		return strings.TrimRight(string(name), "\x00"), nil
	}
	return "", nil
}

// librariesOf asks the loader what it would load, itself included.
func librariesOf(ctx context.Context, interpreter, executable string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, interpreter, "--list", executable).Output()
	if err != nil {
		return nil, fmt.Errorf("it is dynamic, and %s does not say what it needs: %w", interpreter, err)
	}
	return parseLibraries(interpreter, string(out))
}

// parseLibraries reads a loader's list: a line each, "NAME => PATH (ADDRESS)" or "PATH (ADDRESS)".
func parseLibraries(interpreter, list string) ([]string, error) {
	libraries := []string{interpreter}
	for line := range strings.Lines(list) {
		name, file, found := strings.Cut(strings.TrimSpace(line), " => ")
		if !found {
			continue // the loader itself, or what the kernel brings
		}
		file, _, _ = strings.Cut(file, " (")
		if !path.IsAbs(file) {
			return nil, fmt.Errorf("it is dynamic, and the loader does not find %s", name)
		}
		if file != interpreter {
			libraries = append(libraries, file)
		}
	}
	return libraries, nil
}

// context is the build context of the image.
func (p program) context() (*bytes.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := addBytes(w, "Dockerfile", 0o644, []byte(dockerfile))
	err = errors.Join(err, addFile(w, programPath, p.executable))
	for _, library := range p.libraries {
		err = errors.Join(err, addFile(w, library, library))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return bytes.NewReader(b.Bytes()), nil
}

// addFile adds a file of this machine under its path in the image.
func addFile(w *tar.Writer, inImage, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return addBytes(w, "root"+inImage, 0o755, data)
}

func addBytes(w *tar.Writer, name string, mode int64, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
