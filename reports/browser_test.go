package reports

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/assay-hil/assay/harness/record"
)

// browserLimit bounds one browser test. Machines that build something else at the same time are slow.
const browserLimit = 2 * time.Minute

// browser starts Chromium without a network: every host name leads nowhere.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium; Debian: apt-get install chromium")
	}
	if testing.Short() {
		t.Skip("a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1000),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.Flag("lang", "en-GB"), chromedp.WSURLReadTimeout(browserLimit))
	ctx, cancel := context.WithTimeout(context.Background(), browserLimit)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

func fileURL(t *testing.T, dir, page string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(dir, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// evaluated runs a script in the page and wants a value.
func evaluated[T comparable](t *testing.T, ctx context.Context, script string, want T) {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	if got != want {
		t.Errorf("%s is %v, want %v", script, got, want)
	}
}

func does(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for _, action := range actions {
		if _, err := chromedp.Run(ctx, action); err != nil {
			t.Fatal(err)
		}
	}
}

// timelineEvents are a sale whose answer is lost: what a timeline has.
func timelineEvents(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i, e := range []record.Event{
		{US: 0, Source: "harness", Kind: "phase", Fields: map[string]string{"name": "act", "edge": "begin"}},
		{US: 100_000, Source: "display", Kind: "screen", Fields: map[string]string{"text": "欢迎使用", "prompts": "idle"}},
		{US: 900_000, Source: "keypad", Kind: "press", Fields: map[string]string{"key": "1", "took_us": "40000"}},
		{US: 1_000_000, Source: "display", Kind: "screen", Fields: map[string]string{"text": "请输入金额\n0.01", "prompts": "amount"}},
		{US: 1_500_000, Source: "card", Kind: "insert", Fields: map[string]string{"card": "chip"}},
		{US: 1_600_000, Source: "card", Kind: "exchange", Fields: map[string]string{"instruction": "00A4", "parameters": "0400", "command": "4F A000000003/1010", "response": "6F\n 84 A000000003/1010\n A5\n  50 56495341", "status": "9000", "command_bytes": "13", "response_bytes": "31"}},
		{US: 2_000_000, Source: "network", Kind: "message", Fields: map[string]string{"direction": "terminal>host", "mti": "0200", "stan": "000002", "fate": "passed", "uplink": "primary"}},
		{US: 2_000_100, Source: "issuer", Kind: "received", Fields: map[string]string{"mti": "0200", "stan": "000002", "effect": "charged"}},
		{US: 2_100_000, Source: "network", Kind: "fired", Fields: map[string]string{"fault": "drop-1", "kind": "drop", "mti": "0210", "direction": "host>terminal"}},
		{US: 32_000_000, Source: "display", Kind: "screen", Fields: map[string]string{"text": "通讯超时", "prompts": "comm-timeout"}},
		{US: 33_000_000, Source: "network", Kind: "healed", Fields: map[string]string{"fault": "drop-1", "kind": "drop"}},
	} {
		e.Seq = i + 1
		b.WriteString(eventLine(t, e))
	}
	return b.String()
}

func TestBrowserScenarioPage(t *testing.T) {
	ctx := browser(t)
	f, err := Begin(filepath.Join(t.TempDir(), "run"), Start{
		Summary: Summary{Rig: "virtual", Lang: "zh"},
		Plan: Plan{Items: []Item{{Name: "NET-LOST", Scenario: "NET-LOST", Title: Text{"The response is lost", "应答报文丢失"}, Profile: "countertop", Lang: "zh"}},
			Guide: map[string]Text{"NET-LOST": {"Do the sale again.", "请重新交易。"}}},
		Environment: Environment{Profiles: map[string]ProfileFacts{"countertop": {Host: "iso87-ascii", Scale: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	journal, err := f.Keep(record.Journal, "journal.jsonl", []byte(`{"in":true,"mti":"0200","stan":"000002","fields":{"2":"[pan 16]","4":"000000000001"}}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	timeline := f.Timeline("NET-LOST")
	writeFile(t, filepath.Join(f.Path(), timeline), timelineEvents(t))
	const observed = "the sale with trace 000002 got no answer and was never reversed"
	if err := f.Add(record.Result{Name: "NET-LOST", Scenario: "NET-LOST", TitleEN: "The response is lost", TitleZH: "应答报文丢失", Profile: "countertop", Lang: "zh", Rig: "virtual", Verdict: record.Fail, Cause: record.Terminal,
		Why: "audit: expected every request without an answer is reversed; observed " + observed, Timeline: timeline, Evidence: []record.Evidence{journal}, Firmware: "4.1.0", Started: time.Now(),
		Checks: []record.Check{
			{Phase: "act", What: "prompt", Expected: `prompt comm-timeout within host-timeout: "通讯超时"`, Observed: `"通讯超时" 30s after the request`, Verdict: record.Pass, Budget: "host-timeout", MeasuredUS: 30e6, LimitUS: 32e6, UncertaintyUS: 1000, AtUS: 32e6},
			{Phase: "audit", What: "unanswered", Expected: "every request without an answer is reversed", Observed: observed, Verdict: record.Fail, Cause: record.Terminal},
		}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	does(t, ctx, chromedp.Navigate(fileURL(t, f.Path(), "scenario/NET-LOST.html?lang=en&theme=light")), chromedp.WaitReady(chromedp.CSS("#timeline svg")))
	evaluated(t, ctx, `[...document.querySelectorAll('.answers dt')].map(e => e.innerText).join()`, "Whose fault,Expected,Observed,Since when,Run it again")
	evaluated(t, ctx, `document.querySelector('.answers dd').innerText.startsWith('terminal')`, true)
	evaluated(t, ctx, `[...document.querySelectorAll('#compare tr.wrong')].map(r => r.dataset.kind).join()`, "ledger")
	evaluated(t, ctx, `document.querySelector('#replay code').innerText.startsWith('assay run --rig virtual')`, true)
	evaluated(t, ctx, `document.querySelectorAll('#timeline rect.fault').length`, 1)
	evaluated(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, true)

	for past, want := range map[string]string{
		``:                             "No earlier run",
		`'pass'`:                       "Since this run. It passed in the one before: 2026-11-09",
		`'inconclusive','pass','fail'`: "Since this run. It passed in the one before: 2026-11-08",
		`'fail','fail','pass','fail'`:  "Since 2026-11-08 00:00 UTC (firmware 1, r), 3 times in a row. Last good: 2026-11-07",
		`'fail','skipped','fail'`:      "It fails in all 2 earlier runs that are known, the first 2026-11-07",
		`'inconclusive'`:               "It has passed in none",
	} {
		script := fmt.Sprintf("h('p', {}, sinceWords([%s].map((verdict, i) => ({ verdict, started: `2026-11-0${9 - i}T00:00:00Z`, firmware: '1', rig: 'r' })))).textContent.startsWith(%q)", past, want)
		evaluated(t, ctx, script, true)
	}

	does(t, ctx, chromedp.Focus(chromedp.CSS(".view")), chromedp.KeyEvent(kb.Home))
	evaluated(t, ctx, `document.getElementById('lcd').innerText`, "欢迎使用")
	step := func(kind string) {
		t.Helper()
		does(t, ctx, chromedp.KeyEvent(kb.ArrowRight))
		evaluated(t, ctx, `document.getElementById('timeline').dataset.kind`, kind)
	}
	step("keypad press")
	step("display screen")
	evaluated(t, ctx, `document.getElementById('lcd').innerText`, "请输入金额\n0.01")
	step("card insert")
	step("card exchange")
	evaluated(t, ctx, `['SELECT', 'DF name', '“VISA”'].every(w => document.getElementById('what').innerText.includes(w))`, true)
	step("network message")
	step("issuer received")
	evaluated(t, ctx, `['financial request', 'amount', '[pan 16]'].every(w => document.getElementById('what').innerText.includes(w))`, true)
	does(t, ctx, chromedp.KeyEvent(kb.ArrowLeft))
	evaluated(t, ctx, `document.getElementById('timeline').dataset.kind`, "network message")

	does(t, ctx, chromedp.Click(chromedp.CSS("#lang")))
	evaluated(t, ctx, `document.documentElement.lang + document.querySelector('h1').innerText`, "zh-CN应答报文丢失")
	evaluated(t, ctx, `document.getElementById('guide').innerText.includes('请重新交易')`, true)
	for english, chinese := range map[string]string{
		"host receives void × 1":                                                                                                 "主机收到 撤销 共 1 次",
		"refund 12.34 of the transaction of 50.30":                                                                               "退货 12.34，原交易金额 50.30",
		"void of the transaction of 21.21":                                                                                       "撤销，原交易金额 21.21",
		"it was not shown; shown at last: \"x\", then \"y; z\"":                                                                  "未出现；最后依次显示 “x”，然后 “y; z”",
		"prompt idle within boot: \"or x; y\"":                                                                                   "提示“or x; y”（idle），时限项 boot",
		"reversal × 1 with reason 98 over the backup uplink within reversal":                                                     "冲正 1 次，原因 98，走备用线路，时限项 reversal",
		"0400 × 1, acknowledged 2s after the last key or card, allowed 1s":                                                       "0400 共 1 次，已确认，最后一次按键或用卡后 2s，允许 1s",
		"5.00 was charged 2 times; 7.00 was charged (trace 000003), which nobody intended":                                       "5.00 被扣款 2 次；扣款 7.00（流水号 000003）并无人发起",
		"an approved receipt for 5.00 (trace 000003) was printed by the card alone; without the host only a sale may be; it did": "打印了流水号 000003、金额 5.00 的批准凭条，由卡片单方脱机批准；不经主机只可做消费；符合",
		"step 3, settle: the prompt idle or remove-card did not come; the terminal shows \"x\"":                                  "第 3 步，结算：提示 idle 或 remove-card 没有出现；终端显示“x”",
		"power: halt: relay off 3: 2s without a prompt: no answer\nrelay on 0: device in use":                                    "电源：停止：继电器 3 断开：2s 内没有提示符：没有应答；继电器 0 接通：设备被占用",
		"write: no route to host or network":                                                                                     "write: no route to host or network",
		"act: expected nothing reaches the host; observed 0200 × 1":                                                              "操作：应为 没有报文到达主机；实际 0200 共 1 次",
		"words that nobody translated":                                                                                           "words that nobody translated",
	} {
		evaluated(t, ctx, fmt.Sprintf("say(%q)", english), chinese)
	}
	does(t, ctx, chromedp.Click(chromedp.CSS("#theme")))
	evaluated(t, ctx, `document.documentElement.dataset.theme`, "dark")
	evaluated(t, ctx, `dispatchEvent(new Event('beforeprint')), document.documentElement.dataset.theme + document.querySelectorAll('details:not([open])').length`, "light0")
	evaluated(t, ctx, `dispatchEvent(new Event('afterprint')), document.documentElement.dataset.theme`, "dark")
	evaluated(t, ctx, `performance.getEntriesByType('resource').filter(r => !r.name.startsWith('file:')).length`, 0)
}

// What a page of ten thousand results may take until it has answered its first filter: milliseconds of the page's own thread, which other work on
// the machine does not change. By the clock it is only told, and bounded where something must be wrong.
const (
	answerLimit = 1000
	clockLimit  = 30_000
)

// firstFilter searches as soon as it can, and notes when the answer is drawn.
const firstFilter = `addEventListener('DOMContentLoaded', () => setTimeout(() => {
	const search = document.getElementById('search');
	search.value = 'NET-LOST-00097';
	search.dispatchEvent(new Event('input'));
	requestAnimationFrame(() => setTimeout(() => { window.answered = [performance.now(), document.getElementById('shown').innerText] }));
}))`

// measureAnswer opens the page and holds the time from the beginning of the navigation to the answer of the first filter against
// the limit.
func measureAnswer(t *testing.T, ctx context.Context, url string, size int) {
	t.Helper()
	call := func(do func(ctx context.Context, target *chromedp.Target) error) { does(t, ctx, chromedp.Func(do)) }
	call(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return err
	})
	call(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: firstFilter})
		return err
	})
	does(t, ctx, chromedp.Navigate(url), chromedp.Poll[chromedp.Void](`window.answered`))
	evaluated(t, ctx, `window.answered[1]`, "1 of 10000")
	own := map[string]float64{}
	call(func(ctx context.Context, target *chromedp.Target) error {
		r, err := cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
		for _, m := range r.Metrics {
			own[m.Name] = m.Value * 1000
		}
		return err
	})
	clock, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`window.answered[0]`))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a page of %.2f MB has answered its first filter after %.0f ms by the clock; its own thread took %.0f ms, of which scripts %.0f, layout %.0f, styles %.0f",
		float64(size)/1e6, clock, own["TaskDuration"], own["ScriptDuration"], own["LayoutDuration"], own["RecalcStyleDuration"])
	if took := own["TaskDuration"]; took <= 0 || took > answerLimit || clock > clockLimit {
		t.Errorf("it may take %d ms, and %d by the clock", answerLimit, clockLimit)
	}
	does(t, ctx, chromedp.Evaluate[chromedp.Void](`{ const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input')) }`))
}

// TestBrowserBrokenTimeline: a line that can't be read is told, and the rest is shown. A cut last line is none.
func TestBrowserBrokenTimeline(t *testing.T) {
	ctx := browser(t)
	dir, _ := rendered(t, Summary{Planned: 1, Rig: "r"}, []record.Result{{Scenario: "S", Verdict: record.Pass}}, map[string]string{"S": `{"us":1,"source":"card","kind":"insert"}` + "\nbroken\n" + `{"us":2,"source":"card","kind":"remove"}` + "\n{\"us\":"})
	does(t, ctx, chromedp.Navigate(fileURL(t, dir, "scenario/S.html?lang=en")), chromedp.WaitReady(chromedp.CSS("#timeline svg")))
	evaluated(t, ctx, `document.querySelector('.notice.bad').innerText.includes('S.jsonl:2')`, true)
	evaluated(t, ctx, `DATA.events.length`, 2)
}

// TestBrowserRunPage has 10,000 results on one page.
func TestBrowserRunPage(t *testing.T) {
	ctx := browser(t)
	const n = 10_000
	run := &Run{Dir: t.TempDir(), Summary: Summary{Planned: n, NotRun: n, Rig: "virtual", Complete: true}}
	all := make([]facts, n)
	for i := range n {
		r := bigResult(i)
		run.Results = append(run.Results, r)
		run.Summary.add([]record.Result{r})
		all[i].page = "scenario/" + r.Name + ".html"
		if i%3 == 0 {
			all[i].faults, all[i].windows = []string{"drop"}, []window{{"drop", 2_000_000, 35_000_000}}
		}
	}
	index, err := run.indexPage(all)
	if err != nil {
		t.Fatal(err)
	}
	if len(index) > bigPage {
		t.Errorf("the page has %d bytes", len(index))
	}
	writeFile(t, filepath.Join(run.Dir, IndexFile), string(index))
	measureAnswer(t, ctx, fileURL(t, run.Dir, "index.html?lang=en&theme=light"), len(index))
	evaluated(t, ctx, `document.querySelectorAll('#all .row').length < 80`, true)
	evaluated(t, ctx, `[...document.querySelectorAll('.counts b')].slice(1).reduce((n, b) => n + Number(b.innerText), 0)`, n)
	evaluated(t, ctx, `document.getElementById('shown').innerText`, "10000 of 10000")
	evaluated(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, true)

	does(t, ctx, chromedp.Click(chromedp.CSS(`.counts button[data-verdict=fail]`)))
	evaluated(t, ctx, `document.getElementById('shown').innerText`, fmt.Sprintf("%d of 10000", run.Summary.Failed))
	does(t, ctx, chromedp.KeyEvent("/"))
	evaluated(t, ctx, `document.activeElement.id`, "search")
	// The protocol sends a character even where the page has kept the key for itself.
	does(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById('search').value = ''`), chromedp.KeyEvent("NET-LOST-00097"))
	evaluated(t, ctx, `document.getElementById('shown').innerText`, "1 of 10000")
	does(t, ctx, chromedp.Evaluate[chromedp.Void](`{ const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input')); const f = document.querySelector('[data-filter=family]'); f.value = 'power'; f.dispatchEvent(new Event('change')) }`))
	want := 0
	for _, r := range run.Results {
		if r.Verdict == record.Fail && r.Labels[0] == "power" {
			want++
		}
	}
	evaluated(t, ctx, `document.getElementById('shown').innerText`, fmt.Sprintf("%d of 10000", want))
	does(t, ctx, chromedp.Focus(chromedp.CSS(".vlist")), chromedp.KeyEvent(kb.End))
	evaluated(t, ctx, `document.querySelectorAll('.vlist .row.at').length`, 1)

	does(t, ctx, chromedp.Click(chromedp.CSS(`nav a[href="#latency"]`)), chromedp.WaitReady(chromedp.CSS(".plot")))
	evaluated(t, ctx, `document.querySelectorAll('[data-budget] .plot').length`, 4)
}
