import { Line } from "./model";

/**
 * Rows by their ids. Not a Map of strings: the browser's engine keeps each key of one in
 * its table of unique strings, which every large garbage collection walks while the page
 * stands still, 5 to 10 ms of it for 100,000 ids. So it is a map of numbers made of them;
 * where two ids have one number, the later row takes the next.
 *
 * A row that gets another id is set again. The place under the old one stays and names
 * nobody, since the row there does not have that id.
 */
export class Ids {
  private lines = new Map<number, Line>();

  private place(id: string): number {
    let n = 0;
    for (let i = 0; i < id.length; i++) n = Math.imul(n ^ id.charCodeAt(i), 16777619);
    // Thirty bits: a number that needs more would be an object of its own.
    for (n >>>= 2; ; n++) {
      const line = this.lines.get(n);
      if (!line || line.id === id) return n;
    }
  }

  get(id: string): Line | undefined {
    return this.lines.get(this.place(id));
  }

  set(line: Line): void {
    this.lines.set(this.place(line.id), line);
  }

  clear(): void {
    this.lines.clear();
  }

  /** Every row, one that had other ids before perhaps several times. */
  forEach(fn: (line: Line) => void): void {
    this.lines.forEach(fn);
  }
}
