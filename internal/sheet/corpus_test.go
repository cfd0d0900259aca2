package sheet

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// corpusDir holds real files from other projects' tests, many of them damaged. It
// is not part of the repository.
const corpusDir = "../../../shared/corpus"

// corpusFiles gives the workbooks of the corpus by name.
func corpusFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(corpusDir, "*", "*"))
	out := make(map[string][]byte)
	for _, f := range files {
		switch strings.ToLower(filepath.Ext(f)) {
		case ".xlsx", ".xlsm", ".xls", ".et", ".csv", ".tsv", ".ods", ".xml", ".html", ".txt", ".xlsb":
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := filepath.Rel(corpusDir, f)
			out[filepath.ToSlash(rel)] = b
		}
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

// TestCorpusCut cuts each workbook of the corpus that can be read: never a success.
func TestCorpusCut(t *testing.T) {
	for name, b := range corpusFiles(t) {
		if !bytes.HasPrefix(b, []byte("PK")) || len(b) > 200_000 {
			continue
		}
		if _, err := dump(b); err != nil {
			continue
		}
		for _, n := range []int{len(b) / 3, len(b) * 2 / 3, len(b) - 1 - len(b)/50} {
			if got, err := dump(b[:n]); err == nil {
				t.Errorf("%s cut at %d of %d: %d bytes of cells", name, n, len(b), len(got))
			}
		}
	}
}

// corpusExceptions lists files whose dump differs from ours for a reason.
var corpusExceptions = map[string]string{
	"poi/duplicate-filename-case-insensitive.xlsx": "two entries of one name: readers differ in which they take, so it is refused",
}

// TestCorpusDumps compares the cells with those on which two independent readers
// agree.
func TestCorpusDumps(t *testing.T) {
	same, all := 0, 0
	for name, b := range corpusFiles(t) {
		if !bytes.HasPrefix(b, []byte("PK")) {
			continue
		}
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
		if strings.HasSuffix(name, ".ods") || strings.HasSuffix(name, ".xlsb") {
			continue
		}
		all++
		got, err := dump(b)
		if err == nil && strings.TrimSpace(got) == strings.TrimSpace(string(want)) {
			same++
			continue
		}
		if why := corpusExceptions[name]; why != "" {
			same++
			continue
		}
		t.Errorf("%s differs (%v): %s", name, err, firstDifference(string(want), got))
	}
	t.Logf("%d of %d equal or explained", same, all)
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

// dump writes one line a cell: sheet from 0, row from 1, column from 0, value.
func dump(b []byte) (string, error) {
	limits := DefaultLimits()
	limits.Columns = maxCol
	bk, err := open(context.Background(), bytes.NewReader(b), int64(len(b)), "x", &limits, &budget{left: limits.Memory}, "")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i := range bk.sheets() {
		_, err := bk.rows(context.Background(), i, func(r *RowData) error {
			for _, c := range r.Cells {
				// The dumps of the two readers were brought to one form: text that
				// looks like a number is one, every line end a line feed.
				v := string(c.Raw)
				if f, err := strconv.ParseFloat(v, 64); err == nil && !strings.HasSuffix(v, ".") {
					v = fmt.Sprintf("%.12g", f)
				} else {
					v = strings.NewReplacer(`\`, `\\`, "\r\n", `\n`, "\n", `\n`, "\t", `\t`, "\r", `\n`).Replace(v)
				}
				fmt.Fprintf(&out, "%d\t%d\t%d\t%s\n", i, r.Num, c.Col, v)
			}
			return nil
		})
		if err != nil {
			return "", blame("dump", err)
		}
	}
	return out.String(), nil
}
