package sheetbench

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tianbao/internal/browser"
)

const report = "../../../../docs/sheet.md"

// table is one table of docs/sheet.md: a row a check, a column a library.
type table struct {
	name   string // of its markers in the file
	checks []check
	screen bool // needs a screen with a real input method
}

func tables() []table {
	return []table{
		{"ime", imeChecks("imitated", func(g *grid) hand { return &imitated{g: g} }), false},
		{"real", imeChecks("real", func(g *grid) hand { return &real{g: g, desk: g.Desk()} }), true},
		{"paste", pasteChecks(), false},
		{"keys", keyChecks(), false},
		{"speed", speedChecks(), false},
		{"scroll", scrollChecks(), false},
		{"fit", fitChecks(), false},
	}
}

// TestSheetBench measures every library and writes the tables. TIANBAO_SHEETBENCH
// holds the names of the tables to make, separated by commas, or 1 for all;
// TIANBAO_SHEETBENCH_ONLY the adapters, and then nothing is written.
func TestSheetBench(t *testing.T) {
	which := os.Getenv("TIANBAO_SHEETBENCH")
	if which == "" {
		t.Skip("measures other grids: make bench-grid")
	}
	only := os.Getenv("TIANBAO_SHEETBENCH_ONLY")
	var libs []library
	for _, l := range libraries() {
		if only == "" || strings.Contains(","+only+",", ","+l.adapter+",") {
			libs = append(libs, l)
		}
	}
	screen := os.Getenv("TIANBAO_IME") == "1"
	result := map[string]map[string]string{} // check, library
	version := map[string]string{}
	browser.Life = 90 * time.Minute // slow grids are part of the comparison
	headless := browser.Start(t)
	var window *browser.Browser
	if screen {
		window = browser.StartOnScreen(t)
	}
	engine := ""
	for _, l := range libs {
		version[l.name] = l.version(t)
		b := l.bundle(t)
		url := serve(t, b)
		for _, tab := range tables() {
			if which != "1" && !strings.Contains(","+which+",", ","+tab.name+",") || tab.screen && !screen {
				continue
			}
			open := func(url string) *browser.Page { return headless.Open(t, url) }
			if tab.screen {
				open = func(url string) *browser.Page { return window.OpenOnScreen(t, url) }
			}
			g := &grid{Page: open(url + "/"), lib: l, url: url, zipped: b.zipped, open: open}
			if engine == "" {
				engine = browser.Eval[string](g.Page, `navigator.userAgentData.brands.find((b) => b.brand === "Chromium").version`)
			}
			for _, c := range tab.checks {
				start := time.Now()
				got := g.check(t, c)
				t.Logf("%-22s %-60s %-20s %4.1f s", l.adapter, c.name, got, time.Since(start).Seconds())
				if result[tab.name+c.name] == nil {
					result[tab.name+c.name] = map[string]string{}
				}
				result[tab.name+c.name][l.name] = got
			}
			g.Go("about:blank")
		}
	}
	if only != "" {
		return
	}
	doc, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables() {
		if result[tab.name+tab.checks[0].name] == nil {
			continue
		}
		doc = replace(t, doc, tab.name, tab.markdown(libs, result))
	}
	doc = replace(t, doc, "versions", versions(libs, version, engine))
	if err := os.WriteFile(report, doc, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (tab table) markdown(libs []library, result map[string]map[string]string) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, l := range libs {
		fmt.Fprintf(&b, " %s |", l.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(libs)) + "\n")
	for _, c := range tab.checks {
		fmt.Fprintf(&b, "| %s |", c.name)
		for _, l := range libs {
			fmt.Fprintf(&b, " %s |", strings.NewReplacer("|", "\\|", "\n", " ").Replace(result[tab.name+c.name][l.name]))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func versions(libs []library, version map[string]string, engine string) string {
	var b strings.Builder
	for _, l := range libs {
		if l.module != "" && !strings.Contains(b.String(), l.module+" ") {
			fmt.Fprintf(&b, "%s %s, ", l.module, version[l.name])
		}
	}
	return fmt.Sprintf("Measured with %sin Chromium %s, %s.\n", b.String(), engine, time.Now().Format("2006-01-02"))
}

// replace puts text between the markers of a name.
func replace(t *testing.T, doc []byte, name, text string) []byte {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	re := regexp.MustCompile(regexp.QuoteMeta(begin) + `(?s:.*?)` + regexp.QuoteMeta(end))
	if !re.Match(doc) {
		t.Fatalf("docs/sheet.md has no place for the table %s", name)
	}
	return re.ReplaceAllLiteral(doc, bytes.Join([][]byte{[]byte(begin), []byte(text), []byte(end)}, nil))
}
