package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// realMessages is a dialect of the catalogue and one of its purchases.
func realMessages(t testing.TB) (*hosts.Host, *iso8583.Codec, []byte) {
	t.Helper()
	host, err := hosts.Load("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := codec.Pack(iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: "5413330089020011", 3: "000000", 4: "000000001250", 7: "1122101112", 11: "000123", 12: "101112", 13: "1122",
		22: "051", 25: "00", 35: "5413330089020011=2912201", 37: "000000000123", 41: "TERM0001", 42: "MERCHANT0000001", 49: "156",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return host, codec, payload
}

// copyProxy is what an injector is measured against: it copies bytes in user space and knows nothing.
func copyProxy(t testing.TB, to string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	type plain struct{ io.Writer } // hides ReadFrom, which would splice in the kernel
	type source struct{ io.Reader }
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = a.Close()
				return
			}
			go func() { _, _ = io.Copy(plain{a}, source{b}); _ = a.Close() }()
			go func() { _, _ = io.Copy(plain{b}, source{a}); _ = b.Close() }()
		}
	}()
	return l.Addr().String()
}

// echo answers every byte with itself.
func echo(t testing.TB) net.Listener {
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
			go func() { _, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}); _ = c.Close() }()
		}
	}()
	return l
}

// injector is one between terminals and an echo, without anybody who reads its events.
func injector(t testing.TB, to string, rules int) string {
	host, codec, _ := realMessages(t)
	l := ""
	config := network.Config{Framing: host.Dialect.Framing, Messages: network.ISO8583(codec), Uplinks: []network.Uplink{{
		Name:     "primary",
		Listen:   func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		Dial:     func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", to) },
		SelfDial: func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", l) },
	}}}
	server, err := network.New(config)
	if err != nil {
		t.Fatal(err)
	}
	l = server.Addr("").String()
	go func() { _ = server.Run(context.Background()) }()
	t.Cleanup(func() { _ = server.Close() })
	var plan client.Plan
	for i := range rules { // half of them know the MTI that passes, and want another STAN
		mti := fmt.Sprintf("0%d10", 1+i%2)
		plan.Faults = append(plan.Faults, client.Fault{ID: fmt.Sprint(i), Kind: "drop", Message: client.Select{MTI: mti, STAN: fmt.Sprint(900000 + i)}})
		if i%2 == 1 {
			plan.Faults[i].Message.MTI = "0200"
		}
	}
	if err := server.Arm(context.Background(), plan); err != nil {
		t.Fatal(err)
	}
	return l
}

// exchange sends a request and waits for its echo.
func exchange(b *testing.B, c net.Conn, request []byte, n int) []time.Duration {
	times := make([]time.Duration, 0, n)
	response := make([]byte, len(request))
	for range n {
		begin := time.Now()
		_, err := c.Write(request)
		if err == nil {
			_, err = io.ReadFull(c, response)
		}
		if err != nil {
			b.Error(err)
			return times
		}
		times = append(times, time.Since(begin))
	}
	return times
}

// ways are what lies between terminals and the echo: nothing, a proxy that copies, the injector without a
// plan, the injector with 100 rules that do not apply.
var ways = [...]string{"direct", "copy", "injector", "100rules"}

// BenchmarkExchange compares, in turn within the same run, purchases and their echoes: every connection
// sends the next when it has the echo of the last. The ratios are to the copy proxy's, the median of
// the rounds: time per exchange (p50-ratio, the less the better) and exchanges per second (rate-ratio, the
// more the better). cpu-ratio is the processor time per exchange, of everybody who takes part (the less the better):
// other programs on the machine change it the least.
func BenchmarkExchange(b *testing.B) { compare(b, exchange) }

// BenchmarkStream is BenchmarkExchange for terminals that send without waiting: up to 32 purchases are on
// their way at a time. A time is what 32 take from the first byte to the last.
func BenchmarkStream(b *testing.B) { compare(b, stream) }

// conversation is what goes on on a connection, n times, and gives what each took.
type conversation func(b *testing.B, c net.Conn, request []byte, n int) []time.Duration

func compare(b *testing.B, talk conversation) {
	for _, connections := range []int{1, 16} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			_, _, payload := realMessages(b)
			request, err := iso8583.Framing{LengthBytes: 2, MaxLength: 9999}.AppendFrame(nil, payload)
			if err != nil {
				b.Fatal(err)
			}
			conns := dialAll(b, connections)
			const round = 64        // turns of one connection before the next way has its own
			for way := range ways { // what is made once is not measured
				all(b, conns[way], request, round, talk)
			}
			var p50, rate, cpu [len(ways)][]float64
			for b.Loop() {
				for _, way := range rand.Perm(len(ways)) { // none is always the one behind another
					begin, used := time.Now(), processTime()
					times := all(b, conns[way], request, round, talk)
					cpu[way] = append(cpu[way], (processTime()-used).Seconds()*1e6/float64(len(times)))
					rate[way] = append(rate[way], float64(len(times))/time.Since(begin).Seconds()/1000)
					p50[way] = append(p50[way], float64(median(times).Nanoseconds())/1000)
				}
			}
			for way, name := range ways {
				b.ReportMetric(median(p50[way]), name+"-p50-µs")
				b.ReportMetric(median(rate[way]), name+"-k/s")
				b.ReportMetric(median(quotients(p50[way], p50[1])), name+"-p50-ratio")
				b.ReportMetric(median(quotients(rate[way], rate[1])), name+"-rate-ratio")
				b.ReportMetric(median(quotients(cpu[way], cpu[1])), name+"-cpu-ratio")
			}
		})
	}
}

// dialAll opens as many connections each way.
func dialAll(b *testing.B, connections int) (conns [len(ways)][]net.Conn) {
	host := echo(b).Addr().String()
	for way, addr := range []string{host, copyProxy(b, host), injector(b, host, 0), injector(b, host, 100)} {
		for range connections {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = c.Close() })
			conns[way] = append(conns[way], c)
		}
	}
	return conns
}

func median[N time.Duration | float64](all []N) N {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

func quotients(of, by []float64) []float64 {
	q := make([]float64, len(of))
	for i := range of {
		q[i] = of[i] / by[i]
	}
	return q
}

// stream sends 32 requests without waiting and reads their echoes meanwhile.
func stream(b *testing.B, c net.Conn, request []byte, n int) []time.Duration {
	const window = 32
	times := make([]time.Duration, 0, n/window)
	responses := make([]byte, window*len(request))
	for range n / window {
		begin := time.Now()
		sent := make(chan error, 1)
		go func() {
			for range window {
				if _, err := c.Write(request); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		_, err := io.ReadFull(c, responses)
		if err := errors.Join(err, <-sent); err != nil {
			b.Error(err)
			return times
		}
		times = append(times, time.Since(begin))
	}
	return times
}

// all exchanges on every connection at once.
func all(b *testing.B, conns []net.Conn, request []byte, n int, talk conversation) []time.Duration {
	parts := make([][]time.Duration, len(conns))
	var done sync.WaitGroup
	for i, c := range conns {
		done.Go(func() { parts[i] = talk(b, c, request, n) })
	}
	done.Wait()
	return slices.Concat(parts...)
}
