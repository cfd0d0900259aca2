package uitest

import (
	"fmt"
	"testing"
	"time"

	"tianbao/internal/browser"
)

// bench opens a sheet for a benchmark.
func bench(b *testing.B, rows string) *browser.Page {
	b.Helper()
	p := browser.Start(b).Open(b, serve(b)+"/bare")
	p.Wait(`customElements.get("tb-sheet")`)
	p.Do(`
		window.sheet = document.querySelector("tb-sheet");
		window.rows = (n) => Array.from({ length: n }, (_, i) => ({ id: "r" + i, values: [..."ABCDEFGH"].map((l) => l + i) }));
		window.frame = () => new Promise((ok) => requestAnimationFrame(() => setTimeout(ok)));
		sheet.columns = ` + columns + `;
		sheet.setRows(rows(` + rows + `));
	`)
	return p
}

// BenchmarkPaste pastes into 60 rows and takes it back. The goals are 1 s for 2,000
// rows of 8 columns and 300 ms for 10,000 rows of 7, both without other load.
func BenchmarkPaste(b *testing.B) {
	for _, size := range []struct{ rows, cols int }{{2000, 8}, {10_000, 7}} {
		b.Run(fmt.Sprintf("%dx%d", size.rows, size.cols), func(b *testing.B) {
			p := bench(b, "60")
			p.Do(fmt.Sprintf(`window.block = Array.from({ length: %d }, (_, r) => Array.from({ length: %d }, (_, c) => r + "-" + c).join("\t")).join("\r\n")`, size.rows, size.cols))
			var paste, undo float64
			for b.Loop() {
				ms := browser.Eval[[]float64](p, fmt.Sprintf(`(async () => {
					sheet.setRows(rows(60));
					sheet.goTo("r0", %d === 8 ? "a" : "b");
					await frame();
					const data = new DataTransfer();
					data.setData("text/plain", block);
					const t0 = performance.now();
					document.querySelector(".tbs-input").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
					await frame();
					const t1 = performance.now();
					sheet.undo();
					await frame();
					return [t1 - t0, performance.now() - t1];
				})()`, size.cols))
				paste += ms[0]
				undo += ms[1]
			}
			b.ReportMetric(paste/float64(b.N), "paste-ms")
			b.ReportMetric(undo/float64(b.N), "undo-ms")
		})
	}
}

// BenchmarkMount shows saved rows that are all there; heap-MB is what the sheet holds
// beside them.
func BenchmarkMount(b *testing.B) {
	for _, n := range []int{300, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := bench(b, "0")
			p.Do(fmt.Sprintf(`window.many = rows(%d)`, n))
			before := p.Alive().Heap
			var total float64
			for b.Loop() {
				total += browser.Eval[float64](p, `(async () => {
					const t0 = performance.now();
					sheet.setRows(many);
					await frame();
					return performance.now() - t0;
				})()`)
			}
			b.ReportMetric(total/float64(b.N), "mount-ms")
			b.ReportMetric((p.Alive().Heap-before)/1e6, "heap-MB")
		})
	}
}

// 60 steps of 400 px, then 10 jumps; the goal is no frame over 50 ms. What is the
// sheet's own is cpu-ms/frame, the main thread's work for one, and longtasks, the tasks
// of over 50 ms that held a frame up. A frame can also be late because the machine was
// busy, or paints the new text without a graphics card: bare-worst-ms is the worst frame of a box with
// one long element scrolled in the same way, in the same minute.
func BenchmarkScroll100000(b *testing.B) {
	p := bench(b, "100000")
	p.Do(`
		const bare = document.createElement("div"), long = document.createElement("div");
		bare.style.cssText = "position:fixed;inset:0;overflow:auto;z-index:9;display:none";
		long.style.cssText = "height:3200000px;background:repeating-linear-gradient(#fff 0 31px,#ccc 31px 32px)";
		bare.append(long);
		document.body.append(bare);
		window.tasks = 0;
		new PerformanceObserver((l) => { tasks += l.getEntries().length; }).observe({ entryTypes: ["longtask"] });
		window.scrolled = async (box) => {
			box.scrollTop = 0;
			await frame();
			let worst = 0, slow = 0, last = performance.now();
			for (let i = 0; i < 70; i++) {
				box.scrollTop = i < 60 ? i * 400 : (i - 59) * 250000;
				await new Promise(requestAnimationFrame);
				const now = performance.now();
				if (i) worst = Math.max(worst, now - last);
				if (i && now - last > 50) slow++;
				last = now;
			}
			await new Promise((ok) => setTimeout(ok, 100)); // a long task is told of after it
			return [worst, slow, tasks];
		};
		window.bare = async () => {
			bare.style.display = "block";
			const r = await scrolled(bare);
			bare.style.display = "none";
			return r;
		};
	`)
	p.CountCPU()
	var worst, slow, tasks, bare, cpu float64
	for b.Loop() {
		p.Do(`tasks = 0`)
		before := p.CPU()
		r := browser.Eval[[]float64](p, `scrolled(document.querySelector(".tbs-scroll"))`)
		cpu += p.CPU() - before
		worst = max(worst, r[0])
		slow += r[1]
		tasks += r[2]
		bare = max(bare, browser.Eval[[]float64](p, `bare()`)[0])
	}
	b.ReportMetric(cpu/70/float64(b.N), "cpu-ms/frame")
	b.ReportMetric(worst, "worst-frame-ms")
	b.ReportMetric(slow, "frames>50ms")
	b.ReportMetric(tasks, "longtasks")
	b.ReportMetric(bare, "bare-worst-ms")
}

// From the key to the next frame, on a processor slowed six times, 300 rows, a key
// every 30 ms; the goal is 250 ms for 95 of 100.
func BenchmarkKeyToPaint(b *testing.B) {
	p := bench(b, "300")
	p.Do(`
		window.times = [];
		addEventListener("keydown", (e) => {
			requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - e.timeStamp)));
		}, true);
		sheet.goTo("r0", "b");
	`)
	p.SlowCPU(6)
	for b.Loop() {
		for range 10 {
			for _, key := range []string{"1", "2", "3", "4", "Enter"} {
				p.Press(key)
				time.Sleep(30 * time.Millisecond)
			}
		}
	}
	p.Frame()
	b.ReportMetric(browser.Eval[float64](p, `times.sort((x, y) => x - y)[Math.floor(times.length / 2)]`), "p50-ms")
	b.ReportMetric(browser.Eval[float64](p, `times[Math.floor(times.length * 0.95)]`), "p95-ms")
}
