package sheet

import (
	"archive/zip"
	"bytes"
	"io"
	"regexp"
	"testing"
)

// Every name that a formula or validation of the workbook uses is defined in it: an
// unknown name makes a validation refuse everything that is typed.
func TestNamesAreDefined(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, newChecker(t).Form(), rowsSeq(nil), WriteOptions{SelfCheck: true}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string) []byte {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	book, sheet := part("xl/workbook.xml"), part("xl/worksheets/sheet1.xml")
	used := map[string]bool{}
	for _, f := range regexp.MustCompile(`<(?:f|formula|formula1)>[^<]*`).FindAll(sheet, -1) {
		for _, n := range regexp.MustCompile(`_tianbao\.\w+`).FindAll(f, -1) {
			used[string(n)] = true
		}
	}
	if len(used) == 0 {
		t.Fatal("no name is used")
	}
	for n := range used {
		if !bytes.Contains(book, []byte(`<definedName name="`+n+`"`)) {
			t.Errorf("%s is used and not defined", n)
		}
	}
}
