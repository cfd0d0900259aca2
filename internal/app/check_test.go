package app

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const samples = "../sheet/testdata/samples/"

// runCheck runs the command as the shell does.
func runCheck(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	e := env{func(string) string { return "" }, strings.NewReader(""), &out, &errs}
	code = checkFiles(context.Background(), e, args)
	return code, out.String(), errs.String()
}

func TestCheckExitCodes(t *testing.T) {
	good, bad, broken := samples+"s01-clean.xlsx", samples+"s13-duplicates.xlsx", samples+"s16-truncated.xlsx"
	tests := []struct {
		name string
		args []string
		code int
		out  string // part of the report
		err  string
	}{
		{"clean", []string{good}, 0, "4 行，没有问题", ""},
		{"faulty", []string{bad}, 1, "  I8     强制性", ""},
		{"unreadable wins and the others go on", []string{broken, bad, good}, 2, "没有问题", ""},
		{"missing file", []string{filepath.Join(t.TempDir(), "x.xlsx"), good}, 2, "没有这个文件", ""},
		{"directory", []string{t.TempDir()}, 2, "这不是一个文件", ""},
		{"no file", nil, 2, "", "用法"},
		{"unknown flag", []string{"-x"}, 2, "", "用法"},
		{"help", []string{"-h"}, 0, "", "用法"},
		{"flag behind the file", []string{good, "--json"}, 0, `"status":"ok"`, ""},
		{"file that looks like a flag", []string{"--", "-x"}, 2, "没有这个文件", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := runCheck(t, tt.args...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) {
				t.Errorf("exit %d, want %d\n%s%s", code, tt.code, out, errs)
			}
		})
	}
}

