package uitest

import (
	"testing"

	"tianbao/internal/browser"
)

// The net change, step by step: each case starts with rows r1 to r4.
func TestChanges(t *testing.T) {
	b := start(t)
	base := serve(t)
	tests := []struct {
		name string
		js   string
		want string
	}{
		{"none", ``, `[]`},
		{"an edit", `edit("r2", { b: "x" })`, `[{"op":"edit","row":"r2","cells":{"b":"x"}}]`},
		{"an edit taken back by hand", `edit("r2", { b: "x" }); edit("r2", { b: "B2" })`, `[]`},
		{"an edit taken back by undo", `edit("r2", { b: "x" }); sheet.undo()`, `[]`},
		{"an empty new row is no change", `sheet.insertRow("r1")`, `[]`},
		{
			"a new row", `const id = sheet.insertRow("r1"); edit(id, { b: "x" })`,
			`[{"op":"insert","temp":"new-2","after":"r1","cells":{"b":"x"}}]`,
		},
		{
			"new rows follow each other", `const a = sheet.insertRow("r1"); const b = sheet.insertRow(a); edit(a, { b: "x" }); edit(b, { b: "y" })`,
			`[{"op":"insert","temp":"new-2","after":"r1","cells":{"b":"x"}},{"op":"insert","temp":"new-3","after":"","cells":{"b":"y"},"afterTemp":"new-2"}]`,
		},
		{
			"an empty new row between is passed over", `const a = sheet.insertRow("r1"); const b = sheet.insertRow(a); edit(b, { b: "y" })`,
			`[{"op":"insert","temp":"new-3","after":"r1","cells":{"b":"y"}}]`,
		},
		{
			"a new first row", `apply([{ op: "insert", temp: "t", after: "", cells: { b: "x" } }])`,
			`[{"op":"insert","temp":"new-2","after":"","cells":{"b":"x"}}]`,
		},
		{
			"a new row behind one that goes", `const id = sheet.insertRow("r2"); edit(id, { b: "x" }); sheet.deleteRows(["r2"])`,
			`[{"op":"insert","temp":"new-2","after":"r1","cells":{"b":"x"}},{"op":"delete","row":"r2"}]`,
		},
		{"a new row deleted again", `const id = sheet.insertRow("r2"); edit(id, { b: "x" }); sheet.deleteRows([id])`, `[]`},
		{
			"edits in order of rows", `edit("r3", { b: "x" }); edit("r1", { c: "y", b: "z" })`,
			`[{"op":"edit","row":"r1","cells":{"b":"z","c":"y"}},{"op":"edit","row":"r3","cells":{"b":"x"}}]`,
		},
		{"a deleted row does not carry its edits", `edit("r3", { b: "x" }); sheet.deleteRows(["r3"])`, `[{"op":"delete","row":"r3"}]`},
		{"a deleted row brought back", `edit("r3", { b: "x" }); sheet.deleteRows(["r3"]); sheet.undo()`, `[{"op":"edit","row":"r3","cells":{"b":"x"}}]`},
		{"after a save nothing", `edit("r2", { b: "x" }); sheet.committed({})`, `[]`},
		{"undo over a save", `edit("r2", { b: "x" }); sheet.committed({}); sheet.undo()`, `[{"op":"edit","row":"r2","cells":{"b":"B2"}}]`},
		{
			"undo of an insert over a save", `const id = sheet.insertRow("r1"); edit(id, { b: "x" }); sheet.committed({ [id]: "r9" }); sheet.undo(); sheet.undo()`,
			`[{"op":"delete","row":"r9"}]`,
		},
		{
			"undo of a delete over a save is a new row", `sheet.deleteRows(["r2"]); sheet.committed({}); sheet.undo()`,
			`[{"op":"insert","temp":"again-r2","after":"r1","cells":{"a":"A2","b":"B2","c":"C2","e":"E2","f":"F2","g":"G2","h":"H2"}}]`,
		},
		{
			"a saved new row is edited under its id", `const id = sheet.insertRow("r1"); edit(id, { b: "x" }); sheet.committed({ [id]: "r9" }); edit("r9", { b: "y" })`,
			`[{"op":"edit","row":"r9","cells":{"b":"y"}}]`,
		},
		{
			"what is typed while a save is under way stays", `edit("r2", { b: "x" }); const sent = sheet.changes(); edit("r2", { b: "y" }); edit("r3", { b: "z" }); sheet.committed({}, sent)`,
			`[{"op":"edit","row":"r2","cells":{"b":"y"}},{"op":"edit","row":"r3","cells":{"b":"z"}}]`,
		},
		{
			"a row made and saved while another is typed", `const a = sheet.insertRow("r1"); edit(a, { b: "x" }); const sent = sheet.changes(); const b = sheet.insertRow(a); edit(b, { b: "y" }); sheet.committed({ [a]: "r9" }, sent)`,
			`[{"op":"insert","temp":"new-3","after":"r9","cells":{"b":"y"}}]`,
		},
		{
			"a new row deleted while its save is under way", `const a = sheet.insertRow("r1"); edit(a, { b: "x" }); const sent = sheet.changes(); sheet.deleteRows([a]); sheet.committed({ [a]: "r9" }, sent)`,
			`[{"op":"delete","row":"r9"}]`,
		},
		{
			"an import plan is one step", `apply([
				{ op: "edit", row: "r1", cells: { b: "x" } },
				{ op: "insert", temp: "p1", after: "r4", cells: { b: "1" } },
				{ op: "insert", temp: "p2", after: "", afterTemp: "p1", cells: { b: "2" } },
				{ op: "delete", row: "r2" },
			]); sheet.undo(); sheet.redo()`,
			`[{"op":"insert","temp":"new-2","after":"r4","cells":{"b":"1"}},{"op":"insert","temp":"new-3","after":"","cells":{"b":"2"},"afterTemp":"new-2"},{"op":"edit","row":"r1","cells":{"b":"x"}},{"op":"delete","row":"r2"}]`,
		},
		{
			"an import into an empty sheet", `sheet.setRows([]); apply([{ op: "insert", temp: "p", after: "", cells: { b: "1" } }]); said.push({ n: sheet.rows().length })`,
			`[{"op":"insert","temp":"new-3","after":"","cells":{"b":"1"}}]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, b, base, 4)
			s.Do(`
				const apply = (changes) => sheet.apply(changes, "导入");
				const edit = (row, cells) => apply([{ op: "edit", row, cells }]);
				` + tt.js)
			if got := s.changes(); got != tt.want {
				t.Errorf("changes\n got %s\nwant %s", got, tt.want)
			}
			if got, want := browser.Eval[bool](s.Page, `sheet.dirty`), tt.want != "[]"; got != want {
				t.Errorf("dirty = %v, want %v", got, want)
			}
		})
	}
}

func TestEmptySheet(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 0)
	s.want("B1=", "H1=")
	if got := s.changes(); got != "[]" {
		t.Errorf("changes = %s", got)
	}
	s.click("B1")
	s.Type("x\t\n")
	if got, want := s.changes(), `[{"op":"insert","temp":"new-2","after":"","cells":{"b":"x"}}]`; got != want {
		t.Errorf("changes = %s, want %s", got, want)
	}
}

func TestEvents(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 5)
	s.Do(`said.length = 0`)
	s.click("B2")
	s.Type("x\n")
	s.Press("Ctrl+z")
	got := browser.Eval[string](s.Page, `JSON.stringify(said)`)
	want := `[{"type":"tb-active","row":"r2","key":"b"},{"type":"tb-change","dirty":true,"count":1},{"type":"tb-active","row":"r3","key":"b"},{"type":"tb-active","row":"r2","key":"b"},{"type":"tb-change","dirty":false,"count":0}]`
	if got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
}

func TestReadonly(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 5)
	s.Do(`sheet.setReadonly(true)`)
	s.click("B2")
	s.Type("x\n")
	s.Press("Delete", "Ctrl+d", "Ctrl+=", "Ctrl+-", "F2")
	s.Type("y\n")
	s.Paste("1\n2\n3\n4\n5\n6", "")
	if got := s.changes(); got != "[]" {
		t.Errorf("changes = %s", got)
	}
	if got := s.rows(); got != 5 {
		t.Errorf("rows = %d, want 5", got)
	}
	s.Do(`sheet.setReadonly(false)`)
	s.Press("Ctrl+Home", "ArrowRight")
	s.Type("z\n")
	s.want("B1=z")
}

// Random edits, pastes, inserts, deletes, undos and saves against a plain list:
// changes() carried out on the saved rows must give the rows on the screen.
func TestRandomHistory(t *testing.T) {
	b := start(t)
	s := open(t, b, serve(t), 4)
	wrong := browser.Eval[string](s.Page, `(() => {
		let seed = 1;
		const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
		const keys = [..."bcdefgh"];
		const full = (rows) => rows.filter((r) => !r.id.startsWith("new-") || r.values.some((v) => v));
		const show = (rows) => JSON.stringify(rows.map((r) => r.values));
		let serial = 0;
		for (let round = 0; round < 300; round++) {
			// The server's rows, and what it does with a change set.
			let saved = Array.from({ length: 1 + random(5) }, () => ({ id: "s" + ++serial, values: [..."abcdefgh"].map(() => String(random(3) || "")) }));
			sheet.setRows(saved);
			const carry = (changes) => {
				const ids = {};
				for (const ch of changes) {
					const i = saved.findIndex((r) => r.id === ch.row);
					if (ch.op !== "insert" && i < 0) throw new Error("no row " + ch.row);
					if (ch.op === "delete") saved.splice(i, 1);
					else if (ch.op === "edit") keys.concat("a").forEach((k) => { if (k in ch.cells) saved[i].values["abcdefgh".indexOf(k)] = ch.cells[k]; });
					else {
						const prev = ch.afterTemp ? ids[ch.afterTemp] : ch.after;
						const at = prev ? saved.findIndex((r) => r.id === prev) + 1 : 0;
						if (prev && !at) throw new Error("no row " + prev);
						ids[ch.temp] = "s" + ++serial;
						saved.splice(at, 0, { id: ids[ch.temp], values: [..."abcdefgh"].map((k) => ch.cells[k] || "") });
					}
				}
				return ids;
			};
			const log = [];
			try {
				for (let n = 0; n < 30; n++) {
					const rows = sheet.rows();
					const row = rows[random(rows.length)].id;
					const what = random(9);
					log.push(what);
					if (what < 3) sheet.apply([{ op: "edit", row, cells: { [keys[random(7)]]: String(random(4) || "") } }], "edit");
					else if (what === 3) sheet.insertRow(row);
					else if (what === 4) sheet.deleteRows([row, rows[random(rows.length)].id]);
					else if (what === 5) sheet.undo();
					else if (what === 6) sheet.redo();
					else if (what === 7) {
						sheet.goTo(row, "f");
						const text = new DataTransfer();
						text.setData("text/plain", "1\t2\n3\t" + random(9));
						document.querySelector(".tbs-input").dispatchEvent(new ClipboardEvent("paste", { clipboardData: text, cancelable: true }));
					} else {
						const sent = sheet.changes();
						const ids = carry(sent);
						// Sometimes the clerk goes on while the save is under way.
						if (random(2)) sheet.apply([{ op: "edit", row, cells: { e: "t" + random(9) } }], "edit");
						if (random(3) === 0) sheet.deleteRows([row]);
						sheet.committed(ids, sent);
					}
				}
				carry(sheet.changes());
			} catch (e) {
				return "round " + round + " " + log + ": " + e.stack;
			}
			if (show(saved) !== show(full(sheet.rows())))
				return "round " + round + " " + log + ": saved " + show(saved) + " shown " + show(full(sheet.rows()));
		}
		return "";
	})()`)
	if wrong != "" {
		t.Error(wrong)
	}
}
