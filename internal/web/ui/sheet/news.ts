import { Line, Model } from "./model";
import { Clash } from "./types";
import { t } from "./words";

/** How long a cell that others changed is marked. */
const freshTime = 6000;

interface Entry {
  line: Line;
  c: number;
  by: string;
}

/**
 * What others' saves brought: cells to be shown as new for a while, and those where
 * this sheet holds something else. A clash ends by itself when the cell gets the
 * saved value, by undo or by hand.
 */
export class News {
  private fresh = new Map<Line, Set<number>>();
  private entries: Entry[] = [];
  private timer = 0;

  constructor(private model: Model, private changed: () => void) {}

  show(line: Line, c: number): void {
    const set = this.fresh.get(line);
    if (set) set.add(c);
    else this.fresh.set(line, new Set([c]));
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.fresh.clear();
      this.changed();
    }, freshTime);
  }

  clash(line: Line, c: number, by: string): void {
    this.entries = this.entries.filter((e) => e.line !== line || e.c !== c).concat({ line, c, by });
  }

  /** Ends the timer, so that nothing holds the sheet. */
  stop(): void {
    clearTimeout(this.timer);
    this.fresh.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.stop();
    this.entries = [];
  }

  /** The mark of a cell: "new", "clash" or none. */
  at(line: Line, c: number): string | null {
    if (this.entries.some((e) => e.line === line && (e.c === c || e.c < 0) && this.stands(e))) return "clash";
    const set = this.fresh.get(line);
    return set && set.has(c) ? "new" : null;
  }

  /** What to say of a cell that clashes, or "". */
  text(line: Line, c: number): string {
    const e = this.entries.find((x) => x.line === line && (x.c === c || x.c < 0) && this.stands(x));
    if (!e) return "";
    const who = e.by || t("他人");
    return e.c < 0 ? t("{0}已删除这一行，提交时请选择", who) : t("{0}保存的是“{1}”，提交时请选择", who, (line.base as readonly string[])[c] || t("空"));
  }

  private stands(e: Entry): boolean {
    const { line, c } = e;
    if (c < 0) return line.base ? !line.live : line.live;
    return line.live && !!line.base && line.v[c] !== line.base[c];
  }

  private standing(): Entry[] {
    return (this.entries = this.entries.filter((e) => this.stands(e)));
  }

  clashes(): Clash[] {
    return this.standing().map(({ line, c, by }): Clash => {
      const all = (v: readonly string[]) => v.filter((x) => x).join(t("，"));
      if (c >= 0) return { row: line.id, key: this.model.columns[c].key, kind: "edited", mine: line.v[c], theirs: (line.base as readonly string[])[c], by };
      if (line.live) return { row: line.id, key: "", kind: "deleted", mine: all(line.v), theirs: "", by };
      return { row: line.id, key: "", kind: "delete-edited", mine: "", theirs: all(line.base as readonly string[]), by };
    });
  }

  /** Decides the clashes in the order of clashes(); inside a transaction. */
  settle(mine: boolean[]): void {
    const { model } = this;
    this.standing().forEach(({ line, c }, i) => {
      if (mine[i]) return;
      if (c >= 0) model.set(line, c, (line.base as readonly string[])[c]);
      else if (line.live) model.removeLines([line]);
      else {
        model.back(line);
        // It comes as they saved it: an undo may have emptied it before it went.
        (line.base as readonly string[]).forEach((v, i) => model.set(line, i, v));
      }
    });
    this.entries = [];
  }
}
