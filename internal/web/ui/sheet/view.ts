import { attr, buildHead, mark, markHead } from "./cells";
import { Faults } from "./faults";
import { shownText } from "./format";
import { Line, Model } from "./model";
import { Shown } from "./shown";
import { News } from "./news";
import { el } from "./text";
import { Rect, Selection, ViewSpec, isList, rectOf } from "./types";
import { t } from "./words";

export const rowHeight = 28;
/** The widths of .tbs-num and .tbs-ops. */
const numWidth = 52;
const opsWidth = 92;
/** Columns grow with the window up to this factor. */
const maxGrow = 1.7;
/** Header rows above the first data row, for aria-rowindex. */
const headRows = 2;
/** The part of the window's width that frozen columns may take. */
const frozenPart = 0.45;

/** A pooled row element and what it shows at the moment. */
interface Box {
  el: HTMLElement;
  num: HTMLElement;
  cells: HTMLElement[];
  texts: Text[];
  /** The values that the texts were built from. */
  raw: string[];
  del: HTMLElement;
  pos: number;
  number: number;
  line: Line | null;
  v: readonly string[] | null;
  sig: string;
}

export interface Hit {
  r: number;
  c: number;
  part: "cell" | "arrow" | "num" | "head" | "corner" | "none";
}

/**
 * Draws the model: a sticky header, and as many pooled rows as fit the window.
 * Geometry is read on resize and scroll only and kept in fields; painting writes,
 * and only into rows whose content, place or selection changed.
 */
export class View {
  readonly scroll: HTMLElement;
  readonly input: HTMLTextAreaElement;
  readonly tip = el("div", { class: "tbs-tip", role: "tooltip", hidden: "" });
  /** The fault of the active cell for screen readers, also while the tooltip is away. */
  readonly says = el("div", { class: "visually-hidden" });
  readonly live = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  private grid = el("div", { class: "tbs-grid", role: "grid", "aria-multiselectable": "true" });
  readonly head = el("div", { class: "tbs-head", role: "rowgroup" });
  private body = el("div", { class: "tbs-body", role: "rowgroup" });
  private letters: HTMLElement[] = [];
  private titles: HTMLElement[] = [];
  private spec: ViewSpec | null = null;
  private pool: Box[] = [];
  private boxes = new WeakMap<Element, Box>();
  private frame = 0;
  private measure = false;
  private lefts: number[] = [];
  private widths: number[] = [];
  /** Widths given by hand, by column key; none: the columns fill the window. */
  sizes: Record<string, number> = {};
  /** Where a frozen column stays, from the left edge of the window; -1: it scrolls. */
  private sticks: number[] = [];
  /** Whether there is anything beside the window to scroll to. */
  private wide = false;
  /** The widths and places that the cells have. */
  private laid = "";
  /** What the frozen columns before a column cover. */
  private edges: number[] = [];
  letterHeight = 0;
  private top = 0;
  private left = 0;
  private width = 0;
  private height = 0;
  private headHeight = 0;
  private outer = false;
  /** Raised when faults, saved state or read-only change: every row is painted anew. */
  private stamp = 0;

  constructor(
    private model: Model,
    private faults: Faults,
    private shown: Shown,
    private news: News,
    private sel: Selection,
    private locked: () => boolean,
    id: string,
  ) {
    this.says.id = id + "-says";
    this.input = el("textarea", {
      class: "tbs-input",
      rows: "1",
      wrap: "off",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-describedby": this.says.id,
    });
    this.grid.append(this.head, this.body);
    this.scroll = el("div", { class: "tbs-scroll" }, this.grid, this.input);
    this.scroll.addEventListener("scroll", () => {
      this.top = this.scroll.scrollTop;
      this.left = this.scroll.scrollLeft;
      this.tip.hidden = true;
      if (this.sticks[this.sel.c] >= 0) this.input.style.left = this.x(this.sel.c) + "px";
      this.paint();
    });
  }

  /** Builds the header and drops the pooled rows; after the columns changed. */
  build(): void {
    this.pool = [];
    this.body.textContent = "";
    this.head.textContent = "";
    const { letters, titles } = buildHead(this.head, this.model.columns);
    this.letters = letters;
    this.titles = titles;
    this.spec = null;
    this.laid = "";
    this.grid.setAttribute("aria-colcount", String(this.model.columns.length + 2));
    this.resize();
    // Rows that come at once bring back a scroll bar that was not there just now.
    this.resizeSoon();
  }

