package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/assay-hil/assay/fakes/issuer/record"
	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// maxProxied is how many terminals a proxy serves at one time; more are closed at once.
const maxProxied = 64

// proxy stands between terminals and another host, and writes down what the host answers.
type proxy struct {
	dialect  dialect
	upstream string
	file     string // to write on the way out
	recorder *record.Recorder
	log      *slog.Logger
}

func newProxy(f serveFlags, d dialect, log *slog.Logger) (*proxy, error) {
	everyCard, err := chooseCards([]string{allCards})
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(f.record); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--record: %s exists already; name another file, or remove it", f.record)
	}
	recorder := record.NewRecorder(rules.Terms{Host: d.host, Codec: d.codec, Cards: everyCard})
	return &proxy{dialect: d, upstream: f.proxy, file: f.record, recorder: recorder, log: log}, nil
}

// serve passes connections on until ctx ends, and returns when all are closed.
func (p *proxy) serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, maxProxied)
	for {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case places <- struct{}{}:
			all.Go(func() {
				defer func() { <-places }()
				p.pass(ctx, conn)
			})
		default:
			p.log.Warn("refused", "remote", conn.RemoteAddr().String(), "why", fmt.Sprintf("%d terminals are connected", maxProxied))
			_ = conn.Close()
		}
	}
}

func (p *proxy) pass(ctx context.Context, conn net.Conn) {
	log := p.log.With("remote", conn.RemoteAddr().String())
	log.Info("connected")
	dial := func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", p.upstream)
	}
	err := record.Proxy(ctx, conn, dial, p.dialect.codec, func(x record.Exchange) {
		log.Info("exchange", "request", x.Request.MTI, "reply", x.Reply.MTI, "after", x.After.String())
		p.recorder.Add(x)
	})
	if err != nil && ctx.Err() == nil {
		log.Warn("disconnected", "why", err.Error())
		return
	}
	log.Info("disconnected")
}

// finish writes the recording, all of it or nothing.
func (p *proxy) finish() error {
	for _, what := range p.recorder.Skipped() {
		p.log.Warn("not recorded", "what", what)
	}
	data, err := p.recorder.File()
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(p.file), filepath.Base(p.file)+".*")
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	_, err = temporary.Write(data)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), p.file)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("--record: %w", err)
	}
	p.log.Info("recorded", "file", p.file)
	return nil
}
