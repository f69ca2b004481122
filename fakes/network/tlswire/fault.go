package tlswire

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/certs"
)

// Kinds of fault that are no flaw of a certificate. Those are named as in package certs.
const (
	alert   = "alert"
	stall   = "handshake-stall"
	corrupt = "corrupted-record"
	version = "version-refused"
)

// Fault is one way in which it goes wrong.
type Fault = client.TLSFault

// Targets of a fault, as Vocabulary names them.
const (
	OnHandshake = "handshake" // a handshake, when the ClientHello has come
	OnRecord    = "record"    // a record with messages to the terminal
)

var (
	handshake = []string{OnHandshake}
	uplink    = client.Param{Name: "uplink", Default: "every one", Help: "the one that it acts on"}
	nth       = client.Param{Name: "nth", Default: "0", Help: "which one since arming, of the uplink if there is one, from 1; 0 is every one"}
	where     = []client.Param{uplink, nth}
)

// Vocabulary is every kind of fault of this package, sorted by name.
var Vocabulary = []client.Kind{
	{Kind: alert, On: handshake, Params: []client.Param{uplink, nth, {Name: "alert", Default: defaultAlert, Help: "its description, a name of RFC 8446, 6.2"}},
		Rows: []int{35}, Help: "a fatal alert answers the ClientHello"},
	{Kind: corrupt, On: []string{OnRecord}, Params: where, Rows: []int{38}, Help: "one bit of a record to the terminal is flipped"},
	{Kind: string(certs.Expired), On: handshake, Params: where, Rows: []int{36}, Help: "the certificate ended two days ago"},
	{Kind: stall, On: handshake, Params: where, Rows: []int{37}, Help: "silence after the ClientHello, until healed"},
	{Kind: string(certs.NotYet), On: handshake, Params: where, Rows: []int{36}, Help: "the certificate begins in two days"},
	{Kind: string(certs.UnknownCA), On: handshake, Params: where, Rows: []int{36}, Help: "nobody known has signed the certificate"},
	{Kind: version, On: handshake, Params: where, Rows: []int{35}, Help: "the alert protocol_version answers the ClientHello"},
	{Kind: string(certs.WrongHost), On: handshake, Params: where, Rows: []int{36}, Help: "the certificate is another host's"},
}

// alerts are the descriptions of RFC 8446, 6.2, that a server may answer a ClientHello with.
var alerts = map[string]byte{
	"unexpected_message":      10,
	"bad_record_mac":          20,
	"record_overflow":         22,
	"handshake_failure":       40,
	"bad_certificate":         42,
	"unsupported_certificate": 43,
	"certificate_revoked":     44,
	"certificate_expired":     45,
	"certificate_unknown":     46,
	"illegal_parameter":       47,
	"unknown_ca":              48,
	"access_denied":           49,
	"decode_error":            50,
	"decrypt_error":           51,
	"protocol_version":        70,
	"insufficient_security":   71,
	"internal_error":          80,
	"inappropriate_fallback":  86,
	"missing_extension":       109,
	"unsupported_extension":   110,
	"unrecognized_name":       112,
	"unknown_psk_identity":    115,
	"certificate_required":    116,
	"no_application_protocol": 120,
}

// Alerts are the names of the alerts that can be sent.
func Alerts() []string { return slices.Sorted(maps.Keys(alerts)) }

const defaultAlert = "handshake_failure"

// WrittenFault is a fault in a YAML file: what is wrong with it is complained about where it stands.
type WrittenFault struct{ Fault }

// UnmarshalStrict implements strict.Unmarshaler.
func (f *WrittenFault) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	d.Value(n, reflect.ValueOf(&f.Fault).Elem())
	if n.Kind != yaml.MappingNode {
		return // complained about
	}
	for _, text := range checkFault(f.Fault, map[string]bool{}) { // which uplinks there are, only the endpoint knows
		d.Errorf(n, "%s", text)
	}
}

// check says what is wrong with faults for these uplinks, everything at once; the error is ErrFault.
func check(faults []Fault, uplinks []string) error {
	if n := len(faults); n > MaxFaults {
		return fmt.Errorf("%w: %d faults, at most %d", ErrFault, n, MaxFaults)
	}
	var wrong []error
	seen := map[string]bool{}
	for i, f := range faults {
		texts := checkFault(f, seen)
		if f.Uplink != "" && !slices.Contains(uplinks, f.Uplink) {
			texts = append(texts, strict.UnknownMessage("uplink", f.Uplink, uplinks))
		}
		for _, text := range texts {
			wrong = append(wrong, fmt.Errorf("%w %d (%.*q): %s", ErrFault, i+1, maxID, f.ID, text))
		}
		seen[f.ID] = true
	}
	return errors.Join(wrong...)
}

func checkFault(f Fault, seen map[string]bool) (wrong []string) {
	var kinds []string
	for _, e := range Vocabulary {
		kinds = append(kinds, e.Kind)
	}
	if f.ID == "" || len(f.ID) > maxID {
		wrong = append(wrong, fmt.Sprintf("id: 1 to %d characters are needed", maxID))
	}
	if seen[f.ID] {
		wrong = append(wrong, "id: used twice")
	}
	if !slices.Contains(kinds, f.Kind) {
		wrong = append(wrong, strict.UnknownMessage("kind", f.Kind, kinds))
	}
	if f.Nth < 0 {
		wrong = append(wrong, "nth: 1 or more, or 0 for every one")
	}
	switch {
	case f.Alert == "":
	case f.Kind != alert:
		wrong = append(wrong, "alert: only the kind alert has it")
	case alerts[f.Alert] == 0:
		wrong = append(wrong, strict.UnknownMessage("alert", f.Alert, Alerts()))
	}
	return wrong
}
