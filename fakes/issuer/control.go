package issuer

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// MaxBody is the longest request that the control API reads, in bytes.
const MaxBody = 1 << 20

// Control serves the control API that package client speaks: POST /setup, GET /state, GET
// /events (see feed.Log.Handler) and GET /healthz.
func (s *Server) Control() http.Handler { return s.control }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+client.PathSetup, s.serveSetup)
	mux.HandleFunc("GET "+client.PathState, s.serveState)
	mux.Handle("GET "+client.PathEvents, s.events.Handler())
	mux.HandleFunc("GET "+client.PathHealth, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// serveSetup answers 204 when the setup is in force, else 400 (413 for a body that is too long)
// with the reason as text.
func (s *Server) serveSetup(w http.ResponseWriter, r *http.Request) {
	var setup client.Setup
	if err := decode(http.MaxBytesReader(w, r.Body, MaxBody), &setup); err != nil {
		status := http.StatusBadRequest
		if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, err.Error(), status)
		return
	}
	if err := s.setup(setup); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
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

func (s *Server) serveState(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.state()) // a client that went away needs no answer
}
