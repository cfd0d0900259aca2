// The progress page and its big-screen view: figures change as units report, without the
// page being loaded again. The server words and rounds all of it; here it only finds its
// place. Without this script the page is the same, and stands still.
import { t } from "../sheet/words";

interface Count { state: string; count: number }
interface Figures { unit?: string; expected: number; done: number; undone: number; rate: string; quality: string; states: Count[] }
interface Tile { region: string; value: string; title: string; class: string }
interface Progress { at: string; total: Figures; parts: Figures[]; rest?: Figures; tiles?: Tile[] }

const root = document.querySelector<HTMLElement>("[data-progress]");
const live = document.getElementById("live");

function put(f: Figures, name: string): void {
  const at = root!.querySelector(`[data-unit="${name}"]`);
  if (!at) return;
  const values: Record<string, string> = {
    expected: String(f.expected), done: String(f.done), undone: String(f.undone), rate: f.rate, quality: f.quality,
  };
  for (const c of f.states) values["state-" + (c.state || "none")] = String(c.count);
  at.querySelectorAll<HTMLElement>("[data-f]").forEach((e) => {
    const value = values[e.dataset.f!];
    if (value !== undefined && e.textContent !== value) e.textContent = value;
  });
  const bar = at.querySelector("progress");
  if (bar) {
    bar.max = f.expected;
    bar.value = f.done;
  }
}

function show(p: Progress): void {
  put(p.total, p.total.unit || "0");
  for (const f of p.parts) put(f, f.unit || "0");
  if (p.rest) put(p.rest, "rest");
  for (const tile of p.tiles || []) {
    for (const at of root!.querySelectorAll(`[data-tile="${tile.region}"]`)) { // as a tile, and on a map
      at.setAttribute("class", tile.class);
      const whole = at.parentElement!.localName === "a" ? at.parentElement! : at;
      const title = whole.querySelector("title"), value = at.querySelector(".tile-value");
      if (title) title.textContent = tile.title;
      if (value) value.textContent = tile.value;
      if (at.hasAttribute("aria-label")) at.setAttribute("aria-label", tile.title);
    }
  }
  const clock = document.getElementById("clock");
  if (clock) {
    clock.setAttribute("datetime", p.at);
    clock.textContent = new Date(p.at).toLocaleTimeString(document.documentElement.lang, { timeZone: "Asia/Shanghai", hour12: false });
  }
}

if (root && root.dataset.progress) {
  const stream = new EventSource(root.dataset.progress);
  const say = (text: string) => { if (live && live.textContent !== text) live.textContent = text; };
  stream.addEventListener("progress", (e) => {
    show(JSON.parse((e as MessageEvent<string>).data) as Progress);
    say(t("数字自动更新"));
  });
  stream.addEventListener("error", () => say(t("连接断开，正在重连")));
  stream.addEventListener("end", () => {
    stream.close();
    say(t("登录已结束，请刷新页面"));
  });
}
