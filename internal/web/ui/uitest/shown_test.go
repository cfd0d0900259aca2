package uitest

import (
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// seen returns the row numbers in the order in which they stand on the screen.
func (s sheet) seen() string {
	s.t.Helper()
	s.Frame()
	return browser.Eval[string](s.Page, `[...sheet.querySelectorAll(".tbs-body .tbs-row:not([hidden])")]
		.sort((a, b) => a.getAttribute("aria-rowindex") - b.getAttribute("aria-rowindex"))
		.map((r) => r.firstElementChild.textContent).join(" ")`)
}

func (s sheet) wantSeen(want string) {
	s.t.Helper()
	if got := s.seen(); got != want {
		s.t.Errorf("rows seen = %s, want %s", got, want)
	}
}

// people are six rows: units with blanks and doubles, codes with leading zeros.
const people = `sheet.setRows([
	["002", "中心小学", "", "事业单位", "", "张三", "", ""],
	["0010", "安全局", "", "行政单位", "", "李四", "", ""],
	["10", "", "", "事业单位", "", "王五", "", ""],
	["001", "Beta", "", "行政单位", "", "阿明", "", ""],
	["", "安全局", "", "", "", "重庆", "", ""],
	["9", "博物馆", "", "事业单位", "", "钱七", "", ""],
].map((values, i) => ({ id: "p" + (i + 1), values })));`

func TestSortAndFilter(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct{ name, spec, want string }{
		{"everything", `{}`, "1 2 3 4 5 6"},
		{"by pinyin, other scripts behind, blanks last", `{ sort: { key: "b" } }`, "2 5 6 1 4 3"},
		{"down, blanks last again", `{ sort: { key: "b", desc: true } }`, "4 1 6 2 5 3"},
		{"digits as text", `{ sort: { key: "a" } }`, "4 2 1 3 6 5"},
		{"names", `{ sort: { key: "f" } }`, "4 5 2 6 3 1"},
		{"by value", `{ filters: { d: { values: ["行政单位"] } } }`, "2 4"},
		{"by value or blank", `{ filters: { d: { values: ["行政单位", ""] } } }`, "2 4 5"},
		{"part of a text", `{ filters: { b: { contains: "BE" } } }`, "4"},
		{"part of a code", `{ filters: { a: { contains: "00" } } }`, "1 2 4"},
		{"several", `{ filters: { b: { values: ["安全局"] }, d: { contains: "行政" } } }`, "2"},
		{"filtered and sorted", `{ sort: { key: "f", desc: true }, filters: { d: { values: ["事业单位"] } } }`, "1 3 6"},
		{"only faults", `{ faulty: true }`, "2 6"},
		{"only faults, filtered", `{ faulty: true, filters: { d: { contains: "事业" } } }`, "6"},
		{"a column that is not there", `{ sort: { key: "nix" } }`, "1 2 3 4 5 6"},
	}
	s := open(t, b, base, 1)
	s.Do(people + `sheet.setFaults([
		{ row: "p2", key: "b", severity: "error", code: "x", message: "x" },
		{ row: "p6", key: "", severity: "justify", code: "x", message: "x" },
		{ row: "p1", key: "b", severity: "hint", code: "x", message: "x" },
	])`)
	for _, tt := range tests {
		if ok := browser.Eval[bool](s.Page, `sheet.setView(`+tt.spec+`)`); !ok {
			t.Errorf("%s: refused", tt.name)
		}
		if got := s.seen(); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := browser.Eval[string](s.Page, `sheet.rows().map((r) => r.id).join() + sheet.dirty`); got != "p1,p2,p3,p4,p5,p6false" {
		t.Errorf("views changed what is stored: %s", got)
	}
}

// A view without a row is refused with a word: the sheet is never empty.
func TestViewOfNothing(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	s.Do(people + `sheet.setView({ filters: { b: { contains: "安全" } } })`)
	if browser.Eval[bool](s.Page, `sheet.setView({ filters: { b: { contains: "没有" } } })`) {
		t.Error("a view of nothing was accepted")
	}
	s.wantSeen("2 5")
	if got := s.heard(); len(got) != 1 || !strings.Contains(got[0], "没有符合条件的行") {
		t.Errorf("heard %q", got)
	}
	// Deleting all that is seen shows the rest.
	s.Do(`sheet.focus()`)
	s.Press("Ctrl+a", "Ctrl+-")
	s.wantSeen("1 2 3 4")
	s.Press("Ctrl+z")
	s.wantSeen("1 2 3 4 5 6")
}

// What works on ranges works on the rows that are seen, and on no others.
func TestCommandsInView(t *testing.T) {
	b := start(t)
	base := serve(t)
	const even = `sheet.setView({ filters: { b: { values: ["B2", "B4", "B6", "B8"] } } }); sheet.focus(); `
	tests := []struct {
		name string
		js   string
		keys []string
		want []string
		seen string
	}{
		{"delete", `sheet.goTo("r2", "b")`, []string{"Shift+ArrowDown", "Delete"}, []string{"B2=", "B3=B3", "B4=", "B5=B5"}, "2 4 6 8"},
		{"fill down", `sheet.goTo("r4", "c")`, []string{"Shift+ArrowDown", "Shift+ArrowDown", "Ctrl+d"}, []string{"C4=C4", "C5=C5", "C6=C4", "C7=C7", "C8=C4"}, "2 4 6 8"},
		{"fill down from the row above", `sheet.goTo("r4", "c")`, []string{"Ctrl+d"}, []string{"C4=C2", "C3=C3"}, "2 4 6 8"},
		{"select all and clear", `sheet.goTo("r2", "b")`, []string{"Ctrl+a", "Delete"}, []string{"H1=H1", "H2=", "H7=H7", "H8="}, "2 4 6 8"},
		{"to the end", `sheet.goTo("r2", "b")`, []string{"Ctrl+End", "Delete"}, []string{"H8=", "H9=H9"}, "2 4 6 8"},
		{"type and go down", `sheet.goTo("r2", "e")`, []string{"x", "Enter", "y", "Enter"}, []string{"E2=x", "E3=E3", "E4=y"}, "2 4 6 8"},
		{"delete a row and undo", `sheet.goTo("r4", "e")`, []string{"Ctrl+-", "Ctrl+z", "x", "Enter"}, []string{"E4=x", "E3=E3"}, "2 4 6 8"},
		{"delete rows", `sheet.goTo("r4", "e")`, []string{"Shift+ArrowDown", "Ctrl+-"}, []string{"B3=B3", "B4=B5", "B5=B7", "B6=B8"}, "2 6"},
		{"insert a row", `sheet.goTo("r4", "e")`, []string{"Ctrl+=", "n", "Enter"}, []string{"B4=B4", "A5=n", "B6=B5"}, "2 4 5 7 9"},
		{"insert rows and undo", `sheet.goTo("r4", "e")`, []string{"Shift+ArrowDown", "Ctrl+=", "Ctrl+z"}, []string{"B7=B7", "B8=B8"}, "2 4 6 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 10)
			s.Do(`sheet.columns = sheet.columns.map((c) => ({ ...c, readonly: false }));
				sheet.setRows(Array.from({ length: 10 }, (_, i) => ({ id: "r" + (i + 1), values: [..."ABCDEFGH"].map((l) => l + (i + 1)) })));`)
			s.Do(even + tt.js)
			s.Press(tt.keys...)
			s.want(tt.want...)
			s.wantSeen(tt.seen)
		})
	}
}

func TestPasteInView(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 8)
	s.Do(`sheet.setView({ filters: { b: { values: ["B2", "B5", "B7"] } } }); sheet.goTo("r2", "b")`)
	s.Paste("u\tv\r\nw\tx\r\ny\tz\r\nn\tm\r\n", "")
	s.want("B2=u", "C2=v", "B5=w", "B7=y", "C7=z", "B1=B1", "B3=B3", "B6=B6", "B8=B8", "B9=n", "C9=m")
	s.wantSeen("2 5 7 9")
	if got := browser.Eval[string](s.Page, `sheet.changes().map((c) => c.op + (c.row || c.after)).join()`); got != "insertr8,editr2,editr5,editr7" {
		t.Errorf("changes = %s", got)
	}
	s.Press("Ctrl+c")
	s.Press("Ctrl+z")
	s.want("B2=B2", "B5=B5", "B7=B7", "B8=B8")
	s.wantSeen("2 5 7")
	s.Press("Ctrl+y")
	s.want("B5=w", "B9=n")
	s.wantSeen("2 5 7 9")
}

