package bank

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// What a download can ask for, as the dialect's condition of the operation has it (60.function in UnionPay's).
const (
	loadKeys         = "37?"
	loadApplications = "38?"
)

// fieldDownload carries a download, and what the terminal has already. downloadRoom is how many bytes of a packet fit into it: less than
// any dialect's field has.
const (
	fieldDownload = 62
	downloadRoom  = 500
)

// download gives a terminal the next records for its kernel. One that says nothing of what it has, or a bank that has nothing, gets an
// approval only: nothing has changed.
func (b *Bank) download(q *inquiry) outcome {
	wanted := q.Message.Fields[fieldDownload]
	i := slices.IndexFunc(q.Operation.When, func(k hosts.Condition) bool { _, ok := b.loads[k.Pattern]; return ok })
	if wanted == "" || i < 0 {
		return outcome{reason: approved}
	}
	raw, err := hex.DecodeString(wanted)
	if err != nil {
		q.fault("the download's field is not in hexadecimal")
		return outcome{reason: formatError}
	}
	held, err := parameters.Held(raw)
	if err != nil {
		q.fault("%v", err)
		return outcome{reason: formatError}
	}
	packet := parameters.Next(b.loads[q.Operation.When[i].Pattern], held, downloadRoom)
	return outcome{reason: approved, change: func(reply *iso8583.Message) error {
		reply.Fields[fieldDownload] = strings.ToUpper(hex.EncodeToString(packet.Encode()))
		return nil
	}}
}
