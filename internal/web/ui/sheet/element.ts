// <tb-sheet>: a data-entry grid for Chinese office work. See README.md.
import { Find } from "./find";
import { Grid } from "./grid";
import { Input } from "./input";
import { Line } from "./model";
import { Mouse } from "./mouse";
import { Source } from "./source";
import { Change, Clash, Column, Fault, MenuLines, Newer, Row, ViewSpec, ViewState } from "./types";

export type { Source } from "./source";
export type { Line } from "./model";
export type { Change, Clash, Column, Fault, Filter, MenuItem, Newer, Row, Severity, Suggestion, ViewSpec, ViewState } from "./types";

/** A part of the sheet that is told of its insides. */
export type Part = (grid: Grid, input: Input, mouse: Mouse) => void;

export class TbSheet extends HTMLElement {
  private grid = new Grid(this);
  private find = new Find(this.grid, () => this.input.focus());
  private input = new Input(this, this.grid, () => this.find.show());
  private mouse = new Mouse(this.grid, this.input);
  /** What the page adds to the menu of a row and cell; choosing it sends tb-row-menu. */
  rowMenu: MenuLines = () => [];
  private sizes = new ResizeObserver(() => this.grid.view.resizeSoon());

  connectedCallback(): void {
    const { view } = this.grid;
    if (!view.scroll.parentNode) {
      this.append(this.find.el, view.scroll, view.tip, view.says, view.live);
      const label = this.getAttribute("aria-label");
      const grid = view.scroll.firstElementChild;
      if (label && grid) grid.setAttribute("aria-label", label);
    }
    this.sizes.observe(view.scroll);
    this.recall();
    view.resize();
    this.grid.loader.go();
  }

  disconnectedCallback(): void {
    this.sizes.disconnect();
    this.mouse.stop();
    this.grid.news.stop();
    this.input.picker?.stop();
    this.grid.view.stop();
    this.grid.loader.stop();
    this.grid.sizes.stop();
  }

  private recall(): void {
    this.grid.sizes.recall(this.getAttribute("data-remember"));
  }

  /** Gives all columns their first widths, and forgets what was remembered. */
  resetWidths(): void {
    this.grid.sizes.reset();
  }

  get columns(): Column[] {
    return this.grid.model.columns;
  }

  /** Set the columns before the rows; setting them empties the sheet. */
  set columns(columns: Column[]) {
    this.input.cancel();
    this.grid.model.columns = columns;
    this.grid.sel.c = this.grid.sel.c2 = 0;
    this.grid.shown.set({});
    this.grid.load([]);
    this.recall();
    this.grid.view.build();
  }

  /** Adds a part of the sheet, such as extras.ts, now or later. */
  add(part: Part): void {
    part(this.grid, this.input, this.mouse);
  }

  /** What the names of new rows begin with; a page that shares drafts with others takes a name of its own. */
  set newRows(prefix: string) {
    this.grid.model.newRows = prefix;
  }

  /** Most rows the sheet grows to by pasting and inserting. */
  get maxRows(): number {
    return this.grid.maxRows;
  }

  set maxRows(n: number) {
    this.grid.maxRows = n;
  }

  /** Replaces all rows by saved ones; forgets undo history and faults. */
  setRows(rows: Row[]): void {
    this.input.cancel();
    this.grid.load(rows);
  }

  /**
   * Replaces all rows by those of a source, which come by and by: what is looked at
   * first. What they wait for is said where it matters; see README.md.
   */
  setSource(source: Source): void {
    this.input.cancel();
    this.grid.load([], source);
  }

  /** Resolves when all rows have come; at once after setRows. */
  get complete(): Promise<void> {
    return this.grid.loader.complete;
  }

  /** The rows as shown, in order; also new rows that are still empty, but none that is still to come. */
  rows(): Row[] {
    return this.grid.model.rows();
  }

  /** Number of rows that are not empty; those to come are not. */
  get filled(): number {
    return this.grid.model.filled();
  }

  setFaults(faults: Fault[]): void {
    this.grid.faults.set(faults);
    this.marked();
  }

  private marked(): void {
    const { grid } = this;
    if (grid.describe() && this.input.mode === "idle") grid.view.showTip(grid.sel.r, grid.sel.c);
    grid.view.refresh();
    grid.recount();
  }

  /** Replaces the faults of these rows, which touched() or lines gave. */
  setRowFaults(faults: Map<Line, Fault[]>): void {
    faults.forEach((list, line) => this.grid.faults.setRow(line, list));
    if (faults.size) this.marked();
  }

  /**
   * The rows that came, went or changed since this was asked last, for whoever checks
   * them; null when any may have, also in its place.
   */
  touched(): Set<Line> | null {
    return this.grid.model.touched.take();
  }

  /** The rows in their stored order, to be read only. A row keeps its object when it gets another id or place. */
  get lines(): readonly Line[] {
    return this.grid.model.lines;
  }

  /** The row with this id, unless it is deleted. */
  line(id: string): Line | undefined {
    return this.grid.model.find(id);
  }

  /** The number of a row in the stored order, from 1. */
  number(line: Line): number {
    return this.grid.model.index(line) + 1;
  }

  /** Where the active cell is, in the window's coordinates. */
  get activeBox(): DOMRect {
    return this.grid.view.input.getBoundingClientRect();
  }

