package uitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tianbao/internal/browser"
)

// source gives the sheet a source of n rows whose windows the test lets through:
// open(n) answers n of those asked for, open() all that ever come. asked lists the
// windows as "from+count", aborted ones with a minus before them.
const source = `
	window.asked = [];
	window.held = [];
	window.flow = false;
	window.fails = 0;
	window.row = (i) => ({ id: "r" + (i + 1), version: 1, values: [..."ABCDEFGH"].map((l) => (l === "D" ? "" : l + (i + 1))) });
	window.stretch = (from, count) => Array.from({ length: Math.min(count, total - from) }, (_, i) => row(from + i));
	window.open1 = () => new Promise((ok) => {
		const next = () => {
			const h = held.shift();
			if (!h) return setTimeout(next, 5);
			h();
			setTimeout(ok, 5);
		};
		next();
	});
	window.openAll = () => { flow = true; held.splice(0).forEach((h) => h()); };
	window.begin = (n, rows = 0) => {
		window.total = n;
		sheet.setSource({ count: n, rows: rows ? stretch(0, rows) : undefined, load: (from, count, signal, after) => new Promise((ok, no) => {
			const at = asked.push(from + "+" + count + (after ? " after " + after : "")) - 1;
			signal.addEventListener("abort", () => { asked[at] = "-" + asked[at]; no(new Error("aborted")); });
			const answer = () => fails-- > 0 ? no(new Error("no network")) : ok(stretch(from, count));
			if (flow) setTimeout(answer); else held.push(answer);
		}) });
		sheet.complete.then(() => said.push({ type: "complete" }));
	};
`

// far opens a sheet on a source.
func far(t *testing.T, w *world, base string, n, rows int) sheet {
	t.Helper()
	s := open(t, w, base, 0)
	s.Do(source)
	s.Do(fmt.Sprintf(`begin(%d, %d)`, n, rows))
	s.Frame()
	return s
}

func (s sheet) asked() string {
	s.t.Helper()
	return strings.Join(browser.Eval[[]string](s.Page, `asked`), ", ")
}

func (s sheet) all() {
	s.t.Helper()
	s.Do(`openAll()`)
	s.Wait(`said.some((e) => e.type === "complete")`)
	s.Frame()
}

// drawn is the text of a cell as it is drawn; "…" for one that is still to come.
func (s sheet) drawn(cell string) string {
	s.t.Helper()
	r, c := at(cell)
	return browser.Eval[string](s.Page, fmt.Sprintf(`(() => {
		const row = document.querySelector('.tbs-row[aria-rowindex="%d"]:not([hidden])');
		return !row ? "out of sight" : row.getAttribute("aria-busy") ? "…" : row.querySelector('[data-c="%d"]').textContent;
	})()`, r+3, c))
}