// Copying, finding and going to faults see the rows that are seen.
func TestLookingInView(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 30)
	s.Do(`sheet.setFaults(["r3", "r20", "r21"].map((row) => ({ row, key: "c", severity: "error", code: "x", message: "x" })));
		sheet.setView({ sort: { key: "b", desc: true }, filters: { b: { contains: "2" } } }); sheet.goTo("r29", "b")`)
	s.wantSeen("29 28 27 26 25 24 23 22 21 20 2 12")
	s.Press("Shift+ArrowDown", "Ctrl+c")
	if got := s.Clipboard("text/plain"); got != "B29\r\nB28" {
		t.Errorf("copied %q", got)
	}
	var path []string
	for range 3 {
		s.Press("F8")
		path = append(path, s.active())
	}
	// Places on the screen, so C9 and C10 hold the faults of rows 21 and 20.
	if got := strings.Join(path, " "); got != "C9 C10 C9" {
		t.Errorf("F8 went to %s", got)
	}
	s.Press("Ctrl+f")
	s.Type("c3")
	s.Frame()
	if got := browser.Eval[string](s.Page, `sheet.querySelector(".tbs-find-count").textContent`); got != "显示的行中没有" {
		t.Errorf("found %q among rows that are not seen", got)
	}
	s.Press("Escape")
	// The fault list of the page goes to any row: it comes into sight.
	s.Do(`sheet.goTo("r3", "c")`)
	if got := s.seen(); !strings.Contains(got, " 3") {
		t.Errorf("the row that was gone to is not seen: %s", got)
	}
	s.Do(`sheet.setView({ filters: { b: { values: ["B1", "B2"] } } })`)
	s.Press("F8")
	if got := s.heard(); len(got) != 1 || !strings.Contains(got[0], "显示全部") {
		t.Errorf("heard %q", got)
	}
}

