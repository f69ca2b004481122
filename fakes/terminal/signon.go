package terminal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/pin"
	"github.com/assay-hil/assay/protocol/tdes"
)

// kcvLength is how many bytes of a key's check value a sign-on's answer has.
const kcvLength = 4

// workingKeys are those of the last sign-on, in hexadecimal. MAC is "" in a dialect without.
type workingKeys struct {
	PIN string `json:"pin"`
	MAC string `json:"mac,omitempty"`
}

// keys are the terminal's working keys: the fixed ones of the dialect, or those downloaded; nil when there
// are none yet.
func (a *app) keys() (pinKey, macKey []byte) {
	h := a.dialect.host
	if h.Keys.Download == "" {
		if h.Keys.PIN != nil {
			return h.Keys.PIN, h.Keys.MAC
		}
		return h.PINKey, h.Keys.MAC
	}
	k := a.memory.logon
	if k == nil {
		return nil, nil
	}
	pinKey, _ = hex.DecodeString(k.PIN) // written by us
	macKey, _ = hex.DecodeString(k.MAC)
	return pinKey, macKey
}

// maker prepares the MAC key; nil where messages of the operation carry no MAC.
func (a *app) maker(o *hosts.Operation) (*mac.Maker, error) {
	rule := a.dialect.host.Dialect.MAC
	if rule == nil || o.Plain {
		return nil, nil
	}
	_, key := a.keys()
	return mac.New(rule.Algorithm, key)
}

// seal packs a request, with its MAC where it has one.
func (a *app) seal(x exchange) ([]byte, error) {
	maker, err := a.maker(x.operation)
	if err != nil {
		return nil, err
	}
	if maker == nil {
		return a.dialect.codec.Pack(x.request)
	}
	return a.dialect.codec.Seal(x.request, func(data []byte) ([]byte, error) { return maker.Sum(data), nil })
}

// authentic verifies the MAC of an approval. That of a decline is not looked at: nothing is lost by
// believing it.
func (a *app) authentic(o *hosts.Operation, reply iso8583.Message, answer []byte) error {
	approved, _ := a.dialect.approves(o, reply.Fields[39])
	if !approved && !a.defects.has(defectMACOnDecline) || a.defects.has(defectMACUnchecked) {
		return nil
	}
	maker, err := a.maker(o)
	if err != nil || maker == nil {
		return err
	}
	data, given, err := a.dialect.codec.MACData(answer)
	if err != nil || maker.Verify(data, given) != nil {
		return errBadMAC
	}
	return nil
}

// signOn makes the terminal known to the host before a transaction, when the last sign-on is over. One that has never signed on, or was
// refused, is for the operator to see to.
func (a *app) signOn(ctx context.Context) error {
	switch {
	case a.signedOn:
		return nil
	case a.refused, a.memory.logon == nil && !a.defects.has(defectLogonUnasked):
		return ending{promptLogonRequired}
	}
	return a.signOnNow(ctx)
}

// signOnNow signs on and takes working keys and batch number from the answer.
func (a *app) signOnNow(ctx context.Context) error {
	o := a.dialect.operation(opSignOn)
	if double := a.dialect.operationOf(opSignOn, "", "60.function=003"); double != nil {
		o = double
	}
	request, err := a.compose(o, &sale{stan: a.memory.nextSTAN(), at: now()})
	if err != nil {
		return err
	}
	reply, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptSigningOn, waiting: promptSigningOn})
	if err != nil {
		return err
	}
	if approved, _ := a.dialect.approves(o, reply.Fields[39]); !approved {
		return ending{a.promptForCode(reply.Fields[39])}
	}
	if err := a.takeKeys(reply); err != nil {
		a.signedOn, a.refused = false, true // until the operator has seen to it; the host has done with the old keys
		return err
	}
	a.adoptBatch(reply)
	a.signedOn, a.refused = true, false
	return nil
}

// takeKeys unwraps the working keys: each under the master key, with a check value. Where they are fixed it only notes the sign-on.
func (a *app) takeKeys(reply iso8583.Message) error {
	d := a.dialect
	if d.download.IsZero() {
		if a.memory.logon != nil {
			return nil
		}
		return a.memory.saveLogon(workingKeys{}) // none but that there was a sign-on
	}
	text, _ := d.codec.Get(reply, d.download)
	raw, err := hex.DecodeString(text)
	lengths := []int{len(d.host.Keys.PIN), len(d.host.Keys.MAC)}
	if err != nil || len(raw) != lengths[0]+lengths[1]+2*kcvLength {
		return ending{promptKeyError}
	}
	var keys [2]string
	for i, length := range lengths {
		key, err := tdes.Decrypt(d.host.Keys.Master, raw[:length])
		if err != nil {
			return ending{promptKeyError}
		}
		check, err := tdes.KCV(key, kcvLength)
		if err != nil || !bytes.Equal(check, raw[length:length+kcvLength]) && !a.defects.has(defectKCVUnchecked) {
			return ending{promptKeyError}
		}
		keys[i], raw = hex.EncodeToString(key), raw[length+kcvLength:]
	}
	return a.memory.saveLogon(workingKeys{PIN: keys[0], MAC: keys[1]})
}

// adoptBatch takes over the host's batch number while nothing is in ours.
func (a *app) adoptBatch(reply iso8583.Message) {
	text, ok := a.dialect.codec.Get(reply, a.dialect.number)
	var number int
	if _, err := fmt.Sscanf(text, "%d", &number); !ok || err != nil || number == a.memory.Batch || len(a.memory.Journal) > 0 {
		return
	}
	_ = a.memory.save(func(s *state) { s.Batch = number }) // without a memory it stays as it was
}

// Processing requests of the host, a digit in the header of its replies.
const (
	requestParameters = "1" // of stripe cards; 4 and 5 are those of chip cards
	requestSignOn     = "3"
	requestCAKeys     = "4"
	requestChip       = "5"
)

// heed notes what the host asks for in the header of a reply. It is done when the transaction is over.
func (a *app) heed(reply iso8583.Message) {
	digit, ok := a.dialect.codec.HeaderPart(reply.Header, "processing-request")
	if ok && digit != "0" && !a.defects.has(defectHeaderIgnored) {
		a.asked = digit
	}
}

// obey does what the host has asked for.
func (a *app) obey(ctx context.Context) error {
	asked := a.asked
	a.asked = ""
	switch asked {
	case requestSignOn:
		a.signedOn = false
		return a.signOnNow(ctx)
	case requestParameters, requestChip:
		return a.download(ctx, loadApplications)
	case requestCAKeys:
		return a.download(ctx, loadKeys)
	}
	return nil
}

// sealPIN makes DE52: a PIN block of the dialect's format under the PIN key, in hexadecimal.
func (a *app) sealPIN(digits, pan string) (string, error) {
	key, _ := a.keys()
	sealed, err := pin.Seal(a.dialect.host.PINFormat, key, digits, pan, rand.Reader)
	if err != nil {
		return "", fmt.Errorf("PIN block: %w", err)
	}
	return fmt.Sprintf("%X", sealed), nil
}
