import { Grid } from "./grid";
import { el } from "./text";
import { t } from "./words";

/**
 * The sheet's own find bar: rows out of sight are not in the document, so the
 * browser's search cannot see them.
 */
export class Find {
  readonly el: HTMLElement;
  private field = el("input", { class: "tbs-find-text", type: "search", "aria-label": t("在表格中查找"), placeholder: t("在表格中查找") });
  private count = el("span", { class: "tbs-find-count", role: "status" });

  private waiting = false;

  constructor(
    private grid: Grid,
    private back: () => void,
  ) {
    const button = (text: string, label: string, fn: () => void) => {
      const b = el("button", { type: "button", class: "tbs-find-button", "aria-label": label, title: label }, text);
      b.addEventListener("click", fn);
      return b;
    };
    this.el = el("div", { class: "tbs-find", role: "search", hidden: "" });
    this.el.append(
      this.field,
      this.count,
      button("↑", t("上一个"), () => this.step(-1)),
      button("↓", t("下一个"), () => this.step(1)),
      button("×", t("关闭查找"), () => this.close()),
    );
    this.field.addEventListener("input", (e) => {
      if (!(e as InputEvent).isComposing) this.step(0);
    });
    this.field.addEventListener("compositionend", () => this.step(0));
    this.el.addEventListener("keydown", (e) => {
      if (e.isComposing || e.keyCode === 229) return;
      if (e.key === "Escape") this.close();
      else if (e.key === "Enter" && e.target === this.field) this.step(e.shiftKey ? -1 : 1);
      else return;
      e.preventDefault();
    });
  }

  show(): void {
    this.el.hidden = false;
    this.field.focus();
    this.field.select();
    this.step(0);
  }

  private close(): void {
    this.el.hidden = true;
    this.back();
  }

  /** Rows that have not come yet may have what is looked for. */
  private wait(dir: -1 | 0 | 1): void {
    this.count.textContent = t("正在读取…");
    if (this.waiting) return;
    this.waiting = true;
    this.grid.loader.whole(() => {
      this.waiting = false;
      if (!this.el.hidden) this.step(dir);
    });
  }

  /** Goes to the next hit (1), the one before (-1), or the first from here on (0). */
  private step(dir: -1 | 0 | 1): void {
    const { grid } = this;
    const want = this.field.value.trim().toLowerCase();
    if (want && grid.model.missing) return this.wait(dir);
    const hits: [number, number][] = [];
    // Lowering a long sheet's texts takes longer than searching them.
    const fold = want !== want.toUpperCase();
    if (want) {
      grid.lines.forEach((l, r) =>
        l.v.forEach((text, c) => {
          if (text && (fold ? text.toLowerCase() : text).includes(want)) hits.push([r, c]);
        }),
      );
    }
    this.count.textContent = want && !hits.length ? (grid.shown.on ? t("显示的行中没有") : t("没有找到")) : "";
    if (!hits.length) return;
    const { r, c } = grid.sel;
    const after = (h: [number, number]) => h[0] - r || h[1] - c;
    let i = dir < 0 ? hits.length - 1 : 0;
    if (dir < 0) while (i >= 0 && after(hits[i]) >= 0) i--;
    else while (i < hits.length && (dir ? after(hits[i]) <= 0 : after(hits[i]) < 0)) i++;
    i = (i + hits.length) % hits.length;
    this.count.textContent = `${i + 1} / ${hits.length}`;
    grid.choose(hits[i][0], hits[i][1]);
  }
}
