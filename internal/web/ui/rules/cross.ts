import { CrossRule } from "./rules";

/**
 * The rules between rows. Rows of one key are kept together, so that a row that
 * changes costs a look at those that have its old key or its new one, whatever the
 * length of the sheet. The later row carries the verdict, and names the earliest row
 * that breaks the rule with it.
 */
export class Cross<R extends object> {
  private groups: Map<string, R[]>[];
  private keys: Map<R, (string | undefined)[]>;
  private found: Map<R, R>[];
  private stale: Set<R[]>[];

  /** `place` gives the order of rows, `value` a cell in normal form. */
  constructor(private rules: CrossRule[], private place: (row: R) => number, private value: (row: R, c: number) => string) {
    this.groups = rules.map(() => new Map());
    this.keys = new Map();
    this.found = rules.map(() => new Map());
    this.stale = rules.map(() => new Set());
  }

  /** A row came or changed (bad: cells with an error, which prove nothing), or went (null). */
  put(row: R, bad: boolean[] | null): void {
    const old = this.keys.get(row) || [];
    const now = this.rules.map((r) => (bad ? this.key(r, row, bad) : undefined));
    this.rules.forEach((_, k) => {
      const groups = this.groups[k];
      const was = old[k] === undefined ? undefined : groups.get(old[k]!);
      if (was && old[k] !== now[k]) {
        was.splice(was.indexOf(row), 1);
        if (!was.length) groups.delete(old[k]!);
        this.stale[k].add(was);
        // With none left to tell of it, the row's own verdict goes by itself.
        this.stale[k].add([row]);
      }
      if (now[k] === undefined) return;
      let group = groups.get(now[k]!);
      if (!group) groups.set(now[k]!, (group = []));
      if (old[k] !== now[k]) group.push(row);
      if (group.length > 1) this.stale[k].add(group);
    });
    if (bad) this.keys.set(row, now);
    else this.keys.delete(row);
  }

  private key(r: CrossRule, row: R, bad: boolean[]): string | undefined {
    const right = (c: number) => this.value(row, c) !== "" && !bad[c];
    if (!r.differ.every(right)) return undefined;
    let key = "";
    for (const list of r.same) {
      const c = list.find(right);
      if (c === undefined) return undefined;
      const v = this.value(row, c);
      key += c + ":" + v.length + ":" + v + ";"; // the length keeps two keys from making one text
    }
    return key;
  }

  /** Rows have changed places: who is the later one must be seen anew. */
  again(): void {
    this.groups.forEach((groups, k) => groups.forEach((g) => g.length > 1 && this.stale[k].add(g)));
  }

  /** Judges anew what was touched; the rows whose verdict may be another one now. */
  settle(): Set<R> {
    const touched = new Set<R>();
    this.rules.forEach((r, k) => {
      const found = this.found[k];
      this.stale[k].forEach((group) => {
        // As a row that left may have joined another group since, verdicts fall before they are given.
        group.forEach((row) => found.delete(row) && touched.add(row));
      });
      this.stale[k].forEach((group) => {
        if (group.length < 2) return;
        const rows = group.slice().sort((a, b) => this.place(a) - this.place(b));
        const differs = (row: R) => !r.differ.length || r.differ.some((c) => this.value(row, c) !== this.value(rows[0], c));
        let other: R | undefined; // the first that differs from the first
        for (const row of rows.slice(1)) {
          const earlier = differs(row) ? rows[0] : other;
          if (earlier === rows[0]) other = other || row;
          if (earlier) found.set(row, earlier);
          touched.add(row);
        }
      });
      this.stale[k].clear();
    });
    return touched;
  }

  /** The rules that the row breaks, each with the earlier row. */
  of(row: R): { rule: CrossRule; other: R }[] {
    const out: { rule: CrossRule; other: R }[] = [];
    this.rules.forEach((rule, k) => {
      const other = this.found[k].get(row);
      if (other) out.push({ rule, other });
    });
    return out;
  }
}
