package injector

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/feed"
)

//go:embed openapi.yaml
var openAPI []byte

// pathHeal is the message level's route, which here heals every level.
const pathHeal = network.PathHeal

// handleAbsent says of the levels that are not here how to have them.
func (l *Layers) handleAbsent(mux *http.ServeMux, token string) {
	for layer, option := range map[string]string{network.LayerTLS: "--tls good", network.LayerDNS: "--dns LISTEN", network.LayerPacket: "--packet"} {
		mux.Handle("/"+layer+"/", guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, fmt.Sprintf("no %s %s here; faults of this level need an injector that was started with %s", r.Method, r.URL.Path, option), http.StatusNotFound)
		})))
	}
}

// routes are those of the levels that are here.
func (l *Layers) routes() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{}
	if l.tls != nil {
		(&layer[tlswire.Fault]{&l.tlsLog, l.tls}).add(routes, network.LayerTLS)
	}
	if l.names != nil {
		(&layer[dns.Fault]{&l.dnsLog, l.names}).add(routes, network.LayerDNS)
	}
	if l.packets != nil {
		(&layer[packet.Fault]{&l.packetLog, l.packets}).add(routes, network.LayerPacket)
	}
	return routes
}

// layer is a part of the injector below the message: TLS, DNS or packets.
type layer[F any] struct {
	log    *feed.Log
	faults interface {
		Arm([]F) error
		Status() []network.Status
	}
}

// add adds the layer's part of the control API.
func (l *layer[F]) add(routes map[string]http.HandlerFunc, name string) {
	routes["POST /"+name+network.PathPlan] = func(w http.ResponseWriter, r *http.Request) {
		var plan struct {
			Faults []F `json:"faults"`
		}
		err := decode(http.MaxBytesReader(w, r.Body, MaxBody), &plan, append(words[F](), "faults"))
		if err == nil {
			err = l.faults.Arm(plan.Faults)
		}
		switch {
		case errors.As(err, new(*failure)):
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}
	routes["GET /"+name+network.PathStatus] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(l.faults.Status()) // a client that went away needs no answer
	}
	routes["GET /"+name+network.PathEvents] = l.log.Handler().ServeHTTP
}

// words are the fields of a fault in JSON.
func words[F any]() (all []string) {
	for i := range reflect.TypeFor[F]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[F]().Field(i).Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// decode reads one JSON value with nothing unknown in it and nothing behind it.
func decode(r io.Reader, out any, words []string) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		if t := (*json.UnmarshalTypeError)(nil); errors.As(err, &t) {
			err = errors.New(network.WrongType(t))
		}
		if quoted, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			err = errors.New(strict.UnknownMessage("field", strings.Trim(quoted, `"`), words))
		}
		return fmt.Errorf("plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("plan: something follows it")
	}
	return nil
}

// guard lets nothing pass without the token; with "" everything. How long it takes says nothing
// about the token.
func guard(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if same := subtle.ConstantTimeCompare(got[:], want[:]) == 1; !same || !bearer {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token is missing or wrong; send it as Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