func TestSource(t *testing.T) {
	w := start(t)
	base := serve(t)
	want := func(t *testing.T, what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	scroll := func(s sheet, row int) {
		s.Do(fmt.Sprintf(`document.querySelector(".tbs-scroll").scrollTop = %d`, row*28))
		s.Frame()
	}

	t.Run("the window in sight comes first, then the rest in order", func(t *testing.T) {
		s := far(t, w, base, 5000, 0)
		want(t, "a row to come", s.drawn("B1"), "…")
		want(t, "its height", browser.Eval[string](s.Page, `String(document.querySelector(".tbs-body").offsetHeight)`), "140000")
		scroll(s, 3000)
		s.Wait(`asked.length > 1`)
		s.Do(`open1()`) // the first window: nobody waits for it
		s.Do(`open1()`)
		s.Frame()
		want(t, "a row in sight", s.drawn("B3002"), "B3002")
		s.all()
		want(t, "asked", s.asked(), "-0+200, 2950+200, 0+1000, 1000+1000 after r1000, 2000+1000 after r2000, 3150+1000 after r3150, 4150+850 after r4150")
		s.want("B1=B1", "H5000=H5000", "B3000=B3000")
		if s.rows() != 5000 {
			t.Errorf("%d rows", s.rows())
		}
	})

	t.Run("rows that came with the count are not asked for", func(t *testing.T) {
		s := far(t, w, base, 1000, 300)
		want(t, "the first row", s.drawn("B1"), "B1")
		s.all()
		want(t, "asked", s.asked(), "300+700 after r300")
	})

	t.Run("a row to come cannot be edited, one that is there can", func(t *testing.T) {
		s := far(t, w, base, 1000, 300)
		s.click("B2")
		s.Type("新")
		s.Press("Enter")
		s.want("B2=新")
		s.Press("Ctrl+End")
		s.Frame()
		s.Type("x")
		s.Press("F2")
		want(t, "word", browser.Eval[string](s.Page, `document.querySelector(".tbs-live, .visually-hidden[role=status]").textContent`), "这些行正在读取，还没有显示出来，请稍候再操作。")
		s.Press("Delete", "Ctrl+-", "Ctrl+=")
		s.Press("Ctrl+Home")
		s.Frame()
		s.Do(`said.length = 0`)
		s.Press("Ctrl+a")
		s.Press("Ctrl+d", "Delete")
		if got := s.heard(); len(got) != 2 {
			t.Errorf("notices: %v", got)
		}
		want(t, "changes", s.changes(), `[{"op":"edit","row":"r2","cells":{"b":"新"}}]`)
		s.all()
		want(t, "changes", s.changes(), `[{"op":"edit","row":"r2","cells":{"b":"新"}}]`)
		s.Press("Ctrl+End")
		s.Press("Delete")
		s.want("H1000=", "G1000=G1000")
	})

	t.Run("the active cell opens when its row comes", func(t *testing.T) {
		s := far(t, w, base, 500, 0)
		s.click("B3")
		if !browser.Eval[bool](s.Page, `document.querySelector(".tbs-input").readOnly`) {
			t.Error("a row to come is open")
		}
		s.all()
		if browser.Eval[bool](s.Page, `document.querySelector(".tbs-input").readOnly`) {
			t.Error("a row that came is shut")
		}
		want(t, "told", browser.Eval[string](s.Page, `said.filter((e) => e.type === "tb-active").pop().row`), "r3")
		s.Type("好")
		s.Press("Enter")
		s.want("B3=好")
	})

	t.Run("rows inserted and deleted meanwhile stay as they are", func(t *testing.T) {
		s := far(t, w, base, 1000, 300)
		s.Do(`sheet.deleteRows(["r1", "r2"]); sheet.insertRow("r10")`)
		s.Frame()
		scroll(s, 600)
		s.Wait(`asked.length > 1`)
		s.all()
		if n := s.rows(); n != 999 {
			t.Errorf("%d rows", n)
		}
		s.want("B1=B3", "B9=", "B999=B1000", "B601=B602")
		s.Do(`sheet.undo(); sheet.undo()`)
		s.want("B1=B1", "B600=B600", "B1000=B1000")
		want(t, "changes", s.changes(), "[]")
	})

	t.Run("find reads on until the last row", func(t *testing.T) {
		s := far(t, w, base, 9000, 100)
		s.click("B2")
		s.Press("Ctrl+f")
		s.Type("f8999")
		want(t, "count", browser.Eval[string](s.Page, `document.querySelector(".tbs-find-count").textContent`), "正在读取…")
		s.all()
		want(t, "count", browser.Eval[string](s.Page, `document.querySelector(".tbs-find-count").textContent`), "1 / 1")
		s.wantActive("F8999")
	})

	t.Run("F8 reads on, and faults wait for their rows", func(t *testing.T) {
		s := far(t, w, base, 9000, 100)
		s.Do(`sheet.setFaults([{ row: "r8999", key: "g", severity: "error", message: "位数不对", code: "x" }])`)
		s.click("B2")
		s.Press("F8")
		s.wantActive("B2")
		s.all()
		s.wantActive("G8999")
		want(t, "mark", browser.Eval[string](s.Page, `document.querySelector(".tbs-active").dataset.fault`), "error")
	})

	t.Run("goTo waits for the row it names, apply and merge for the page", func(t *testing.T) {
		s := far(t, w, base, 3000, 100)
		s.Do(`
			sheet.goTo("r2700", "c");
			try { sheet.apply([{ op: "edit", row: "r2500", cells: { b: "改" } }], "合并"); said.push({ type: "lost" }) } catch {}
			if (sheet.merge({ rows: [{ id: "r2500", values: ["别"] }] })) said.push({ type: "lost" });
			sheet.complete.then(() => sheet.apply([{ op: "edit", row: "r2500", cells: { b: "改" } }], "合并"));
		`)
		want(t, "lost", browser.Eval[string](s.Page, `String(said.filter((e) => e.type === "lost").length)`), "0")
		s.all()
		s.wantActive("C2700")
		s.want("B2500=改")
	})

	t.Run("a sorted view is made when all rows are there", func(t *testing.T) {
		s := far(t, w, base, 3000, 100)
		s.Do(`sheet.setView({ sort: { key: "h", desc: true } })`)
		top := func() string {
			scroll(s, 1)
			scroll(s, 0)
			return s.drawn("H1")
		}
		want(t, "first", top(), "H1")
		s.all()
		want(t, "sorted", top(), "H999")
		s.Do(`flow = false; begin(3000, 100)`)
		want(t, "loading anew", top(), "H1")
		s.Do(`openAll(); await sheet.complete`)
		want(t, "sorted anew", top(), "H999")
	})

	t.Run("a first window that nobody looks at any more does not hold up the rest", func(t *testing.T) {
		s := far(t, w, base, 3000, 100)
		s.Do(`sheet.setView({ sort: { key: "h", desc: true } })`)
		s.all()
		// The old order is still on the screen: what is in sight is missing.
		s.Do(`flow = false; asked = []; said = []; begin(3000, 100)`)
		scroll(s, 1)
		s.Wait(`asked.length > 0 && asked[0].startsWith("-")`)
		s.Do(`openAll()`)
		s.Wait(`said.some((e) => e.type === "complete")`)
	})

	t.Run("a window that fails is asked for again", func(t *testing.T) {
		s := far(t, w, base, 900, 100)
		s.Do(`fails = 1`)
		s.all()
		want(t, "asked", s.asked(), "100+800 after r100, 100+800 after r100")
		if got := s.heard(); len(got) != 1 || !strings.Contains(got[0], "正在重试") {
			t.Errorf("notices: %v", got)
		}
	})

	t.Run("other rows end the source", func(t *testing.T) {
		s := far(t, w, base, 900, 100)
		s.Do(`sheet.setRows([row(0)])`)
		s.Wait(`said.some((e) => e.type === "complete")`)
		s.Do(`openAll()`)
		s.Frame()
		if s.rows() != 1 {
			t.Errorf("%d rows", s.rows())
		}
		want(t, "asked", s.asked(), "-100+800 after r100")
	})

	t.Run("a sheet that is taken away asks no more, and goes on when it is back", func(t *testing.T) {
		s := far(t, w, base, 900, 100)
		s.Do(`window.parent0 = sheet.parentNode; sheet.remove(); openAll()`)
		s.Frame()
		want(t, "asked", s.asked(), "-100+800 after r100")
		s.Do(`parent0.append(sheet)`)
		s.all()
		s.want("B900=B900")
	})
}

// endless answers a window of an endless sheet, as the server does.
func endless(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.FormValue("from"))
	count, _ := strconv.Atoi(r.FormValue("count"))
	rows := []map[string]any{}
	for i := from; i < from+count; i++ {
		unit := i / 50
		rows = append(rows, map[string]any{"id": strconv.Itoa(90000000 + i), "version": 1, "values": []string{
			fmt.Sprintf("101%06d", unit), fmt.Sprintf("第%d中学", unit), fmt.Sprintf("12210100%09dA", unit), "事业单位",
			fmt.Sprintf("user%d", i), fmt.Sprintf("示例%d", i), fmt.Sprintf("2101021990010%05d", i%90000), fmt.Sprintf("160%08d", i),
		}})
	}
	_ = json.NewEncoder(w).Encode(rows)
}

