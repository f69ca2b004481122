package issuer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// BenchmarkServer is the issuer (crypto, books, journal and feed on) and a host built plainly on
// moov-io/iso8583 side by side: sales over loopback TCP, a closed loop, clients and hosts on the same processors,
// in rounds that take turns. An operation is one sale at each of them.
//
//	go test -run - -bench Server -benchtime 20000x ./fakes/issuer
func BenchmarkServer(b *testing.B) {
	for _, dialect := range []string{"unionpay-bcd", "iso87-ascii"} {
		for _, conns := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", dialect, conns), func(b *testing.B) { contest(b, dialect, conns) })
		}
	}
}

// roundSales is how many sales a round has at most, of all connections.
const roundSales = 4096

// contender is one of the hosts of a benchmark.
type contender struct {
	conns []net.Conn
	sales [][][]byte // framed, by connection
	took  []time.Duration
	total time.Duration
	times []time.Duration // of rounds, per sale
	p99   []time.Duration // of rounds
}

func contest(b *testing.B, dialect string, conns int) {
	s, addr := startIssuer(b, dialect)
	ours, theirs := &contender{}, &contender{}
	host, other := startMoov(b, dialect)
	for n := range conns {
		seller := newSeller(b, dialect, fmt.Sprintf("TERM%04d", n))
		each := min(roundSales, b.N)/conns + 1
		var own, plain [][]byte
		for i := range each {
			own = append(own, framed(b, seller.host.Dialect.Framing, seller.sale(b, i)))
			plain = append(plain, framed(b, seller.host.Dialect.Framing, host.sale(b, seller, i%64)))
		}
		ours.add(b, addr, own)
		theirs.add(b, other, plain)
	}
	checkSale(b, s, ours)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		b.StopTimer()
		if err := s.setup(client.Setup{Otherwise: client.OtherwiseBooks}); err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		b.StartTimer()
		size := min(roundSales, b.N-done)
		ours.round(b, size)
		theirs.round(b, size)
		done += size
	}
	b.StopTimer()
	ours.report(b, "")
	theirs.report(b, "moov-")
	b.ReportMetric(ratio(theirs.times, ours.times), "times-throughput")
	b.ReportMetric(ratio(ours.p99, theirs.p99), "p99-ratio")
}

// ratio is the median of the ratios of rounds that followed each other: what disturbs the machine for
// longer than a round disturbs both.
func ratio(a, b []time.Duration) float64 {
	all := make([]float64, len(a))
	for i := range a {
		all[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// checkSale makes sure that what is measured are approvals with everything in them.
func checkSale(b *testing.B, s *Server, c *contender) {
	b.Helper()
	c.round(b, 1)
	state := s.state()
	if len(state.Charges) != 1 || len(state.Violations) != 0 || len(state.Journal) != 2 {
		b.Fatalf("%d charges, violations %q, journal %+v", len(state.Charges), state.Violations, state.Journal)
	}
	if got := state.Journal[0].Fields; len(got) != saleFields || got["55"] != "[track 147]" {
		b.Fatalf("%d fields: %v", len(got), got)
	}
	c.took, c.times, c.p99, c.total = nil, nil, nil, 0
}

// saleFields is how many fields a sale has in each dialect.
const saleFields = 19

func (c *contender) add(b *testing.B, addr string, sales [][]byte) {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	c.conns, c.sales = append(c.conns, conn), append(c.sales, sales)
}

// round makes so many sales, shared by the connections.
func (c *contender) round(b *testing.B, sales int) {
	var all sync.WaitGroup
	took := make([][]time.Duration, len(c.conns))
	begin := time.Now()
	for i := range c.conns {
		n := sales / len(c.conns)
		if i < sales%len(c.conns) {
			n++
		}
		all.Go(func() {
			var err error
			if took[i], err = sell(c.conns[i], c.sales[i][:n]); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(begin)
	c.total += elapsed
	c.times = append(c.times, elapsed/time.Duration(sales))
	c.p99 = append(c.p99, percentile(slices.Concat(took...), 99))
	for _, t := range took {
		c.took = append(c.took, t...)
	}
}

// sell makes sales one after the other on one connection.
func sell(conn net.Conn, sales [][]byte) ([]time.Duration, error) {
	in := bufio.NewReader(conn)
	took := make([]time.Duration, 0, len(sales))
	for _, sale := range sales {
		begin := time.Now()
		if _, err := conn.Write(sale); err != nil {
			return took, err
		}
		head, err := in.Peek(2)
		if err != nil {
			return took, err
		}
		if _, err := in.Discard(2 + int(head[0])<<8 + int(head[1])); err != nil {
			return took, err
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}

func (c *contender) report(b *testing.B, name string) {
	b.ReportMetric(float64(len(c.took))/c.total.Seconds(), name+"req/s")
	b.ReportMetric(float64(time.Second)/float64(slices.Min(c.times)), name+"best-req/s")
	b.ReportMetric(float64(percentile(c.took, 50))/1e3, name+"p50-µs")
	b.ReportMetric(float64(percentile(c.took, 99))/1e3, name+"p99-µs")
}

func percentile(all []time.Duration, p int) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[(len(all)-1)*p/100]
}

func framed(t testing.TB, f iso8583.Framing, payload []byte) []byte {
	t.Helper()
	b, err := f.AppendFrame(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func startIssuer(t testing.TB, dialect string) (*Server, string) {
	t.Helper()
	seller := newSeller(t, dialect, "TERM0000")
	s, err := New(Config{Host: seller.host, Cards: []cards.Card{richCard()}})
	if err != nil {
		t.Fatal(err)
	}
	return s, listen(t, func(ln net.Listener) { _ = s.Serve(context.Background(), ln) }, func() { _ = s.Close() })
}

func startMoov(t testing.TB, dialect string) (*moovHost, string) {
	t.Helper()
	d := newSeller(t, dialect, "TERM0000").host.Dialect
	h := &moovHost{spec: moovSpec(d)}
	for _, p := range d.Header {
		h.header += p.Length
	}
	h.header /= 2 // BCD
	return h, listen(t, h.serve, func() {})
}

// listen serves a port of this machine until the test ends.
func listen(t testing.TB, serve func(net.Listener), end func()) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); serve(ln) }()
	t.Cleanup(func() { end(); _ = ln.Close(); <-done })
	return ln.Addr().String()
}
