package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// ESC/POS commands: initialise, and full cut.
const (
	escInit = "\x1b\x40"
	escCut  = "\x1d\x56\x00"
)

// wording is what receipts (and the totals on the screen) say. It is part of the firmware, not
// of the profile, which only knows how to read it.
type wording struct {
	saleTitle, settlementTitle            string
	terminal, merchant, date, card        string
	trace, rrn, auth, batch, amount       string
	count, total, approved, settledAgrees string
}

func wordingIn(lang string) (wording, error) {
	switch lang {
	case "zh":
		return wording{
			saleTitle: "商户存根", settlementTitle: "结算单",
			terminal: "终端号", merchant: "商户号", date: "日期", card: "卡号",
			trace: "凭证号", rrn: "参考号", auth: "授权码", batch: "批次号", amount: "金额",
			count: "笔数", total: "总计", approved: "交易成功", settledAgrees: "对账平",
		}, nil
	case "en":
		return wording{
			saleTitle: "MERCHANT COPY", settlementTitle: "SETTLEMENT",
			terminal: "TERMINAL", merchant: "MERCHANT", date: "DATE", card: "CARD",
			trace: "TRACE", rrn: "RRN", auth: "AUTH", batch: "BATCH", amount: "AMOUNT",
			count: "COUNT", total: "TOTAL", approved: "APPROVED", settledAgrees: "IN BALANCE",
		}, nil
	}
	return wording{}, fmt.Errorf("%w: no receipt wording for language %q (zh, en)", ErrConfig, lang)
}

// paperEncoding is how the printer wants its text.
func paperEncoding(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case "", "utf-8":
		return unicode.UTF8, nil
	case "gbk":
		return simplifiedchinese.GBK, nil
	case "gb18030":
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("%w: receipt encoding %q (utf-8, gbk, gb18030)", ErrConfig, name)
}

// saleReceipt is the merchant's copy.
func (a *app) saleReceipt(s *sale) []string {
	w := a.words
	pan := maskedPAN(s.card.pan)
	if a.defects[defectPANOnReceipt] {
		pan = s.card.pan
	}
	rows := []string{
		w.saleTitle,
		line(w.merchant, a.profile.Identity.Merchant),
		line(w.terminal, a.profile.Identity.Terminal),
		line(w.date, stamp(s.at)),
		line(w.batch, a.memory.batchNumber()),
		line(w.trace, s.stan),
	}
	if s.rrn != "" {
		rows = append(rows, line(w.rrn, s.rrn))
	}
	if s.auth != "" {
		rows = append(rows, line(w.auth, s.auth))
	}
	return append(rows,
		line(w.card, pan),
		line(w.amount, a.money(s.amount)),
		w.approved,
	)
}

// settlementSlip is printed for a batch that is in balance. It says nothing of single sales
// and nothing that marks an approved one.
func (a *app) settlementSlip(at time.Time) []string {
	w := a.words
	count, sum := a.memory.totals()
	return []string{
		w.settlementTitle,
		line(w.merchant, a.profile.Identity.Merchant),
		line(w.terminal, a.profile.Identity.Terminal),
		line(w.date, stamp(at)),
		line(w.batch, a.memory.batchNumber()),
		line(w.count, fmt.Sprint(count)),
		line(w.total, a.money(sum)),
		w.settledAgrees,
	}
}

// print sends a slip to the printer. A slip that can't be printed changes nothing: the sale is
// in the journal.
func (a *app) print(rows []string) {
	if !a.profile.Has("printer") {
		return
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
	_, _ = a.hw.Printer.Write(paper.Bytes())
}

func line(label, value string) string { return label + ": " + value }

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

// money writes an amount with the letters that shops know: "RMB 12.50".
func (a *app) money(minor int64) string {
	return currencyLetters(a.profile.Identity.Currency) + " " + decimal(minor)
}

// currencyLetters names an ISO 4217 number; an unknown one stands for itself.
func currencyLetters(number string) string {
	switch number {
	case "156":
		return "RMB"
	case "840":
		return "USD"
	case "978":
		return "EUR"
	}
	return number
}

// maskedPAN leaves the first six and the last four digits (PCI DSS requirement 3.4).
func maskedPAN(pan string) string {
	const first, last = 6, 4
	if len(pan) <= first+last {
		return strings.Repeat("*", len(pan))
	}
	return pan[:first] + strings.Repeat("*", len(pan)-first-last) + pan[len(pan)-last:]
}
