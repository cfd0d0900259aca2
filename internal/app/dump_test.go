package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDump runs the subcommand as the command line does.
func TestDump(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	text := file("a.csv", "编码,名称\n001001,\"甲\n乙\\\"\n")
	tests := []struct {
		name, args, out, message string
		code                     int
	}{
		{"cells", text, "0\t1\t0\t编码\n0\t1\t1\t名称\n0\t2\t0\t1001\n0\t2\t1\t甲\\n乙\\\\\n", "", exitOK},
		{"exact", "--exact|" + text, "0\t1\t0\t编码\n0\t1\t1\t名称\n0\t2\t0\t001001\n0\t2\t1\t甲\\n乙\\\\\n", "", exitOK},
		{"flag behind the file", text + "|--exact", "0\t1\t0\t编码\n0\t1\t1\t名称\n0\t2\t0\t001001\n0\t2\t1\t甲\\n乙\\\\\n", "", exitOK},
		{"empty file", file("b.xlsx", ""), "", "文件是空的", exitUnreadable},
		{"no file", filepath.Join(dir, "none.xlsx"), "", "没有这个文件", exitUnreadable},
		{"folder", dir, "", "这不是一个文件", exitUnreadable},
		{"nothing", "", "", "用法", exitUnreadable},
		{"two files", text + "|" + text, "", "用法", exitUnreadable},
		{"help", "-h", "", "用法", exitOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"dump"}
			if tt.args != "" {
				args = append(args, strings.Split(tt.args, "|")...)
			}
			var out, errs bytes.Buffer
			code := Run(context.Background(), args, func(string) string { return "" }, nil, &out, &errs)
			if code != tt.code || out.String() != tt.out || !strings.Contains(errs.String(), tt.message) {
				t.Errorf("code %d, out %q, message %q", code, out.String(), errs.String())
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	if code := dumpFile(ctx, env{func(string) string { return "" }, nil, &out, &errs}, []string{text}); code != exitUnreadable || !strings.Contains(errs.String(), "已中断") {
		t.Errorf("cancelled: code %d, %q", code, errs.String())
	}
	full := brokenWriter{}
	if code := dumpFile(context.Background(), env{func(string) string { return "" }, nil, full, &errs}, []string{text}); code != exitUnreadable || !strings.Contains(errs.String(), "输出不了") {
		t.Errorf("broken output: code %d, %q", code, errs.String())
	}
}

// brokenWriter is a disk without space.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrPermission }
