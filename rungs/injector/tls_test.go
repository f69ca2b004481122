package injector_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/rungs/injector"
)

const (
	echoRequest = "0800" + "0020000000000000" + "000001"
	echoAnswer  = "0810" + "0020000000000000" + "000001"
)

var framing = iso8583.Framing{LengthBytes: 2, MaxLength: 4096}

// startHost answers echoRequest, until the test ends.
func startHost(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				for {
					if _, err := framing.ReadFrame(c); err != nil {
						return
					}
					if err := framing.WriteFrame(c, []byte(echoAnswer)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// Faults on messages are seen through TLS as they are on TCP.
func TestMessageFaultsUnderTLS(t *testing.T) {
	o := good()
	o.Uplinks, o.TLS, o.TLSDir = []string{"primary=127.0.0.1:0," + startHost(t)}, injector.GoodTLS, t.TempDir()
	i, err := injector.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- i.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	authority, err := os.ReadFile(i.Ready().CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	control := network.New(http.DefaultClient, i.Ready().Control)
	echo := func() (string, error) {
		c, err := tls.Dial("tcp", i.Ready().Uplinks["primary"], &tls.Config{RootCAs: pool})
		if err != nil {
			return "", err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(patience))
		if err := framing.WriteFrame(c, []byte(echoRequest)); err != nil {
			return "", err
		}
		answer, err := framing.ReadFrame(c)
		return string(answer), err
	}
	answer := network.Select{MTI: "0810"}
	for _, test := range []struct {
		fault network.Fault
		want  error
	}{
		{network.Fault{Kind: "reset", Message: answer}, syscall.ECONNRESET},
		{network.Fault{Kind: "close", Message: answer}, io.EOF},
		{network.Fault{Kind: "truncate", At: "after-mti", Then: "close", Message: answer}, io.ErrUnexpectedEOF},
		{network.Fault{Kind: "truncate", At: "after-mti", Then: "reset", Message: answer}, syscall.ECONNRESET},
		{network.Fault{Kind: "half-close", Towards: network.Terminal, Message: network.Select{MTI: "0800"}}, io.EOF},
		{network.Fault{Kind: "refuse"}, syscall.ECONNREFUSED},
	} {
		test.fault.ID = "f"
		if err := control.Arm(t.Context(), network.Plan{Faults: []network.Fault{test.fault}}); err != nil {
			t.Fatal(err)
		}
		if got, err := echo(); !errors.Is(err, test.want) {
			t.Errorf("%s %s: %q, %v; want %v", test.fault.Kind, test.fault.Then, got, err, test.want)
		}
		if err := control.Heal(t.Context()); err != nil {
			t.Error(err)
		}
		if got, err := echo(); got != echoAnswer || err != nil {
			t.Errorf("%s healed: %q, %v", test.fault.Kind, got, err)
		}
	}
}
