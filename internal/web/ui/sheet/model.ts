import { Ids } from "./ids";
import { Touched } from "./touched";
import { Change, Column, Row, Selection } from "./types";

/**
 * A row in memory. Its identity is the object, so undo steps, faults and the saved
 * base stay with it when a save gives it another id or rows above it move it.
 * `v` is never written to after its transaction: who holds it holds a snapshot.
 */
export interface Line {
  id: string;
  v: readonly string[];
  /** Values as last saved; null for a row the server does not have. */
  base: readonly string[] | null;
  /** False while the row is deleted (it may come back by undo). */
  live: boolean;
  /** Position, valid after {@link Model.index}. */
  i: number;
  version?: number;
}

export type Edit =
  | { kind: "values"; line: Line; from: readonly string[]; to: string[] }
  // `prev` is the row they stood behind: places move when others' rows come in.
  | { kind: "insert" | "delete"; at: number; prev: Line | null; lines: Line[] };

/** A selection that knows its rows, so that another order of them does no harm. */
export interface Place extends Selection {
  line?: Line;
  line2?: Line;
}

/** One undo step with the selections to show before and after it. */
export interface Step {
  label: string;
  edits: Edit[];
  before: Place;
  after: Place;
}

const maxSteps = 200;

/**
 * What the name of a row that comes back begins with; its old id follows. So two pages of
 * one person that bring the same row back have one name for it.
 */
export const again = "again-";

/** Rows, transactions, undo, and the net change since the last save. */
export class Model {
  columns: Column[] = [];
  lines: Line[] = [];
  // Open to meet.ts, which brings in what others saved.
  undos: Step[] = [];
  redos: Step[] = [];
  byId = new Ids();
  touched = new Touched();
  private temps = 0;
  /** What the names of new rows begin with. */
  newRows = "new-";
  private numbered = false;
  private open: { edits: Edit[]; values: Map<Line, string[]> } | null = null;
  private sent = new WeakMap<Change[], Map<Line, readonly string[] | null>>();
  /** What every row that has not come yet holds: the one array tells them. */
  private hole: readonly string[] = [];
  /** Rows that have not come yet. */
  missing = 0;
  /** The server's order as last heard, and each row's place in it. */
  private ranked: string[] = [];
  private rank: Map<string, number> | null = null;
  /** Others' rows came or went since the rows were loaded. */
  private met = false;

  /** Replaces everything. An empty sheet shows one new, empty row. */
  load(rows: Row[]): void {
    this.clear();
    this.heard(rows.map((r) => r.id), false);
    this.lines = rows.map((r) => {
      const v = this.columns.map((_, i) => r.values[i] ?? "");
      const line: Line = { id: r.id, v, base: v, live: true, i: 0, version: r.version };
      this.byId.set(line);
      return line;
    });
    if (!this.lines.length) {
      const line = this.blank();
      line.live = true;
      this.lines.push(line);
    }
  }

  private clear(): void {
    this.undos = [];
    this.redos = [];
    this.byId.clear();
    this.touched.clear();
    this.numbered = false;
    this.missing = 0;
    this.heard([], false);
  }

  /** Replaces everything by so many rows that are still to come. */
  reserve(count: number): void {
    this.clear();
    const v = (this.hole = this.columns.map(() => ""));
    this.missing = count;
    this.lines = Array.from({ length: count }, () => ({ id: "", v, base: v, live: true, i: 0, version: undefined }));
  }

  /** Whether the row has not come yet. */
  absent(line: Line | undefined): boolean {
    return this.missing > 0 && !!line && line.v === this.hole;
  }

  /** Whether a row of the stretch, both ends inclusive, has not come yet. */
  gap(top: number, bottom: number): boolean {
    for (let r = top; this.missing && r <= bottom; r++) if (this.absent(this.lines[r])) return true;
    return false;
  }

  /** Puts rows that came into those of `lines` that still wait; returns these. */
  arrive(lines: Line[], from: number, rows: Row[]): Line[] {
    const came: Line[] = [];
    let prev: readonly string[] = this.hole;
    rows.forEach((r, i) => {
      const line = lines[from + i];
      if (!this.absent(line) || this.byId.get(r.id)) return;
      // Rows of one unit have the same name and codes: one string does for all of them.
      const v = this.columns.map((_, c) => (r.values[c] === prev[c] ? prev[c] : r.values[c] || ""));
      line.id = r.id;
      line.v = line.base = prev = v;
      line.version = r.version;
      this.byId.set(line);
      came.push(line);
      this.touched.came(line);
    });
    this.missing -= came.length;
    return came;
  }

