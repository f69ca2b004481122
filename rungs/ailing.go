package rungs

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	issuerserver "github.com/assay-hil/assay/fakes/issuer"
	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
)

// Faults of issuer and injector themselves, which must never look like the terminal's.
const (
	// issuerGone: the bank's process is gone as soon as a scenario was arranged.
	issuerGone = "issuer-gone"
	// injectorDeaf: the injector takes a plan, says that it is armed, and never meets its message.
	injectorDeaf = "injector-deaf"
)

// HostFaults are the names of what may be wrong with issuer and injector themselves, on the rung virtual.
func HostFaults() []string { return []string{injectorDeaf, issuerGone} }

// ofHosts and ofBench part the faults that were asked for.
func (o Options) ofHosts() []string {
	return slices.DeleteFunc(slices.Clone(o.Faults), func(f string) bool { return !slices.Contains(HostFaults(), f) })
}

func (o Options) ofBench() []string {
	return slices.DeleteFunc(slices.Clone(o.Faults), func(f string) bool { return slices.Contains(HostFaults(), f) })
}

// goneAfterSetup answers until the first setup was taken; then the bank is closed, and nobody answers any more.
func goneAfterSetup(bank *issuerserver.Server, control http.Handler) http.Handler {
	var gone atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			panic(http.ErrAbortHandler) // a process that is gone answers nothing
		}
		control.ServeHTTP(w, r)
		if r.Method == http.MethodPost && r.URL.Path == issuer.PathSetup {
			gone.Store(true)
			go func() { _ = bank.Close() }() // closing waits for what is being answered
		}
	})
}

// never is an occurrence that no scenario reaches.
const never = 1 << 20

// deaf waits for messages that never come.
func deaf(control http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == network.PathPlan {
			var plan network.Plan
			if err := json.NewDecoder(r.Body).Decode(&plan); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			for i := range plan.Faults {
				plan.Faults[i].Message.Nth = never
			}
			body, err := json.Marshal(plan)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		control.ServeHTTP(w, r)
	})
}