// An edited row stays until the view is set again; undo shows the row it touches.
func TestViewIsASnapshot(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 6)
	s.Do(`window.low = { filters: { b: { values: ["B1", "B2", "B3"] } } }; sheet.setView(low); sheet.goTo("r2", "b")`)
	s.Type("x\n")
	s.wantSeen("1 2 3")
	s.wantActive("B3")
	s.Do(`sheet.setView(low)`)
	s.wantSeen("1 3")
	s.Do(`sheet.focus()`)
	s.Press("Ctrl+z")
	s.wantSeen("1 2 3")
	s.want("B2=B2")
	s.wantActive("B2")
	if got := browser.Eval[string](s.Page, `sheet.querySelector("[aria-live]").textContent`); !strings.Contains(got, "原来没有显示") {
		t.Errorf("said %q", got)
	}
	s.Press("Ctrl+y")
	s.Do(`sheet.setView({}); sheet.undo()`)
	s.wantSeen("1 2 3 4 5 6")
	s.wantActive("B2")
	// New rows from outside lie where they belong, in a sorted view too.
	s.Do(`sheet.setView({ sort: { key: "b", desc: true } });
		sheet.apply([{ op: "insert", temp: "t1", after: "r5", cells: { b: "n" } }, { op: "insert", temp: "t2", after: "", afterTemp: "t1", cells: { b: "m" } }], "导入")`)
	s.wantSeen("8 5 6 7 4 3 2 1")
	s.Do(`sheet.setRows(sheet.rows())`)
	s.wantSeen("6 7 8 5 4 3 2 1")
}

