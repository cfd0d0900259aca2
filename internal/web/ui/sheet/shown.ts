import { Faults } from "./faults";
import { Line, Model, Place, Step } from "./model";
import { Selection, ViewSpec } from "./types";

/**
 * Which rows are seen, and in which order. The stored order is Model.lines and no
 * view touches it; the positions of the selection, of the painting and of every
 * command are positions in `lines` here.
 *
 * A view is a snapshot: a row that is edited stays where it is until the view is
 * set again, so that nothing jumps away under the clerk's hands. There is always
 * at least one row in it.
 */
export class Shown {
  spec: ViewSpec = {};
  private list: Line[] | null = null;
  private places: Map<Line, number> | null = null;

  constructor(
    private model: Model,
    private faults: Faults,
  ) {}

  get lines(): Line[] {
    return this.list || this.model.lines;
  }

  /** Whether the rows are not simply all rows in their order. */
  get on(): boolean {
    return !!this.list;
  }

  /** Where a row is seen, or -1. */
  index(line: Line): number {
    if (!line.live) return -1;
    if (!this.list) return this.model.index(line);
    const at = this.map().get(line);
    return at === undefined ? -1 : at;
  }

  /** The 序号 of the row seen at r: its number in the stored order. */
  number(r: number): number {
    return this.list && this.list[r] ? this.model.index(this.list[r]) + 1 : r + 1;
  }

  private map(): Map<Line, number> {
    if (!this.places) this.places = new Map(this.lines.map((l, i) => [l, i]));
    return this.places;
  }

  private use(list: Line[] | null): void {
    if (!list || !list.length) {
      list = null;
      this.spec = {};
    }
    this.list = list;
    this.places = null;
  }

  /** What a row must pass to be seen; `but` leaves the filter of one column out. */
  private tests(spec: ViewSpec, but = -1): ((l: Line) => boolean)[] {
    const tests: ((l: Line) => boolean)[] = [];
    const filters = spec.filters || {};
    for (const key of Object.keys(filters)) {
      const c = this.model.column(key);
      if (c < 0 || c === but) continue;
      const { values, contains } = filters[key];
      const set = values && new Set(values);
      const part = (contains || "").toLowerCase();
      tests.push((l) => (!set || set.has(l.v[c])) && l.v[c].toLowerCase().includes(part));
    }
    if (spec.faulty) tests.push((l) => this.faults.open(l) > 0);
    return tests;
  }

  /** The values of a column in their order, and how many rows have each, under the other filters. */
  values(c: number): [string, number][] {
    const { model } = this;
    const tests = this.tests(this.spec, c);
    const list = model.lines.filter((l) => tests.every((t) => t(l)));
    const counts = new Map<string, number>();
    for (const l of list) counts.set(l.v[c], (counts.get(l.v[c]) || 0) + 1);
    return Array.from(ranks(list, c, !!model.columns[c].narrow, false).keys()).map((v) => [v, counts.get(v) as number]);
  }

  /** Sets the view, or makes it anew; false when no row would be left: nothing is changed then. */
  set(spec: ViewSpec): boolean {
    const { model } = this;
    const tests = this.tests(spec);
    const c = spec.sort ? model.column(spec.sort.key) : -1;
    if (!tests.length && c < 0) {
      this.use(null);
      return true;
    }
    const list = model.lines.filter((l) => tests.every((t) => t(l)));
    if (!list.length) return false;
    if (spec.sort && c >= 0) {
      const rank = ranks(list, c, !!model.columns[c].narrow, !!spec.sort.desc);
      list.sort((a, b) => (rank.get(a.v[c]) as number) - (rank.get(b.v[c]) as number));
    }
    this.spec = spec;
    this.use(list);
    return true;
  }

  /** After a step: rows that are gone leave, rows that it touched are seen. True when hidden ones came. */
  follow(step: Step): boolean {
    return this.show(touched(step));
  }

  /** Brings rows into sight that the view would hide, and drops rows that are gone. */
  show(lines: Line[]): boolean {
    const { list, model } = this;
    if (!list) return false;
    const map = this.map();
    const add = new Set<Line>();
    let gone = false;
    for (const l of lines) {
      if (!l.live) gone = true;
      else if (!map.has(l)) add.add(l);
    }
    if (!gone && !add.size) return false;
    const came = add.size > 0;
    let out: Line[] = [];
    if (!this.spec.sort) out = model.lines.filter((l) => map.has(l) || add.has(l));
    else {
      // A sorted view has no place for them but behind the row they follow.
      for (const l of list) {
        if (l.live) out.push(l);
        for (let i = model.index(l) + 1; l.live && add.delete(model.lines[i]); i++) out.push(model.lines[i]);
      }
      if (add.size) out = out.concat(model.lines.filter((l) => add.has(l)));
    }
    this.use(out);
    return came;
  }

  /** The selection of a step, as its rows are seen now. */
  place(p: Place, step: Step): Selection {
    let r = p.line ? this.index(p.line) : p.r;
    const r2 = p.line2 ? this.index(p.line2) : p.r2;
    if (r >= 0 && r2 >= 0) return { r, c: p.c, r2, c2: p.c2 };
    const seen = touched(step).find((l) => this.index(l) >= 0);
    r = seen ? this.index(seen) : Math.min(p.r, this.lines.length - 1);
    return { r, c: p.c, r2: r, c2: p.c };
  }
}

function touched(step: Step): Line[] {
  const out: Line[] = [];
  for (const e of step.edits) {
    if (e.kind === "values") out.push(e.line);
    else for (const l of e.lines) out.push(l);
  }
  return out;
}

/**
 * The place of each value of a column: digits as text, other words by pinyin, blanks
 * last either way. Only different values are compared, for Chinese comparison is slow.
 */
function ranks(lines: Line[], c: number, plain: boolean, desc: boolean): Map<string, number> {
  const values = Array.from(new Set(lines.map((l) => l.v[c])));
  const { compare } = new Intl.Collator("zh-Hans-CN-u-co-pinyin");
  const less = plain ? (a: string, b: string) => (a < b ? -1 : 1) : compare;
  values.sort((a, b) => (a && b ? (desc ? less(b, a) : less(a, b)) : a ? -1 : 1));
  return new Map(values.map((v, i) => [v, i]));
}