// TestCheckJSON holds the lines against form.md §6: keys, their order, and values.
func TestCheckJSON(t *testing.T) {
	code, out, errs := runCheck(t, "--json", samples+"s06-reordered-columns.xlsx", samples+"s14-one-fault-a-row.xlsx", samples+"s16-empty.xlsx")
	if code != 2 {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(errs, "“备注”") {
		t.Errorf("the unknown column is not told: %q", errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	wantStart := `{"file":"` + samples + `s06-reordered-columns.xlsx","status":"ok","error":null,"sheet":"Sheet1","rows":[{"row":1,"seq":"1","sheet_row":2,"values":` +
		`{"budget_code":"101001","unit_name":"沈阳市市场监督管理局","org_code":"122101002001826383","unit_type":"事业单位","legacy_username":"lnzc866286",` +
		`"person_name":"冯超","person_id":"210402197502215147","phone":"15878710264"}},`
	if !strings.HasPrefix(lines[0], wantStart) {
		t.Errorf("first line\n got %.600s\nwant %s", lines[0], wantStart)
	}
	if !strings.HasSuffix(lines[0], `"issues":[],"counts":{"rows":3,"error":0,"justify":0,"hint":0}}`) {
		t.Errorf("end of first line: %s", lines[0][len(lines[0])-80:])
	}
	var rep struct {
		Status string
		Rows   []any
		Issues []struct {
			Row                            int
			Cell, Field, Code, Severity, M string
			Message                        string
		}
		Counts map[string]int
		Error  map[string]string
	}
	if err := json.Unmarshal([]byte(lines[1]), &rep); err != nil {
		t.Fatal(err)
	}
	if rep.Status != "issues" || len(rep.Issues) != 14 || rep.Counts["error"] != 14 || rep.Counts["rows"] != 14 {
		t.Errorf("status %s, %d issues, counts %v", rep.Status, len(rep.Issues), rep.Counts)
	}
	if i := rep.Issues[0]; i.Row != 1 || i.Cell != "H5" || i.Field != "person_id" || i.Code != "person_id.checksum" || i.Severity != "error" || i.Message == "" {
		t.Errorf("first issue %+v", i)
	}
	if !strings.HasPrefix(lines[2], `{"file":"`+samples+`s16-empty.xlsx","status":"unreadable","error":{"code":"unreadable","message":"`) ||
		!strings.HasSuffix(lines[2], `"sheet":"","rows":[],"issues":[],"counts":{"rows":0,"error":0,"justify":0,"hint":0}}`) {
		t.Errorf("unreadable: %s", lines[2])
	}
	if !strings.Contains(lines[1], `=HYPERLINK(\"http://x\")`) {
		t.Error("text was changed on its way into JSON")
	}
}

// TestCheckRowIssue gives a problem of the whole row without a field.
func TestCheckRowIssue(t *testing.T) {
	_, out, _ := runCheck(t, "--json", samples+"s13-duplicates.xlsx")
	if !strings.Contains(out, `{"row":2,"cell":"A6","field":null,"code":"row.duplicate"`) {
		t.Error(out)
	}
}

// TestCheckOut writes annotated copies that are read as the files were, and never
// writes over an input.
func TestCheckOut(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "a.xlsx")
	b, err := os.ReadFile(samples + "s13-duplicates.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := runCheck(t, "--json", "--out", dir, in, samples+"s09-utf8.csv", samples+"s16-truncated.xlsx")
	if code != 2 || !strings.Contains(errs, "") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var names []string
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		names = append(names, f.Name())
	}
	if d := cmp.Diff([]string{"a-2.xlsx", "a.xlsx", "s09-utf8.xlsx"}, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if after, _ := os.ReadFile(in); !bytes.Equal(b, after) {
		t.Error("the input was changed")
	}
	_, first, _ := runCheck(t, "--json", in)
	_, second, _ := runCheck(t, "--json", filepath.Join(dir, "a-2.xlsx"))
	if d := cmp.Diff(valuesAndCodes(t, first), valuesAndCodes(t, second)); d != "" {
		t.Errorf("annotated copy (-want +got):\n%s", d)
	}
}

func valuesAndCodes(t *testing.T, line string) []string {
	t.Helper()
	var rep struct {
		Rows   []struct{ Values map[string]string }
		Issues []struct{ Code string }
	}
	if err := json.Unmarshal([]byte(line), &rep); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rep.Rows {
		out = append(out, r.Values["person_id"]+r.Values["phone"])
	}
	for _, i := range rep.Issues {
		out = append(out, i.Code)
	}
	return out
}

// TestCheckMessagesHideIds keeps whole ids and phone numbers out of every sentence.
func TestCheckMessagesHideIds(t *testing.T) {
	_, out, _ := runCheck(t, samples+"s13-duplicates.xlsx", samples+"s14-one-fault-a-row.xlsx", samples+"s04-numeric-cells.xlsx")
	for _, secret := range []string{"211102198203224165", "15033463796", "210502198003226722", "210702199506165372", "210102197007200000"} {
		if strings.Contains(out, secret) {
			t.Errorf("the report shows %s", secret)
		}
	}
}

// TestCheckInterrupted stops at the end of its context and says so.
func TestCheckInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	if code := checkFiles(ctx, env{os.Getenv, strings.NewReader(""), &out, &errs}, []string{samples + "s01-clean.xlsx"}); code != 2 || out.Len() > 0 || !strings.Contains(errs.String(), "已中断") {
		t.Errorf("exit %d %q %q", code, out.String(), errs.String())
	}
}

func TestTemplate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.xlsx")
	var out, errs bytes.Buffer
	if code := Template(context.Background(), []string{"-o", file}, &out, &errs); code != 0 || out.Len() > 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	if code := Template(context.Background(), nil, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, out.Bytes()) {
		t.Error("the file and the stream differ")
	}
	code, report, _ := runCheck(t, file)
	if code != 0 || !strings.Contains(report, "“采集表”，0 行，没有问题") {
		t.Errorf("the template is not a sheet without rows: %d %s", code, report)
	}
	if code := Template(context.Background(), []string{"-o", filepath.Join(file, "x")}, &out, &errs); code != 1 {
		t.Errorf("impossible place: exit %d", code)
	}
	if code := Template(context.Background(), []string{"x"}, &out, &errs); code != 2 {
		t.Errorf("argument: exit %d", code)
	}
}
