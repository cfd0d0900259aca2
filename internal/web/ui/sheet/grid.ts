import { attr } from "./cells";
import { Faults } from "./faults";
import { meet } from "./meet";
import { Line, Model, Place, Step } from "./model";
import { News } from "./news";
import { Shown } from "./shown";
import { Loader, Source } from "./source";
import { Sizes } from "./sizes";
import { narrow } from "./text";
import { Change, Newer, Rect, Row, Selection, ViewSpec, ViewState, rectOf } from "./types";
import { View } from "./view";
import { t } from "./words";

let instances = 0;

/**
 * What can be done to the sheet: the selection and every command, whoever gives it
 * (keys, mouse, clipboard, the page). It knows nothing of events but sends those
 * of the element.
 */
export class Grid {
  readonly model = new Model();
  readonly faults = new Faults(this.model);
  readonly shown = new Shown(this.model, this.faults);
  readonly news = new News(this.model, () => this.view.refresh());
  readonly sel: Selection = { r: 0, c: 0, r2: 0, c2: 0 };
  readonly view: View;
  readonly loader: Loader;
  readonly sizes: Sizes;
  maxRows = 100000;
  locked = false;
  /** Whether a cell has been chosen; before, 插入行 adds at the end. */
  engaged = false;
  private lastDirty = "";
  private lastActive = "";
  private lastView = "";
  private lastCount = [0, 0];
  private timer = 0;

  constructor(private root: HTMLElement) {
    this.view = new View(this.model, this.faults, this.shown, this.news, this.sel, () => this.locked, "tbs" + ++instances);
    this.loader = new Loader(this);
    this.sizes = new Sizes(this.view, this.model, this.shown);
  }

  /** The rows as they are seen; every position of a row is one in here. */
  get lines(): Line[] {
    return this.shown.lines;
  }

  get line(): Line {
    return this.lines[this.sel.r];
  }

  get value(): string {
    return this.line.v[this.sel.c] || "";
  }

  get rect(): Rect {
    return rectOf(this.sel);
  }

  isReadonly(c: number): boolean {
    const col = this.model.columns[c];
    return this.locked || !col || !!col.readonly;
  }

  load(rows: Row[], source?: Source): void {
    const id = this.line && this.line.id;
    if (source && source.count) this.model.reserve(source.count);
    else this.model.load(rows);
    this.faults.set([]);
    this.news.clear();
    // Sorting and filters stay; faults come later, and with them their own view.
    const spec = { ...this.shown.spec, faulty: false };
    if (this.model.missing || !this.shown.set(spec)) this.shown.set({});
    const same = id ? this.model.find(id) : undefined;
    const r = same && this.shown.index(same) >= 0 ? this.shown.index(same) : this.sel.r;
    this.restore({ r, c: this.sel.c, r2: r, c2: this.sel.c });
    this.view.reveal(this.sel.r, this.sel.c);
    this.view.refresh();
    this.changed();
    if (!this.model.missing || !source) return this.loader.end();
    this.loader.start(source);
    if (spec.sort || spec.filters) this.setView(spec);
  }

  /** Rows of the source have come. */
  arrived(lines: Line[]): void {
    this.faults.arrived(lines);
    if (lines.includes(this.line)) this.restore({ ...this.sel });
    this.view.schedule();
  }

  /** Whether rows of the stretch are still to come, and nothing may be done to them; says so. */
  away(top: number, bottom: number): boolean {
    const gap = this.model.gap(top, bottom);
    if (gap) this.notice(t("这些行正在读取，还没有显示出来，请稍候再操作。"));
    return gap;
  }

  // Selection.

  /** Makes (r, c) the active cell, alone; `extend` moves only the far corner. */
  choose(r: number, c: number, extend = false): void {
    r = Math.max(0, Math.min(r, this.lines.length - 1));
    c = Math.max(0, Math.min(c, this.model.columns.length - 1));
    if (extend) {
      this.sel.r2 = r;
      this.sel.c2 = c;
      this.count();
    } else this.restore({ r, c, r2: r, c2: c });
    this.view.reveal(r, c);
    this.view.schedule();
    if (!extend) this.view.showTip(this.sel.r, this.sel.c);
    this.announce(extend ? this.rangeText() : this.cellText());
  }