// benchSource opens an empty sheet; begin() gives it 100,000 rows by windows.
func benchSource(b *testing.B) *browser.Page {
	p := bench(b, "0")
	p.Do(`window.begin = () => sheet.setSource({ count: 100000, load: (from, count, signal) =>
		fetch("/rows?from=" + from + "&count=" + count, { signal }).then((r) => r.json()) })`)
	return p
}

// heap returns what the page holds in memory, in MB, without garbage.
func heap(b *testing.B, p *browser.Page) float64 {
	b.Helper()
	if _, err := chromedp.Call(p.Ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		b.Fatal(err)
	}
	use, err := chromedp.Call(p.Ctx, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		b.Fatal(err)
	}
	return use.UsedSize / 1e6
}

// BenchmarkSource100000 reads a sheet of 100,000 rows by windows while it is being
// scrolled; the goal is no frame over 50 ms. It tells when the first rows stood,
// when all were there, and what they hold in memory.
func BenchmarkSource100000(b *testing.B) {
	p := benchSource(b)
	var first, whole, worst, slow, held float64
	for b.Loop() {
		p.Do(`sheet.setRows([]); document.querySelector(".tbs-scroll").scrollTop = 0`)
		before := heap(b, p)
		r := browser.Eval[[]float64](p, `(async () => {
			const box = document.querySelector(".tbs-scroll");
			await frame();
			const t0 = performance.now();
			let first = 0, whole = 0, worst = 0, slow = 0, last = performance.now();
			begin();
			sheet.complete.then(() => (whole = performance.now() - t0));
			for (let i = 0; !whole || i < 70; i++) {
				if (first) box.scrollTop = i % 50 < 40 ? box.scrollTop + 400 : (i * 7919 % 100000) * 28;
				await new Promise(requestAnimationFrame);
				const now = performance.now();
				worst = Math.max(worst, now - last);
				if (now - last > 50) slow++;
				last = now;
				if (!first && document.querySelector(".tbs-body > .tbs-row:not([hidden]):not([aria-busy])")) first = now - t0;
			}
			return [first, whole, worst, slow];
		})()`)
		first += r[0]
		whole += r[1]
		worst = max(worst, r[2])
		slow += r[3]
		held = max(held, heap(b, p)-before)
	}
	b.ReportMetric(first/float64(b.N), "first-rows-ms")
	b.ReportMetric(whole/float64(b.N), "whole-ms")
	b.ReportMetric(worst, "worst-frame-ms")
	b.ReportMetric(slow, "frames>50ms")
	b.ReportMetric(held, "heap-MB")
}

