import { Mark } from "./faults";
import { el } from "./text";
import { Column } from "./types";

/** Builds the letter row and the title row; returns the letters. */
export function buildHead(head: HTMLElement, cols: Column[]): HTMLElement[] {
  const letters: HTMLElement[] = [];
  const letterRow = el("div", { class: "tbs-row tbs-letters", role: "row", "aria-rowindex": "1" });
  const titleRow = el("div", { class: "tbs-row tbs-titles", role: "row", "aria-rowindex": "2" });
  letterRow.append(el("div", { class: "tbs-num", role: "columnheader", "aria-colindex": "1", "data-all": "", title: "全选" }, el("span", { class: "visually-hidden" }, "全选")));
  titleRow.append(el("div", { class: "tbs-num", role: "columnheader", "aria-colindex": "1" }, "序号"));
  cols.forEach((col, i) => {
    const at = { role: "columnheader", "aria-colindex": String(i + 2), "data-c": String(i) };
    const letter = el("div", { class: "tbs-letter", ...at }, col.letter);
    const name = el("span", {}, col.title);
    const title = el("div", { class: "tbs-title", ...at, title: col.note || col.title }, name);
    if (col.required) {
      name.prepend(el("b", { class: "tbs-must", "aria-hidden": "true" }, "*"));
      name.append(el("span", { class: "visually-hidden" }, "（必填）"));
    }
    letters.push(letter);
    letterRow.append(letter);
    titleRow.append(title);
  });
  const ops = { class: "tbs-ops", role: "columnheader", "aria-colindex": String(cols.length + 2) };
  const insert = { type: "button", class: "tbs-insert", tabindex: "-1", "data-do": "insert", title: "在当前行下面插入一行（Ctrl+=）" };
  letterRow.append(el("div", ops, el("span", { class: "visually-hidden" }, "操作")));
  titleRow.append(el("div", ops, el("button", insert, "+ 插入行")));
  head.append(letterRow, titleRow);
  return letters;
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