  /** The rows that are there. */
  rows(): Row[] {
    const there = this.missing ? this.lines.filter((l) => !this.absent(l)) : this.lines;
    return there.map((l) => ({ id: l.id, values: l.v.slice(), version: l.version }));
  }

  /** Number of rows that are not empty; those to come are not. */
  filled(): number {
    return this.lines.reduce((n, l) => n + (this.absent(l) || l.v.some((x) => x !== "") ? 1 : 0), 0);
  }

  /** The live row with this id. */
  find(id: string): Line | undefined {
    const l = this.byId.get(id);
    return l && l.live ? l : undefined;
  }

  index(line: Line): number {
    if (!this.numbered) {
      this.lines.forEach((l, i) => (l.i = i));
      this.numbered = true;
    }
    return line.i;
  }

  column(key: string): number {
    return this.columns.findIndex((c) => c.key === key);
  }

  /** A new row, not yet in the sheet; under a name that is not taken, or the deleted row that has it. */
  blank(name = ""): Line {
    const old = name ? this.byId.get(name) : undefined;
    if (old && !old.live && !old.base) return old;
    const line: Line = {
      id: old || !name ? this.newRows + ++this.temps : name,
      v: this.columns.map(() => ""),
      base: null,
      live: false,
      i: 0,
    };
    this.byId.set(line);
    return line;
  }

  /**
   * Runs fn as one undo step. Only inside it may set, insert and remove be called.
   * Returns the step, whose `after` the caller sets, or null when nothing changed.
   */
  transact(label: string, before: Place, fn: () => void): Step | null {
    const open = (this.open = { edits: [] as Edit[], values: new Map<Line, string[]>() });
    try {
      fn();
    } finally {
      this.open = null;
    }
    if (!open.edits.length) return null;
    const step = { label, edits: open.edits, before, after: before };
    this.undos.push(step);
    if (this.undos.length > maxSteps) this.undos.shift();
    this.redos = [];
    return step;
  }

  /** Reports whether the cell changed. */
  set(line: Line, c: number, value: string): boolean {
    const open = this.open;
    if (!open || line.v[c] === value || this.absent(line)) return false;
    let to = open.values.get(line);
    if (!to) {
      to = line.v.slice();
      open.edits.push({ kind: "values", line, from: line.v, to });
      open.values.set(line, to);
      line.v = to;
      this.touched.add(line);
    }
    to[c] = value;
    return true;
  }

  insert(at: number, lines: Line[]): void {
    if (!this.open || !lines.length) return;
    this.open.edits.push({ kind: "insert", at, prev: this.lines[at - 1] || null, lines });
    this.put(at, lines);
  }

  remove(at: number, count: number): void {
    if (!this.open || count <= 0) return;
    const lines = this.take(at, count);
    this.open.edits.push({ kind: "delete", at, prev: this.lines[at - 1] || null, lines });
  }

  /** Removes the given rows, run by run from the end. */
  removeLines(lines: Line[]): void {
    const at = lines.map((l) => this.index(l)).sort((a, b) => a - b);
    for (let end = at.length; end > 0; ) {
      let start = end - 1;
      while (start > 0 && at[start - 1] === at[start] - 1) start--;
      this.remove(at[start], end - start);
      end = start;
    }
  }

  undo(): Step | null {
    const step = this.undos.pop();
    if (!step) return null;
    for (let i = step.edits.length - 1; i >= 0; i--) this.play(step.edits[i], false);
    this.atLeastOne();
    this.redos.push(step);
    return step;
  }

  redo(): Step | null {
    const step = this.redos.pop();
    if (!step) return null;
    for (const e of step.edits) this.play(e, true);
    this.atLeastOne();
    this.undos.push(step);
    return step;
  }

  /** Others may have deleted what a step leads back to: an empty sheet shows one empty row. */
  atLeastOne(): void {
    if (!this.lines.length) this.put(0, [this.blank()]);
  }

  /**
   * Takes a step back as a step of its own, which can be undone. Cells and rows that
   * were changed since stay as they are.
   */
  takeBack(step: Step): void {
    for (let i = step.edits.length - 1; i >= 0; i--) {
      const e = step.edits[i];
      if (e.kind === "values") e.to.forEach((v, c) => v !== e.from[c] && e.line.v[c] === v && this.set(e.line, c, e.from[c]));
      else if (e.kind === "insert") this.removeLines(e.lines.filter((l) => l.live));
      else e.lines.filter((l) => !l.live).forEach((l, i) => this.insert(this.home(l, this.after(e) + i), [l]));
    }
  }

