package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/moby/moby/client"
	testcontainers "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// imageName is the repository of the images; the tag is the owner's name.
const imageName = "assay-hosts"

// dockerenv is there when this process is in a container itself.
const dockerenv = "/.dockerenv"

// Engine starts hosts on this machine's Docker engine. It is used by one goroutine at a time.
type Engine struct {
	provider *testcontainers.DockerProvider
	program  program
	owner    *owner // nil before the first Start
	image    string // "" before the first Start
}

// Open looks for an engine and for what the image needs, and starts nothing. The program for the
// image is a Linux executable, "" this process's own. The error is ErrEngine or ErrProgram.
func Open(ctx context.Context, executable string) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	p, err := newProgram(ctx, executable)
	if err != nil {
		return nil, err
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	provider, err := connect(ctx)
	if err != nil {
		// The cause is told and not wrapped: a socket that is missing is no missing file of the caller's.
		return nil, fmt.Errorf("%w: %v; start Docker or, if it needs another user, join its group; --hosts embedded needs none", ErrEngine, err)
	}
	return &Engine{provider: provider, program: p}, nil
}

// prepare tells testcontainers what it reads from its surroundings: no helper container, whose
// image would have to be pulled, and that it need not look for this machine.
func prepare() error {
	log.SetDefault(log.NewNoopLogger())
	wanted := map[string]string{"TESTCONTAINERS_RYUK_DISABLED": "true"}
	if _, err := os.Stat(dockerenv); err == nil {
		wanted["TESTCONTAINERS_HOST_OVERRIDE"] = "127.0.0.1"
	}
	for name, value := range wanted {
		if _, given := os.LookupEnv(name); given {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// connect finds the engine within ctx: what is asked for it knows no limit of its own.
func connect(ctx context.Context) (*testcontainers.DockerProvider, error) {
	type found struct {
		provider *testcontainers.DockerProvider
		err      error
	}
	done := make(chan found, 1)
	go func() {
		provider, err := testcontainers.NewDockerProvider()
		done <- found{provider, err}
	}()
	select {
	case f := <-done:
		if f.err != nil {
			return nil, f.err
		}
		// What is found without it is another engine than the one that was asked for.
		if asked, used := os.Getenv(client.EnvOverrideHost), f.provider.Client().DaemonHost(); asked != "" && asked != used {
			return nil, errors.Join(fmt.Errorf("there is none at DOCKER_HOST=%s", asked), f.provider.Close())
		}
		return f.provider, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("it did not answer within %v", askLimit)
	}
}

// begin makes this process an owner, after whoever left something behind, and builds the image.
func (e *Engine) begin(ctx context.Context) error {
	if e.owner == nil {
		o, err := newOwner()
		if err != nil {
			return err
		}
		e.owner = o
		if err := clean(ctx, e.provider.Client(), o.machine); err != nil {
			return fmt.Errorf("remove what an earlier run left behind: %w", err)
		}
	}
	if e.image != "" {
		return nil
	}
	image, err := e.build(ctx)
	if err != nil {
		return err
	}
	e.image = image
	return nil
}

func (e *Engine) build(ctx context.Context) (string, error) {
	files, err := e.program.context()
	if err != nil {
		return "", err
	}
	return e.provider.BuildImage(ctx, &testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{
			ContextArchive: files, Repo: imageName, Tag: e.owner.name, KeepImage: true, BuildLogWriter: io.Discard,
			BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Labels = e.owner.labels() },
		},
	})
}

// Close removes the image and lets go of the lock. Hosts must be closed before.
func (e *Engine) Close() error {
	var err error
	if e.owner != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		defer cancel()
		mine := func(labels map[string]string) bool { return labels[labelOwner] == e.owner.path }
		// Without its lock what is left counts as left behind, and the next run tries again.
		err = errors.Join(remove(ctx, e.provider.Client(), mine), e.owner.close())
		e.owner, e.image = nil, ""
	}
	return errors.Join(err, e.provider.Close())
}
