package terminal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// uplink is the only one this application dials.
const uplink = "primary"

// approvedCode is DE39 of everything that went well.
const approvedCode = "00"

// How an exchange with the host ends without a reply that can be used.
var (
	errNoConnection = ending{promptCommFailed}   // nothing was sent
	errNoReply      = ending{promptCommTimeout}  // sent, and Timers.HostReply ran out
	errBroken       = ending{promptCommError}    // the connection ended before the reply
	errBadReply     = ending{promptReplyInvalid} // a reply came that is none to this request
)

// matched are the fields that a reply repeats from its request, where the request has them:
// processing code, amount, STAN, terminal, merchant.
func matched() []int { return []int{3, 4, 11, 41, 42} }

// exchange is one request and its reply, on a connection of its own: what comes late can't be
// taken for the answer to something else.
type exchange struct {
	request iso8583.Message
	// dialling and waiting are the prompts meanwhile.
	dialling, waiting string
	// beforeSend is called when the connection stands and nothing has left yet; may be nil.
	beforeSend func()
}

// do carries an exchange out. It returns the reply, one of the endings above, ctx.Err(), or an
// error when the request can't be built.
func (a *app) do(ctx context.Context, x exchange) (iso8583.Message, error) {
	payload, err := a.codec.Pack(x.request)
	if err != nil {
		return iso8583.Message{}, fmt.Errorf("request %s: %w", x.request.MTI, err)
	}
	a.show(x.dialling)
	conn, err := a.dial(ctx)
	if err != nil {
		return iso8583.Message{}, err
	}
	if x.beforeSend != nil {
		x.beforeSend()
	}
	a.show(x.waiting)
	answer, err := a.ask(ctx, conn, payload)
	if ctx.Err() != nil {
		return iso8583.Message{}, ctx.Err() // no power: nobody closes the connection
	}
	_ = conn.Close() // the exchange is over, however closing goes
	if err != nil {
		return iso8583.Message{}, err
	}
	reply, err := a.codec.Unpack(answer)
	if err != nil || !a.matches(x.request, reply) {
		return iso8583.Message{}, errBadReply
	}
	return reply, nil
}

func (a *app) dial(ctx context.Context) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, a.profile.Timers.Connect)
	defer cancel()
	conn, err := a.hw.Dial(limited, uplink)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, errNoConnection
	}
	return conn, nil
}

// ask sends a request and reads one frame. Timers.HostReply bounds both together, however the
// reply trickles in.
func (a *app) ask(ctx context.Context, conn net.Conn, payload []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(a.profile.Timers.HostReply)); err != nil {
		return nil, errBroken
	}
	stop := wakeOnCut(ctx, conn)
	defer stop()
	framing := a.codec.Dialect().Framing
	if err := framing.WriteFrame(conn, payload); err != nil {
		return nil, lost(err)
	}
	answer, err := framing.ReadFrame(conn)
	if err != nil {
		return nil, lost(err)
	}
	return answer, nil
}

// wakeOnCut ends reads and writes on conn when the power goes, without closing it. The caller
// must call stop, which waits until conn is left alone.
func wakeOnCut(ctx context.Context, conn net.Conn) (stop func()) {
	woken := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(woken)
		_ = conn.SetDeadline(time.Unix(1, 0)) // a connection that is gone needs no waking
	})
	return func() {
		if !cancel() {
			<-woken
		}
	}
}

// lost says how a connection let us down.
func lost(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errNoReply
	case errors.Is(err, iso8583.ErrFrameLength):
		return errBadReply
	}
	return errBroken
}

// matches says whether reply belongs to request: MTI + 10, the repeated fields, and a response code.
func (a *app) matches(request, reply iso8583.Message) bool {
	if a.defects[defectReplyUnchecked] {
		return true
	}
	if reply.MTI != replyMTI(request.MTI) || reply.Fields[39] == "" {
		return false
	}
	for _, field := range matched() {
		if sent, ok := request.Fields[field]; ok && reply.Fields[field] != sent {
			return false
		}
	}
	return true
}

// replyMTI changes the function digit from request to response: 0200 → 0210.
func replyMTI(request string) string { return request[:2] + "1" + request[3:] }

// prepare does what must be done before a sale or a settlement may go online.
func (a *app) prepare(ctx context.Context) error {
	if err := a.signOn(ctx); err != nil {
		return err
	}
	return a.sendPending(ctx)
}

// signOn makes the terminal known to the host (0800, DE70 001), once a power-on.
func (a *app) signOn(ctx context.Context) error {
	if a.signedOn {
		return nil
	}
	request := iso8583.Message{MTI: "0800", Fields: map[int]string{
		7: de7(now()), 11: a.memory.nextSTAN(),
		41: a.profile.Identity.Terminal, 42: a.profile.Identity.Merchant, 70: "001",
	}}
	reply, err := a.do(ctx, exchange{request: request, dialling: promptSigningOn, waiting: promptSigningOn})
	if err != nil {
		return err
	}
	if code := reply.Fields[39]; code != approvedCode {
		return ending{a.promptForCode(code)}
	}
	a.signedOn = true
	return nil
}

// now is the terminal's clock. It runs in UTC, so that messages and receipts are the same on
// every bench.
func now() time.Time { return time.Now().UTC() }

// de7 is the transmission date and time, MMDDhhmmss.
func de7(t time.Time) string { return t.Format("0102150405") }
