package terminal

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/assay-hil/assay/protocol/emv/parameters"
)

// fieldDownload carries what is downloaded, and what of it the terminal has already.
const fieldDownload = 62

// load is one kind of parameters.
type load struct {
	when string // the condition of the dialect's operation
	// needed says that none of them is as good as no answer: a kernel without applications reads nothing.
	needed bool
	// read checks records and takes them apart.
	read func(raw []byte) ([]string, error)
	keep func(*loads, []string)
}

var (
	loadApplications = load{
		when:   "60.function=38?",
		needed: true,
		read: func(raw []byte) ([]string, error) {
			applications, err := parameters.Applications(raw)
			return loadsOf(parameters.Set{Applications: applications}).Applications, err
		},
		keep: func(l *loads, records []string) { l.Applications = records },
	}
	loadKeys = load{
		when: "60.function=37?",
		read: func(raw []byte) ([]string, error) {
			keys, err := parameters.Keys(raw)
			return loadsOf(parameters.Set{Keys: keys}).Keys, err
		},
		keep: func(l *loads, records []string) { l.Keys = records },
	}
)

// download fetches parameters of some kinds. They count when all of a kind has come; until then those of before do.
func (a *app) download(ctx context.Context, kinds ...load) error {
	for _, kind := range kinds {
		records, err := a.fetch(ctx, kind)
		if err != nil {
			return err
		}
		if records == nil { // nothing new
			continue
		}
		if err := a.memory.saveLoads(func(l *loads) { kind.keep(l, records) }); err != nil {
			return err
		}
	}
	if err := a.loadKernel(); err != nil {
		return ending{promptReplyInvalid} // the host's parameters are none that a kernel can work with
	}
	return ending{promptDownloaded}
}

// fetch asks for records of a kind until there are no more; nil when the host has nothing to say about them.
func (a *app) fetch(ctx context.Context, kind load) ([]string, error) {
	o := a.dialect.operationOf(opParameters, "", kind.when)
	if o == nil {
		return nil, endQuietly
	}
	held := []string{}
	for {
		request, err := a.compose(o, &sale{stan: a.memory.nextSTAN(), at: now()})
		if err != nil {
			return nil, err
		}
		request.Fields[fieldDownload] = fmt.Sprintf("%X", parameters.Request(len(held)))
		reply, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptDownloading, waiting: promptDownloading})
		if err != nil {
			return nil, err
		}
		if approved, _ := a.dialect.approves(o, reply.Fields[39]); !approved {
			return nil, ending{a.promptForCode(reply.Fields[39])}
		}
		if reply.Fields[fieldDownload] == "" {
			return nil, nil
		}
		more, records, err := kind.unpack(reply.Fields[fieldDownload])
		if err != nil || len(held)+len(records) > parameters.MaxRecords {
			return nil, errBadReply
		}
		held = append(held, records...)
		switch {
		case more:
		case len(held) == 0 && kind.needed:
			return nil, nil
		default:
			return held, nil
		}
	}
}

// unpack reads a packet.
func (l load) unpack(field string) (more bool, records []string, err error) {
	raw, err := hex.DecodeString(field)
	if err != nil {
		return false, nil, err
	}
	packet, err := parameters.ReadPacket(raw)
	if err != nil || len(packet.Records) == 0 {
		return false, nil, err
	}
	records, err = l.read(packet.Records)
	return packet.More, records, err
}

// downloadAll fetches all parameters, when the operator wants to.
func (a *app) downloadAll(ctx context.Context) error {
	return a.download(ctx, loadApplications, loadKeys)
}
