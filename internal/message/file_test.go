package message

import (
	"errors"
	"testing"

	"tianbao"
)

// A file is what its content says, and nothing that a machine would run.
func TestFileType(t *testing.T) {
	for _, tt := range []struct{ name, file, data, typ, code string }{
		{"PDF", "通知.PDF", "%PDF-1.7 …", "application/pdf", ""},
		{"workbook", "表.xlsx", zipHead + "…", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""},
		{"old document", "旧.doc", cfbHead + "…", "application/msword", ""},
		{"text", "说明.txt", "说明", "text/plain; charset=utf-8", ""},
		{"a program by name", "填报.exe", "MZ", "", "bad_file"},
		{"a page", "页.html", "<script>", "", "bad_file"},
		{"a picture that may hold a script", "图.svg", "<svg>", "", "bad_file"},
		{"no extension", "通知", "%PDF-", "", "bad_file"},
		{"a program in a document's clothes", "通知.pdf", "MZ\x90\x00", "", "other_content"},
		{"a page in a workbook's clothes", "表.xls", "<html>", "", "other_content"},
		{"empty", "空.pdf", "", "", "empty_file"},
		{"bytes as text", "说明.txt", "\x00\x01", "", "bad_text"},
		{"another encoding", "说明.csv", "\xcb\xb5\xc3\xf7", "", "bad_text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			typ, err := fileType(tt.file, []byte(tt.data))
			var e *tianbao.Error
			if errors.As(err, &e) != (tt.code != "") || tt.code != "" && e.Code != tt.code || typ != tt.typ {
				t.Errorf("%s %v, want %s %s", typ, err, tt.typ, tt.code)
			}
		})
	}
}
