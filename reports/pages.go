package reports

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

//go:embed assets
var assets embed.FS

// scripts are what every page needs: words, the sentences' Chinese and how it is found, and how things are drawn.
var scripts = []string{"words.js", "chinese.js", "chinese-rigs.js", "chinese-terms.js", "say.js", "common.js"}

// shared are the assets that a scenario's page loads from beside it.
var shared = slices.Concat([]string{"assay.css"}, scripts, []string{"chinese-names.js", "timeline.js", "scenario.js"})

// namesFile is an asset that is made of the hosts' files.
const namesFile = "names.js"

// policy lets a page load nothing but what lies beside it.
const policy = `default-src 'none'; style-src 'self' file: 'unsafe-inline'; script-src 'self' file: 'unsafe-inline'; img-src data:`

// renderPages writes index.html, a page for each attempt, and what the pages share.
func (r *Run) renderPages(past Past) error {
	for _, dir := range []string{assetsDir, scenarioDir} {
		if err := os.MkdirAll(filepath.Join(r.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	for _, name := range shared {
		if err := os.WriteFile(filepath.Join(r.Dir, assetsDir, name), asset(name), 0o644); err != nil {
			return err
		}
	}
	names, err := r.namesJS()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Dir, assetsDir, namesFile), names, 0o644); err != nil {
		return err
	}
	cards, err := r.scenarioPages(past)
	if err != nil {
		return err
	}
	return replace(filepath.Join(r.Dir, IndexFile), func() ([]byte, error) { return r.indexPage(cards) })
}

func asset(name string) []byte {
	b, err := assets.ReadFile(assetsDir + "/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return b
}

// facts are what the run's page needs of a scenario's that only its timeline and its past tell.
type facts struct {
	faults         []string // that fired
	windows        []window // in which they were at work
	page           string
	past           []Earlier
	passed, failed int // for the flake rule
	firmware       string
	flaky          bool
}

// scenarioPages writes the pages of all attempts, several at a time, and gives the facts of each outcome in order.
func (r *Run) scenarioPages(past Past) ([]facts, error) {
	outcomes := r.Outcomes()
	all := make([]facts, len(outcomes))
	errs := make([]error, len(outcomes))
	work := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var p pageMaker
			for i := range work {
				all[i], errs[i] = r.outcomePages(outcomes[i], past, &p)
			}
		})
	}
	for i := range outcomes {
		work <- i
	}
	close(work)
	workers.Wait()
	return all, errors.Join(errs...)
}

// pageName is the file name of an attempt's page.
func pageName(o Outcome, attempt int) string {
	name := strings.Map(func(c rune) rune {
		if c == '/' || c == '\\' || c == ':' || c < ' ' {
			return '_'
		}
		return c
	}, o.Item.Name)
	if attempt != 0 {
		name = fmt.Sprintf("%s.attempt-%d", name, attempt)
	}
	return name + ".html"
}

func (r *Run) outcomePages(o Outcome, past Past, p *pageMaker) (facts, error) {
	var f facts
	if o.Result.Verdict == record.Skipped || len(o.Attempts) == 0 {
		return f, nil
	}
	if past != nil {
		var err error
		if f.past, err = past.Of(o.Result, r.Summary.Started, maxPast); err != nil {
			return f, err
		}
	}
	if len(r.Summary.Defects)+len(r.Summary.BenchFaults) == 0 { // what was planted is no flake
		f.passed, f.failed, f.firmware, f.flaky = flake(o.Item.Digest, o.Attempts, f.past)
	}
	f.page = scenarioDir + "/" + pageName(o, 0)
	for i, a := range o.Attempts {
		decides := max(a.Attempt, 1) == max(o.Result.Attempt, 1)
		page, windows, err := p.page(r, o, a, f)
		if err != nil {
			return f, err
		}
		name := pageName(o, i+1)
		if decides {
			f.windows, f.faults = windows, kindsOf(windows)
			name = pageName(o, 0)
		}
		if err := os.WriteFile(filepath.Join(r.Dir, scenarioDir, name), page, 0o644); err != nil {
			return f, err
		}
	}
	return f, nil
}

// scenarioHead is what a scenario's page holds besides the timeline and the journal, which are copied as they are.
type scenarioHead struct {
	Item     Item              `json:"item"`
	Result   record.Result     `json:"result"`
	Attempts []attemptLink     `json:"attempts,omitempty"`
	Guide    *Text             `json:"guide,omitempty"`
	Host     string            `json:"host,omitempty"`
	Scale    float64           `json:"scale,omitempty"`
	Run      runBrief          `json:"run"`
	Replay   []string          `json:"replay"`
	Blobs    map[string]string `json:"blobs,omitempty"` // digest → path from the page
	Past     []Earlier         `json:"past,omitempty"`
	Diff     *Difference       `json:"diff,omitempty"`
	Unread   string            `json:"unread,omitempty"`
}

type attemptLink struct {
	Attempt int            `json:"attempt"`
	Verdict record.Verdict `json:"verdict"`
	Page    string         `json:"page"`
}

