package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/assay-hil/assay/protocol/feed"
)

// Layers of an injector below the message. It has them where it was started with them; calls for
// one that it has not are an *Error with Status 404.
const (
	LayerTLS    = "tls"
	LayerDNS    = "dns"
	LayerPacket = "packet"
)

// TLSFault is one way in which TLS towards the terminal goes wrong.
type TLSFault struct {
	// ID names the fault in events; unique among those armed.
	ID string `json:"id" yaml:"id,required"`
	// Kind is one of the layer's vocabulary (tlswire.Vocabulary).
	Kind string `json:"kind" yaml:"kind,required"`
	// Uplink is the name of the one that it acts on; "" is every one.
	Uplink string `json:"uplink,omitempty" yaml:"uplink"`
	// Nth handshake since arming, from 1, or with corrupted-record the nth record with messages to
	// the terminal; 0 means every one. With an uplink those of that uplink count.
	Nth int `json:"nth,omitempty" yaml:"nth"`
	// Alert is the description that "alert" sends, a name of RFC 8446, 6.2; "" means
	// handshake_failure.
	Alert string `json:"alert,omitempty" yaml:"alert"`
}

// DNSFault is one way in which a name is not resolved as it should be.
type DNSFault struct {
	// ID names the fault in events; unique among those armed.
	ID string `json:"id" yaml:"id,required"`
	// Kind is one of the layer's vocabulary (dns.Vocabulary).
	Kind string `json:"kind" yaml:"kind,required"`
	// Name that is asked for; "" is every one.
	Name string `json:"name,omitempty" yaml:"name"`
	// Type of the question, "A" or "AAAA"; "" is both.
	Type string `json:"type,omitempty" yaml:"type"`
	// Nth question for the same name and type since arming, from 1; 0 means every one. A
	// resolver that repeats its question asks once more.
	Nth int `json:"nth,omitempty" yaml:"nth"`
	// By is how late "slow" answers.
	By time.Duration `json:"by,omitempty" yaml:"by"`
	// Address is the old one that "stale" gives, where the question's type fits it; "" is one
	// that nobody has.
	Address string `json:"address,omitempty" yaml:"address"`
}

// PacketFault is one way in which a network spoils packets. Which of the parameters (from Port on) a
// kind takes is in the layer's vocabulary (packet.Vocabulary), what they mean in packet.Spec.
type PacketFault struct {
	// ID names the fault in events; unique among those armed. "" is its kind.
	ID string `json:"id,omitempty" yaml:"id"`
	// Kind is one of the layer's vocabulary.
	Kind string `json:"kind" yaml:"kind,required"`
	// Mechanism to use; "" for the best that the machine has for the kind.
	Mechanism string `json:"mechanism,omitempty" yaml:"mechanism"`

	// Uplink is the one whose port it is about, in place of Port.
	Uplink string `json:"uplink,omitempty" yaml:"uplink"`

	Port      int           `json:"port,omitempty" yaml:"port"`
	Direction string        `json:"direction,omitempty" yaml:"direction"`
	Answer    string        `json:"answer,omitempty" yaml:"answer"`
	Percent   float64       `json:"percent,omitempty" yaml:"percent"`
	Every     int           `json:"every,omitempty" yaml:"every"`
	By        time.Duration `json:"by,omitempty" yaml:"by"`
	Jitter    time.Duration `json:"jitter,omitempty" yaml:"jitter"`
	Idle      time.Duration `json:"idle,omitempty" yaml:"idle"`
	Size      int           `json:"size,omitempty" yaml:"size"`
	Rate      int           `json:"rate,omitempty" yaml:"rate"`
	Down      time.Duration `json:"down,omitempty" yaml:"down"`
	Up        time.Duration `json:"up,omitempty" yaml:"up"`
	Times     int           `json:"times,omitempty" yaml:"times"`
	Seed      int64         `json:"seed,omitempty" yaml:"seed"`
}

// ArmTLS heals the faults of TLS before and arms these.
func (c *Client) ArmTLS(ctx context.Context, faults []TLSFault) error {
	return armLayer(ctx, c, LayerTLS, faults)
}

// ArmDNS heals the faults of DNS before and arms these.
func (c *Client) ArmDNS(ctx context.Context, faults []DNSFault) error {
	return armLayer(ctx, c, LayerDNS, faults)
}

// ArmPacket heals the faults of packets before and arms these.
func (c *Client) ArmPacket(ctx context.Context, faults []PacketFault) error {
	return armLayer(ctx, c, LayerPacket, faults)
}

func armLayer[F any](ctx context.Context, c *Client, layer string, faults []F) error {
	body, err := json.Marshal(struct {
		Faults []F `json:"faults"`
	}{faults})
	if err != nil {
		return fmt.Errorf("network arm %s: %w", layer, err)
	}
	return c.call(ctx, "arm "+layer, http.MethodPost, "/"+layer+PathPlan, body, nil)
}

// LayerStatus tells what became of each fault of a layer armed last, in their order.
func (c *Client) LayerStatus(ctx context.Context, layer string) ([]Status, error) {
	var all []Status
	err := c.call(ctx, "status "+layer, http.MethodGet, "/"+layer+PathStatus, nil, &all)
	return all, err
}

// LayerEvents returns a reader of a layer's events, from the first that the injector still has.
func (c *Client) LayerEvents(layer string) *feed.Reader {
	return &feed.Reader{HTTP: c.http, URL: c.base + "/" + layer + PathEvents}
}
