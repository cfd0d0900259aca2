package app

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/sheet"
)

// unzipped reads a whole file, by name.
func unzipped(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if !filepath.IsLocal(f.Name) {
			t.Errorf("the name %q leads out of the folder", f.Name)
		}
	}
	return out
}

// Everything is there, once and readable; without --clear nothing that is sealed, with it
// all of it, and that is on the trail.
func TestExportAll(t *testing.T) {
	data := filled(t)
	log := slog.New(slog.DiscardHandler)
	p := place{data: data, alg: "sm4-gcm"}
	in, err := p.open(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close(log)
	err = in.db.Tx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO attachment (notice_id, id, pos, name, type, size, data) VALUES (1, 9001, 1, '..\..\a/../通知.txt', 'text/plain', 2, CAST('ok' AS BLOB))`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(code int, want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		got := Run(t.Context(), append([]string{"export-all", "--data", data}, args...), func(string) string { return "" }, strings.NewReader(""), &out, &out)
		if got != code || !strings.Contains(out.String(), want) {
			t.Errorf("%v: exit %d, %s", args, got, out.String())
		}
	}
	masked, clear := filepath.Join(dir, "masked.zip"), filepath.Join(dir, "clear.zip")
	run(2, "用法")
	run(1, "说明用途", "-o", clear, "--clear")
	run(0, "已导出到", "-o", masked)
	run(1, "已经存在", "-o", masked)
	run(0, "明文", "-o", clear, "--clear", "--reason", "移交给新系统")
	if info, err := os.Stat(clear); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	// What is sealed of the rows.
	var secrets []string
	reports, err := in.store.Filed(t.Context(), tianbao.Scope{Paths: []string{"/"}}, 100)
	if err != nil || len(reports) == 0 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	rows := 0
	for i := range reports {
		f, err := in.form(reports[i].Form, reports[i].FormV)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.store.EachRow(t.Context(), tianbao.Scope{Paths: []string{"/"}}, reports[i].ID, func(row *tianbao.Row) error {
			rows++
			for k := range f.Fields {
				if f.Fields[k].Sealed && len(row.Values[k]) >= 11 {
					secrets = append(secrets, row.Values[k])
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(secrets) < 50 {
		t.Fatalf("only %d sealed values", len(secrets))
	}
	for file, whole := range map[string]bool{masked: false, clear: true} {
		all := unzipped(t, file)
		told := all["tables/report_row.jsonl"]
		for _, secret := range secrets {
			if bytes.Contains(told, []byte(secret)) != whole {
				t.Fatalf("%s: a sealed value is there: %t", filepath.Base(file), !whole)
			}
			for name, b := range all {
				if !whole && bytes.Contains(b, []byte(secret)) {
					t.Fatalf("a sealed value is in %s", name)
				}
			}
		}
		sets := all["tables/change_set.jsonl"]
		if n := bytes.Count(sets, []byte(`"delta":{"c":[{"o":`)); whole != (n > 0 && n == bytes.Count(sets, []byte("\n"))) {
			t.Errorf("%s: %d saves with what they changed", filepath.Base(file), n)
		}
		holdTables(t, in, all)
		book := all["workbooks/100-采集.xlsx"]
		c, err := in.checker("asset-role", 1)
		if err != nil {
			t.Fatal(err)
		}
		imp, err := sheet.Read(t.Context(), bytes.NewReader(book), int64(len(book)), "采集.xlsx", c, sheet.ReadOptions{})
		if err != nil || len(imp.Rows) != rows {
			t.Errorf("the workbook: %v, want %d rows", err, rows)
		}
		if string(all["files/notices/9001-通知.txt"]) != "ok" {
			t.Error("the attachment is not there")
		}
	}
	var out bytes.Buffer
	if code := Run(t.Context(), []string{"audit", "export", "--data", data}, func(string) string { return "" }, strings.NewReader(""), &out, &out); code != 0 || strings.Count(out.String(), "export.all") != 2 {
		t.Errorf("exit %d, the trail has the exports %d times", code, strings.Count(out.String(), "export.all"))
	}
}

// holdTables holds the lines against the tables: each is there with all its rows, or named
// as left out.
func holdTables(t *testing.T, in *installation, all map[string][]byte) {
	t.Helper()
	var m struct {
		Rows map[string]int64
		Left []string `json:"left_out"`
	}
	if err := json.Unmarshal(all["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	left := " " + strings.Join(m.Left, " ") + " "
	for table := range columnsOf(t, in.db) {
		lines := all["tables/"+table+".jsonl"]
		if strings.Contains(left, " "+table+" ") {
			if lines != nil {
				t.Errorf("%s is left out and there", table)
			}
			continue
		}
		var n int64
		if err := in.db.One(t.Context(), []any{&n}, "SELECT COUNT(*) FROM "+table); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(table, "trail") { // the exports themselves came after
			n = m.Rows[table]
		}
		dec := json.NewDecoder(bytes.NewReader(lines))
		got := int64(0)
		for dec.More() {
			var line map[string]any
			if err := dec.Decode(&line); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			for _, secret := range []string{"hash", "k", "look_keys", "login_key", "mac"} {
				if _, there := line[secret]; there && table != "trail" && table != "trail_lane" && table != "trail_base" {
					t.Errorf("%s.%s went out", table, secret)
				}
			}
			got++
		}
		if got != n || m.Rows[table] != n {
			t.Errorf("%s: %d lines, %d told, want %d", table, got, m.Rows[table], n)
		}
	}
}

func TestTame(t *testing.T) {
	long := strings.Repeat("长", 100) + ".xlsx"
	for name, want := range map[string]string{
		"通知.docx": "通知.docx", "../../etc/passwd": "passwd", `C:\x\y.txt`: "y.txt", "": "_", "..": "_", "a\nb\x00c": "a_b_c", `q?"<>|*`: "q______",
		"\u202etxt.exe": "_txt.exe", " .hidden. ": "hidden", "a/": "a",
	} {
		if got := tame(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := tame(long); len([]rune(got)) != 80 || !strings.HasSuffix(got, ".xlsx") {
		t.Errorf("a long name becomes %q", got)
	}
}
