package sheet

import (
	"fmt"
	"strings"
	"testing"
)

// htmlOf makes a page with a table of text cells.
func htmlOf(rows [][]string) string {
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\"></head><body><table>\n")
	for _, r := range rows {
		b.WriteString("<tr>")
		for _, c := range r {
			fmt.Fprintf(&b, "<td>%s</td>", escaped(c))
		}
		b.WriteString("</tr>\n")
	}
	return b.String() + "</table></body></html>\n"
}

// TestHTML reads tables of pages.
func TestHTML(t *testing.T) {
	gbk := func(s string) string { return toGBK(t, s) }
	tests := []struct {
		name, page string
		want       []string
	}{
		{"cells", `<table><tr><td>甲</td><th> 乙  丙
			</th></tr></table>`, []string{"A1 text 甲", "B1 text 乙 丙"}},
		{"end tags left out", `<TABLE><TR><TD>1<TD>2<TR><TD>3</TABLE>`, []string{"A1 text 1", "B1 text 2", "A2 text 3"}},
		{"entities", `<table><tr><td>&lt;甲&nbsp;&amp;&#20057;&gt;</td></tr></table>`, []string{"A1 text <甲\u00a0&乙>"}},
		{"lines", `<table><tr><td>甲<br>乙<br/> 丙</td><td><p>一</p><p>二</p></td><td><div>x</div></td></tr></table>`, []string{"A1 text 甲⏎乙⏎丙", "B1 text 一⏎二", "C1 text x"}},
		{
			"spans", `<table><tr><td colspan=2>题</td><td>c</td></tr><tr><td rowspan="2">甲</td><td>1</td></tr><tr><td>2</td></tr><tr><td>3</td></tr></table>`,
			[]string{"A1 text 题", "C1 text c", "A2 text 甲", "B2 text 1", "B3 text 2", "A4 text 3", "merged A1:B1", "merged A2:A3"},
		},
		{"tables below each other", `<table><tr><td>1</td></tr></table><p>x</p><table><tr><td>2</td></tr></table>`, []string{"A1 text 1", "A2 text 2"}},
		{"table in a table", `<table><tr><td>外<table><tr><td>内</td></tr></table>面</td></tr><tr><td>后</td></tr></table>`, []string{"A1 text 外面", "A2 text 后", "[表2]", "A1 text 内"}},
		{"what is no text", `<table><tr><td><style>x</style>甲<!-- c --><script>"</td>"</script><select><option>选</select></td></tr></table>`, []string{"A1 text 甲"}},
		{"hidden row", `<table><tr style="height:0; display: none"><td>甲</td></tr></table>`, []string{"A1 text hidden 甲"}},
		{
			"Excel's numbers", `<style>.xl1{mso-number-format:"000000";} .xl2,td.xl3{color:red;mso-number-format:"yyyy\\-mm\\-dd"}</style>` +
				`<table><tr><td x:num>1001</td><td x:num="2.1110219800101101E+17">2.1E+17</td><td class="a xl1" x:num="1001">001001</td><td class=xl3 x:num="29221">1980-01-01</td>` +
				`<td x:str>001</td><td style='mso-number-format:"\@"'>002</td><td x:err="#DIV/0!">#DIV/0!</td><td x:num>甲</td></tr></table>`,
			[]string{"A1 number 1001", "B1 number 2.1110219800101101E+17", "C1 number zeros6 1001", "D1 number asdate 29221", "E1 text 001", "F1 text 002", "G1 error #DIV/0!", "H1 text 甲"},
		},
		{
			"LibreOffice's numbers", `<table><tr><td sdval="1001" sdnum="2052;0;000000">001001</td><td sdval="29221" sdnum="2052;0;YYYY-MM-DD">1980-01-01</td><td sdnum="2052;0;@">007</td></tr></table>`,
			[]string{"A1 number zeros6 1001", "B1 number asdate 29221", "C1 text 007"},
		},
		{
			"SheetJS's types", `<table><tr><td data-t="n" data-v="1001">1,001</td><td data-t="s" data-v="&amp;">&amp;amp;</td><td data-t="b" data-v="true">TRUE</td><td data-t="e" data-v="7">#DIV/0!</td></tr></table>`,
			[]string{"A1 number 1001", "B1 text &amp;", "C1 bool 1", "D1 error #DIV/0!"},
		},
		{"declared GB 2312", gbk(`<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head><table><tr><td>丽水</td></tr></table></html>`), []string{"A1 text 丽水"}},
		{"GBK without a word", gbk(`<table><tr><td>丽水</td></tr></table>`), []string{"A1 text 丽水"}},
		{"GBK that says UTF-8", gbk(`<html><meta charset="utf-8"><table><tr><td>丽水</td></tr></table></html>`), []string{"A1 text 丽水"}},
		{"UTF-8 that says GB 2312", `<html><meta charset=gb2312><table><tr><td>丽水</td></tr></table></html>`, []string{"A1 text 丽水"}},
		{"UTF-8 with mark", "\uFEFF<table><tr><td>丽水</td></tr></table>", []string{"A1 text 丽水"}},
		{"UTF-16", toUTF16(`<table><tr><td>丽水</td></tr></table>`), []string{"A1 text 丽水"}},
		{"Latin", "<html><meta charset=iso-8859-1><table><tr><td>\xe9</td></tr></table></html>", []string{"A1 text é"}},
		{"XHTML", `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body><table><tr><td/><td>甲</td></tr></table></body></html>`, []string{"B1 text 甲"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustView(t, lines(append([]string{"[表]"}, tt.want...)...), []byte(tt.page))
		})
	}
}

// TestHTMLRefused fails what is cut, holds no table, or is made to hurt.
func TestHTMLRefused(t *testing.T) {
	whole := htmlOf(formTable(3))
	tests := []struct{ name, code, page string }{
		{"cut in the table", "unreadable", whole[:len(whole)/2]},
		{"fragment cut in the table", "unreadable", whole[strings.Index(whole, "<table>"):strings.Index(whole, "</table>")]},
		{"cut in a tag", "unreadable", whole[:strings.LastIndex(whole, "<td>")+2]},
		{"cut behind the table", "unreadable", whole[:strings.Index(whole, "</body>")]},
		{"no table", "unreadable", `<html><body><form>请登录</form></body></html>`},
		{"a tag without end", "unreadable", `<table><tr><td title="` + strings.Repeat("x", 5<<20) + `">1</td></tr></table>`},
		{"tables in tables", "too_large", strings.Repeat("<table><tr><td>", 100) + strings.Repeat("</td></tr></table>", 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustRefuse(t, tt.code, []byte(tt.page)) })
	}
}

// TestHTMLWide passes over what stands right of the columns looked at, at no cost.
func TestHTMLWide(t *testing.T) {
	page := `<table>` + strings.Repeat(`<tr><td rowspan=65534 colspan=1000>1</td></tr>`, 2000) + `<tr><td>甲</td></tr></table>`
	if got := view(t, []byte(page)); !strings.HasPrefix(got, "[表]\nA1 text 1\n") || strings.Contains(got, "甲") {
		t.Errorf("%.100q", got)
	}
}
