package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// TestCheckPassword opens an encrypted workbook with the password from the
// environment or standard input.
func TestCheckPassword(t *testing.T) {
	plain, err := os.ReadFile(samples + "s01-clean.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	b, err := excelize.Encrypt(plain, &excelize.Options{Password: "口令 1"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.xlsx")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, env, stdin string
		args             []string
		code             int
		says             string
	}{
		{"none", "", "", nil, 2, "设有打开密码"},
		{"environment", "口令 1", "", nil, 0, "没有问题"},
		{"standard input", "", "口令 1\r\nrest", []string{"--password-stdin"}, 0, "没有问题"},
		{"standard input without a line end", "x", "口令 1", []string{"--password-stdin"}, 0, "没有问题"},
		{"wrong", "口令1", "", nil, 2, "打开密码不对"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			e := env{func(key string) string {
				if key == passwordEnv {
					return tt.env
				}
				return ""
			}, strings.NewReader(tt.stdin), &out, &errs}
			code := checkFiles(context.Background(), e, append(tt.args, file))
			if code != tt.code || !strings.Contains(out.String(), tt.says) || strings.Contains(out.String()+errs.String(), "口令") {
				t.Errorf("code %d, %s%s", code, out.String(), errs.String())
			}
			for name, command := range map[string]func(context.Context, env, []string) int{"合并.xlsx": merge, "包.zip": dataPackage} {
				e.stdin = strings.NewReader(tt.stdin)
				out.Reset()
				errs.Reset()
				code := command(context.Background(), e, append(tt.args, "-o", filepath.Join(t.TempDir(), name), file))
				if code != tt.code || strings.Contains(out.String()+errs.String(), "口令") {
					t.Errorf("%s: code %d, %s%s", name, code, out.String(), errs.String())
				}
			}
		})
	}
}

// TestCheckSheet asks which sheet, and takes the answer.
func TestCheckSheet(t *testing.T) {
	f, err := excelize.OpenFile(samples + "s01-clean.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	from := f.GetSheetName(0)
	to, err := f.NewSheet("三季度")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CopySheet(0, to); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.xlsx")
	if err := f.SaveAs(file); err != nil {
		t.Fatal(err)
	}
	code, out, _ := runCheck(t, file)
	if code != 2 || !strings.Contains(out, "--sheet") || !strings.Contains(out, from+"、三季度") {
		t.Errorf("code %d: %s", code, out)
	}
	if code, out, errs := runCheck(t, file, "--sheet", "三季度"); code != 0 || !strings.Contains(out, "“三季度”") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	merged := filepath.Join(t.TempDir(), "b.xlsx")
	if code, _, errs := runMerge(t, file, "-o", merged); code != 2 {
		t.Errorf("merge without the answer: code %d: %s", code, errs)
	}
	if code, out, errs := runMerge(t, file, "--sheet", "三季度", "-o", merged); code != 0 {
		t.Errorf("merge: code %d: %s%s", code, out, errs)
	}
}