  /**
   * Carries an edit out again, or back. Only what still is as the edit left it
   * changes: what others have saved since is not undone by it.
   */
  private play(e: Edit, forward: boolean): void {
    if (e.kind === "values") {
      const is = forward ? e.from : e.to;
      const to = forward ? e.to : e.from;
      e.line.v = e.line.v === is ? to : e.line.v.map((v, c) => (v === is[c] ? to[c] : v));
      this.touched.add(e.line);
    } else if ((e.kind === "insert") === forward) {
      e.lines = e.lines.filter((l) => !l.live);
      if (!this.met) this.put(this.after(e), e.lines);
      else e.lines.forEach((l, i) => this.put(this.home(l, this.after(e) + i), [l]));
    } else {
      const here = e.lines.every((l, i) => this.lines[e.at + i] === l);
      if (!here) e.lines = e.lines.filter((l) => l.live);
      if (here) this.take(e.at, e.lines.length);
      else this.drop(new Set(e.lines));
    }
  }

  /** Where the rows of an insert or delete belong now. */
  private after(e: Edit & { kind: "insert" | "delete" }): number {
    if ((this.lines[e.at - 1] || null) !== e.prev && e.prev && e.prev.live) e.at = this.index(e.prev) + 1;
    return (e.at = Math.min(e.at, this.lines.length));
  }

  /** Takes note of the order in which the server has its rows. */
  heard(order: string[], met: boolean): void {
    this.ranked = order;
    this.rank = null;
    this.met = met;
  }

  /** Where a row that comes back belongs: in the server's order, if it is in there. */
  home(line: Line, otherwise: number): number {
    if (!this.rank) this.rank = new Map(this.ranked.map((id, i) => [id, i]));
    const at = this.rank.get(line.id);
    if (at === undefined) return otherwise;
    for (let i = at - 1; i >= 0; i--) {
      const l = this.find(this.ranked[i]);
      if (l) return this.index(l) + 1;
    }
    return 0;
  }

  /** Brings a deleted row back; inside a transaction. */
  back(line: Line): void {
    const was = this.undos.map((s) => s.edits.find((e) => e.kind === "delete" && e.lines.includes(line))).filter((e) => e).pop();
    this.insert(this.home(line, was && was.kind === "delete" ? this.after(was) : this.lines.length), [line]);
  }

  /** Takes rows out, wherever they stand. */
  drop(gone: Set<Line>): void {
    this.order(this.lines.filter((l) => !gone.has(l)));
    gone.forEach((l) => {
      l.live = false;
      this.touched.add(l);
    });
  }

  /** Sets the rows in their order. */
  order(lines: Line[]): void {
    this.touched.any();
    this.lines = lines;
    this.numbered = false;
  }

  private put(at: number, lines: Line[]): void {
    // In pieces: an argument list of 100,000 rows would overflow the stack.
    if (lines.length < 1000) this.lines.splice(at, 0, ...lines);
    else this.lines = this.lines.slice(0, at).concat(lines, this.lines.slice(at));
    for (const l of lines) {
      l.live = true;
      this.touched.add(l);
    }
    this.numbered = false;
  }

  private take(at: number, count: number): Line[] {
    const lines = this.lines.splice(at, count);
    for (const l of lines) {
      l.live = false;
      this.touched.add(l);
    }
    this.numbered = false;
    return lines;
  }

  /** Whether the row differs from what is saved. A new row that is empty does not. */
  changed(l: Line, base = l.base): boolean {
    if (!base) return l.live && l.v.some((x) => x !== "");
    return !l.live || (l.v !== base && l.v.some((x, i) => x !== base[i]));
  }

  /** Number of rows that changes() would name. */
  count(): number {
    let n = 0;
    this.touched.forEach((l) => {
      if (this.changed(l)) n++;
      else if (l.base) this.touched.delete(l);
    });
    return n;
  }

  /** The row as saved, or as it will be when `sent` (of changes()) is; null for none. */
  saved(l: Line, sent?: Change[]): readonly string[] | null {
    const state = sent && this.sent.get(sent);
    const v = state ? state.get(l) : undefined;
    if (v === undefined) return l.base;
    return v && !l.base && v.every((x) => x === "") ? null : v;
  }

