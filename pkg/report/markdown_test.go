package report

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

func TestMarkdown(t *testing.T) {
	link := func(id string) string {
		return fmt.Sprintf("[%s](https://github.com/bluegreen-dev/kubectl-bluegreen/blob/v1.2.3/docs/checks/%s.md) title of %s", id, id, id)
	}
	want := `### shop in store: ❌ blocked by BG-DB-01, BG-DB-03

1 failed, 2 unknown, 1 warned, 1 passed, 1 skipped (stage deploy, require starter, live blue, target green)

| | Check | Found | What to do |
|---|---|---|---|
| ❌ | ` + link("BG-DB-01") + " | unknown: database main: not allowed to look\\[2J ::error::\\]\\]&gt; &lt;b&gt;@&#8203;everyone&lt;/b&gt; &#124; \\`x\\` | do something about BG-DB-01 |" + `
| ❌ | ` + link("BG-DB-03") + ` | database main: 120 wanted, 77 allowed (deploy/blue green.yaml:30:5) | do something about BG-DB-03 |
| ⚠️ | ` + link("BG-COL-12") + ` | deployment/shop-green: container app runs image shop, which can change under it (green/green.yaml:14:16) | do something about BG-COL-12 |
| ⚠️ | ` + link("BG-DB-04") + ` | unknown: database main: nobody may look | do something about BG-DB-04 |

<details><summary>1 passed, 1 skipped</summary>

| | Check | Found |
|---|---|---|
| ✅ | ` + link("BG-COL-01") + ` | deployment/shop-blue: 3 of 3 are ready |
| ➖ | ` + link("BG-MON-01") + ` | prometheus: not declared: prometheus |

</details>
`
	if diff := cmp.Diff(want, written(t, "markdown", blocked())); diff != "" {
		t.Error(diff)
	}
}

// The page of a check is that of the version that judged, where that has a tag.
func TestAddress(t *testing.T) {
	for version, tag := range map[string]string{
		"v1.2.3": "v1.2.3", "v1.2.3-rc.1": "v1.2.3-rc.1", "(devel)": "main", "": "main",
		"v0.0.0-0123456789ab": "main", "v1.2.4-0.20261122150405-0123456789ab": "main", "v1.2.3+dirty": "main",
	} {
		if got := address("docs/checks/BG-DB-01.md", version); got != repository+"/blob/"+tag+"/docs/checks/BG-DB-01.md" {
			t.Errorf("for %q it is %s", version, got)
		}
	}
	if got := address("https://wiki.example/x", "v1.2.3"); got != "https://wiki.example/x" {
		t.Errorf("that of somebody else is %s", got)
	}
}

// A comment that is too long is refused as a whole; what blocks is in it.
func TestMarkdownHasRoomForWhatBlocks(t *testing.T) {
	report := blocked()
	last := report.Findings[3]
	report.Findings = nil
	for number := range 2000 {
		report.Findings = append(report.Findings, finding(fmt.Sprintf("BG-X-%d", number), preflight.Warn, "pod", strings.Repeat("long ", 20)))
	}
	report.Findings = append(report.Findings, last)
	text := written(t, "markdown", report)
	if len(text) > 65536 {
		t.Errorf("it is %d bytes long", len(text))
	}
	if !strings.Contains(text, "120 wanted") || !strings.Contains(text, " more are left out here") {
		t.Errorf("what blocks, or that something is left out, is not told: …%s", text[len(text)-200:])
	}
}

// No text that others had a hand in becomes a tag, a cell or a line.
func TestMarkdownHoldsNoMarkupOfOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := MarkdownText(rapid.String().Draw(t, "text"))
		if strings.ContainsAny(text, "<>|\n\r") {
			t.Fatalf("%q", text)
		}
	})
}

// Nor does it mention anybody, or refer to an issue, in what GitHub looks through: the
// text once its entities and escapes are characters.
func TestMarkdownMentionsNobody(t *testing.T) {
	found := regexp.MustCompile(`(?i)@\w|#\w|\bgh-\d`)
	shown := func(text string) string {
		return html.UnescapeString(regexp.MustCompile(`\\([[:punct:]])`).ReplaceAllString(MarkdownText(text), "$1"))
	}
	for _, text := range []string{"@acme/everyone", "fixes #1", "acme/other#2", "GH-3 and gh-4", "ann@evil.example", "&#64;ann", `\@ann`, "@@ann", "&commat;ann", "a high-level"} {
		got := shown(text)
		if found.MatchString(got) || strings.ReplaceAll(got, "\u200b", "") != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([@#&;x0-9\\]|GH-|gh-|&#64;|&amp;)*`).Draw(t, "text")
		if got := shown(text); found.MatchString(got) {
			t.Fatalf("%q is shown as %q", text, got)
		}
	})
}

// GitHub makes links of addresses by itself; of others' text it makes none.
func TestMarkdownLinksNowhereByItself(t *testing.T) {
	for text, want := range map[string]string{
		"see https://evil.example": "see https:&#47;/evil.example",
		"see www.evil.example":     "see www&#46;evil.example",
		"ann@evil.example":         "ann@&#8203;evil.example",
	} {
		if got := MarkdownText(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
