package app

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao/internal/sheet"
)

// copySamples puts samples into a directory under other names.
func copySamples(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, sample := range files {
		b, err := os.ReadFile(samples + sample)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// noInput is a command's surroundings without environment and standard input.
func noInput(stdout, stderr io.Writer) env {
	return env{func(string) string { return "" }, strings.NewReader(""), stdout, stderr}
}

func runMerge(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = merge(context.Background(), noInput(&out, &errs), args)
	return code, out.String(), errs.String()
}

// TestMerge joins a directory: rows of all files in order, renumbered, each with its
// source; doubles across files are found, unreadable files are named.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	copySamples(t, dir, map[string]string{
		"甲.xlsx": "s01-clean.xlsx", "下级/乙.csv": "s09-utf8.csv", "丙.xlsx": "s01-clean.xlsx", "坏.xlsx": "s16-truncated.xlsx",
		"~$甲.xlsx": "s01-clean.xlsx", "通知.pdf": "s16-empty.xlsx",
	})
	out := filepath.Join(dir, "汇总.xlsx")
	code, report, errs := runMerge(t, dir, "-o", out)
	if code != exitUnreadable || !strings.Contains(errs, "坏.xlsx：") || !strings.Contains(errs, "另有 2 个文件不是表格") || strings.Contains(errs, "\r") {
		t.Errorf("exit %d: %s%s", code, report, errs)
	}
	if !strings.Contains(report, "3 个文件") {
		t.Errorf("report %s", report)
	}
	c, err := newChecker()
	if err != nil {
		t.Fatal(err)
	}
	imp, err := readWorkbook(t.Context(), out, c, sheet.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for i := range imp.Rows {
		if r := &imp.Rows[i]; r.Row.Seq != i+1 {
			t.Errorf("row %d has the number %d", i+1, r.Row.Seq)
		}
		sources = append(sources, strings.Join(imp.Rows[i].Unknown, ":"))
	}
	if len(imp.Unknown) > 0 { // a reader that keeps unknown columns
		if d := cmp.Diff([]string{sourceTitle, lineTitle}, imp.Unknown); d != "" {
			t.Errorf("columns (-want +got):\n%s", d)
		}
		if sources[0] != "下级/乙.csv:2" || !strings.HasPrefix(sources[len(sources)-1], "甲.xlsx:") {
			t.Errorf("sources %q", sources)
		}
	}
	// The two copies of one file make each of its rows a double.
	doubles := 0
	for _, p := range c.Imported(imp) {
		if p.Code == "row.duplicate" {
			doubles++
		}
	}
	if doubles < 4 {
		t.Errorf("%d doubles", doubles)
	}
	// Merging again passes the result over, and gives the same.
	first, _ := os.ReadFile(out)
	if code, _, _ := runMerge(t, "-o", out, dir); code != exitUnreadable {
		t.Errorf("again: exit %d", code)
	}
	if second, _ := os.ReadFile(out); !bytes.Equal(first, second) {
		t.Error("merging again gave another file")
	}
}

func TestMergeExitCodes(t *testing.T) {
	dir := t.TempDir()
	good, bad, broken := samples+"s01-clean.xlsx", samples+"s13-duplicates.xlsx", samples+"s16-truncated.xlsx"
	out := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name    string
		args    []string
		code    int
		says    string
		written string
	}{
		{"clean", []string{"-o", out("a.xlsx"), good}, 0, "1 个文件，4 行", "a.xlsx"},
		{"faulty", []string{"-o", out("b.xlsx"), good, bad}, 1, "2 个文件", "b.xlsx"},
		{"unreadable", []string{"-o", out("c.xlsx"), good, broken}, 2, "1 个文件", "c.xlsx"},
		{"nothing readable", []string{"-o", out("d.xlsx"), broken}, 2, "没有可以合并的文件", ""},
		{"missing", []string{"-o", out("e.xlsx"), out("none.xlsx")}, 2, "没有这个文件", ""},
		{"onto an input", []string{"-o", out("a.xlsx"), out("a.xlsx")}, 2, "既是来源又是要写的文件", "a.xlsx"},
		{"no output", []string{good}, 2, "用法", ""},
		{"no file", []string{"-o", out("f.xlsx")}, 2, "用法", ""},
		{"impossible place", []string{"-o", filepath.Join(good, "x.xlsx"), good}, 2, "写不了", ""},
		{"help", []string{"-h"}, 0, "用法", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, report, errs := runMerge(t, tt.args...)
			if code != tt.code || !strings.Contains(report+errs, tt.says) {
				t.Errorf("exit %d, want %d: %s%s", code, tt.code, report, errs)
			}
			if tt.written != "" {
				if _, err := os.Stat(out(tt.written)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := merge(ctx, noInput(&stdout, &stderr), []string{"-o", out("g.xlsx"), good}); code != 2 || !strings.Contains(stderr.String(), "已中断") {
		t.Errorf("interrupted: exit %d %s", code, stderr.String())
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".tianbao-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestDataPackageCommand(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := dataPackage(context.Background(), noInput(&out, &errs), args)
		return code, out.String() + errs.String()
	}
	good, bad, broken := samples+"s01-clean.xlsx", samples+"s13-duplicates.xlsx", samples+"s16-truncated.xlsx"
	target := filepath.Join(dir, "包")
	if code, says := run("-o", target, good); code != 0 || !strings.Contains(says, "4 行") {
		t.Errorf("exit %d: %s", code, says)
	}
	data, err := os.ReadFile(filepath.Join(target, "data.csv"))
	if err != nil || strings.Count(string(data), "\r\n") != 5 {
		t.Errorf("%v: %d lines", err, strings.Count(string(data), "\r\n"))
	}
	archive := filepath.Join(dir, "包.zip")
	if code, says := run(good, "-o", archive); code != 0 {
		t.Errorf("exit %d: %s", code, says)
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, name := range []string{"data.csv", "schema.json", "datapackage.json"} {
		inZip, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := io.ReadAll(inZip)
		b, _ := os.ReadFile(filepath.Join(target, name))
		if !bytes.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s differs between directory and archive", name)
		}
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
	}{
		{"faulty", []string{"-o", archive, bad}, 1},
		{"unreadable", []string{"-o", archive, broken}, 2},
		{"no output", []string{good}, 2},
		{"help", []string{"-h"}, 0},
		{"impossible place", []string{"-o", filepath.Join(good, "x"), good}, 2},
	} {
		if code, says := run(tt.args...); code != tt.code {
			t.Errorf("%s: exit %d, want %d: %s", tt.name, code, tt.code, says)
		}
	}
}
