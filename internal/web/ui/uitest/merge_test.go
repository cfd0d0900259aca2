package uitest

import (
	"testing"

	"tianbao/internal/browser"
)

// What others saved comes in under the changes on the screen: each case starts with
// rows r1 to r4 and tells the cells and the changes after it. theirs(row, cells)
// is another's save of one row, order(...) one in which rows came or went.
func TestMerge(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name    string
		js      string
		cells   []string
		changes string
		clashes string
	}{
		{"an untouched cell takes the new value", `theirs("r2", { b: "T" })`, []string{"B2=T", "C2=C2"}, `[]`, ``},
		{
			"a touched cell stays, its neighbour takes theirs", `edit("r2", { b: "M" }); theirs("r2", { c: "T" })`,
			[]string{"B2=M", "C2=T"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, ``,
		},
		{
			"both changed one cell", `edit("r2", { b: "M" }); theirs("r2", { b: "T" })`,
			[]string{"B2=M"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, `r2 b edited M/T`,
		},
		{"both changed it alike", `edit("r2", { b: "X" }); theirs("r2", { b: "X" })`, []string{"B2=X"}, `[]`, ``},
		{"undo leads to their value", `edit("r2", { b: "M" }); theirs("r2", { b: "T" }); sheet.undo()`, []string{"B2=T"}, `[]`, ``},
		{
			"redo after it is mine again", `edit("r2", { b: "M" }); theirs("r2", { b: "T" }); sheet.undo(); sheet.redo()`,
			[]string{"B2=M"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, `r2 b edited M/T`,
		},
		{"undo of an edit of another cell of the row keeps theirs", `edit("r2", { b: "M" }); theirs("r2", { c: "T" }); sheet.undo()`, []string{"B2=B2", "C2=T"}, `[]`, ``},
		{"undo over a save does not undo theirs", `edit("r2", { b: "M" }); sheet.committed({}); theirs("r2", { b: "T" }); sheet.undo()`, []string{"B2=T"}, `[]`, ``},
		{"two edits undone lead to their value", `edit("r2", { b: "M" }); edit("r2", { b: "N" }); theirs("r2", { b: "T" }); sheet.undo(); sheet.undo()`, []string{"B2=T"}, `[]`, ``},
		{"what was undone is not redone over theirs", `edit("r2", { b: "M" }); sheet.undo(); theirs("r2", { b: "T" }); sheet.redo()`, []string{"B2=T"}, `[]`, ``},
		{"the clerk takes theirs", `edit("r2", { b: "M" }); theirs("r2", { b: "T" }); sheet.settle([false])`, []string{"B2=T"}, `[]`, ``},
		{
			"and takes it back", `edit("r2", { b: "M" }); theirs("r2", { b: "T" }); sheet.settle([false]); sheet.undo()`,
			[]string{"B2=M"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, ``,
		},
		{
			"the clerk keeps mine", `edit("r2", { b: "M" }); theirs("r2", { b: "T" }); sheet.settle([true])`,
			[]string{"B2=M"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, ``,
		},
		{"a row they deleted goes", `order(["r1", "r3", "r4"])`, []string{"B2=B3", "B3=B4"}, `[]`, ``},
		{
			"a row they deleted that I changed stays as a new one", `edit("r2", { b: "M" }); order(["r1", "r3", "r4"])`,
			[]string{"B2=M", "C2=C2", "B3=B3"},
			`[{"op":"insert","temp":"again-r2","after":"r1","cells":{"a":"A2","b":"M","c":"C2","e":"E2","f":"F2","g":"G2","h":"H2"}}]`, `again-r2  deleted A2，M，C2，E2，F2，G2，H2/`,
		},
		{"and goes when the clerk says so", `edit("r2", { b: "M" }); order(["r1", "r3", "r4"]); sheet.settle([false])`, []string{"B2=B3"}, `[]`, ``},
		{"a row both deleted", `sheet.deleteRows(["r2"]); order(["r1", "r3", "r4"])`, []string{"B2=B3"}, `[]`, ``},
		{
			"a row I deleted that they changed", `sheet.deleteRows(["r2"]); theirs("r2", { b: "T" })`,
			[]string{"B2=B3"},
			`[{"op":"delete","row":"r2"}]`, `r2  delete-edited /A2，T，C2，E2，F2，G2，H2`,
		},
		{"and comes back when the clerk says so", `sheet.deleteRows(["r2"]); theirs("r2", { b: "T" }); sheet.settle([false])`, []string{"B2=T", "B3=B3"}, `[]`, ``},
		{"a row of theirs comes in its place", `order(["r1", "r9", "r2", "r3", "r4"], { r9: { b: "T" } })`, []string{"B2=T", "B3=B2"}, `[]`, ``},
		{
			"mine stay behind their row", `const id = sheet.insertRow("r2"); edit(id, { b: "M" }); order(["r1", "r9", "r2", "r3", "r4"], { r9: { b: "T" } })`,
			[]string{"B2=T", "B3=B2", "B4=M", "B5=B3"},
			`[{"op":"insert","temp":"new-2","after":"r2","cells":{"b":"M"}}]`, ``,
		},
		{
			"undo of an insert when rows came above", `const id = sheet.insertRow("r2"); edit(id, { b: "M" }); order(["r9", "r1", "r2", "r3", "r4"], { r9: { b: "T" } }); sheet.undo(); sheet.undo()`,
			[]string{"B1=T", "B3=B2", "B4=B3"},
			`[]`, ``,
		},
		{
			"undo of a delete when rows came above", `sheet.deleteRows(["r2"]); order(["r9", "r1", "r2", "r3", "r4"], { r9: { b: "T" } }); sheet.undo()`,
			[]string{"B1=T", "B2=B1", "B3=B2", "B4=B3"},
			`[]`, ``,
		},
		{
			"undo and redo do not bring back what they deleted", `sheet.deleteRows(["r2"]); sheet.undo(); order(["r1", "r3", "r4"]); sheet.redo(); sheet.undo()`,
			[]string{"B2=B3"},
			`[]`, ``,
		},
		{
			"a restored row that they deleted has its one name", `order(["r1", "r3", "r4"]); sheet.apply([{ op: "insert", temp: "again-r2", after: "r1", cells: { b: "M" } }], "恢复", true)`,
			[]string{"B2=M", "C2=", "B3=B3"},
			`[{"op":"insert","temp":"again-r2","after":"r1","cells":{"b":"M"}}]`, ``,
		},
		{
			"a draft's deletion spares what another draft filled in", `edit("r2", { b: "M" }); sheet.apply([{ op: "delete", row: "r1" }, { op: "delete", row: "r2" }], "恢复", true)`,
			[]string{"B1=M", "B2=B3"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}},{"op":"delete","row":"r1"}]`, ``,
		},
		{
			"and its edit brings back what another draft deleted", `apply([{ op: "delete", row: "r2" }]); sheet.apply([{ op: "edit", row: "r2", cells: { b: "M" } }], "恢复", true)`,
			[]string{"B1=B1", "B2=M", "C2=C2", "B3=B3"},
			`[{"op":"edit","row":"r2","cells":{"b":"M"}}]`, ``,
		},
		{"a restored change set is taken back as one step", `const was = apply([{ op: "edit", row: "r1", cells: { b: "M" } }, { op: "delete", row: "r3" }]); edit("r1", { c: "N" }); was.takeBack("放弃")`, []string{"B1=B1", "C1=N", "B3=B3"}, `[{"op":"edit","row":"r1","cells":{"c":"N"}}]`, ``},
		{"and that is undone", `apply([{ op: "delete", row: "r3" }]).takeBack("放弃"); sheet.undo()`, []string{"B3=B4"}, `[{"op":"delete","row":"r3"}]`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 4)
			s.Do(`
				const keys = [..."abcdefgh"];
				const apply = (changes) => sheet.apply(changes, "改");
				const edit = (row, cells) => apply([{ op: "edit", row, cells }]);
				const values = (id, cells) => keys.map((k) => (k in cells ? cells[k] : id === "r9" || k === "d" ? "" : k.toUpperCase() + id.slice(1)));
				const theirs = (id, cells) => sheet.merge({ rows: [{ id, values: values(id, cells) }], by: { [id]: "李" } });
				const order = (order, rows = {}) => sheet.merge({ order, rows: Object.keys(rows).map((id) => ({ id, values: values(id, rows[id]) })) });
				` + tt.js)
			s.want(tt.cells...)
			if got := s.changes(); got != tt.changes {
				t.Errorf("changes\n got %s\nwant %s", got, tt.changes)
			}
			got := browser.Eval[string](s.Page, `sheet.clashes().map((c) => c.row + " " + c.key + " " + c.kind + " " + c.mine + "/" + c.theirs).join("; ")`)
			if got != tt.clashes {
				t.Errorf("clashes %q, want %q", got, tt.clashes)
			}
		})
	}
}

// The selection stays on its row and an open editor with its cell; what changed is
// marked, what differs is told.
func TestMergeUnderTheClerk(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 40)
	s.click("B3")
	s.Type("abc")
	s.Do(`sheet.merge({ order: ["x1", ...Array.from({ length: 40 }, (_, i) => "r" + (i + 1)).filter((id) => id !== "r3")], rows: [
		{ id: "x1", values: ["", "新行", "", "", "", "", "", ""] },
		{ id: "r2", values: ["A2", "B2", "他人", "", "E2", "F2", "G2", "H2"] },
	], by: { r3: "李" } })`)
	s.wantActive("B4")
	if got := browser.Eval[string](s.Page, `[...document.querySelectorAll('.tbs-row:not([hidden]) [data-news="new"]')].map((c) => c.textContent).join()`); got != "新行,他人" {
		t.Errorf("marked as new: %s", got)
	}
	s.Type("d\n")
	// Others deleted the row meanwhile: it stays, and is asked about.
	s.want("B1=新行", "B4=abcd", "C3=他人")
	s.click("B4")
	if got := browser.Eval[string](s.Page, `document.querySelector(".tbs-tip").textContent`); got != "李已删除这一行，提交时请选择" {
		t.Errorf("told: %s", got)
	}
}