// The page hears of the view and of what it shows.
func TestViewEvents(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 5)
	s.Do(`sheet.addEventListener("tb-view", (e) => said.push({ type: e.type, ...e.detail })); said.length = 0;
		sheet.setFaults([{ row: "r1", key: "b", severity: "error", code: "x", message: "x" }, { row: "r5", key: "b", severity: "error", code: "x", message: "x" }]);
		sheet.setView({ filters: { b: { values: ["B1", "B2"] } } });
		sheet.showFaulty(true);
		sheet.showFaulty(false);
		sheet.goTo("r5", "b");
		sheet.deleteRows(["r2"]);
		sheet.setView({})`)
	got := browser.Eval[string](s.Page, `said.filter((e) => e.type === "tb-view").map((e) => [e.shown, e.total, e.faults, e.allFaults, !!e.faulty, !!e.filters].join(" ")).join("\n")`)
	want := "5 5 2 2 false false\n2 5 1 2 false true\n1 5 1 2 true true\n2 5 1 2 false true\n3 5 2 2 false true\n2 4 2 2 false true\n4 4 2 2 false false"
	if got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
	if got := browser.Eval[string](s.Page, `sheet.querySelector("[aria-live]").textContent`); got != "显示 4 行，共 4 行" {
		t.Errorf("said %q", got)
	}
}

// Ten thousand rows are sorted and filtered in one go.
func TestViewOfManyRows(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 1)
	s.Do(`sheet.setRows(Array.from({ length: 10000 }, (_, i) => ({ id: "r" + i, values: ["", "单位" + (i * 7919) % 10007, "", i % 2 ? "行政单位" : "事业单位", "", "", "", ""] })));
		sheet.setView({ sort: { key: "b", desc: true }, filters: { d: { values: ["行政单位"] } } }); sheet.focus()`)
	s.Press("Ctrl+a", "Ctrl+Home", "Ctrl+End", "Ctrl+Home", "ArrowRight", "ArrowRight")
	if got := browser.Eval[int](s.Page, `sheet.view.shown`); got != 5000 {
		t.Errorf("shown = %d", got)
	}
	s.Paste(strings.TrimSuffix(strings.Repeat("9\r\n", 5000), "\r\n"), "")
	if got := browser.Eval[string](s.Page, `[sheet.changes().length, sheet.changes().every((c) => +c.row.slice(1) % 2 === 1), sheet.view.shown].join()`); got != "5000,true,5000" {
		t.Errorf("after a paste: %s", got)
	}
	s.Press("Ctrl+z")
	if n := browser.Eval[int](s.Page, `sheet.changes().length`); n != 0 {
		t.Errorf("%d changes after undo", n)
	}
}

// As many rows as are selected are inserted, and deleted, in one step each.
func TestSeveralRows(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 6)
	s.click("B2")
	s.Press("Shift+ArrowDown", "Shift+ArrowDown", "Ctrl+=")
	s.want("B4=B4", "B5=", "B6=", "B7=", "B8=B5")
	s.wantActive("A5 in A5:H7")
	s.Press("Ctrl+z")
	s.want("B5=B5", "B6=B6")
	s.wantActive("B2 in B2:B4")
	s.Press("Ctrl+-")
	s.want("B1=B1", "B2=B5", "B3=B6")
	s.wantActive("B2")
	s.Press("Ctrl+z")
	s.want("B2=B2", "B3=B3", "B4=B4")
	if n := s.rows(); n != 6 {
		t.Errorf("%d rows", n)
	}
	s.Do(`sheet.maxRows = 7; sheet.goTo("r1", "b")`)
	s.Press("Shift+ArrowDown", "Ctrl+=")
	if n := s.rows(); n != 7 {
		t.Errorf("%d rows, want as many as the sheet may have", n)
	}
}
