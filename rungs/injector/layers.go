package injector

import (
	"errors"
	"net/http"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/protocol/feed"
)

// Layers are the levels below the message that an injector has. The zero value has none of them.
type Layers struct {
	tls     *tlswire.Endpoint
	names   *dns.Server
	packets *packets

	tlsLog, dnsLog, packetLog feed.Log
	// told is told of each event, too; nil for nobody.
	told func(level string, e feed.Event)
}

// AddTLS makes the end of terminals' TLS, with certificates of the authority for the hosts. A terminal is asked
// for one of its own with mutual.
func (l *Layers) AddTLS(authority *certs.Authority, hosts []string, mutual bool) (*tlswire.Endpoint, error) {
	var err error
	l.tls, err = tlswire.New(tlswire.Config{Authority: authority, Hosts: hosts, Mutual: mutual, Report: l.reporter(&l.tlsLog, TLS)})
	return l.tls, err
}

// AddNames makes a name server; its Report is set here.
func (l *Layers) AddNames(config dns.Config) (*dns.Server, error) {
	config.Report = l.reporter(&l.dnsLog, DNS)
	var err error
	l.names, err = dns.New(config)
	return l.names, err
}

// AddPackets lets packet faults act on a bench, which stays its owner's. ports tells those of the uplinks.
func (l *Layers) AddPackets(bench *packet.Bench, ports func() map[string]int) {
	l.packets = &packets{bench: bench, ports: ports, report: l.reporter(&l.packetLog, Packet)}
}

// reporter takes the events of a layer.
func (l *Layers) reporter(log *feed.Log, level string) func(string, map[string]string) {
	return func(kind string, fields map[string]string) {
		e := log.Append(kind, fields)
		if l.told != nil {
			l.told(level, e)
		}
	}
}

// Handler is the control API of all levels, the message level's included.
func (l *Layers) Handler(server *network.Server, token string) http.Handler {
	message := server.Control()
	mux := http.NewServeMux()
	mux.Handle("/", message)
	for route, handler := range l.routes() {
		mux.Handle(route, guard(token, handler))
	}
	l.handleAbsent(mux, token)
	mux.Handle("POST "+pathHeal, guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.heal(); err != nil {
			http.Error(w, errors.Join(err, server.Heal(r.Context())).Error(), http.StatusInternalServerError)
			return
		}
		message.ServeHTTP(w, r)
	})))
	mux.HandleFunc("GET /openapi-layers.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI) // a client that went away needs no answer
	})
	return mux
}

// heal heals the levels below the message. Only packets can fail to: that is the kernel's word.
func (l *Layers) heal() error {
	if l.tls != nil {
		l.tls.Heal()
	}
	if l.names != nil {
		l.names.Heal()
	}
	if l.packets != nil {
		return l.packets.Heal()
	}
	return nil
}