  /** Moves to the next fault (1) or the one before (-1). */
  nextFault(dir: 1 | -1 = 1): void {
    this.input.commit();
    this.grid.nextFault(dir);
    this.input.focus();
  }

  /** Moves to a cell and takes the focus; key "" is the row's first cell. */
  goTo(rowId: string, key: string): void {
    const { grid } = this;
    const line = grid.model.find(rowId);
    if (!line && grid.model.missing) grid.loader.whole(() => this.goTo(rowId, key));
    if (!line) return;
    this.input.commit();
    this.input.focus();
    grid.choose(grid.unhide(line), Math.max(0, grid.model.column(key)));
  }

  /**
   * The least change since setRows or committed. Give the same array to
   * committed(), so that what is typed while the save is under way stays a change.
   * A cell that is being typed in is not part of it: Ctrl+S and leaving the sheet
   * finish it, and a draft saved in the background must not. With `sent`, what
   * changes() returned before, only what was changed since; it may name new rows of
   * that one.
   */
  changes(sent?: Change[]): Change[] {
    return this.grid.model.changes(sent);
  }

  /** The cell that is being typed in, with its text so far, which changes() does not have; null when none is. */
  get typing(): { row: string; key: string; text: string } | null {
    return this.input.typing;
  }

  /** The server has saved: new rows get their ids, the saved state is the new base. */
  committed(inserted: Record<string, string>, saved?: Change[]): void {
    this.grid.model.committed(inserted, saved);
    this.grid.view.refresh();
    this.grid.changed();
  }

  /** The values of a row as last saved, or as `sent` saves them; null for one that is not. */
  saved(id: string, sent?: Change[]): string[] | null {
    const line = this.grid.model.byId.get(id);
    const v = line ? this.grid.model.saved(line, sent) : null;
    return v && v.slice();
  }

  /**
   * Carries out changes made elsewhere, such as an import plan, as one undo step.
   * Returns the ids of the new rows by the change set's names, which with `keep` they
   * keep, and a function that takes it back again, as a step that can be undone.
   */
  apply(changes: Change[], label: string, keep = false): { ids: Record<string, string>; takeBack(label: string): void } {
    // They may name rows that have not come yet, and would be lost.
    if (this.grid.model.missing) throw new Error("tb-sheet: apply before complete");
    this.input.commit();
    const { step, made } = this.grid.apply(changes, label, keep);
    const ids: Record<string, string> = {};
    made.forEach((line, temp) => (ids[temp] = line.id));
    return {
      ids,
      takeBack: (label) => {
        this.input.commit();
        if (step) this.grid.takeBack(step, label);
      },
    };
  }

  /**
   * Takes in what others saved, under the changes made here: cells that were not
   * touched take the new values and are marked for a while, touched ones stay and
   * are marked where both differ. Undo stays. False while an input method composes,
   * or while rows are still to come:
   * to be tried again.
   */
  merge(newer: Newer): boolean {
    if (this.input.composing || this.grid.model.missing) return false;
    this.grid.merge(newer, this.input.mode !== "idle");
    if (this.input.mode !== "idle") this.grid.view.stretch();
    return true;
  }

  /** Where this sheet differs from what others saved meanwhile. */
  clashes(): Clash[] {
    return this.grid.news.clashes();
  }

  /** Decides the clashes in their order: true keeps what stands here. */
  settle(mine: boolean[]): void {
    this.input.commit();
    this.grid.settle(mine);
  }

  /** Inserts a row after the given one, or after the active row; returns its id. */
  insertRow(after?: string): string {
    this.input.commit();
    return this.grid.insertRow(after);
  }

  /** Deletes rows on the screen; the server learns of it by the next save. */
  deleteRows(ids: string[]): void {
    this.input.commit();
    this.grid.deleteRows(ids);
  }

  /**
   * Sorts and filters what is seen, all at once; {} shows everything in its order.
   * Nothing is stored by it. False when no row would be left: then nothing changed.
   */
  setView(spec: ViewSpec): boolean {
    this.input.commit();
    return this.grid.setView(spec);
  }

  get view(): ViewState {
    return this.grid.viewState();
  }

  /** Adds to the view, or takes from it, that only rows with faults are seen. */
  showFaulty(on: boolean): boolean {
    return this.setView({ ...this.grid.shown.spec, faulty: on });
  }

  undo(): void {
    this.input.commit();
    this.grid.undo();
  }

  redo(): void {
    this.input.commit();
    this.grid.redo();
  }

  get dirty(): boolean {
    return this.grid.model.count() > 0;
  }

  setReadonly(locked: boolean): void {
    this.input.commit();
    this.grid.locked = locked;
    this.classList.toggle("tbs-locked", locked);
    this.grid.describe();
    this.grid.view.refresh();
  }

  /** Puts the keyboard into the sheet. */
  override focus(): void {
    this.input.focus();
  }
}

/** Registers the element, each with these parts; calling it twice does no harm. */
export function defineSheet(...parts: Part[]): void {
  if (customElements.get("tb-sheet")) return;
  customElements.define(
    "tb-sheet",
    class extends TbSheet {
      constructor() {
        super();
        for (const part of parts) this.add(part);
      }
    },
  );
}
