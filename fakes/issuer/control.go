package issuer

import (
	"crypto/subtle"
	_ "embed" // the API's description
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// MaxBody is the longest request that the control API reads, in bytes.
const MaxBody = 1 << 20

//go:embed openapi.yaml
var openAPI []byte

// Control serves the control API that package client speaks; GET /openapi.yaml describes it. With
// Config.Token every call but the sign of life needs it.
func (s *Server) Control() http.Handler { return s.control }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+client.PathSetup, take(s.setup))
	mux.HandleFunc("GET "+client.PathState, give(s.state))
	mux.Handle("GET "+client.PathEvents, s.events.Handler())
	mux.HandleFunc("GET "+client.PathRules, give(s.rules.Rules))
	mux.HandleFunc("PUT "+client.PathRules, take(s.setRules))
	mux.HandleFunc("POST "+client.PathRules, take(s.rules.Add))
	mux.HandleFunc("DELETE "+client.PathRules+"/{name}", s.serveRemoveRule)
	mux.HandleFunc("GET "+client.PathScenarios, give(s.rules.Scenarios))
	mux.HandleFunc("DELETE "+client.PathScenarios, s.serveResetScenarios)
	mux.HandleFunc("PUT "+client.PathScenarios+"/{name}", s.serveForceScenario)
	mux.HandleFunc("GET "+client.PathJournal, s.serveJournal)
	mux.HandleFunc("POST "+client.PathVerify, s.serveVerify)
	mux.HandleFunc("POST "+client.PathSend, take(s.send))
	mux.HandleFunc("POST "+client.PathRestart, take(s.takeRestart))
	mux.HandleFunc("GET "+client.PathOpenAPI, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI) // a client that went away needs no answer
	})
	all := http.NewServeMux()
	all.HandleFunc("GET "+client.PathHealth, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	all.Handle("/", s.authorised(mux))
	return all
}

// authorised lets through what has the token (RFC 6750, 2.1). The comparison takes the same time however much of it
// is right.
func (s *Server) authorised(next http.Handler) http.Handler {
	if s.config.Token == "" {
		return next
	}
	want := []byte("Bearer " + s.config.Token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the issuer's bearer token is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// setRules replaces the rules only.
func (s *Server) setRules(setup client.Setup) error {
	set, err := rules.FromSetup(setup, s.terms)
	if err != nil {
		return err
	}
	s.rules.Replace(set)
	return nil
}

func (s *Server) takeRestart(r client.Restart) error {
	if r.Down < 0 || r.Down > rules.MaxLate {
		return fmt.Errorf("down %v: want 0 to %v", r.Down, rules.MaxLate)
	}
	s.restart(r.Down)
	return nil
}

func (s *Server) serveRemoveRule(w http.ResponseWriter, r *http.Request) {
	found, err := s.rules.Remove(r.PathValue("name"))
	if err == nil && !found {
		err = fmt.Errorf("%w: there is no rule %q", errUnknown, r.PathValue("name"))
	}
	done(w, err)
}

func (s *Server) serveResetScenarios(w http.ResponseWriter, _ *http.Request) {
	s.rules.ResetScenarios()
	done(w, nil)
}

func (s *Server) serveForceScenario(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	take(func(state client.ScenarioState) error {
		if state.Name != "" && state.Name != name {
			return fmt.Errorf("the path names the scenario %q, the body %q", name, state.Name)
		}
		return s.rules.ForceScenario(name, state.State)
	})(w, r)
}

func (s *Server) serveJournal(w http.ResponseWriter, r *http.Request) {
	after := uint64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			done(w, fmt.Errorf("after=%q: want the Seq of an entry", text))
			return
		}
		after = n
	}
	reply(w, s.journal.After(after))
}

func (s *Server) serveVerify(w http.ResponseWriter, r *http.Request) {
	var v client.Verify
	if !read(w, r, &v) {
		return
	}
	verdict, err := s.journal.Verify(v)
	if err != nil {
		done(w, err)
		return
	}
	reply(w, verdict)
}

// take answers 204 when what was posted is in force, else what done says.
func take[T any](f func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v T
		if read(w, r, &v) {
			done(w, f(v))
		}
	}
}

// give answers with a value as JSON.
func give[T any](f func() T) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, f()) }
}

// done answers 204, or 400 with the reason as text; 404 for what is not there, and 500 when the issuer itself
// is at fault.
func done(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, errUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, errBroken):
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away needs no answer
}

// read reads a body; it answers 400, or 413 for one that is too long, and gives false.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	err := decode(http.MaxBytesReader(w, r.Body, MaxBody), v)
	if err == nil {
		return true
	}
	status := http.StatusBadRequest
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		status = http.StatusRequestEntityTooLarge
	}
	http.Error(w, err.Error(), status)
	return false
}

// decode reads exactly one JSON value without unknown fields.
func decode(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	switch _, err := d.Token(); {
	case err == nil:
		return errors.New("more than one JSON value")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
