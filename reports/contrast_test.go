package reports

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
)

// readable is the contrast that text needs: WCAG 2.2, 1.4.3, level AA.
const readable = 4.5

// TestColoursAreReadable holds what is written on what, in both themes, against that.
func TestColoursAreReadable(t *testing.T) {
	css := string(asset("assay.css"))
	light := colours(t, css, `(?s):root \{(.*?)\n\}`)
	dark := colours(t, css, `(?s):root\[data-theme=dark\] \{(.*?)\n\}`)
	pairs := [][2]string{{"lcd-ink", "lcd"}, {"soft", "band"}, {"soft", "ground"}, {"ink", "band"}, {"fault", "paper"}, {"ink", "fail-wash"}, {"ink", "marginal-wash"}}
	for _, text := range []string{"ink", "soft", "faint", "link", "pass", "marginal", "fail", "inconclusive", "skipped", "not-run"} {
		pairs = append(pairs, [2]string{text, "paper"})
	}
	for _, verdict := range []string{"pass", "marginal", "fail", "inconclusive", "skipped"} {
		pairs = append(pairs, [2]string{verdict, verdict + "-wash"})
	}
	for theme, of := range map[string]map[string][3]float64{"light": light, "dark": dark} {
		for _, p := range pairs {
			text, ok := of[p[0]]
			ground, ok2 := of[p[1]]
			if !ok || !ok2 {
				t.Errorf("%s: there is no --%s or no --%s", theme, p[0], p[1])
				continue
			}
			if c := contrast(text, ground); c < readable {
				t.Errorf("%s: --%s on --%s has a contrast of %.2f, less than %.1f", theme, p[0], p[1], c, readable)
			}
		}
	}
	if c := contrast([3]float64{1, 1, 1}, [3]float64{}); math.Abs(c-21) > 1e-9 {
		t.Errorf("white on black has a contrast of %g", c)
	}
}

// colours are the variables of a rule that are colours.
func colours(t *testing.T, css, rule string) map[string][3]float64 {
	t.Helper()
	body := regexp.MustCompile(rule).FindStringSubmatch(css)
	if body == nil {
		t.Fatalf("no %s", rule)
	}
	all := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`--([\w-]+):#([0-9a-f]{3,6});`).FindAllStringSubmatch(body[1], -1) {
		hex := m[2]
		if len(hex) == 3 {
			hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
		}
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		all[m[1]] = [3]float64{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}
	}
	return all
}

// contrast is the ratio of two colours' luminances, as WCAG 2.2 defines it.
func contrast(a, b [3]float64) float64 {
	luminance := func(c [3]float64) float64 {
		for i, v := range c {
			if v <= .04045 {
				c[i] = v / 12.92
			} else {
				c[i] = math.Pow((v+.055)/1.055, 2.4)
			}
		}
		return .2126*c[0] + .7152*c[1] + .0722*c[2]
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}
