package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots makes the pictures of the documentation, of a real run: `make screenshots`. ASSAY_SHOTS is the folder that they go to,
// ASSAY_SHOTS_RUN the run, ASSAY_SHOTS_SCENARIO the scenario that fails in it.
func TestScreenshots(t *testing.T) {
	out, run, scenario := os.Getenv("ASSAY_SHOTS"), os.Getenv("ASSAY_SHOTS_RUN"), os.Getenv("ASSAY_SHOTS_SCENARIO")
	if out == "" {
		t.Skip("no pictures are wanted")
	}
	ctx := browser(t)
	for _, shot := range []struct {
		name, page, ready string
		height            int64
	}{
		{"run", "index.html", "#all .row", 1180},
		{"scenario", "scenario/" + scenario + ".html", "#timeline svg", 1760},
		{"latency", "index.html", ".plot", 1000},
		{"guide", "index.html", ".guide article", 820},
	} {
		for _, lang := range []string{"en", "zh"} {
			for _, theme := range []string{"light", "dark"} {
				hash := map[string]string{"latency": "#latency", "guide": "#guide"}[shot.name]
				// A change of the hash alone would not load the page anew.
				does(t, ctx, chromedp.EmulateViewport(1280, shot.height), chromedp.Navigate("about:blank"),
					chromedp.Navigate(fileURL(t, run, shot.page)+fmt.Sprintf("?lang=%s&theme=%s%s", lang, theme, hash)), chromedp.WaitReady(chromedp.CSS(shot.ready)))
				evaluated(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, true)
				b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(out, shotName(shot.name, lang, theme)), string(b))
			}
		}
	}
}

func shotName(page, lang, theme string) string {
	name := "report-" + page
	if lang != "en" {
		name += "-" + lang
	}
	if theme != "light" {
		name += "-" + theme
	}
	return name + ".png"
}
