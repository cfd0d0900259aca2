package uitest

import (
	"testing"

	"tianbao/internal/browser"
)

// scrolls is the page's side of the benchmark. Beside the sheet it has two other boxes of
// the same size to scroll in the same way: one with a striped ground and nothing else, and
// one that does no more for a row than to put its nine texts into a pooled element.
const scrolls = `
	window.tasks = 0;
	new PerformanceObserver((l) => { tasks += l.getEntries().length; }).observe({ entryTypes: ["longtask"] });
	window.sheetBox = document.querySelector(".tbs-scroll");
	const at = sheetBox.getBoundingClientRect();
	const beside = (height) => {
		const box = document.createElement("div"), long = document.createElement("div");
		box.style.cssText = "position:fixed;overflow:auto;z-index:9;display:none;background:#fff;font:13px/27px var(--font);left:" + at.x + "px;top:" + at.y + "px;width:" + at.width + "px;height:" + at.height + "px";
		long.style.cssText = "position:relative;height:" + height + "px";
		box.append(long);
		document.body.append(box);
		return box;
	};
	window.bareBox = beside(3200000);
	bareBox.firstChild.style.background = "repeating-linear-gradient(#fff 0 31px,#ccc 31px 32px)";
	window.textBox = beside(2800000);
	const pool = Array.from({ length: Math.ceil(at.height / 28) + 10 }, () => {
		const row = document.createElement("div");
		row.style.cssText = "position:absolute;left:0;width:100%;height:28px;display:flex;contain:strict";
		for (let c = 0; c < 9; c++) {
			const cell = document.createElement("div");
			cell.style.cssText = "flex:none;width:130px;border:solid #ddd;border-width:0 1px 1px 0";
			cell.append("");
			row.append(cell);
		}
		textBox.firstChild.append(row);
		return { row, pos: -1 };
	});
	textBox.addEventListener("scroll", () => {
		const first = Math.max(0, Math.floor(textBox.scrollTop / 28) - 5);
		for (let pos = first; pos < first + pool.length; pos++) {
			const p = pool[pos % pool.length];
			if (p.pos === pos) continue;
			p.pos = pos;
			p.row.style.top = pos * 28 + "px";
			p.row.childNodes.forEach((cell, c) => { cell.firstChild.data = c ? "ABCDEFGH"[c - 1] + pos : pos; });
		}
	});
	// The worst frame, and how many came later than 50 ms.
	window.scrolled = async (box) => {
		if (box !== sheetBox) box.style.display = "block";
		box.scrollTop = 0;
		await frame();
		let worst = 0, late = 0, last = performance.now();
		for (let i = 0; i < 70; i++) {
			box.scrollTop = i < 60 ? i * 400 : (i - 59) * 250000;
			await new Promise(requestAnimationFrame);
			const now = performance.now();
			if (i) worst = Math.max(worst, now - last);
			if (i && now - last > 50) late++;
			last = now;
		}
		await new Promise((ok) => setTimeout(ok, 100)); // a long task is told of after it
		if (box !== sheetBox) box.style.display = "none";
		return [worst, late];
	};
`

// BenchmarkScroll100000 goes 60 steps of 400 px, then 10 jumps; the goal is no frame over
// 50 ms. Of the sheet itself tell, whatever else the machine does:
//
//   - cpu-ms/frame, the main thread's work for a frame, and longtasks, those of over 50 ms;
//   - raster-ms/frame, the work of painting on other threads;
//   - garbage-KB/frame: every 107 MB of it the browser collects, over the whole heap of
//     100,000 rows, on more threads than there are cores, and then frames are late;
//   - gc-pause-ms and gc-mark-ms, what one such collection takes of the main thread and
//     of the others.
//
// A frame can also be late because the machine is busy: bare- and text- are the frames of
// a box without anything and of one with the same new text and nothing else, scrolled in
// the same minute.
func BenchmarkScroll100000(b *testing.B) {
	p := bench(b, "100000")
	p.Do(scrolls)
	p.CountCPU()
	const frames = 70
	boxes := [...]string{"sheet", "bare", "text"}
	var worst, late [len(boxes)]float64
	var tasks, cpu float64
	for b.Loop() {
		for i, box := range boxes {
			p.Do(`tasks = 0`)
			before := p.CPU()
			r := browser.Eval[[]float64](p, `scrolled(`+box+`Box)`)
			worst[i] = max(worst[i], r[0])
			late[i] += r[1]
			if i == 0 {
				cpu += p.CPU() - before
				tasks += browser.Eval[float64](p, `tasks`)
			}
		}
	}
	b.ReportMetric(cpu/frames/float64(b.N), "cpu-ms/frame")
	b.ReportMetric(worst[0], "worst-frame-ms")
	b.ReportMetric(late[0], "frames>50ms")
	b.ReportMetric(tasks, "longtasks")
	for i, box := range boxes[1:] {
		b.ReportMetric(worst[i+1], box+"-worst-ms")
		b.ReportMetric(late[i+1], box+"-frames>50ms")
	}

	var garbage float64
	for range 3 {
		garbage = max(garbage, p.Garbage(func() { p.Do(`await scrolled(sheetBox)`) }))
	}
	b.ReportMetric(garbage/1024/frames, "garbage-KB/frame")

	var raster, pause, mark, collections float64
	const runs = 6 // as many as bring about a collection
	spans := p.Trace(func() {
		for range runs {
			p.Do(`await scrolled(sheetBox)`)
		}
	}, "cc", "v8", "disabled-by-default-v8.gc")
	for _, s := range spans {
		switch s.Name {
		case "RasterTask":
			raster += s.CPU / 1000
		case "MajorGC":
			collections++
			pause += s.CPU / 1000
		case "V8.GC_MC_BACKGROUND_MARKING":
			mark += s.CPU / 1000
		}
	}
	b.ReportMetric(raster/frames/runs, "raster-ms/frame")
	if collections > 0 {
		b.ReportMetric(pause/collections, "gc-pause-ms")
		b.ReportMetric(mark/collections, "gc-mark-ms")
	}
}
