package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// How an exchange with the host ends without a reply that can be used.
var (
	errNoConnection = ending{promptCommFailed}   // nothing was sent: refused, or no way there
	errDialTimeout  = ending{promptDialTimeout}  // nothing was sent: Timers.Connect ran out
	errNoReply      = ending{promptCommTimeout}  // sent, and Timers.HostReply ran out
	errBroken       = ending{promptCommError}    // the connection ended before the reply
	errCut          = ending{promptReceiveError} // it ended within the reply
)

// exchange is one request and its reply, on a connection of its own: what comes late can't be
// taken for the answer to something else.
type exchange struct {
	operation *hosts.Operation
	request   iso8583.Message
	// dialling and waiting are the prompts meanwhile.
	dialling, waiting string
	// beforeSend is called when the connection stands and nothing has left yet; may be nil. With an error
	// nothing is sent.
	beforeSend func() error
}

// do carries an exchange out. It returns the reply, one of the endings above or of the matching, ctx.Err(), or an
// error when the request can't be built.
func (a *app) do(ctx context.Context, x exchange) (iso8583.Message, error) {
	payload, err := a.seal(x)
	if err != nil {
		return iso8583.Message{}, fmt.Errorf("request %s: %w", x.request.MTI, err)
	}
	a.show(x.dialling)
	if a.defects.has(defectReversalOnRefused) && x.beforeSend != nil {
		if err := x.beforeSend(); err != nil {
			return iso8583.Message{}, err
		}
	}
	conn, err := a.dial(ctx)
	if err != nil {
		return iso8583.Message{}, err
	}
	if x.beforeSend != nil {
		if err := x.beforeSend(); err != nil {
			_ = conn.Close() // unused
			return iso8583.Message{}, err
		}
	}
	if pan := x.request.Fields[2]; pan != "" && a.defects.has(defectPANOnScreen) {
		a.show(x.waiting, pan)
	} else {
		a.show(x.waiting)
	}
	answer, err := a.converse(ctx, conn, payload)
	if errors.Is(err, errNoReply) && a.defects.has(defectDoubleSend) && a.profile.Has("backup-uplink") {
		if conn, err = a.dialOver(ctx, uplinkBackup); err != nil {
			return iso8583.Message{}, errNoReply
		}
		answer, err = a.converse(ctx, conn, payload)
	}
	if err != nil {
		return iso8583.Message{}, err
	}
	return a.understand(x, answer)
}

// converse asks on a connection and closes it. Without power nobody does.
func (a *app) converse(ctx context.Context, conn net.Conn, payload []byte) ([]byte, error) {
	answer, err := a.ask(ctx, conn, payload)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	_ = conn.Close() // the exchange is over, however closing goes
	return answer, err
}

// ask sends a request and reads one frame. Timers.HostReply bounds both together, however the
// reply trickles in.
func (a *app) ask(ctx context.Context, conn net.Conn, payload []byte) ([]byte, error) {
	limit := a.profile.Timers.HostReply
	if a.defects.has(defectTimerDoubled) {
		limit *= 2
	}
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, errBroken
	}
	defer wakeOnEnd(ctx, conn)() // the power may go
	framing := a.dialect.codec.Dialect().Framing
	if err := framing.WriteFrame(conn, payload); err != nil {
		return nil, a.lost(err, 0)
	}
	counted := &counter{from: conn}
	if a.defects.has(defectTimerPerRead) {
		counted.renew = func() { _ = conn.SetDeadline(time.Now().Add(limit)) }
	}
	answer, err := framing.ReadFrame(counted)
	if err != nil {
		return nil, a.lost(err, counted.bytes)
	}
	return answer, nil
}

// counter counts the bytes of an answer.
type counter struct {
	from  io.Reader
	bytes int
	renew func() // before each read; nil: nothing
}

func (c *counter) Read(p []byte) (int, error) {
	if c.renew != nil {
		c.renew()
	}
	n, err := c.from.Read(p)
	c.bytes += n
	return n, err
}

// lost says how a connection let us down after so many bytes of an answer.
func (a *app) lost(err error, received int) error {
	silent := errors.Is(err, os.ErrDeadlineExceeded) && (received == 0 || a.defects.has(defectCutAsSilence))
	switch {
	case silent:
		return errNoReply
	case errors.Is(err, iso8583.ErrFrameLength), received > 0:
		return errCut
	}
	return errBroken
}

// now is the terminal's clock. It runs in UTC, so that messages and receipts are the same on
// every bench.
func now() time.Time { return time.Now().UTC() }
