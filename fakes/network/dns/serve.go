package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// ServePacket answers what comes over UDP until ctx ends, and then closes conn. The error says
// why reading was not possible.
func (s *Server) ServePacket(ctx context.Context, conn net.PacketConn) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	var pending sync.WaitGroup
	defer func() {
		cancel()
		pending.Wait()
		if stop() {
			_ = conn.Close()
		}
	}()
	places := make(chan struct{}, MaxPending)
	for buf := make([]byte, maxQuery+1); ; {
		n, peer, err := conn.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case places <- struct{}{}:
		default:
			s.report("dropped", map[string]string{"why": "too many questions at once", "peer": peer.String()})
			continue
		}
		query := append([]byte(nil), buf[:n]...)
		pending.Go(func() {
			defer func() { <-places }()
			if answer := s.Answer(ctx, peer.String(), query); answer != nil {
				_, _ = conn.WriteTo(answer, peer) // who asked repeats it, or has gone
			}
		})
	}
}

// ServeStream answers what comes over TCP until ctx ends, and then closes the listener and every
// connection. The error says why accepting was not possible.
func (s *Server) ServeStream(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	var open sync.WaitGroup
	defer func() {
		cancel()
		open.Wait()
		if stop() {
			_ = listener.Close()
		}
	}()
	places := make(chan struct{}, MaxConnections)
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			return err
		}
		select {
		case places <- struct{}{}:
		default:
			s.report("dropped", map[string]string{"why": "too many connections", "peer": conn.RemoteAddr().String()})
			_ = conn.Close()
			continue
		}
		open.Go(func() {
			defer func() { <-places }()
			s.stream(ctx, conn)
		})
	}
}

// stream answers one connection's questions one after the other (RFC 1035, 4.2.2: each message
// behind its length in two bytes), until it ends, lies idle or ctx ends.
func (s *Server) stream(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	peer := conn.RemoteAddr().String()
	for {
		_ = conn.SetDeadline(time.Now().Add(IdleLimit)) // fails when closed, as reading then does
		query, err := readMessage(conn)
		if err != nil {
			if errors.Is(err, errTooLong) {
				s.report("dropped", map[string]string{"why": err.Error(), "peer": peer})
			}
			return
		}
		answer := s.Answer(ctx, peer, query)
		if answer == nil {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(IdleLimit)) // as above
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// errTooLong: a query over TCP is longer than any has to be.
var errTooLong = errors.New("query too long")

func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(length[:])
	if n > maxQuery {
		return nil, errTooLong
	}
	query := make([]byte, n)
	_, err := io.ReadFull(r, query)
	return query, err
}
