package sheet

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// corpusDir holds real files from other projects' tests, many of them damaged. It
// is not part of the repository.
const corpusDir = "../../../shared/corpus"

// corpusFiles gives the workbooks of the corpus by name.
func corpusFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(corpusDir, "*", "*"))
	out := make(map[string][]byte)
	for _, f := range files {
		if strings.HasSuffix(f, ".gz") {
			continue // the dumps to compare with
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(corpusDir, f)
		out[filepath.ToSlash(rel)] = b
	}
	if len(out) == 0 {
		t.Skip("no corpus of strangers' workbooks beside the checkout")
	}
	return out
}

// TestCorpus reads every file: rows or one clear refusal, in time, without a panic.
func TestCorpus(t *testing.T) {
	c := newChecker(t)
	codes := make(map[string]int)
	for name, b := range corpusFiles(t) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := Read(ctx, bytes.NewReader(b), int64(len(b)), name, c, ReadOptions{})
		if ctx.Err() != nil {
			t.Errorf("%s: not done in time", name)
		}
		cancel()
		if err == nil {
			codes["rows"]++
			continue
		}
		codes[codeOf(t, err)]++
	}
	t.Log(codes)
}

// TestCorpusCut cuts each workbook of the corpus that can be read: never a success,
// but for text without a mark of its end.
func TestCorpusCut(t *testing.T) {
	for name, b := range corpusFiles(t) {
		if len(b) > 200_000 {
			continue
		}
		whole, err := dump(b)
		if err != nil || whole == "" || isText(b) {
			continue
		}
		for _, n := range []int{len(b) / 3, len(b) * 2 / 3, len(b) - 1 - len(b)/50} {
			got, err := dump(b[:n])
			// What follows the workbook in a compound file may be missing.
			if err == nil && got != whole {
				t.Errorf("%s cut at %d of %d: %d bytes of cells", name, n, len(b), len(got))
			}
		}
	}
}

func isText(b []byte) bool {
	return !bytes.HasPrefix(b, []byte("PK")) && !bytes.HasPrefix(b, []byte("\xD0\xCF")) && !bytes.Contains(b[:min(len(b), 512)], []byte("<"))
}

// corpusExceptions lists files whose dump differs from ours for a reason.
var corpusExceptions = map[string]string{
	"poi/duplicate-filename-case-insensitive.xlsx": "two entries of one name: readers differ in which they take, so it is refused",
}

// TestCorpusDumps compares the cells with those on which two independent readers
// agree.
func TestCorpusDumps(t *testing.T) {
	same, explained, all := 0, 0, 0
	for name, b := range corpusFiles(t) {
		f, err := os.Open(filepath.Join(corpusDir, "expected", strings.ReplaceAll(name, "/", "__")+".tsv.gz"))
		if err != nil {
			continue
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(z)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all++
		got, err := dump(b)
		switch {
		case err == nil && strings.TrimSpace(got) == strings.TrimSpace(string(want)):
			same++
			if corpusExceptions[name] != "" {
				t.Errorf("%s is equal and need not be explained", name)
			}
		case corpusExceptions[name] != "":
			explained++
		default:
			t.Errorf("%s differs (%v): %s", name, err, firstDifference(string(want), got))
		}
	}
	t.Logf("%d of %d equal, %d explained", same, all, explained)
}

// TestCorpusPasswords opens binary workbooks with their passwords, and not without.
func TestCorpusPasswords(t *testing.T) {
	files := corpusFiles(t)
	for _, tt := range []struct{ name, password, first string }{
		{"poi/35897-type4.xls", "freedom", "hello there!"}, // RC4 of 1997
		{"phpspreadsheet/pwtest2.xls", "pwtest2", "test2"},
		{"sheetjs/password_2002_128_enhrsa.xls", "password", "1"}, // RC4 of CryptoAPI
		{"phpspreadsheet/pwtest3.xls", "", "x"},                   // structure alone is protected
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, ok := files[tt.name]
			if !ok {
				t.Skip("not in this corpus")
			}
			with := func(password string) (string, error) {
				var out strings.Builder
				err := Dump(context.Background(), &out, bytes.NewReader(b), int64(len(b)), "x", DumpOptions{Password: password})
				return out.String(), err
			}
			got, err := with(tt.password)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(got, "\n"); !strings.HasSuffix(first, "\t"+tt.first) {
				t.Errorf("first cell %q", first)
			}
			if tt.password == "" {
				return
			}
			if _, err := with(""); codeOf(t, err) != "encrypted" {
				t.Errorf("without: %v", err)
			}
			if _, err := with("wrong"); codeOf(t, err) != "bad_password" {
				t.Errorf("wrong: %v", err)
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: want %.80q, got %.80q", i+1, a, b)
		}
	}
	return ""
}

func dump(b []byte) (string, error) {
	var out strings.Builder
	err := Dump(context.Background(), &out, bytes.NewReader(b), int64(len(b)), "x", DumpOptions{})
	return out.String(), err
}
