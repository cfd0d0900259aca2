package uitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/browser"
	"tianbao/internal/check"
	"tianbao/internal/form"
)

// engine is the page's rule engine by itself, with what drives it through whole sheets.
const engine = `
import { Rules } from "./rules";
import { Cross } from "./cross";
window.checkAll = (description, raw, day) => {
	const rules = new Rules(description);
	const values = raw.map((row) => row.map((v, c) => rules.normal(c, v)));
	const rows = values.map((v, i) => ({ v, i }));
	const cross = new Cross(rules.form.cross, (r) => r.i, (r, c) => r.v[c]);
	const own = rows.map((r) => rules.row(r.v, day));
	// In another order than the sheet's: how rows came must not matter.
	for (let k = 0; k < rows.length; k++) {
		const r = rows[(k * 7919) % rows.length];
		cross.put(r, own[r.i].map((v) => !!v && v.severity === "error"));
	}
	cross.settle();
	const out = [];
	rows.forEach((r) => {
		const list = own[r.i].map((v, c) => v && { c, v }).filter(Boolean);
		for (const { rule, other } of cross.of(r)) list.push({ c: rule.at < 0 ? 99 : rule.at, v: { ...rule, message: rule.message.replace("{row}", other.i + 1) } });
		list.sort((a, b) => a.c - b.c);
		for (const { c, v } of list) out.push([r.i, c === 99 ? "" : rules.form.fields[c].key, v.code, v.severity, v.message].join("|"));
	});
	return { values, problems: out };
};
// Rows change, go and come back one by one; after each change the verdicts between rows
// are held against those of an index that was made anew.
window.checkSteps = (description, raw, steps, day) => {
	const rules = new Rules(description);
	const bad = (r) => rules.row(r.v, day).map((v) => !!v && v.severity === "error");
	const make = () => new Cross(rules.form.cross, (r) => rows.indexOf(r), (r, c) => r.v[c]);
	const say = (x, r) => x.of(r).map(({ rule, other }) => rule.code + " " + rows.indexOf(other)).join();
	let rows = raw.slice(0, 40).map((row) => ({ v: row.map((v, c) => rules.normal(c, v)) }));
	const cross = make();
	rows.forEach((r) => cross.put(r, bad(r)));
	cross.settle();
	let shown = new Map(rows.map((r) => [r, say(cross, r)]));
	let gone = null, found = 0;
	let seed = 7;
	const random = (n) => ((seed = (seed * 48271) % 2147483647), seed % n);
	for (let i = 0; i < steps; i++) {
		const r = rows[random(rows.length)];
		const before = rows.slice();
		switch (random(6)) {
			case 0:
				if (gone) break;
				gone = { r, at: rows.indexOf(r) };
				rows = rows.filter((x) => x !== r);
				cross.put(r, null);
				break;
			case 1:
				if (!gone) break;
				rows.splice(random(rows.length + 1), 0, gone.r);
				cross.put(gone.r, bad(gone.r));
				shown.delete(gone.r);
				gone = null;
				break;
			case 2:
				rows.splice(random(rows.length), 0, rows.splice(rows.indexOf(r), 1)[0]);
				cross.again();
				break;
			default:
				const from = random(3) ? rows[random(rows.length)].v : raw[random(raw.length)].map((v, c) => rules.normal(c, v));
				const c = [1, 2, 5, 6, 6, 7, 7][random(7)];
				r.v = r.v.map((v, k) => (k === c ? from[c] : v));
				cross.put(r, bad(r));
		}
		const told = cross.settle();
		const fresh = make();
		rows.forEach((x) => fresh.put(x, bad(x)));
		fresh.settle();
		for (const x of rows) {
			const want = say(fresh, x), got = say(cross, x);
			if (want) found++;
			if (got !== want) return "step " + i + " row " + rows.indexOf(x) + ": " + got + ", made anew " + want;
			// A row whose verdict is another one was named.
			if (!told.has(x) && shown.has(x) && cross.of(x).map((y) => y.rule.code).join() !== (shown.get(x) || "").replace(/ \d+/g, "")) return "step " + i + ": a row was not named";
			shown.set(x, got);
		}
	}
	return found > steps ? "" : "only " + found + " verdicts were seen";
};
window.Rules = Rules;
window.Cross = Cross;
`

// enginePage opens a page that has the engine and the rules of the form.
func enginePage(t testing.TB, f *tianbao.Form, rows [][]string) *browser.Page {
	t.Helper()
	dir, err := filepath.Abs("../rules")
	if err != nil {
		t.Fatal(err)
	}
	built := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: engine, ResolveDir: dir, Loader: api.LoaderTS},
		Bundle: true, Format: api.FormatIIFE, Engines: []api.Engine{{Name: api.EngineChrome, Version: "90"}}, LogLevel: api.LogLevelSilent,
	})
	if len(built.Errors) > 0 {
		t.Fatal(built.Errors[0].Text)
	}
	rules, err := check.Describe(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"/":          []byte(`<!doctype html><meta charset="utf-8"><title>rules</title><script src="/engine.js"></script>`),
		"/engine.js": built.OutputFiles[0].Contents, "/rules": rules, "/rows": raw,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		case "/engine.js":
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		}
		if _, err := w.Write(files[r.URL.Path]); err != nil {
			t.Log(err)
		}
	}))
	ends(t, srv)
	p := browser.Start(t).Open(t, srv.URL+"/")
	p.Do(`
		window.description = await (await fetch("/rules")).json();
		window.raw = await (await fetch("/rows")).json();
	`)
	return p
}

