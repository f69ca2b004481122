package network

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

//go:embed openapi.yaml
var openAPI []byte

// Control is the control API, as openapi.yaml describes it. POST /plan arms a client.Plan (204, or 400
// with what is wrong with it); POST /heal heals every fault (204); GET /status answers []client.Status;
// GET /vocabulary answers []client.Kind; GET /events is the feed; GET /healthz answers when the
// injector lives, GET /openapi.yaml the description, both without a token.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	for route, handler := range s.routes() {
		if route != "GET "+client.PathHealth && route != "GET "+client.PathOpenAPI {
			handler = s.authorised(handler)
		}
		mux.HandleFunc(route, handler)
	}
	return mux
}

func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST " + client.PathPlan: func(w http.ResponseWriter, r *http.Request) {
			spec, err := readPlan(http.MaxBytesReader(w, r.Body, maxPlanBytes))
			if err == nil {
				err = s.Arm(r.Context(), spec)
			}
			answer(w, err)
		},
		"POST " + client.PathHeal: func(w http.ResponseWriter, r *http.Request) {
			answer(w, s.Heal(r.Context()))
		},
		"GET " + client.PathStatus:     func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, s.Status()) },
		"GET " + client.PathVocabulary: func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, client.Vocabulary) },
		"GET " + client.PathEvents:     s.log.Handler().ServeHTTP,
		"GET " + client.PathHealth: func(w http.ResponseWriter, _ *http.Request) {
			if s.ctx.Err() != nil {
				http.Error(w, ErrClosed.Error(), http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, "ok\n")
		},
		"GET " + client.PathOpenAPI: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(openAPI)
		},
	}
}

// authorised asks for the token, compared in a time that does not depend on where it differs.
func (s *Server) authorised(next http.HandlerFunc) http.HandlerFunc {
	if s.config.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.config.Token))
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if got := sha256.Sum256([]byte(token)); subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a bearer token is needed: the one that the injector was started with", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away needs no answer
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

// jsonReason adds to an unknown field which one was probably meant, and to a duration how one is written.
func jsonReason(err error) string {
	if t := (*json.UnmarshalTypeError)(nil); errors.As(err, &t) {
		return client.WrongType(t)
	}
	quoted, found := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !found {
		return err.Error()
	}
	return strict.UnknownMessage("field", strings.Trim(quoted, `"`), client.Words())
}
