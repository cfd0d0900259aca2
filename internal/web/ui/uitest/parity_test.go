package uitest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
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
window.Rules = Rules;
window.Cross = Cross;
`

// enginePage opens a page that has the engine and the rules of the form.
func enginePage(t testing.TB, rows [][]string) *browser.Page {
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
	rules, err := check.Describe(assetRole(t))
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
	t.Cleanup(srv.Close)
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
// forms, codes, severities and sentences, in the same order.
func TestParity(t *testing.T) {
	const count = 10000
	today := time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)
	c, err := check.New(assetRole(t), func() time.Time { return today })
	if err != nil {
		t.Fatal(err)
	}
	raw := fuzzedRows(rand.New(rand.NewPCG(2022, 9)), count)
	p := enginePage(t, raw)
	got := browser.Eval[struct {
		Values   [][]string
		Problems []string
	}](p, `checkAll(description, raw, "20260930")`)

	rows := make([]tianbao.Row, count)
	differences := 0
	for i, cells := range raw {
		rows[i].Values = make(tianbao.Values, len(cells))
		for k, v := range cells {
			rows[i].Values[k] = c.Normalize(k, v)
			if got.Values[i][k] != rows[i].Values[k] && differences < 20 {
				differences++
				t.Errorf("row %d %s: normal form of %q is %q, the page says %q", i, c.Form().Fields[k].Key, v, rows[i].Values[k], got.Values[i][k])
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
	// Rows that show nothing prove nothing: every rule of the form was broken.
	for _, f := range c.Form().Fields {
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
	for _, r := range c.Form().CrossRules {
		if seen[r.Code] == 0 {
			t.Errorf("no row breaks %s", r.Code)
		}
	}
	t.Logf("%d problems of %d codes", len(want), len(seen))

	// Half a character, which JSON cannot carry here but a page can send.
	if got := browser.Eval[string](p, `new Rules(description).normal(0, "a\ud800")`); got != "A\uFFFD" {
		t.Errorf("normal form of half a character is %q", got)
	}
}
