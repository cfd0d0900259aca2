import { Grid } from "./grid";
import { Line } from "./model";
import { Row } from "./types";
import { t } from "./words";

/** Rows of a window that somebody looks at, and of one that is fetched meanwhile. */
const near = 200;
const far = 1000;
/** While the sheet is being scrolled, what is in sight is looked at so often, in ms. */
const pause = 100;
/** How long to wait, in ms, before asking again after a failure, at first and at most. */
const first = 1000;
const last = 30000;

/** A sheet that is too long to come at once. */
export interface Source {
  /** Rows in all. */
  count: number;
  /** Rows that came with the count, from the first on. */
  rows?: Row[];
  /**
   * Fetches `count` rows from the position `from` on. `after` is the id of the row
   * before them, where that is known: a server finds it faster than a position.
   * Nobody waits any more for what `signal` aborts. A rejection is asked again
   * later; who cannot answer at all calls setSource or setRows.
   */
  load(from: number, count: number, signal: AbortSignal, after: string): Promise<Row[]>;
}

/**
 * Brings the rows of a source into the sheet: what is in sight first, the rest in
 * order in big windows, until nothing is missing and everything is local. Every row
 * is a {@link Line} from the beginning, so rows may be inserted and deleted among
 * those that are there while others still come.
 */
export class Loader {
  /** Resolves when the sheet has all its rows; at once when it was given them. */
  complete: Promise<void> = Promise.resolve();
  private resolve: (() => void) | null = null;
  private source: Source | null = null;
  /** The rows as the source numbers them. */
  private lines: Line[] = [];
  /** Before this position nothing is missing. */
  private next = 0;
  private nearly: { from: number; to: number; stop: AbortController } | null = null;
  private farly: AbortController | null = null;
  private looking = 0;
  private timer = 0;
  private wait = first;
  /** A window has come. */
  private begun = false;

  constructor(private grid: Grid) {
    grid.view.scroll.addEventListener("scroll", () => {
      if (this.source && !this.looking) this.looking = window.setTimeout(() => this.look(), pause);
    });
  }

  /** Begins with a source; the model has its lines already. */
  start(source: Source): void {
    this.stop();
    this.source = source;
    this.lines = this.grid.model.lines.slice();
    this.next = 0;
    this.wait = first;
    this.begun = false;
    if (!this.resolve) this.complete = new Promise((ok) => (this.resolve = ok));
    if (source.rows) this.put(0, source.rows);
    this.go();
  }

  /** Forgets the source: the rows have come another way. */
  end(): void {
    this.stop();
    this.source = null;
    this.lines = [];
    if (this.resolve) this.resolve();
    this.resolve = null;
  }

  /** Asks no more; go() goes on. */
  stop(): void {
    clearTimeout(this.looking);
    clearTimeout(this.timer);
    this.looking = 0;
    if (this.nearly) this.nearly.stop.abort();
    if (this.farly) this.farly.abort();
    this.nearly = this.farly = null;
  }

  /** Runs fn as soon as every row is there; says what is waited for. */
  whole(fn: () => void): void {
    if (!this.source) return fn();
    this.grid.announce(t("正在读取其余的行，读完后继续"));
    void this.complete.then(fn);
  }

  /** Fetches what is in sight, and the next of the rest. */
  go(): void {
    const { source, lines } = this;
    if (!source) return;
    this.look();
    while (this.next < lines.length && !this.absent(this.next)) this.next++;
    if (this.next >= lines.length) return this.end();
    // At first what is in sight has the line for itself.
    if (this.farly || (this.nearly && !this.begun)) return;
    this.farly = new AbortController();
    void this.fetch(source, this.next, far, this.farly);
  }

  private look(): void {
    const { source, nearly } = this;
    clearTimeout(this.looking);
    this.looking = 0;
    const at = source ? this.sight() : -1;
    if (nearly) {
      if (at >= nearly.from && at < nearly.to) return;
      // Scrolled on: nobody needs that window now.
      nearly.stop.abort();
      this.nearly = null;
      // The rest may have waited for it, and no other window will call it.
      if (at < 0) this.later(0);
    }
    if (!source || at < 0) return;
    const from = Math.max(0, at - near / 4);
    const stop = new AbortController();
    this.nearly = { from, to: from + near, stop };
    void this.fetch(source, from, near, stop);
  }

  /** The source's position of the first row in sight that is missing, or -1. */
  private sight(): number {
    const { grid } = this;
    const [top, bottom] = grid.view.sight();
    for (let r = top; r <= bottom; r++) {
      const line = grid.lines[r];
      if (!grid.model.absent(line)) continue;
      // Rows above may have been added or taken away, but not many.
      const i = this.lines[r] === line ? r : this.lines.indexOf(line);
      if (i >= 0) return i;
    }
    return -1;
  }

  private absent(i: number): boolean {
    return this.grid.model.absent(this.lines[i]);
  }

  private async fetch(source: Source, from: number, count: number, stop: AbortController): Promise<void> {
    const before = from > 0 && !this.absent(from - 1) ? this.lines[from - 1] : null;
    let rows: Row[] = [];
    try {
      // A row that was added since has no place in the source yet, nor one that is gone.
      rows = await source.load(from, Math.min(count, this.lines.length - from), stop.signal, before && before.base && before.live ? before.id : "");
    } catch {
      // Aborted, or to be asked again below.
    }
    if (this.source !== source || stop.signal.aborted) return;
    if (this.farly === stop) this.farly = null;
    else this.nearly = null;
    if (!rows.length) {
      if (this.wait === first) this.grid.notice(t("还有一部分行没有读取到，正在重试，已经显示的行可以照常填写。"));
      this.later(this.wait);
      this.wait = Math.min(last, this.wait * 2);
      return;
    }
    this.wait = first;
    this.begun = true;
    this.put(from, rows);
    // A task of its own: answers that come at once must not hold up a frame.
    this.later(0);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.go(), ms);
  }

  private put(from: number, rows: Row[]): void {
    this.grid.arrived(this.grid.model.arrive(this.lines, from, rows));
    this.grid.emit("tb-progress", { loaded: this.lines.length - this.grid.model.missing, count: this.lines.length });
  }
}
