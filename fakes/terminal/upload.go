package terminal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// upload is the end of a settlement under way: it goes on after a power cut.
type upload struct {
	// Agrees: the totals did, and only the end of the batch is to be told.
	Agrees bool `json:"agrees"`
	// Next is the first row that the host has not acknowledged.
	Next int `json:"next"`
}

// uploadRows is how many rows go into one message of a dialect that has several.
const uploadRows = 8

func (a *app) startUpload(agrees bool) error {
	return a.memory.save(func(s *state) { s.Upload, s.Settling = &upload{Agrees: agrees}, false })
}

// uploadable are the rows that the host compares.
func (a *app) uploadable() []journalRow {
	rows := slices.Clone(a.memory.Journal)
	return slices.DeleteFunc(rows, func(row journalRow) bool { return !row.counts() })
}

// resumeUpload goes on with an upload that was interrupted, before anything else.
func (a *app) resumeUpload(ctx context.Context) error {
	if a.memory.Upload == nil {
		return nil
	}
	if a.defects.has(defectUploadForgotten) {
		return a.memory.save(func(s *state) { s.Upload = nil })
	}
	if err := a.notice(ctx, promptUploadResumed); err != nil {
		return err
	}
	return a.uploadBatch(ctx)
}

// uploadBatch sends what is left of the batch, then its end, and closes it. What the host does not
// acknowledge is sent again when the terminal is next used.
func (a *app) uploadBatch(ctx context.Context) error {
	progress := *a.memory.Upload
	if a.defects.has(defectUploadRestarts) {
		progress.Next = 0
	}
	rows := a.uploadable()
	for !progress.Agrees && progress.Next < len(rows) {
		o := a.dialect.operation(opBatchUpload)
		chunk := rows[progress.Next:]
		chunk = chunk[:min(len(chunk), a.rowsPerMessage())]
		request, err := a.uploadRequest(o, chunk)
		if err != nil {
			return err
		}
		if err := a.confirmed(ctx, o, request); err != nil {
			return err
		}
		progress.Next += len(chunk)
		if err := a.memory.save(func(s *state) { s.Upload = &progress }); err != nil {
			return err
		}
	}
	o := a.batchEnd(progress.Agrees)
	if o != nil {
		request, err := a.compose(o, &sale{kind: opBatchEnd, stan: a.memory.nextSTAN(), at: now()})
		if err != nil {
			return err
		}
		if err := a.confirmed(ctx, o, request); err != nil {
			return err
		}
	}
	return a.settled(ctx, progress.Agrees)
}

// batchEnd is the operation that ends an upload.
func (a *app) batchEnd(agrees bool) *hosts.Operation {
	if agrees {
		return a.dialect.operationOf(opBatchEnd, "", "60.function=207")
	}
	return a.dialect.operation(opBatchEnd)
}

// confirmed carries an exchange out that the host must approve. The end of a batch that differs may say so again.
func (a *app) confirmed(ctx context.Context, o *hosts.Operation, request iso8583.Message) error {
	reply, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptUploading, waiting: promptUploading})
	if err != nil {
		return err
	}
	code := reply.Fields[39]
	if approved, _ := a.dialect.approves(o, code); !approved && code != a.dialect.host.Batch.Differ {
		return ending{a.promptForCode(code)}
	}
	return nil
}

func (a *app) rowsPerMessage() int {
	if a.dialect.host.Batch.Upload == "" {
		return 1
	}
	return uploadRows
}

// uploadRequest has rows in the field that the dialect has for them (UnionPay: number of rows, then card type, STAN,
// card number and amount of each), or else is about the one transaction that it names.
func (a *app) uploadRequest(o *hosts.Operation, rows []journalRow) (iso8583.Message, error) {
	path := a.dialect.host.Batch.Upload
	first := rows[0]
	s := &sale{kind: opBatchUpload, stan: a.memory.nextSTAN(), at: now(), original: &first, amount: first.Amount,
		card: card{pan: first.PAN, expiry: first.Expiry}}
	request, err := a.compose(o, s)
	if err != nil || path == "" {
		return request, err
	}
	to, err := a.dialect.codec.Path(path)
	if err != nil {
		return request, err
	}
	var detail strings.Builder
	fmt.Fprintf(&detail, "%02d", len(rows))
	for _, row := range rows {
		fmt.Fprintf(&detail, "00%s%s%012d", row.STAN, strings.Repeat("0", 20-len(row.PAN))+row.PAN, row.Amount)
	}
	return request, a.dialect.codec.Set(&request, to, detail.String())
}
