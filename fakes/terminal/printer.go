package terminal

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/text/encoding"
)

// ErrPaper is wrapped by a Printer's error when it is out of paper. Every other error is a fault of the printer.
var ErrPaper = errors.New("out of paper")

// slip is a receipt that was printed last, or is still to be.
type slip struct {
	Rows    []string `json:"rows"`
	Printed bool     `json:"printed"`
}

// newSlip is a receipt still to be printed; nil without a printer.
func (a *app) newSlip(rows []string) *slip {
	if !a.profile.Has("printer") {
		return nil
	}
	return &slip{Rows: rows}
}

// printSlip prints what is still to be. Out of paper or broken, the printer is given as many tries as the cashier wants
// (ENTER); whether it prints or not, the transaction stands, and the receipt can be had from the menu.
func (a *app) printSlip(ctx context.Context) error {
	last := a.memory.Slip
	if last == nil || last.Printed {
		return nil
	}
	for {
		err := a.print(last.Rows)
		if err == nil {
			return a.printed()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		again, err := a.printerTrouble(ctx, err)
		if err != nil || !again {
			return err
		}
	}
}

// printed notes that the receipt is out. Where that can't be kept it may come twice, marked as a copy.
func (a *app) printed() error {
	_ = a.memory.save(func(s *state) {
		if s.Slip != nil {
			done := *s.Slip
			done.Printed = true
			s.Slip = &done
		}
	})
	return nil
}

// printerTrouble says what the printer lacks, and waits for ENTER (again), CANCEL or nobody (enough).
func (a *app) printerTrouble(ctx context.Context, cause error) (again bool, err error) {
	prompt := promptPrinterFault
	if errors.Is(cause, ErrPaper) {
		prompt = promptPaperOut
	}
	a.signal(SignalError)
	a.drainKeys()
	a.show(prompt)
	limit := time.NewTimer(a.profile.Timers.KeyWait)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-limit.C:
			return false, nil
		case key := <-a.hw.Keys:
			switch key {
			case keyEnter:
				return true, nil
			case keyCancel:
				return false, nil
			}
		}
	}
}

// reprint prints the last receipt again, as a copy, if it was printed before.
func (a *app) reprint(ctx context.Context) error {
	last := a.memory.Slip
	if last == nil {
		return ending{promptNoReceipt}
	}
	a.show(promptReprinting)
	rows := last.Rows
	if last.Printed && !a.defects.has(defectCopyUnmarked) {
		rows = slices.Concat([]string{a.words.copy}, withoutMark(rows, a.words.approved))
	}
	if err := a.print(rows); err != nil {
		if _, err := a.printerTrouble(ctx, err); err != nil {
			return err
		}
		return endQuietly
	}
	_ = a.printed()
	return endQuietly
}

// withoutMark leaves out the row that makes a receipt the proof of a sale: a copy is none.
func withoutMark(rows []string, mark string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return row == mark })
}

// recoverSlip prints a receipt that a power cut has kept back.
func (a *app) recoverSlip(ctx context.Context) error {
	last := a.memory.Slip
	if last == nil || last.Printed || a.defects.has(defectReprintForgotten) {
		return nil
	}
	a.show(promptReprinting)
	if a.print(last.Rows) == nil {
		return a.printed()
	}
	return ctx.Err() // no paper yet: the menu has it
}

// print sends rows to the printer.
func (a *app) print(rows []string) error {
	if !a.profile.Has("printer") {
		return nil
	}
	encoder := encoding.ReplaceUnsupported(a.paper.NewEncoder())
	var paper bytes.Buffer
	paper.WriteString(escInit)
	for _, row := range rows {
		text, err := encoder.String(row)
		if err != nil {
			text = "?" // a row that the printer can't say at all
		}
		paper.WriteString(text + "\n")
	}
	paper.WriteString(escCut)
	_, err := a.hw.Printer.Write(paper.Bytes())
	return err
}