type runBrief struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Rig     string    `json:"rig"`
	Started time.Time `json:"started"`
	Planted []string  `json:"planted,omitempty"`
}

// pageMaker makes the pages of scenarios one after the other. What it gives is good until the next.
type pageMaker struct{ timeline, out bytes.Buffer }

// page makes an attempt's page, and gives the faults of its timeline. Timeline and journal are put into it as they are, line by
// line: the page itself finds those that can't be read.
func (p *pageMaker) page(r *Run, o Outcome, a record.Result, f facts) (page []byte, faults []window, err error) {
	h := r.scenarioHead(o, a, f)
	p.timeline.Reset()
	if err := p.read(r, a.Timeline); err != nil {
		h.Unread = err.Error()
	}
	b, err := json.Marshal(h)
	if err != nil {
		return nil, nil, err
	}
	out := &p.out
	out.Reset()
	fmt.Fprintf(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n<title>%s · assay</title>\n<link rel=\"stylesheet\" href=\"../assets/assay.css\">\n</head>\n<body>\n<div id=\"app\"></div>\n",
		policy, html.EscapeString(o.Item.Name))
	fmt.Fprintf(out, "<noscript><main><h1>%s · %s</h1><p>%s</p><pre>%s</pre></main></noscript>\n", html.EscapeString(string(a.Verdict)),
		html.EscapeString(a.Scenario+" "+a.TitleEN), html.EscapeString(a.Why), html.EscapeString(strings.Join(h.Replay, "\n")))
	out.WriteString(`<script type="application/json" id="data">{"head":`)
	safely(out, b)
	out.WriteString("}</script>\n<script type=\"application/jsonl\" id=\"events\">")
	safely(out, p.timeline.Bytes())
	out.WriteString("</script>\n<script type=\"application/jsonl\" id=\"journal\">")
	safely(out, r.rawJournal(a))
	out.WriteString("</script>\n")
	for _, name := range slices.Concat(scripts, []string{namesFile, "chinese-names.js", "timeline.js", "scenario.js"}) {
		fmt.Fprintf(out, "<script src=\"../%s/%s\"></script>\n", assetsDir, name)
	}
	out.WriteString("</body>\n</html>\n")
	return out.Bytes(), faultWindows(p.timeline.Bytes()), nil
}

// read reads a timeline.
func (p *pageMaker) read(r *Run, timeline string) error {
	if timeline == "" {
		return nil
	}
	file, err := os.Open(filepath.Join(r.Dir, filepath.FromSlash(timeline)))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the timeline is not there")
	}
	if err != nil {
		return err
	}
	_, err = p.timeline.ReadFrom(file)
	return errors.Join(err, file.Close())
}

func (r *Run) scenarioHead(o Outcome, a record.Result, f facts) scenarioHead {
	h := scenarioHead{Item: o.Item, Result: a, Replay: r.Summary.replays(a), Past: f.past, Blobs: map[string]string{},
		Run: runBrief{filepath.Base(r.Dir), r.Summary.Version, r.Summary.Rig, r.Summary.Started, slices.Concat(r.Summary.Defects, r.Summary.BenchFaults)}}
	if p, ok := r.Environment.Profiles[a.Profile]; ok {
		h.Host, h.Scale = p.Host, p.Scale
	}
	if g, ok := r.Plan.Guide[a.Scenario]; ok {
		h.Guide = &g
	}
	for i, other := range o.Attempts {
		if len(o.Attempts) > 1 {
			link := attemptLink{i + 1, other.Verdict, pageName(o, i+1)}
			if max(other.Attempt, 1) == max(o.Result.Attempt, 1) {
				link.Page = pageName(o, 0)
			}
			h.Attempts = append(h.Attempts, link)
		}
	}
	for _, e := range a.Evidence {
		if len(e.SHA256) == 64 {
			h.Blobs[e.SHA256] = "../" + filepath.ToSlash(BlobPath(e.SHA256))
		}
	}
	if rank(a.Verdict) <= rank(record.Marginal) {
		if i := slices.IndexFunc(f.past, func(e Earlier) bool { return good(e.Verdict) }); i >= 0 {
			h.Diff = differenceFrom(r.Dir, a, f.past[i])
		}
	}
	return h
}

// safely writes what can stand within a script element: in JSON, a "<" can be escaped wherever it may be.
func safely(out *bytes.Buffer, b []byte) {
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			out.Write(b)
			return
		}
		out.Write(b[:i])
		out.WriteString(`\u003c`)
		b = b[i+1:]
	}
}

func (r *Run) rawJournal(a record.Result) []byte {
	i := slices.IndexFunc(a.Evidence, func(e record.Evidence) bool { return e.Kind == record.Journal })
	if i < 0 || len(a.Evidence[i].SHA256) != 64 || a.Evidence[i].Bytes > maxJournals {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(r.Dir, BlobPath(a.Evidence[i].SHA256)))
	if err != nil {
		return nil
	}
	return b
}