  /** Reads the geometry, then sets the widths; the only place that measures. */
  resize(): void {
    this.measure = false;
    const cols = this.model.columns;
    const width = this.scroll.clientWidth;
    const height = this.scroll.clientHeight;
    let sum = 0;
    for (const c of cols) sum += c.width;
    const given = cols.some((c) => this.sizes[c.key] > 0);
    const room = given ? 0 : width - numWidth - opsWidth;
    // What rounding leaves over goes to the first columns, a pixel each.
    const grow = sum > 0 ? Math.max(1, Math.min(maxGrow, room / sum)) : 1;
    this.lefts = [];
    this.widths = [];
    let x = numWidth;
    const widths = cols.map((c) => this.sizes[c.key] || Math.floor(c.width * grow));
    let rest = grow > 1 && grow < maxGrow ? room - widths.reduce((a, b) => a + b, 0) : 0;
    for (const base of widths) {
      const w = rest-- > 0 ? base + 1 : base;
      this.lefts.push(x);
      this.widths.push(w);
      x += w;
    }
    this.grid.style.width = x + opsWidth + "px";
    this.grid.classList.toggle("tbs-wide", (this.wide = x + opsWidth > width));
    this.freeze(width);
    // A fault list that opens below must not cover the cell that is being filled in.
    const y = this.sel.r * rowHeight - this.top;
    const seen = y >= 0 && y + rowHeight <= this.height - this.headHeight;
    this.width = width;
    this.height = height;
    this.headHeight = this.head.offsetHeight;
    this.letterHeight = this.letters.length ? this.letters[0].offsetHeight : 0;
    const page = document.documentElement;
    this.outer = page.scrollHeight > page.clientHeight;
    this.scroll.style.scrollPaddingTop = this.headHeight + "px";
    this.place();
    if (seen) this.reveal(this.sel.r, this.sel.c);
    this.paint();
  }

  /** Decides which frozen columns stay in sight: as many as leave room for the others. */
  private freeze(width: number): void {
    let edge = numWidth;
    this.edges = [];
    this.sticks = this.model.columns.map((col, c) => {
      this.edges.push(edge);
      if (!col.frozen || edge + this.widths[c] > width * frozenPart) return -1;
      edge += this.widths[c];
      return edge - this.widths[c];
    });
    const now = [this.wide, this.widths, this.sticks].join();
    if (now === this.laid) return;
    this.laid = now;
    for (const cells of [this.letters, this.titles, ...this.pool.map((b) => b.cells)]) this.lay(cells);
  }

  private lay(cells: HTMLElement[]): void {
    cells.forEach((cell, c) => {
      const at = this.sticks[c];
      cell.style.width = this.widths[c] + "px";
      cell.classList.toggle("tbs-frozen", at >= 0);
      cell.style.left = at >= 0 && this.wide ? at + "px" : "";
    });
  }

  /** Where a column is now, in the scrolled content; a frozen one moves along. */
  private x(c: number): number {
    const at = this.lefts[c] || 0;
    return this.sticks[c] >= 0 ? Math.max(at, this.left + this.sticks[c]) : at;
  }

  widthOf(c: number): number {
    return this.widths[c] || 0;
  }

  /** Measures at the next frame: rows that appear may bring a scroll bar, which resizes again. */
  resizeSoon(): void {
    this.measure = true;
    this.schedule();
  }

  /** The first and the last row in the window. */
  sight(): [number, number] {
    const bottom = Math.ceil((this.top + this.height - this.headHeight) / rowHeight);
    return [this.first(), Math.min(bottom, this.shown.lines.length - 1)];
  }

  /** Number of whole rows in the window. */
  page(): number {
    return Math.max(1, Math.floor((this.height - this.headHeight) / rowHeight) - 1);
  }

  /** Position of the first row in the window. */
  first(): number {
    return Math.floor(this.top / rowHeight);
  }

  /** Keeps what is seen in its place when rows came or went above it. */
  shift(rows: number): void {
    if (!rows) return;
    this.body.style.height = this.shown.lines.length * rowHeight + "px";
    this.scroll.scrollTop = this.top = Math.max(0, this.top + rows * rowHeight);
  }

