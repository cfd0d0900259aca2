package sheet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tianbao"
)

// absent skips a test of a program that is not there, or fails it where all must be.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("TIANBAO_TEST_ALL") == "1" {
		t.Fatalf("TIANBAO_TEST_ALL is set and %s is not installed", what)
	}
	t.Skipf("%s is not installed; set TIANBAO_TEST_ALL=1 where it must be", what)
}

// matrixRows are the rows that every program is given; plain ones fit into GB 18030.
func matrixRows(t *testing.T, plain bool) []tianbao.Row {
	if plain {
		return people(50)
	}
	return oracleRows(t)
}

// job is one file for the writers in tools.
type job struct {
	Program string  `json:"program"`
	Format  string  `json:"format"`
	File    string  `json:"file"`
	Rows    [][]any `json:"rows"`
	rows    []tianbao.Row
}

func newJob(t *testing.T, program, format, ending string, plain bool) job {
	t.Helper()
	rows := matrixRows(t, plain)
	j := job{program, format, filepath.Join(t.TempDir(), format+"."+ending), [][]any{{}}, rows}
	for _, s := range titles {
		j.Rows[0] = append(j.Rows[0], s)
	}
	for _, r := range rows {
		line := []any{r.Seq}
		for _, v := range r.Values {
			if v == "" {
				line = append(line, nil)
			} else {
				line = append(line, v)
			}
		}
		j.Rows = append(j.Rows, line)
	}
	return j
}

// runJobs gives the jobs to one process, which costs more to start than they do,
// and reads what it wrote.
func runJobs(t *testing.T, jobs []job, name string, args ...string) {
	t.Helper()
	in, err := json.Marshal(map[string]any{"jobs": jobs})
	if err != nil {
		t.Fatal(err)
	}
	run(t, in, name, args...)
	for _, j := range jobs {
		t.Run(j.Program+"/"+j.Format, func(t *testing.T) { mustReadSame(t, j.File, j.rows) })
	}
}

func run(t *testing.T, stdin []byte, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	// Gnumeric takes from it the code page of BIFF5.
	cmd.Env = append(os.Environ(), "WINDOWS_LANGUAGE=zh_CN")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, msg)
	}
}

// mustReadSame reads a file that a program wrote.
func mustReadSame(t *testing.T, file string, rows []tianbao.Row) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	imp, err := readBytes(t, newChecker(t), b, filepath.Base(file))
	if err != nil {
		t.Fatal(err, messageOf(err))
	}
	compareRows(t, rows, imp)
}

// TestNodePrograms reads what SheetJS and exceljs write of one table.
func TestNodePrograms(t *testing.T) {
	tools := filepath.Join("..", "..", "tools", "node")
	node, err := exec.LookPath("node")
	if err != nil {
		absent(t, "node")
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "exceljs")); errors.Is(err, fs.ErrNotExist) {
		absent(t, "exceljs (npm ci --prefix tools/node)")
	}
	runJobs(t, []job{
		newJob(t, "sheetjs", "xlsx", "xlsx", false),
		newJob(t, "sheetjs", "xlsm", "xlsm", false),
		newJob(t, "sheetjs", "xls", "xls", false),
		newJob(t, "sheetjs", "ods", "ods", false),
		newJob(t, "sheetjs", "fods", "fods", false),
		newJob(t, "sheetjs", "html", "xls", true), // it does not escape quotes in attributes
		newJob(t, "sheetjs", "xlml", "xls", false),
		newJob(t, "sheetjs", "csv", "csv", false),
		newJob(t, "sheetjs", "txt", "txt", false), // UTF-16 with tabs
		newJob(t, "exceljs", "xlsx", "xlsx", false),
		newJob(t, "exceljs", "shared", "xlsx", false),
		newJob(t, "exceljs", "csv", "csv", false),
	}, node, filepath.Join(tools, "write.mjs"))
}

// TestOpenpyxl reads what openpyxl writes of one table.
func TestOpenpyxl(t *testing.T) {
	python := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import openpyxl").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		absent(t, "openpyxl")
	}
	runJobs(t, []job{newJob(t, "openpyxl", "xlsx", "xlsx", false), newJob(t, "openpyxl", "stream", "xlsx", false)},
		python, filepath.Join("..", "..", "tools", "write_openpyxl.py"))
}

// TestGnumeric converts our own workbook with ssconvert.
func TestGnumeric(t *testing.T) {
	ssconvert, err := exec.LookPath("ssconvert")
	if err != nil {
		absent(t, "ssconvert (gnumeric)")
	}
	c := newChecker(t)
	for _, tt := range []struct {
		exporter, ending string
		plain            bool
	}{
		{"Gnumeric_Excel:xlsx", "xlsx", false},
		{"Gnumeric_Excel:xlsx2", "xlsx", false},
		{"Gnumeric_Excel:excel_biff8", "xls", false},
		{"Gnumeric_Excel:excel_dsf", "xls", false},
		{"Gnumeric_Excel:excel_biff7", "xls", true},
		{"Gnumeric_OpenCalc:openoffice", "ods", false},
		{"Gnumeric_OpenCalc:odf", "ods", false},
		{"Gnumeric_html:html40", "html", false},
		{"Gnumeric_html:xhtml", "xls", false},
		{"Gnumeric_html:html40frag", "xls", false},
		{"Gnumeric_stf:stf_csv", "csv", false},
	} {
		t.Run(strings.ReplaceAll(tt.exporter, ":", "_"), func(t *testing.T) {
			rows := matrixRows(t, tt.plain)
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in.xlsx"), filepath.Join(dir, "采集表."+tt.ending)
			if err := os.WriteFile(in, written(t, c.Form(), rows), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, nil, ssconvert, "--export-type="+tt.exporter, in, out)
			mustReadSame(t, out, rows)
		})
	}
}
