package network_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/memnet"
)

// document is as much of the description as is held against the code.
type document struct {
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]any `yaml:"properties"`
		} `yaml:"schemas"`
	} `yaml:"components"`
}

// The description has the routes that are served and the fields that are sent, and no others.
func TestOpenAPIIsTrue(t *testing.T) {
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := yaml.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	paths := []string{client.PathPlan, client.PathHeal, client.PathStatus, client.PathVocabulary, client.PathEvents, client.PathHealth, client.PathOpenAPI}
	if got := slices.Sorted(maps.Keys(d.Paths)); !slices.Equal(got, slices.Sorted(slices.Values(paths))) {
		t.Errorf("described %v, served %v", got, paths)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		for path, methods := range d.Paths {
			for method := range methods {
				r := httptest.NewRequest(strings.ToUpper(method), path+"?after=0&wait=0s", strings.NewReader("{}"))
				resp := httptest.NewRecorder()
				w.server.Control().ServeHTTP(resp, r)
				if resp.Code/100 != 2 {
					t.Errorf("%s %s: %d %s", method, path, resp.Code, resp.Body)
				}
			}
		}
	})
	for name, v := range map[string]any{"Plan": client.Plan{}, "Fault": client.Fault{}, "Select": client.Select{}, "Schedule": client.Schedule{},
		"Status": client.Status{}, "Kind": client.Kind{}, "Param": client.Param{}} {
		var fields []string
		for f := range reflect.TypeOf(v).NumField() {
			field, _, _ := strings.Cut(reflect.TypeOf(v).Field(f).Tag.Get("json"), ",")
			fields = append(fields, field)
		}
		slices.Sort(fields)
		if got := slices.Sorted(maps.Keys(d.Components.Schemas[name].Properties)); !slices.Equal(got, fields) {
			t.Errorf("%s is described with %v, and has %v", name, got, fields)
		}
	}
}

func TestTokenIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		server, err := network.New(network.Config{Framing: framing, Messages: simple{}, Token: "letmein", Uplinks: []network.Uplink{{
			Name:     "primary",
			Listen:   func() (net.Listener, error) { return n.Listen("primary:1") },
			Dial:     func(ctx context.Context) (net.Conn, error) { return n.Dial(ctx, "host:1") },
			SelfDial: func(ctx context.Context) (net.Conn, error) { return n.Dial(ctx, "primary:1") },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = server.Close() }()
		l, err := n.Listen("control:80")
		if err != nil {
			t.Fatal(err)
		}
		plain := serve(t, server.Control(), l, n)
		for token, want := range map[string]int{"": http.StatusUnauthorized, "letmeIn": http.StatusUnauthorized, "letmein": 0} {
			c := client.New(plain, "http://control", client.WithToken(token))
			var refused *client.Error
			_, err := c.Status(t.Context())
			if status := 0; errors.As(err, &refused) {
				if status = refused.Status; status != want {
					t.Errorf("token %q: %v", token, err)
				}
			} else if err != nil || want != 0 {
				t.Errorf("token %q: %v, want %d", token, err, want)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Errorf("a ping needs no token: %v", err)
			}
		}
		c := client.New(plain, "http://control", client.WithToken("letmein"))
		if all, err := c.Vocabulary(t.Context()); err != nil || !reflect.DeepEqual(all, client.Vocabulary) {
			t.Errorf("vocabulary: %v", err)
		}
		if _, err := c.Events().Next(t.Context(), 0); err != nil {
			t.Errorf("events: %v", err)
		}
		if _, err := client.New(plain, "http://control").Events().Next(t.Context(), 0); err == nil {
			t.Error("events without a token")
		}
	})
}
