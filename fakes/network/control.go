package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// Control is the control API. POST /plan arms a client.Plan (204, or 400 with what is wrong with
// it); POST /heal heals every fault (204); GET /status answers []client.Status; GET /events is
// the feed; GET /healthz answers when the injector lives.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /plan", func(w http.ResponseWriter, r *http.Request) {
		spec, err := readPlan(http.MaxBytesReader(w, r.Body, maxPlanBytes))
		if err == nil {
			err = s.Arm(r.Context(), spec)
		}
		answer(w, err)
	})
	mux.HandleFunc("POST /heal", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.Heal(r.Context()))
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Status()) // a client that went away needs no answer
	})
	mux.Handle("GET /events", s.log.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.ctx.Err() != nil {
			http.Error(w, ErrClosed.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	return mux
}

func answer(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrPlan):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrClosed):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// readPlan reads one JSON plan that has nothing unknown in it and nothing behind it.
func readPlan(r io.Reader) (client.Plan, error) {
	var spec client.Plan
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		return spec, fmt.Errorf("%w: %s", ErrPlan, jsonReason(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return spec, fmt.Errorf("%w: something follows it", ErrPlan)
	}
	return spec, nil
}

// jsonReason adds to an unknown field which one was probably meant.
func jsonReason(err error) string {
	quoted, found := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !found {
		return err.Error()
	}
	words := []string{"faults", "id", "kind", "message", "by", "mti", "nth"}
	return strict.UnknownMessage("field", strings.Trim(quoted, `"`), words)
}
