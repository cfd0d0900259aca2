import { Line } from "./model";

/**
 * Rows that may differ from what is saved. It also keeps, for whoever checks rows as
 * they change, which were put in since that was asked last.
 */
export class Touched extends Set<Line> {
  /** null: any row may have changed. */
  private recent: Set<Line> | null = null;

  override add(line: Line): this {
    this.came(line);
    return super.add(line);
  }

  /** The row is new here, and as it is saved. */
  came(line: Line): void {
    if (this.recent) this.recent.add(line);
  }

  override clear(): void {
    this.any();
    super.clear();
  }

  /** Any row may have changed, also in its place. */
  any(): void {
    this.recent = null;
  }

  take(): Set<Line> | null {
    const taken = this.recent;
    this.recent = new Set();
    return taken;
  }
}
