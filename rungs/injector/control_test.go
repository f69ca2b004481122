package injector

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/tlswire"
)

// The description has every route and every field, and nothing else.
func TestDescription(t *testing.T) {
	var description struct {
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := yaml.Unmarshal(openAPI, &description); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, methods := range description.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	i := &Layers{tls: &tlswire.Endpoint{}, names: &dns.Server{}, packets: &packets{}}
	served := append(slices.Collect(maps.Keys(i.routes())), "GET /openapi-layers.yaml")
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described %v\nserved    %v", described, served)
	}
	for name, of := range map[string]reflect.Type{
		"TLSFault": reflect.TypeFor[network.TLSFault](), "DNSFault": reflect.TypeFor[network.DNSFault](), "PacketFault": reflect.TypeFor[network.PacketFault](), "Status": reflect.TypeFor[network.Status](),
	} {
		var fields []string
		for n := range of.NumField() {
			field, _, _ := strings.Cut(of.Field(n).Tag.Get("json"), ",")
			fields = append(fields, field)
		}
		slices.Sort(fields)
		if got := slices.Sorted(maps.Keys(description.Components.Schemas[name].Properties)); !slices.Equal(got, fields) {
			t.Errorf("%s: described %v, has %v", name, got, fields)
		}
	}
	if len(description.Components.Schemas) != 4 {
		t.Errorf("%d schemas are described", len(description.Components.Schemas))
	}
}

// The client's calls for the layers, from arming to healing.
func TestClientOfTheLayers(t *testing.T) {
	i, err := Start(t.Context(), Options{
		Uplinks: []string{"primary=127.0.0.1:0,127.0.0.1:1"}, Dialect: "iso87-ascii", Control: "127.0.0.1:0", Token: "a token of some length",
		TLS: GoodTLS, TLSDir: t.TempDir(), DNS: "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- i.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	c := network.New(http.DefaultClient, i.Ready().Control, network.WithToken("a token of some length"))
	if err := c.ArmTLS(t.Context(), []network.TLSFault{{ID: "t", Kind: "alert", Alert: "access_denied", Uplink: "primary", Nth: 2}}); err != nil {
		t.Error(err)
	}
	if err := c.ArmTLS(t.Context(), []network.TLSFault{{ID: "t", Kind: "alert", Uplink: "backup"}}); err == nil || !strings.Contains(err.Error(), `unknown uplink "backup"`) {
		t.Errorf("an uplink that it has not: %v", err)
	}
	if err := c.ArmDNS(t.Context(), []network.DNSFault{{ID: "d", Kind: "slow", Name: "pos.test", Type: "A", Nth: 1, By: 5}}); err != nil {
		t.Error(err)
	}
	for _, f := range []network.DNSFault{{ID: "d", Kind: "slwo"}, {ID: "d", Kind: "stale", Address: "x"}} {
		if err := c.ArmDNS(t.Context(), []network.DNSFault{f}); err == nil || !strings.Contains(err.Error(), "400") {
			t.Errorf("%+v: %v, want 400", f, err)
		}
	}
	for layer, want := range map[string]network.Status{network.LayerTLS: {ID: "t", Kind: "alert"}, network.LayerDNS: {ID: "d", Kind: "slow"}} {
		status, err := c.LayerStatus(t.Context(), layer)
		if err != nil || len(status) != 1 || status[0] != want {
			t.Errorf("%s: %+v, %v", layer, status, err)
		}
	}
	if err := c.Heal(t.Context()); err != nil {
		t.Error(err)
	}
	for _, layer := range []string{network.LayerTLS, network.LayerDNS} {
		events, err := c.LayerEvents(layer).Next(t.Context(), 0)
		if err != nil || len(events) != 2 || events[0].Kind != "armed" || events[1].Kind != "healed" {
			t.Errorf("%s: %+v, %v", layer, events, err)
		}
	}
	var without *network.Error
	if err := c.ArmPacket(t.Context(), nil); !errors.As(err, &without) || without.Status != http.StatusNotFound || !strings.Contains(without.Text, "--packet") {
		t.Errorf("a layer that it has not: %v", err)
	}
	resp, err := http.Get(i.Ready().Control + "/openapi-layers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != string(openAPI) {
		t.Errorf("the description: %d bytes, %v", len(body), err)
	}
}

func TestUnknownFieldNamesTheNearest(t *testing.T) {
	var plan struct {
		Faults []network.DNSFault `json:"faults"`
	}
	for body, want := range map[string]string{
		`{"faults":[{"id":"a","adress":"x"}]}`: `did you mean "address"?`,
		`{"fault":[]}`:                         `did you mean "faults"?`,
		`{} {}`:                                "something follows it",
		`[`:                                    "plan: ",
		`{"faults":[{"by":"500ms"}]}`:          "faults.by: a JSON string; it is a duration as a whole number of nanoseconds, such as 500000000",
		`{"faults":[{"nth":"1"}]}`:             "faults.nth: a JSON string; it is a whole number",
	} {
		if err := decode(strings.NewReader(body), &plan, append(words[network.DNSFault](), "faults")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
