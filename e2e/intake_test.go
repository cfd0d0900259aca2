package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// drop puts a file into the folder as a copy program does: slowly, under its name.
func drop(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// answer waits for a file to appear and returns its text.
func answer(t *testing.T, path string) string {
	t.Helper()
	for range 1500 {
		if b, err := os.ReadFile(path); err == nil {
			return string(b)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no %s", filepath.Base(path))
	return ""
}

// Workbooks put into the folder go through the same door: a receipt, a marked copy
// or a note beside each, the rows saved once also over a kill, nothing reported.
func TestIntakeFolder(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		dir := t.TempDir()
		s := startDemo(t, db, "--intake", dir)
		c := s.client(t, "unit")
		rep := c.ownReport()
		c.save(rep.ID, 0, inserts(0, 2))
		book := c.export(rep.ID)
		var list struct{ Reports []reportJSON }
		s.client(t, "city").must("GET", "/reports?campaign="+campaign+"&q=第二示范小学", nil, &list)
		code := "501001002" // its budget code

		// A file that came from a report goes home to it.
		home := editBook(t, book, func(f *excelize.File, sheet string, row func(int) int) { set(t, f, sheet, row(1), "G", "带回家") })
		drop(t, filepath.Join(dir, "带回.xlsx"), home)
		if text := answer(t, filepath.Join(dir, "带回.xlsx.回执.txt")); !strings.Contains(text, "回执编号：TB") {
			t.Errorf("receipt: %s", text)
		}
		if got := c.sheet(rep.ID).Rows[0].Values[5]; got != "带回家" {
			t.Errorf("the name is %q", got)
		}

		// A foreign file in a folder named after a unit is that unit's; its faults are marked.
		faulty := editBook(t, bigBook(t, 3), func(f *excelize.File, sheet string, row func(int) int) {
			set(t, f, sheet, row(2), "I", "12")
			for i := range 3 { // the folder's unit
				set(t, f, sheet, row(i+1), "B", code)
				set(t, f, sheet, row(i+1), "C", "锦州市第二示范小学")
				set(t, f, sheet, row(i+1), "D", orgCode(900104))
			}
		})
		drop(t, filepath.Join(dir, code, "名单.xlsx"), faulty)
		text := answer(t, filepath.Join(dir, code, "名单.xlsx.回执.txt"))
		if !strings.Contains(text, "1 处错误") || !strings.Contains(text, "锦州市第二示范小学") {
			t.Errorf("receipt: %s", text)
		}
		if _, err := excelize.OpenFile(filepath.Join(dir, code, "名单-批注.xlsx")); err != nil {
			t.Errorf("marked copy: %v", err)
		}
		second := s.client(t, "city").open(list.Reports[0].Owner)
		if second.Rows != 3 || second.State != "draft" {
			t.Errorf("the unit's report: %d rows, %s; want 3, draft", second.Rows, second.State)
		}

		// Nobody's file, and no workbook at all, wait with a note.
		drop(t, filepath.Join(dir, "谁的.xlsx"), editBook(t, bigBook(t, 3), func(f *excelize.File, sheet string, row func(int) int) {
			set(t, f, sheet, row(2), "B", "")
			set(t, f, sheet, row(2), "C", "没有登记的单位")
			set(t, f, sheet, row(2), "D", orgCode(1))
		}))
		if text := answer(t, filepath.Join(dir, "谁的.xlsx.说明.txt")); !strings.Contains(text, "看不出这份文件属于哪个单位") {
			t.Errorf("note: %s", text)
		}
		drop(t, filepath.Join(dir, "坏的.xlsx"), []byte("PK\x03\x04 cut"))
		answer(t, filepath.Join(dir, "坏的.xlsx.说明.txt"))

		// Killed and started again: what was answered is not taken again, and a file
		// that was saved but not answered is saved once.
		s.kill()
		for _, f := range []string{filepath.Join(code, "名单.xlsx.回执.txt"), filepath.Join(code, "名单-批注.xlsx")} {
			if err := os.Remove(filepath.Join(dir, f)); err != nil {
				t.Fatal(err)
			}
		}
		s.start(t)
		answer(t, filepath.Join(dir, code, "名单.xlsx.回执.txt"))
		city := s.client(t, "city")
		if got := city.sheet(second.ID).Report; got.Rows != 3 || got.Version != second.Version {
			t.Errorf("after the restart %d rows at version %d, want 3 at %d", got.Rows, got.Version, second.Version)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "带回.xlsx")); err != nil || !bytes.Equal(b, home) {
			t.Error("the original was changed")
		}
	})
}