  /** Paints at the next frame; several calls make one painting. */
  schedule(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.measure) this.resize();
      else this.paint();
    });
  }

  /** Paints every row anew at the next frame. */
  refresh(): void {
    this.stamp++;
    this.schedule();
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  /** Puts the text area over the active cell; at once, so that composition begins there. */
  place(): void {
    const s = this.input.style;
    s.left = this.x(this.sel.c) + "px";
    s.top = this.headHeight + this.sel.r * rowHeight + "px";
    s.width = (this.widths[this.sel.c] || 0) + "px";
    s.height = rowHeight + "px";
  }

  /** Widens the open editor to its text, as far as the window goes. */
  stretch(): void {
    const want = this.input.scrollWidth;
    const cell = this.widths[this.sel.c] || 0;
    const room = this.left + this.width - this.x(this.sel.c) - 4;
    if (want > cell) this.input.style.width = Math.max(cell, Math.min(want + 12, room)) + "px";
  }

  /** Scrolls the least that shows the cell. */
  reveal(r: number, c: number): void {
    this.body.style.height = this.shown.lines.length * rowHeight + "px";
    const y = r * rowHeight;
    const inner = this.height - this.headHeight;
    let top = this.top;
    if (y < top) top = y;
    else if (y + rowHeight > top + inner) top = y + rowHeight - inner;
    const x = this.lefts[c] || 0;
    const w = this.widths[c] || 0;
    let left = this.left;
    // A frozen column is never behind the left edge; others are not to lie under it.
    const frozen = this.sticks[c] >= 0;
    const edge = frozen ? this.sticks[c] : this.edges[c];
    if (!frozen && x - edge < left) left = x - edge;
    else if (x + w > left + this.width) left = x + w - this.width;
    if (top !== this.top) this.scroll.scrollTop = this.top = Math.max(0, top);
    if (left !== this.left) this.scroll.scrollLeft = this.left = Math.max(0, left);
    // In a low or zoomed window the page scrolls too.
    this.scroll.style.scrollPaddingLeft = edge + "px";
    if (this.outer) this.input.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** The cell's rectangle in the root element's coordinates. */
  cellRect(r: number, c: number): { x: number; y: number; w: number; h: number } {
    return {
      x: this.scroll.offsetLeft + this.x(c) - this.left,
      y: this.scroll.offsetTop + this.headHeight + r * rowHeight - this.top,
      w: this.widths[c] || 0,
      h: rowHeight,
    };
  }

  /** Shows the tooltip (its text is set) at a cell: above it, where typing has passed. */
  showTip(r: number, c: number, text = this.tip.textContent || ""): void {
    this.tip.hidden = !text;
    if (!text) return;
    if (this.tip.textContent !== text) this.tip.textContent = text;
    const { x, y, w, h } = this.cellRect(r, c);
    const style = this.tip.style;
    style.left = "0px";
    const room = this.scroll.offsetLeft + this.width;
    const tall = this.tip.offsetHeight;
    const above = y - tall - 4 >= this.scroll.offsetTop + this.headHeight;
    style.left = Math.max(4, Math.min(x + w / 2 - 24, room - this.tip.offsetWidth - 4)) + "px";
    style.top = (above ? y - tall - 4 : y + h + 4) + "px";
  }

  hit(target: EventTarget | null, clientX: number): Hit {
    const none: Hit = { r: 0, c: 0, part: "none" };
    const e = target instanceof Element ? target.closest("[data-c],[data-num],[data-all]") : null;
    if (!e) return none;
    if (e.hasAttribute("data-all")) return { r: 0, c: 0, part: "corner" };
    const row = e.parentElement && this.boxes.get(e.parentElement);
    const c = Number(e.getAttribute("data-c"));
    if (!row) return { r: 0, c, part: "head" };
    if (e.hasAttribute("data-num")) return { r: row.pos, c: 0, part: "num" };
    const arrow = isList(this.model.columns[c]) && clientX > e.getBoundingClientRect().right - 22;
    return { r: row.pos, c, part: arrow ? "arrow" : "cell" };
  }

  /** Row position of the row button an event came from, or -1. */
  rowOf(target: Element): number {
    const row = target.closest(".tbs-row");
    const box = row && this.boxes.get(row);
    return box ? box.pos : -1;
  }

  private paint(): void {
    const n = this.shown.lines.length;
    const want = Math.ceil(Math.max(0, this.height - this.headHeight) / rowHeight) + 12;
    while (this.pool.length < want) this.pool.push(this.box());
    const size = this.pool.length;
    const first = Math.max(0, Math.min(Math.floor(this.top / rowHeight) - 5, n - size));
    const rect = rectOf(this.sel);
    this.body.style.height = n * rowHeight + "px";
    this.grid.setAttribute("aria-rowcount", String(n + headRows));
    for (let pos = first; pos < first + size; pos++) {
      const box = this.pool[pos % size];
      if (pos < n) this.paintRow(box, pos, rect);
      else if (box.line) {
        box.line = null;
        box.el.hidden = true;
      }
    }
    if (this.spec !== this.shown.spec) {
      this.spec = this.shown.spec;
      markHead(this.letters, this.titles, this.model.columns, this.spec);
      this.grid.classList.toggle("tbs-viewed", this.shown.on);
    }
    this.letters.forEach((l, c) => l.classList.toggle("tbs-on", c >= rect.left && c <= rect.right));
  }

  private box(): Box {
    const row = el("div", { class: "tbs-row", role: "row", hidden: "" });
    const num = el("div", { class: "tbs-num", role: "rowheader", "aria-colindex": "1", "data-num": "" });
    row.append(num);
    const cells: HTMLElement[] = [];
    const texts: Text[] = [];
    this.model.columns.forEach((col, c) => {
      const text = document.createTextNode("");
      const cell = el("div", { class: "tbs-cell", role: "gridcell", "aria-colindex": String(c + 2), "data-c": String(c) }, text);
      if (isList(col)) cell.classList.add("tbs-choice");
      if (col.suggest) cell.classList.add("tbs-suggest");
      if (col.narrow) cell.classList.add("tbs-digits");
      cells.push(cell);
      texts.push(text);
      row.append(cell);
    });
    const del = el("button", { type: "button", class: "tbs-delete", tabindex: "-1", "data-do": "delete" }, t("× 删除行"));
    row.append(el("div", { class: "tbs-ops", role: "gridcell", "aria-colindex": String(cells.length + 2) }, del));
    this.lay(cells);
    this.body.append(row);
    const box: Box = { el: row, num, cells, texts, raw: [], del, pos: -1, number: 0, line: null, v: null, sig: "" };
    this.boxes.set(row, box);
    return box;
  }

  private paintRow(box: Box, pos: number, rect: Rect): void {
    const line = this.shown.lines[pos];
    const active = this.sel.r === pos;
    const inside = pos >= rect.top && pos <= rect.bottom;
    const number = this.shown.number(pos);
    const sig = `${this.stamp};${number};${inside ? rect.left + "-" + rect.right : ""}${pos === rect.bottom};${active ? this.sel.c : ""}`;
    if (box.line === line && box.pos === pos && box.v === line.v && box.sig === sig) return;
    if (!box.line) box.el.hidden = false;
    if (box.pos !== pos) {
      box.pos = pos;
      box.el.style.top = pos * rowHeight + "px";
      box.el.setAttribute("aria-rowindex", String(pos + headRows + 1));
    }
    if (box.number !== number) {
      box.number = number;
      box.num.textContent = String(number);
      box.del.setAttribute("aria-label", t("× 删除行 {0}", number));
    }
    box.line = line;
    box.v = line.v;
    box.sig = sig;
    const locked = this.locked();
    attr(box.el, "aria-busy", this.model.absent(line) ? "true" : null);
    box.num.classList.toggle("tbs-on", inside);
    box.num.classList.toggle("tbs-changed", this.model.changed(line));
    mark(box.num, this.faults.at(line, -1));
    box.cells.forEach((cell, c) => {
      const text = line.v[c];
      if (box.raw[c] !== text) {
        box.raw[c] = text;
        box.texts[c].data = shownText(this.model.columns[c], text);
      }
      attr(cell, "aria-selected", inside && c >= rect.left && c <= rect.right ? "true" : "false");
      attr(cell, "aria-readonly", locked || this.model.columns[c].readonly ? "true" : null);
      cell.classList.toggle("tbs-active", active && c === this.sel.c);
      cell.classList.toggle("tbs-corner", pos === rect.bottom && c === rect.right);
      mark(cell, this.faults.at(line, c));
      attr(cell, "data-news", this.news.at(line, c));
    });
  }
}
