package storetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/store"
	"tianbao/internal/storetest"
)

// sqlTexts finds the constants sqlXxx of the store by reading its source, so that
// none can be forgotten.
func sqlTexts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../store/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source: %v", err)
	}
	exprs := make(map[string]ast.Expr)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i, name := range v.Names {
					if i < len(v.Values) {
						exprs[name.Name] = v.Values[i]
					}
				}
			}
			return true
		})
	}
	var text func(e ast.Expr) string
	text = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.BasicLit:
			s, err := strconv.Unquote(e.Value)
			if err != nil {
				t.Fatal(err)
			}
			return s
		case *ast.BinaryExpr:
			return text(e.X) + text(e.Y)
		case *ast.Ident:
			return text(exprs[e.Name])
		}
		t.Fatalf("a text is built by a %T, which this test cannot read", e)
		return ""
	}
	texts := make(map[string]string)
	for name, e := range exprs {
		if strings.HasPrefix(name, "sql") {
			texts[name] = text(e)
		}
	}
	return texts
}

// fill puts ranges and lists where the store puts them.
func fill(text string) string {
	last := 0
	for _, m := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		last = max(last, n)
	}
	next := func() string {
		last++
		return "$" + strconv.Itoa(last)
	}
	// Only what is there takes numbers: PostgreSQL wants every parameter used.
	put := func(mark string, fragment func() string) {
		if strings.Contains(text, mark) {
			text = strings.ReplaceAll(text, mark, fragment())
		}
	}
	put("IN LIST", func() string { return "IN (" + next() + "," + next() + ")" })
	put("SCOPE(u.path)", func() string { return "(u.path >= " + next() + " AND u.path < " + next() + ")" })
	put("SCAN(u.path)", func() string { return "(u.path || '' >= " + next() + " AND u.path || '' < " + next() + ")" })
	put("PLACES(w)", func() string { return "(w.report_id = " + next() + " AND w.row_id = " + next() + ")" })
	return text
}

func TestEveryStatementPrepares(t *testing.T) {
	texts := sqlTexts(t)
	if len(texts) < 60 {
		t.Fatalf("only %d texts found", len(texts))
	}
	storetest.Engines(t, func(t *testing.T, s *store.Store) {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := s.DB().Prepares(t.Context(), fill(texts[name])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The portable subset, as far as it can be seen in a text.
func TestStatementsArePortable(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)\b(now\(|ilike|any\(|for update|lateral|merge into|on conflict|returning|nextval|::|greatest|json|using \()|\?`)
	for name, text := range sqlTexts(t) {
		if m := forbidden.FindString(text); m != "" {
			t.Errorf("%s uses %q", name, m)
		}
	}
	files, err := filepath.Glob("../store/migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	schema := regexp.MustCompile(`(?i)\b(serial|identity|references|trigger|timestamp|jsonb?|varchar|autoincrement|default now)\b`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b = regexp.MustCompile(`--.*`).ReplaceAll(b, nil)
		if m := schema.Find(b); m != nil {
			t.Errorf("%s uses %q", f, m)
		}
	}
}

// What every draft that is begun asks does not go through all drafts of the province.
func TestOldDraftsByTheirTime(t *testing.T) {
	s := storetest.OpenSQLite(t)
	var plan string
	var skip [3]int64
	err := s.DB().One(t.Context(), []any{&skip[0], &skip[1], &skip[2], &plan}, "EXPLAIN QUERY PLAN "+sqlTexts(t)["sqlOldDrafts"], 1)
	if err != nil || !strings.Contains(plan, "draft_at") {
		t.Errorf("%s, %v", plan, err)
	}
}

// Who is looked for by an id is looked for within a scope that may be the whole province, and
// costs the same in each: a plan that is kept knows no scope, and PostgreSQL would read
// all units of it where the register is small.
func TestPersonByIDReadsNoScope(t *testing.T) {
	s := storetest.OpenPostgres(t)
	units := make([]tianbao.Unit, 300)
	for i := range units {
		units[i] = tianbao.Unit{ID: tianbao.ID(i + 1), Name: "单位" + strconv.Itoa(i), BudgetCode: strconv.Itoa(100_000 + i), Kind: "unit"}
	}
	if err := s.PutUnits(t.Context(), units...); err != nil {
		t.Fatal(err)
	}
	var plan []string
	err := s.DB().Tx(t.Context(), func(tx db.Tx) (err error) {
		for _, text := range []string{"ANALYZE", "PREPARE found AS " + fill(sqlTexts(t)["sqlFindByKey"])} {
			if _, err := tx.Exec(t.Context(), text); err != nil {
				return err
			}
		}
		plan, err = db.Collect(t.Context(), tx, func(scan db.Scan) (line string, err error) {
			err = scan(&line)
			return line, err
		}, "EXPLAIN EXECUTE found('/', '/~', 1, 1)")
		return err
	})
	if all := strings.Join(plan, "\n"); err != nil || all == "" || strings.Contains(all, "unit_path") {
		t.Errorf("%v\n%s", err, all)
	}
}
