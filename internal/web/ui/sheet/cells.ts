import { Mark } from "./faults";
import { el } from "./text";
import { Column, ViewSpec } from "./types";
import { t } from "./words";

/** Builds the letter row and the title row; returns their cells, by column. */
export function buildHead(head: HTMLElement, cols: Column[]): { letters: HTMLElement[]; titles: HTMLElement[] } {
  const letters: HTMLElement[] = [];
  const titles: HTMLElement[] = [];
  const letterRow = el("div", { class: "tbs-row tbs-letters", role: "row", "aria-rowindex": "1" });
  const titleRow = el("div", { class: "tbs-row tbs-titles", role: "row", "aria-rowindex": "2" });
  letterRow.append(el("div", { class: "tbs-num", role: "columnheader", "aria-colindex": "1", "data-all": "", title: t("全选") }, el("span", { class: "visually-hidden" }, t("全选"))));
  titleRow.append(el("div", { class: "tbs-num", role: "columnheader", "aria-colindex": "1" }, t("序号")));
  cols.forEach((col, i) => {
    const at = { role: "columnheader", "aria-colindex": String(i + 2), "data-c": String(i) };
    const more = { type: "button", class: "tbs-more", tabindex: "-1", "data-menu": String(i), "aria-label": t("{0}列排序和筛选", col.letter), title: t("排序、筛选、列宽（Ctrl+Shift+L）") };
    const grip = () => el("div", { class: "tbs-grip", "aria-hidden": "true", "data-grip": String(i) });
    const letter = el("div", { class: "tbs-letter", ...at }, col.letter, el("button", more), grip());
    const name = el("span", {}, col.title);
    const title = el("div", { class: "tbs-title", ...at, title: col.note || col.title }, name, grip());
    if (col.required) {
      name.prepend(el("b", { class: "tbs-must", "aria-hidden": "true" }, "*"));
      name.append(el("span", { class: "visually-hidden" }, t("（必填）")));
    }
    letters.push(letter);
    titles.push(title);
    letterRow.append(letter);
    titleRow.append(title);
  });
  const ops = { class: "tbs-ops", role: "columnheader", "aria-colindex": String(cols.length + 2) };
  const insert = { type: "button", class: "tbs-insert", tabindex: "-1", "data-do": "insert", title: t("在当前行下面插入一行（Ctrl+=）") };
  letterRow.append(el("div", ops, el("span", { class: "visually-hidden" }, t("操作"))));
  titleRow.append(el("div", ops, el("span", { class: "visually-hidden" }, t("操作")), el("button", insert, t("+ 插入行"))));
  head.append(letterRow, titleRow);
  return { letters, titles };
}

/** Shows at the heads how the rows are sorted and filtered, to eyes and to screen readers. */
export function markHead(letters: HTMLElement[], titles: HTMLElement[], cols: Column[], spec: ViewSpec): void {
  cols.forEach(({ key }, c) => {
    const sort = spec.sort && spec.sort.key === key ? (spec.sort.desc ? "descending" : "ascending") : null;
    const filtered = !!spec.filters && !!spec.filters[key];
    attr(letters[c], "data-sort", sort);
    attr(letters[c], "data-filter", filtered ? "" : null);
    attr(titles[c], "aria-sort", sort);
    attr(titles[c], "aria-description", filtered ? t("已筛选") : null);
  });
}

/** Shows a fault on a cell, to eyes and to screen readers. */
export function mark(cell: HTMLElement, fault: Mark | null): void {
  attr(cell, "data-fault", fault && fault.severity);
  attr(cell, "data-stale", fault && fault.stale ? "" : null);
  attr(cell, "aria-invalid", fault && fault.severity !== "hint" && !fault.stale ? "true" : null);
  attr(cell, "aria-description", fault && fault.text);
}

/** Sets or removes an attribute, if that changes anything. */
export function attr(e: Element, name: string, value: string | null): void {
  if (e.getAttribute(name) === value) return;
  if (value === null) e.removeAttribute(name);
  else e.setAttribute(name, value);
}