  /**
   * The least change that makes the saved sheet equal to this one; with `sent`, an
   * earlier change set on its way, what is to be done after that one.
   */
  changes(sent?: Change[]): Change[] {
    const edits: Line[] = [];
    const out: Change[] = [];
    const gone: Change[] = [];
    let added = false;
    const state = new Map<Line, readonly string[] | null>();
    const on = (sent && this.sent.get(sent)) || state;
    const look = (l: Line) => {
      state.set(l, l.live ? l.v : null);
      const base = this.saved(l, sent);
      if (!this.changed(l, base)) return;
      if (!base) added = true;
      else if (l.live) edits.push(l);
      else gone.push({ op: "delete", row: l.id });
    };
    this.touched.forEach(look);
    if (sent) on.forEach((_, l) => !this.touched.has(l) && look(l));
    if (added) {
      // A row that `sent` deletes comes back as a new one.
      const name = (l: Line) => (l.base ? again + l.id : l.id);
      let prev: Line | null = null;
      for (const l of this.lines) {
        if (!this.saved(l, sent)) {
          if (!this.changed(l, null)) continue;
          const ch: Change = { op: "insert", temp: name(l), after: "", cells: this.cells(l, null) };
          if (prev && this.saved(prev, sent)) ch.after = prev.id;
          else if (prev) ch.afterTemp = name(prev);
          out.push(ch);
        }
        prev = l;
      }
    }
    edits.sort((a, b) => this.index(a) - this.index(b));
    for (const l of edits) out.push({ op: "edit", row: l.id, cells: this.cells(l, this.saved(l, sent)) });
    const all = out.concat(gone);
    this.sent.set(all, state);
    return all;
  }

  private cells(l: Line, base: readonly string[] | null): Record<string, string> {
    const cells: Record<string, string> = {};
    this.columns.forEach((col, i) => {
      if (l.v[i] !== (base ? base[i] : "")) cells[col.key] = l.v[i];
    });
    return cells;
  }

  /**
   * The server has saved `saved` (an array that changes() returned; without it, all
   * that is here). What was typed since then stays a change. The undo history stays:
   * undoing over a save makes changes against the new base.
   */
  committed(inserted: Record<string, string>, saved?: Change[]): void {
    const state = (saved && this.sent.get(saved)) || new Map<Line, readonly string[] | null>();
    if (!state.size && !saved) this.touched.forEach((l) => state.set(l, l.live ? l.v : null));
    state.forEach((v, l) => {
      this.touched.add(l); // it may have been brought back to what was saved before
      if (v === null) {
        this.forget(l);
      } else if (l.base) {
        l.base = v;
      } else if (inserted[l.id]) {
        this.rename(l, inserted[l.id]);
        l.base = v;
      }
    });
    this.count();
  }

  /** The server does not have the row any longer: should it come back, it is a new one. */
  forget(l: Line): void {
    if (l.base) this.rename(l, again + l.id);
    l.base = null;
  }

  /** The server has the row by now, under this id. */
  adopt(l: Line, id: string): void {
    this.rename(l, id);
    // A row that was taken back here is seen again when it comes.
    if (l.live && !l.base) l.base = this.columns.map(() => "");
    this.touched.add(l);
  }

  private rename(l: Line, id: string): void {
    l.id = id;
    this.byId.set(l);
  }

  /**
   * Carries out a change set made elsewhere (an import plan); inside a transaction.
   * `made` takes the new rows by the names the change set gives them; with `keep`, for a
   * draft that is restored, these are their names here too.
   */
  apply(changes: Change[], made = new Map<string, Line>(), keep = false): Line[] {
    const hit: Line[] = [];
    const gone: Line[] = [];
    let group: Line[] = [];
    let at = 0;
    const flush = () => {
      this.insert(at, group);
      group = [];
    };
    for (const ch of changes) {
      if (ch.op === "insert") {
        const line = this.blank(keep ? ch.temp : "");
        made.set(ch.temp, line);
        const prev = ch.afterTemp ? made.get(ch.afterTemp) : this.byId.get(ch.after);
        if (!group.length || prev !== group[group.length - 1]) {
          flush();
          // Behind a row that is gone means at the end, where nothing is hidden.
          at = prev && prev.live ? this.index(prev) + 1 : ch.after || ch.afterTemp ? this.lines.length : 0;
        }
        group.push(line);
        this.columns.forEach(({ key }, c) => this.set(line, c, ch.cells[key] || ""));
        hit.push(line);
        continue;
      }
      const line = keep ? this.byId.get(ch.row) : this.find(ch.row);
      if (!line) continue;
      // What was filled in outlives its deletion in another draft, whichever is restored first.
      if (ch.op === "delete") {
        if (line.live && !(keep && this.changed(line))) gone.push(line);
        continue;
      }
      if (!line.live) {
        flush();
        this.back(line);
      }
      this.fill(line, ch.cells);
      hit.push(line);
    }
    flush();
    this.removeLines(gone);
    return hit;
  }

  private fill(line: Line, cells: Record<string, string>): void {
    this.columns.forEach((col, c) => {
      const v = cells[col.key];
      if (v !== undefined) this.set(line, c, v);
    });
  }
}
