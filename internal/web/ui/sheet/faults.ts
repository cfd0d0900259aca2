import { Line, Model } from "./model";
import { Fault, Severity } from "./types";
import { t } from "./words";

const words: Record<Severity, string> = { error: t("错误"), justify: t("需说明"), hint: t("提示") };
const order: Severity[] = ["error", "justify", "hint"];

interface Entry {
  f: Fault; // its words may change with the rows they name
  c: number; // column, -1 for the row
  seen: string; // the value that was judged
}

/** What a cell shows of its faults. */
export interface Mark {
  severity: Severity;
  text: string;
  /** The value has changed since it was judged. */
  stale: boolean;
}

/**
 * Faults by row object: they stay on their row whatever is inserted above, and
 * keep their row when a save renames it. A fault whose cell was edited since is
 * stale: still listed, but told apart, until the next verdict.
 */
export class Faults {
  private byLine = new Map<Line, Entry[]>();
  /** Faults of rows that have not come yet, by id. */
  private waiting = new Map<string, Fault[]>();

  constructor(private model: Model) {}

  set(faults: Fault[]): void {
    this.byLine.clear();
    this.waiting.clear();
    for (const f of faults) {
      const line = this.model.find(f.row);
      if (line) this.put(line, f);
      else if (this.model.missing) this.waiting.set(f.row, (this.waiting.get(f.row) || []).concat(f));
    }
  }

  /** Rows have come: their faults find their place. */
  arrived(lines: Line[]): void {
    if (!this.waiting.size) return;
    for (const line of lines) for (const f of this.waiting.get(line.id) || []) this.put(line, f);
  }

  /** Replaces the faults of one row. */
  setRow(line: Line, faults: Fault[]): void {
    this.byLine.delete(line);
    for (const f of faults) this.put(line, f);
  }

  private put(line: Line, f: Fault): void {
    const c = this.model.column(f.key);
    const list = this.byLine.get(line);
    const entry = { f, c, seen: f.seen ?? seen(line, c) };
    if (list) list.push(entry);
    else this.byLine.set(line, [entry]);
  }

  /** The mark of a cell, or of the row as a whole (c = -1); the gravest colours it. */
  at(line: Line, c: number): Mark | null {
    const list = this.byLine.get(line);
    if (!list) return null;
    let worst = order.length;
    let stale = true;
    const texts: string[] = [];
    for (const { f, c: at, seen: was } of list) {
      if (at !== c) continue;
      const old = was !== seen(line, c);
      worst = Math.min(worst, order.indexOf(f.severity));
      if (!old) stale = false;
      texts.push(t("{0}：{1}{2}", words[f.severity], f.message, old ? t("（已改动，请重新校验）") : ""));
    }
    return texts.length ? { severity: order[worst], text: texts.join(t("；")), stale } : null;
  }

  /** Faults of a row that are to be dealt with; hints are not. */
  open(line: Line): number {
    return (this.byLine.get(line) || []).filter((e) => e.f.severity !== "hint").length;
  }

  /** Faults to be dealt with in the rows that pass. */
  count(pass: (line: Line) => boolean): number {
    let n = 0;
    this.byLine.forEach((_, line) => {
      if (pass(line)) n += this.open(line);
    });
    return n;
  }

  /**
   * The place of the next fault after (r, c) in reading order, or before it; it wraps.
   * `index` tells where a row is seen, negative for rows that are not.
   */
  next(r: number, c: number, dir: 1 | -1, index: (line: Line) => number): { r: number; c: number } | null {
    const places: { r: number; c: number }[] = [];
    this.byLine.forEach((list, line) => {
      const at = index(line);
      if (at < 0) return;
      for (const f of list) places.push({ r: at, c: Math.max(0, f.c) });
    });
    if (!places.length) return null;
    places.sort((a, b) => dir * (a.r - b.r || a.c - b.c));
    return places.find((p) => dir * (p.r - r || p.c - c) > 0) || places[0];
  }
}

function seen(line: Line, c: number): string {
  return c < 0 ? line.v.join("\t") : line.v[c];
}