// BenchmarkFind100000 is a search through 100,000 rows for what is on the last.
func BenchmarkFind100000(b *testing.B) {
	p := benchSource(b)
	p.Do(`begin(); window.done = false; sheet.complete.then(() => (done = true))`)
	p.Wait(`done`)
	p.Do(`sheet.focus()`)
	p.Press("Ctrl+f")
	var total float64
	for b.Loop() {
		total += browser.Eval[float64](p, `(async () => {
			const field = document.querySelector(".tbs-find-text");
			field.value = "示例99999";
			const t0 = performance.now();
			field.dispatchEvent(new InputEvent("input"));
			await frame();
			return performance.now() - t0;
		})()`)
	}
	b.ReportMetric(total/float64(b.N), "find-ms")
}

// Sheets that were taken away leave neither nodes nor listeners behind, also when
// their rows were still coming.
func TestSourceLeavesNothing(t *testing.T) {
	w := start(t)
	s := open(t, w, serve(t), 0)
	s.Do(`window.cycle = async (wait) => {
		const e = document.createElement("tb-sheet");
		e.className = "sheet";
		document.getElementById("before").after(e);
		e.columns = sheet.columns;
		e.setSource({ count: 100000, load: (from, count, signal) =>
			fetch("/rows?from=" + from + "&count=" + count, { signal }).then((r) => r.json()) });
		await new Promise((ok) => e.addEventListener("tb-progress", ok, { once: true }));
		e.querySelector(".tbs-scroll").scrollTop = 1e6;
		if (wait) await e.complete;
		e.remove();
	}`)
	count := func() memory.GetDOMCountersResult {
		for range 3 {
			call(t, s, heapprofiler.CollectGarbage, cdp.Empty{})
		}
		return call(t, s, memory.GetDOMCounters, cdp.Empty{})
	}
	s.Do(`await cycle(true)`)
	before := count()
	for range 5 {
		s.Do(`await cycle(false)`)
	}
	s.Do(`await cycle(true)`)
	if after := count(); after.Nodes > before.Nodes || after.JsEventListeners > before.JsEventListeners {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
