import type { Part } from "./element";
import { shownText } from "./format";
import { Grid } from "./grid";
import { el } from "./text";
import { Filter } from "./types";
import { t } from "./words";

/** Most values listed at once; the text narrows them down. */
const most = 200;

/**
 * The panel of a column: order, filter, width. It opens under the column's letter,
 * by its button or by Ctrl+Shift+L, and has the focus like the find bar. Ticked
 * values are seen; with none ticked, those that hold the text.
 */
export class Menu {
  readonly el = el("form", { class: "tbs-menu", hidden: "" });
  private c = 0;
  private text = el("input", { class: "tbs-find-text", type: "search", placeholder: t("包含的文字"), "aria-label": t("包含的文字") });
  private list = el("div", { class: "tbs-menu-list", role: "group", "aria-label": t("只看打勾的值") });
  private values: [string, number][] = [];
  private on = new Set<string>();

  constructor(
    private grid: Grid,
    private back: () => void,
  ) {
    grid.view.head.addEventListener("mousedown", (e) => {
      const c = (e.target as Element).getAttribute("data-menu");
      if (!c) return;
      e.preventDefault();
      e.stopPropagation();
      if (this.el.hidden || +c !== this.c) this.open(+c);
      else this.close();
    });
    this.el.addEventListener("input", (e) => {
      const box = e.target as HTMLInputElement;
      if (box === this.text) this.draw();
      else if (box.checked) this.on.add(box.value);
      else this.on.delete(box.value);
    });
    this.el.addEventListener("submit", (e) => {
      e.preventDefault();
      const contains = this.text.value.trim();
      this.filter(this.on.size ? { values: Array.from(this.on) } : contains ? { contains } : null);
    });
    this.el.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && !e.isComposing) this.close();
    });
    this.el.addEventListener("focusout", (e) => {
      if (e.relatedTarget && !this.el.contains(e.relatedTarget as Node)) this.el.hidden = true;
    });
  }

  open(c: number): void {
    const { shown, sizes, view, model } = this.grid;
    if (model.missing) return this.grid.notice(t("还在读取其余的行，请稍后再排序和筛选。"));
    const col = model.columns[c];
    const { sort, filters } = shown.spec;
    const now: Filter = (filters && filters[col.key]) || {};
    this.c = c;
    this.values = shown.values(c);
    this.on = new Set(now.values);
    this.text.value = now.contains || "";
    const row = (...buttons: [string, (() => void)?, boolean?][]) =>
      el(
        "div",
        { class: "tbs-menu-row" },
        ...buttons.map(([text, fn, pressed]) => {
          const b = el("button", { type: fn ? "button" : "submit", class: "tbs-menu-button", "aria-pressed": String(!!pressed) }, text);
          if (fn) b.onclick = fn;
          else b.removeAttribute("aria-pressed");
          return b;
        }),
      );
    const order = (desc?: boolean): [() => void, boolean] => [
      () => {
        this.close();
        this.grid.setView({ ...shown.spec, sort: desc === undefined ? desc : { key: col.key, desc } });
      },
      sort ? sort.key === col.key && sort.desc === desc : desc === undefined,
    ];
    this.el.textContent = "";
    this.el.setAttribute("aria-label", t("{0}列 {1}", col.letter, col.title));
    this.el.append(
      row([t("升序"), ...order(false)], [t("降序"), ...order(true)], [t("原来的顺序"), ...order()]),
      this.text,
      this.list,
      row([t("筛选")], [t("清除筛选"), () => this.filter(null)]),
      row([t("加宽"), () => sizes.by(c, 1)], [t("变窄"), () => sizes.by(c, -1)], [t("按内容"), () => sizes.fit(c)], [t("恢复列宽"), () => sizes.reset()]),
    );
    this.draw();
    if (!this.el.parentNode) view.scroll.after(this.el);
    this.el.hidden = false;
    const { style } = this.el;
    const { x } = view.cellRect(0, c);
    style.left = Math.max(0, Math.min(x, view.scroll.clientWidth - this.el.offsetWidth)) + "px";
    style.top = view.scroll.offsetTop + view.letterHeight + "px";
    style.maxHeight = view.scroll.clientHeight - view.letterHeight + "px";
    this.text.focus();
  }

  private close(): void {
    this.el.hidden = true;
    this.back();
  }

  private draw(): void {
    const { list, on } = this;
    const col = this.grid.model.columns[this.c];
    const part = this.text.value.trim().toLowerCase();
    const all = this.values.filter(([v]) => v.toLowerCase().includes(part));
    list.textContent = "";
    for (const [value, n] of all.slice(0, most)) {
      const box = el("input", { type: "checkbox", value });
      box.checked = on.has(value);
      list.append(el("label", {}, box, el("span", {}, shownText(col, value) || t("（空白）")), String(n)));
    }
    if (all.length > most) list.append(t("还有 {0} 个值，输入文字可以缩小范围", all.length - most));
  }

  private filter(f: Filter | null): void {
    const { grid } = this;
    const filters = { ...grid.shown.spec.filters };
    const { key } = grid.model.columns[this.c];
    delete filters[key];
    if (f) filters[key] = f;
    if (grid.setView({ ...grid.shown.spec, filters })) this.close();
  }
}

/** The panel as a part of a sheet. */
export const columnMenu: Part = (grid, input) => {
  input.menu = new Menu(grid, () => input.focus());
};