  /** Selects a rectangle; the active cell is its first. */
  range(r: number, c: number, r2: number, c2: number): void {
    this.restore({ r, c, r2, c2 });
    this.view.schedule();
    this.announce(this.rangeText());
  }

  private restore(s: Selection): void {
    const rows = this.lines.length - 1;
    this.sel.r = Math.min(s.r, rows);
    this.sel.c = s.c;
    this.sel.r2 = Math.min(s.r2, rows);
    this.sel.c2 = s.c2;
    this.describe();
    const col = this.model.columns[s.c];
    const at = col ? this.line.id + " " + col.key : "";
    if (col && at !== this.lastActive) this.emit("tb-active", { row: this.line.id, key: col.key });
    this.lastActive = at;
    this.count();
  }

  /** Tells the page how much is selected, once it stays so: a drag passes many cells. */
  private count(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const { top, left, bottom, right } = this.rect;
      const cells = (bottom - top + 1) * (right - left + 1);
      let filled = 0;
      for (let r = top; r <= bottom; r++) for (let c = left; c <= right; c++) if (this.lines[r].v[c]) filled++;
      if (cells !== this.lastCount[0] || filled !== this.lastCount[1]) this.emit("tb-select", { cells, filled });
      this.lastCount = [cells, filled];
    }, 80);
  }

  /**
   * Puts the text area over the active cell and words it for screen readers.
   * Hides the tooltip; reports whether it was shown.
   */
  describe(): boolean {
    const { input, tip } = this.view;
    const col = this.model.columns[this.sel.c];
    if (!col) return false;
    // A fault of the row as a whole is told at its first cell.
    const fault = this.faults.at(this.line, this.sel.c) || (this.sel.c ? null : this.faults.at(this.line, -1));
    const shown = !tip.hidden;
    // Read-only turns the input method off; it is on again at the next cell.
    input.readOnly = this.isReadonly(this.sel.c) || this.model.absent(this.line);
    input.setAttribute("aria-label", this.cellText(false));
    const invalid = fault && fault.severity !== "hint";
    input.setAttribute("aria-invalid", String(!!invalid));
    attr(input, "aria-errormessage", invalid ? this.view.says.id : null);
    input.setAttribute("aria-required", String(!!col.required));
    this.view.says.textContent = tip.textContent = [this.news.text(this.line, this.sel.c), fault ? fault.text : ""].filter((x) => x).join(t("；"));
    tip.hidden = true;
    this.view.place();
    return shown;
  }

  private cellText(withFault = true): string {
    const col = this.model.columns[this.sel.c];
    if (!col) return "";
    const fault = withFault ? this.view.tip.textContent : "";
    let s = t("第{0}行 {1}列 {2} {3}", this.shown.number(this.sel.r), col.letter, col.title, this.value || (this.model.absent(this.line) ? t("正在读取") : t("空")));
    if (this.isReadonly(this.sel.c)) s += t("，只读");
    if (fault) s += t("，") + fault;
    return s;
  }

  private rangeText(): string {
    const { top, left, bottom, right } = this.rect;
    const cols = this.model.columns;
    if (!cols.length) return "";
    return t("已选 {0} 行 {1} 列，从第{2}行{3}列到第{4}行{5}列", bottom - top + 1, right - left + 1, this.shown.number(top), cols[left].letter, this.shown.number(bottom), cols[right].letter);
  }

  // Commands.

  /** One undo step; `after` gives the selection that follows it. */
  step(label: string, fn: () => void, after?: () => Selection): Step | null {
    const step = this.model.transact(label, this.place(), fn);
    if (!step) return null;
    this.shown.follow(step);
    this.restore(after ? after() : { ...this.sel });
    step.after = this.place();
    this.view.schedule();
    this.changed();
    return step;
  }

  private place(): Place {
    return { ...this.sel, line: this.line, line2: this.lines[this.sel.r2] };
  }

  /** Sets one cell, or with `all` every writable cell of the selection. */
  write(text: string, label: string, all = false): void {
    const { top, left, bottom, right } = all ? this.rect : { top: this.sel.r, left: this.sel.c, bottom: this.sel.r, right: this.sel.c };
    if (this.away(top, bottom)) return;
    let kept = 0;
    this.step(label, () => {
      for (let r = top; r <= bottom; r++) {
        for (let c = left; c <= right; c++) {
          if (this.isReadonly(c)) kept++;
          else this.put(this.lines[r], c, text);
        }
      }
    });
    if (kept) this.notice(t("有 {0} 个单元格是只读的，没有改动。", kept));
  }

  put(line: Line, c: number, text: string): void {
    this.model.set(line, c, this.model.columns[c].narrow ? narrow(text) : text);
  }

  clear(label = t("清除")): void {
    this.write("", label, true);
  }

  /** Ctrl+D and Ctrl+R: the first row (column) of the selection fills the rest. */
  fill(down: boolean): void {
    const { top, left, bottom, right } = this.rect;
    const lines = this.lines;
    // With a single row selected the row above is the source, as in a spreadsheet.
    const from = down ? (top === bottom ? top - 1 : top) : left === right ? left - 1 : left;
    if (from < 0 || this.away(down ? from : top, bottom)) return;
    this.step(down ? t("向下填充") : t("向右填充"), () => {
      for (let r = top; r <= bottom; r++) {
        for (let c = left; c <= right; c++) {
          if (!this.isReadonly(c)) this.put(lines[r], c, down ? lines[from].v[c] : lines[r].v[from]);
        }
      }
    });
  }

  /** The selected cells. */
  copy(): string[][] {
    const { top, left, bottom, right } = this.rect;
    return this.lines.slice(top, bottom + 1).map((l) => l.v.slice(left, right + 1));
  }

  paste(cells: string[][]): void {
    const h = cells.length;
    const w = cells.reduce((n, r) => Math.max(n, r.length), 0);
    if (!h || !w || this.locked) return;
    const at = this.rect;
    const tall = at.bottom - at.top + 1;
    const wide = at.right - at.left + 1;
    // A selection that is a multiple of the block is filled with it.
    const tile = tall % h === 0 && wide % w === 0;
    let height = tile ? tall : h;
    const width = Math.min(tile ? wide : w, this.model.columns.length - at.left);
    const room = this.lines.length + this.maxRows - this.model.lines.length;
    const cut = Math.max(0, at.top + height - room);
    height -= cut;
    if (this.away(at.top, at.top + height - 1)) return;
    let fixed = 0;
    let unknown = 0;
    this.step(
      t("粘贴"),
      () => {
        const lines = this.lines.slice(at.top, at.top + height);
        const more = Array.from({ length: height - lines.length }, () => this.model.blank());
        this.model.insert(this.model.lines.length, more);
        lines.push(...more);
        for (let c = at.left; c < at.left + width; c++) if (this.isReadonly(c)) fixed += height;
        for (let i = 0; i < height; i++) {
          const src = cells[i % h];
          const line = lines[i];
          for (let j = 0; j < width; j++) {
            const text = src[j % w];
            const c = at.left + j;
            if (text === undefined || this.isReadonly(c)) continue;
            this.put(line, c, text);
            const list = this.model.columns[c].choices;
            if (list && text && !list.includes(text)) unknown++;
          }
        }
      },
      () => ({ r: at.top, c: at.left, r2: at.top + height - 1, c2: at.left + width - 1 }),
    );
    const said: string[] = [];
    if (fixed) said.push(t("有 {0} 个单元格是只读的，没有粘贴", fixed));
    if (!tile && w > width) said.push(t("右边超出表格的 {0} 列没有粘贴", w - width));
    if (cut) said.push(t("超过 {0} 行的 {1} 行没有粘贴", this.maxRows, cut));
    if (unknown) said.push(t("有 {0} 个值不在下拉列表中，已原样保留，请核对", unknown));
    if (said.length) this.notice(said.join(t("；")) + t("。"));
    else this.announce(t("已粘贴 {0} 行 {1} 列", height, width));
  }

  /** Inserts a row behind the row with this id, or as many as are selected behind the selection. */
  insertRow(after?: string): string {
    const { top, bottom } = this.rect;
    const prev = after === undefined ? (this.engaged ? this.lines[bottom] : undefined) : this.model.find(after);
    const at = prev ? this.model.index(prev) + 1 : this.model.lines.length;
    return this.insertRows(at, prev && after === undefined ? bottom - top + 1 : 1)[0] || "";
  }

  /** Inserts rows at a place of the stored order and selects them; returns their ids. */
  insertRows(at: number, count: number): string[] {
    count = Math.min(count, this.maxRows - this.model.lines.length);
    // Their place is told by the row before them.
    if (this.locked || count <= 0 || this.away(at - 1, at - 1)) return [];
    const lines = Array.from({ length: count }, () => this.model.blank());
    const c2 = count > 1 ? this.model.columns.length - 1 : 0;
    this.step(
      t("插入行"),
      () => this.model.insert(at, lines),
      () => ({ r: this.shown.index(lines[0]), c: 0, r2: this.shown.index(lines[count - 1]), c2 }),
    );
    this.view.reveal(this.sel.r, 0);
    this.announce(count > 1 ? t("已插入 {0} 行，从第{1}行起", count, at + 1) : t("已插入第{0}行", at + 1));
    return lines.map((l) => l.id);
  }

  deleteRows(ids: string[]): void {
    const gone = ids.map((id) => this.model.find(id)).filter((l): l is Line => !!l);
    if (this.locked || !gone.length) return;
    const c = this.sel.c;
    const top = gone.includes(this.line) ? this.rect.top : this.sel.r;
    this.step(
      t("删除行"),
      () => {
        this.model.removeLines(gone);
        this.keepOne();
      },
      () => {
        const r = Math.min(top, this.lines.length - 1);
        return { r, c, r2: r, c2: c };
      },
    );
    this.view.reveal(this.sel.r, c);
    this.announce(t("已删除 {0} 行，提交后生效", gone.length));
    this.emit("tb-deleted", { count: gone.length });
  }

  deleteSelected(): void {
    const { top, bottom } = this.rect;
    if (this.away(top, bottom)) return;
    this.deleteRows(this.lines.slice(top, bottom + 1).map((l) => l.id));
  }

  private keepOne(): void {
    if (!this.model.lines.length) this.model.insert(0, [this.model.blank()]);
  }

  /** Returns the step, and the new rows by the names the change set gives them. */
  apply(changes: Change[], label: string, keep = false): { step: Step | null; made: Map<string, Line> } {
    const made = new Map<string, Line>();
    const step = this.step(label, () => {
      const lines = this.model.lines;
      const only = lines.length === 1 && !lines[0].base && lines[0].v.every((x) => x === "") ? lines[0] : null;
      const hit = this.model.apply(changes, made, keep);
      // The empty row of an empty sheet gives way to the rows that come.
      if (only && hit.some((l) => l !== only && l.live) && only.v.every((x) => x === "")) this.model.removeLines([only]);
      this.keepOne();
    });
    this.view.reveal(this.sel.r, this.sel.c);
    return { step, made };
  }

  /** Takes a step back as a step of its own. */
  takeBack(step: Step, label: string): void {
    this.step(label, () => {
      this.model.takeBack(step);
      this.keepOne();
    });
  }

  /**
   * Takes in what others saved. The selection stays on its rows and the window on
   * what it shows; `typing` tells that the active row is being typed in.
   */
  merge(newer: Newer, typing: boolean): void {
    const { sel, view, news, shown } = this;
    const was = view.first();
    this.model.touched.any();
    const [a, b, top] = [this.line, this.lines[sel.r2], this.lines[was]];
    shown.show(meet(this.model, newer, typing ? a : null, { fresh: (l, c) => news.show(l, c), clash: (l, c, by) => news.clash(l, c, by) }));
    const place = (l: Line, r: number) => (shown.index(l) < 0 ? r : shown.index(l));
    this.restore({ r: place(a, sel.r), c: sel.c, r2: place(b, sel.r2), c2: sel.c2 });
    if (top) view.shift(place(top, was) - was);
    view.refresh();
    this.changed();
  }

  /** Decides where this sheet and the saved one differ, as one step. */
  settle(mine: boolean[]): void {
    this.step(t("合并他人的改动"), () => {
      this.news.settle(mine);
      this.keepOne();
    });
    this.view.refresh();
  }

  undo(): void {
    this.replay(this.model.undo(), false);
  }

  redo(): void {
    this.replay(this.model.redo(), true);
  }

  private replay(step: Step | null, forward: boolean): void {
    if (!step) return this.announce(forward ? t("没有可以重做的操作") : t("没有可以撤销的操作"));
    const hidden = this.shown.follow(step);
    this.restore(this.shown.place(forward ? step.after : step.before, step));
    this.view.reveal(this.sel.r, this.sel.c);
    this.view.schedule();
    this.announce(t("{0}：{1}{2}", forward ? t("已重做") : t("已撤销"), step.label, hidden ? t("；有关的行原来没有显示，现在显示出来了") : ""));
    this.changed();
  }

  nextFault(dir: 1 | -1): void {
    if (this.model.missing) return this.loader.whole(() => this.nextFault(dir));
    const at = this.faults.next(this.sel.r, this.sel.c, dir, (l) => this.shown.index(l));
    if (at) this.choose(at.r, at.c);
    else if (this.shown.on && this.faults.count((l) => l.live)) this.notice(t("显示的行没有问题，没有显示的行还有。请点“显示全部”。"));
    else this.announce(t("没有需要处理的问题"));
  }

  // Views.

  /** Sets what is seen, as soon as all rows are there; false, with a word, when no row would be left. */
  setView(spec: ViewSpec): boolean {
    if (this.model.missing) {
      this.loader.whole(() => this.setView(spec));
      return true;
    }
    const { line, sel } = this;
    if (!this.shown.set(spec)) {
      this.notice(t("没有符合条件的行，显示的行没有改变。"));
      return false;
    }
    const r = Math.max(0, this.shown.index(line));
    this.restore({ r, c: sel.c, r2: r, c2: sel.c });
    this.view.reveal(r, sel.c);
    this.view.refresh();
    this.recount(true);
    return true;
  }

  /** Brings a row into sight that the view hides; its position, or -1. */
  unhide(line: Line): number {
    this.shown.show([line]);
    this.recount();
    return this.shown.index(line);
  }

  viewState(): ViewState {
    const { shown, faults, model } = this;
    return {
      ...shown.spec,
      shown: shown.lines.length,
      total: model.lines.length,
      faults: faults.count((l) => shown.index(l) >= 0),
      allFaults: faults.count((l) => l.live),
    };
  }

  // Messages.

  emit(type: string, detail: unknown): void {
    this.root.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  announce(text: string): void {
    this.view.live.textContent = text;
  }

  notice(message: string): void {
    this.announce(message);
    this.emit("tb-notice", { message });
  }

  /** Tells the page when rows or faults that are seen became more or less; `fresh`: the view is another. */
  recount(fresh = false): void {
    const state = this.viewState();
    const now = [state.shown, state.total, state.faults, state.allFaults, state.faulty].join();
    if (fresh) {
      const c = state.sort ? this.model.column(state.sort.key) : -1;
      const order = state.sort && c >= 0 ? t("按{0}{1}，", this.model.columns[c].title, state.sort.desc ? t("降序") : t("升序")) : "";
      this.announce(t("{0}显示 {1} 行，共 {2} 行", order, state.shown, state.total));
    }
    if (fresh || now !== this.lastView) this.emit("tb-view", state);
    this.lastView = now;
  }

  /** Tells the page the size of the net change; after every step. */
  changed(): void {
    const count = this.model.count();
    this.emit("tb-change", { dirty: count > 0, count });
    // The marks of saved and unsaved rows are painted together with the rows.
    const now = String(count === 0);
    if (now !== this.lastDirty) this.view.refresh();
    this.lastDirty = now;
    this.recount();
  }
}