func assetRole(t testing.TB) *tianbao.Form {
	t.Helper()
	forms, err := form.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return forms.Latest("asset-role")
}

// The page and the server come to the same verdict on 10,000 rows: the same normal
// forms, codes, severities and sentences, in the same order. So they do for a form that
// lists other rules: what is not asked for is not found, and the next fault is.
func TestParity(t *testing.T) {
	whole := assetRole(t)
	some := *whole
	some.Fields = slices.Clone(whole.Fields)
	for i, drop := range [][]string{{"float"}, {"required"}, {"length", "checksum"}, {"required"}, {"charset"}, {"length"}, {"length", "old15", "precision_lost", "checksum"}, {"landline"}} {
		f := &some.Fields[i]
		f.Rules = maps.Clone(f.Rules)
		for _, rule := range drop {
			delete(f.Rules, rule)
		}
	}
	t.Run("the published form", func(t *testing.T) {
		p, seen := parity(t, whole, 10000)
		// Rows that show nothing prove nothing: every rule of the form was broken.
		for _, f := range whole.Fields {
			for rule := range f.Rules {
				code := f.Key + "." + rule
				if rule == "required" {
					code = rule
				}
				if seen[code] == 0 && code != "budget_code.leading_zeros" { // the register's
					t.Errorf("no row breaks %s", code)
				}
			}
		}
		for _, r := range whole.CrossRules {
			if seen[r.Code] == 0 {
				t.Errorf("no row breaks %s", r.Code)
			}
		}
		// Half a character, which JSON cannot carry here but a page can send.
		if got := browser.Eval[string](p, `new Rules(description).normal(0, "a\ud800")`); got != "A\uFFFD" {
			t.Errorf("normal form of half a character is %q", got)
		}
		if got := browser.Eval[string](p, `checkSteps(description, raw, 1500, "20260930")`); got != "" {
			t.Errorf("row by row: %s", got)
		}
	})
	t.Run("fewer rules", func(t *testing.T) { parity(t, &some, 3000) })
}

// parity checks rows on both sides. It returns the page, and how often each code came.
func parity(t *testing.T, f *tianbao.Form, count int) (*browser.Page, map[string]int) {
	t.Helper()
	today := time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)
	c, err := check.New(f, func() time.Time { return today })
	if err != nil {
		t.Fatal(err)
	}
	raw := fuzzedRows(rand.New(rand.NewPCG(2022, 9)), count)
	p := enginePage(t, f, raw)
	got := browser.Eval[struct {
		Values   [][]string
		Problems []string
	}](p, `checkAll(description, raw, "20260930")`)

	rows := make([]tianbao.Row, count)
	for i, cells := range raw {
		rows[i].Values = make(tianbao.Values, len(cells))
		for k, v := range cells {
			rows[i].Values[k] = c.Normalize(k, v)
			if got.Values[i][k] != rows[i].Values[k] {
				t.Errorf("row %d %s: normal form of %q is %q, the page says %q", i, f.Fields[k].Key, v, rows[i].Values[k], got.Values[i][k])
			}
		}
	}
	var want []string
	seen := make(map[string]int)
	for _, x := range c.Rows(rows) {
		want = append(want, fmt.Sprintf("%d|%s|%s|%s|%s", x.Row, x.Field, x.Code, x.Severity, x.Message))
		seen[x.Code]++
	}
	if d := cmp.Diff(want, got.Problems); d != "" {
		t.Errorf("server - page +\n%.6000s", d)
	}
	return p, seen
}

// The engine alone: a row's own rules, and a whole sheet of 10,000 clean rows with the
// rules between them.
func BenchmarkEngine(b *testing.B) {
	rows := make([][]string, 10000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range rows {
		rows[i] = []string{"101001", "示例市水利局", creditCode(r), "行政单位", "user", "王小明", residentID(r), fmt.Sprintf("160%08d", i)}
	}
	p := enginePage(b, assetRole(b), rows)
	p.Do(`
		window.rules = new Rules(description);
		window.run = () => {
			const t0 = performance.now();
			const values = raw.map((row) => row.map((v, c) => rules.normal(c, v)));
			const own = values.map((v) => rules.row(v, "20260930"));
			const t1 = performance.now();
			const cross = new Cross(rules.form.cross, (r) => r.i, (r, c) => r.v[c]);
			const rows = values.map((v, i) => ({ v, i }));
			rows.forEach((r) => cross.put(r, own[r.i].map((v) => !!v && v.severity === "error")));
			cross.settle();
			const t2 = performance.now();
			for (const r of rows.slice(0, 1000)) {
				cross.put(r, [false, false, false, false, false, false, true, false]);
				cross.settle();
			}
			return [t1 - t0, t2 - t1, performance.now() - t2];
		};
		run();
	`)
	var own, between, edit float64
	for b.Loop() {
		ms := browser.Eval[[]float64](p, `run()`)
		own, between, edit = own+ms[0], between+ms[1], edit+ms[2]
	}
	n := float64(b.N)
	b.ReportMetric(own/n*1000/10000, "µs/row")
	b.ReportMetric((own+between)/n, "ms/10000rows")
	b.ReportMetric(edit/n*1000/1000, "µs/edit-between")
}
