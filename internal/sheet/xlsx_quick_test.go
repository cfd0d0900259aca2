package sheet

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cellsOf reads the cells of the first sheet, by the short way or the scanner alone.
func cellsOf(b []byte, slow bool) (string, error) {
	limits := fuzzLimits()
	c, err := openContainer(bytes.NewReader(b), int64(len(b)), &limits)
	if err != nil {
		return "", err
	}
	x, err := openXLSX(context.Background(), c, &limits, &budget{left: limits.Memory})
	if err != nil {
		return "", err
	}
	x.slow = slow
	var out strings.Builder
	merges, err := x.rows(context.Background(), 0, func(r *RowData) error {
		fmt.Fprintf(&out, "%d %v:", r.Num, r.Hidden)
		for _, c := range r.Cells {
			fmt.Fprintf(&out, " %d,%d,%v,%v,%q", c.Col, c.Kind, c.Formula, c.NumFmt, c.Raw)
		}
		out.WriteString("\n")
		return nil
	})
	fmt.Fprint(&out, merges)
	return out.String(), err
}

// sameBothWays holds the short way against the scanner: the same cells, or both fail.
func sameBothWays(t *testing.T, b []byte) {
	t.Helper()
	quick, qerr := cellsOf(b, false)
	slow, serr := cellsOf(b, true)
	if (qerr == nil) != (serr == nil) {
		t.Fatalf("quick: %v, scanner: %v", qerr, serr)
	}
	if qerr == nil && quick != slow {
		t.Fatalf("(-scanner +quick):\n%s", cmp.Diff(slow, quick))
	}
}

var quickRows = []string{
	`<row r="2"><c r="A2" s="1"><v>7</v></c><c r="B2" t="s"><v>0</v></c><c r="C2" s="1" t="inlineStr"><is><t>甲</t></is></c><c r="D2" s="2"/></row>`,
	`<row r="2"><c><v>7</v></c><c t="str"><v>a&amp;b</v></c><c r="C2" t="n"><v> 1 </v></c><c r="D2" t="b"><v>1</v></c></row>`,
	`<row r="2"><c r="C2" t="inlineStr"><is><t xml:space="preserve"> _x0041_` + "\r\n" + `</t></is></c><c r="A2"><v>&#49;</v></c><c r="A2"><v>2</v></c></row>`,
	`<row r="2"><c t="s" r="B2" s="0"><v>1</v></c><c r="B3"><v>1</v></c><c r="XFE2"><v>1</v></c></row>`,
	`<row><c r="B2"><v>1</v></c></row><row r="2"><c r="B02"><v>1</v></c><c r=""><v>1</v></c></row>`,
	`<row r="2"><c r="A2" t="s"><v>99</v></c><c r="B2" t="s"><v>-1</v></c><c r="C2" s="70000"><v>1</v></c><c r="D2"><f>1</f><v>1</v></c></row>`,
	`<row r="2"><c r="A2" t="n" t="s"><v>0</v></c><c r="B2" t="inlineStr"><v>1</v></c><c r="C2"><is><t>x</t></is></c><c r="D2"><v></v></c><c r="E2"><v>1</v> </c></row>`,
	`<row r="2"> <c r="A2"><v>1</v></c> <!-- --> <c r="B2"><v><![CDATA[1]]></v></c><x:c r="C2"><x:v>1</x:v></x:c></row>`,
	`<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>a</t><t>b</t></is></c><c r='C2'><v>1</v></c><c  r="D2"><v>1</v></c></row>`,
}

// TestQuick has the shapes and what comes near to them.
func TestQuick(t *testing.T) {
	for i, rows := range quickRows {
		t.Run(fmt.Sprint(i), func(t *testing.T) { sameBothWays(t, quickBook(t, rows, "")) })
	}
	sameBothWays(t, bookOf(t, 3000, false))
	sameBothWays(t, bookOf(t, 3000, true))
}

func quickBook(t testing.TB, rows, strings string) []byte {
	if strings == "" {
		strings = `<si><t>一</t></si><si><t xml:space="preserve"> b </t></si><si/><si><t>_x0041_</t></si>`
	}
	return rawBook{
		sheet:   `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
		strings: `<sst>` + strings + `</sst>`,
		styles:  `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="000"/></numFmts><cellXfs><xf/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
	}.bytes(t)
}

// FuzzQuick mutates rows and shared strings.
func FuzzQuick(f *testing.F) {
	for _, rows := range quickRows {
		f.Add(rows, `<si><t>一</t></si><si><t xml:space="preserve"> b </t></si>`)
	}
	f.Add(quickRows[0], `<si><t>&lt;</t></si><si><r><t>a</t></r></si></sst><sst><si><t>x</t></si>`)
	f.Fuzz(func(t *testing.T, rows, strings string) { sameBothWays(t, quickBook(t, rows, strings)) })
}
