package terminal

import (
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
	settledDiffers, copy, asked           string
	voided, refunded, held, signature     string
	notReversed                           string
}

func wordingIn(lang string) (wording, error) {
	switch lang {
	case "zh":
		return wording{
			saleTitle: "商户存根", settlementTitle: "结算单",
			terminal: "终端号", merchant: "商户号", date: "日期", card: "卡号",
			trace: "凭证号", rrn: "参考号", auth: "授权码", batch: "批次号", amount: "金额",
			count: "笔数", total: "总计", approved: "交易成功", settledAgrees: "对账平",
			settledDiffers: "对账不平", copy: "重打印凭证", asked: "应付金额",
			voided: "已撤销", refunded: "已退货", held: "预授权成功", signature: "持卡人签名", notReversed: "未冲正",
		}, nil
	case "en":
		return wording{
			saleTitle: "MERCHANT COPY", settlementTitle: "SETTLEMENT",
			terminal: "TERMINAL", merchant: "MERCHANT", date: "DATE", card: "CARD",
			trace: "TRACE", rrn: "RRN", auth: "AUTH", batch: "BATCH", amount: "AMOUNT",
			count: "COUNT", total: "TOTAL", approved: "APPROVED", settledAgrees: "IN BALANCE",
			settledDiffers: "OUT OF BALANCE", copy: "DUPLICATE", asked: "REQUESTED",
			voided: "VOIDED", refunded: "REFUNDED", held: "PRE-AUTHORISED", signature: "SIGNATURE", notReversed: "NOT REVERSED",
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

// saleReceipt is the merchant's copy. Its last row says what the transaction was: only a sale that stands is approved.
func (a *app) saleReceipt(s *sale) []string {
	w := a.words
	pan := maskedPAN(s.card.pan)
	if a.defects.has(defectPANOnReceipt) {
		pan = s.card.pan
	}
	amount := s.amount
	if a.defects.has(defectReceiptAmount) {
		amount = amount / 10 * 10 // as if the last digit had not been
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
	rows = append(rows, line(w.card, pan))
	if s.asked > s.amount {
		rows = append(rows, line(w.asked, a.money(s.asked)))
	}
	rows = append(rows, line(w.amount, a.money(amount)))
	if s.card.signed() {
		rows = append(rows, line(w.signature, "____________"))
	}
	return append(rows, a.outcome(s.kind))
}

// outcome is the last row of a receipt.
func (a *app) outcome(kind string) string {
	switch kind {
	case opVoid:
		return a.words.voided
	case opRefund:
		return a.words.refunded
	case opAuthorisation:
		return a.words.held
	}
	return a.words.approved
}

// settlementSlip is printed for a batch that is closed. It says nothing of single sales
// and nothing that marks an approved one, but names what was given up: somebody must look into it.
func (a *app) settlementSlip(at time.Time, agrees bool) []string {
	w, t := a.words, a.memory.totals()
	verdict := w.settledAgrees
	if !agrees {
		verdict = w.settledDiffers
	}
	rows := []string{
		w.settlementTitle,
		line(w.merchant, a.profile.Identity.Merchant),
		line(w.terminal, a.profile.Identity.Terminal),
		line(w.date, stamp(at)),
		line(w.batch, a.memory.batchNumber()),
		line(w.count, fmt.Sprint(t.debitCount+t.creditCount)),
		line(w.total, a.money(t.debitAmount-t.creditAmount)),
		verdict,
	}
	for _, given := range a.memory.Dropped {
		rows = append(rows, line(w.notReversed, given.Fields[11]))
	}
	return rows
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
