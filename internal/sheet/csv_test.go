package sheet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestText reads tables of separated values in their encodings and habits.
func TestText(t *testing.T) {
	p := person(9)
	p[1] = "甲，乙单位"
	full := append([]string{"1"}, p...)
	line := func(sep string, cells []string) string { return strings.Join(cells, sep) }
	plain := line(",", titles) + "\n" + line(",", full) + "\n"
	changed := func(col int, v string) [][]string {
		r := append([]string(nil), full...)
		r[col] = v
		return [][]string{r}
	}
	tests := []struct {
		name string
		file string
		want [][]string
	}{
		{"comma", plain, [][]string{full}},
		{"CRLF without a last line end", strings.ReplaceAll(strings.TrimSpace(plain), "\n", "\r\n"), [][]string{full}},
		{"CR alone", strings.ReplaceAll(plain, "\n", "\r"), [][]string{full}},
		{"tab", strings.ReplaceAll(plain, ",", "\t"), [][]string{full}},
		{"semicolon", strings.ReplaceAll(plain, ",", ";"), [][]string{full}},
		{"sep line", "sep=;\r\n" + strings.ReplaceAll(plain, ",", ";"), [][]string{full}},
		{"GB18030", toGBK(t, plain), [][]string{full}},
		{"UTF-8 with mark", "\uFEFF" + plain, [][]string{full}},
		{"UTF-16 little endian", toUTF16(plain), [][]string{full}},
		{"UTF-16 big endian", swapped(toUTF16(plain)), [][]string{full}},
		{"UTF-16 little endian without mark", toUTF16(plain)[2:], [][]string{full}},
		{"UTF-16 big endian without mark", swapped(toUTF16(plain)[2:]), [][]string{full}},
		{"UTF-16 with tabs", toUTF16(strings.ReplaceAll(plain, ",", "\t")), [][]string{full}},
		{"GB18030 with tabs", toGBK(t, strings.ReplaceAll(plain, ",", "\t")), [][]string{full}},
		{"UTF-8 with mark and semicolons", "\uFEFF" + strings.ReplaceAll(plain, ",", ";"), [][]string{full}},
		{"note in angle brackets above", "<说明>,请按模板填写\n" + plain, [][]string{full}},
		{"title above", "采集表,,,,,,,,\n\n" + plain, [][]string{full}},
		{"quoted", strings.ReplaceAll(plain, p[1], `"甲,""乙""`+"\n"+`单位"`), changed(2, "甲,\"乙\"\n单位")},
		{"quote inside a cell", strings.ReplaceAll(plain, p[1], `甲"乙`), changed(2, `甲"乙`)},
		{"text behind a quote", strings.ReplaceAll(plain, p[1], `"甲"乙`), changed(2, `甲乙`)},
		{"code kept as a formula of text", strings.ReplaceAll(plain, p[0], `="001001"`), changed(1, "001001")},
		{"short line", line(",", titles) + "\n" + line(",", full[:8]) + "\n", changed(8, "")},
		{"GB18030 behind much ASCII", strings.Repeat("a", 70_000) + "\n" + toGBK(t, plain), [][]string{full}},
		{"rare character in GB18030", toGBK(t, strings.ReplaceAll(plain, p[5], "张𠀀")), changed(6, "张𠀀")},
	}
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			imp, err := readBytes(t, c, []byte(tt.file), `C:\x\表.csv`)
			if err != nil {
				t.Fatal(err, messageOf(err))
			}
			if d := cmp.Diff(tt.want, rowsOf(imp)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if imp.Sheet != "表" {
				t.Errorf("sheet %q", imp.Sheet)
			}
		})
	}
}

func swapped(s string) string {
	b := []byte(s)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

// TestTextRefused fails files whose rest cannot be told apart.
func TestTextRefused(t *testing.T) {
	head := strings.Join(titles, ",") + "\n"
	tests := []struct{ name, file, code string }{
		{"quote not closed", head + `1,1,"甲` + strings.Repeat("\n1,2,3", 100), "unreadable"},
		{"quoted text without end", head + `1,1,"甲` + strings.Repeat("字", 200_000) + `"`, "unreadable"},
		{"binary", head + "a\x00b", "unreadable"},
		{"prose", "关于采集信息的通知\n各单位：\n", "no_header"},
	}
	c := newChecker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readBytes(t, c, []byte(tt.file), "x.csv")
			if err == nil {
				t.Fatal("accepted")
			}
			if code := codeOf(t, err); code != tt.code {
				t.Errorf("code %q, want %q", code, tt.code)
			}
		})
	}
}

// TestTextBig crosses every buffer: the encoding is decided on the whole file.
func TestTextBig(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.Join(titles, ",") + "\n")
	const n = 5000
	for i := range n {
		fmt.Fprintf(&b, "%d,%s\n", i+1, strings.Join(person(i), ","))
	}
	c := newChecker(t)
	for name, file := range map[string]string{"UTF-8": b.String(), "GB18030": toGBK(t, b.String())} {
		imp, err := readBytes(t, c, []byte(file), "x.csv")
		if err != nil {
			t.Fatal(name, err)
		}
		if len(imp.Rows) != n {
			t.Fatalf("%s: %d rows", name, len(imp.Rows))
		}
		for i, r := range imp.Rows {
			if d := cmp.Diff(person(i), []string(r.Row.Values)); d != "" || r.SheetRow != i+2 {
				t.Fatalf("%s row %d at %d: %s", name, i, r.SheetRow, d)
			}
		}
	}
}
