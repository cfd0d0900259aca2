import { Grid } from "./grid";
import { Rect } from "./types";
import { t } from "./words";

/** How near to the corner the mouse takes hold; a little more than what is drawn. */
const reach = 10;

/**
 * The fill handle: the square in the lower right corner of the selection. Dragged, it
 * fills the cells it passes; a double click fills down as far as the column beside has
 * data. Values are copied and never counted on: no column of a form is a series, and a
 * code or an id that went up by one would be somebody else's.
 */
export class Handle {
  /** What is filled from, while the handle is dragged. */
  private from: Rect | null = null;

  constructor(private grid: Grid) {
    const { scroll } = grid.view;
    scroll.addEventListener("mousemove", (e) => scroll.classList.toggle("tbs-filling", this.hit(e)));
  }

  hit(e: MouseEvent): boolean {
    const cell = e.target instanceof Element && e.target.closest(".tbs-corner");
    if (!cell || this.grid.locked) return false;
    const box = cell.getBoundingClientRect();
    return e.clientX > box.right - reach && e.clientY > box.bottom - reach;
  }

  grab(): void {
    this.from = this.grid.rect;
  }

  /** The mouse is over a cell: the selection shows what would be filled, in one direction. */
  drag(r: number, c: number): void {
    const { grid, from } = this;
    if (!from) return;
    r = Math.max(0, Math.min(r, grid.lines.length - 1));
    const { top, left, bottom, right } = from;
    const rows = Math.max(r - bottom, top - r, 0);
    const cols = Math.max(c - right, left - c, 0);
    // The corner that moves is the far one, as the scrolling at the edges expects it.
    if (rows >= cols) grid.range(r < top ? bottom : top, left, rows ? r : bottom, right);
    else grid.range(top, c < left ? right : left, bottom, c);
    grid.view.reveal(r, c);
  }

  drop(fill: boolean): void {
    if (this.from && fill) spread(this.grid, this.from, this.grid.rect);
    this.from = null;
  }

  /** Fills down as far as the column on the left, or else on the right, has data. */
  down(): void {
    const { grid } = this;
    const { top, left, bottom, right } = grid.rect;
    const { lines } = grid;
    const full = (r: number, c: number) => !!(lines[r] && lines[r].v[c]);
    const beside = full(bottom + 1, left - 1) ? left - 1 : right + 1;
    let end = bottom;
    while (full(end + 1, beside)) end++;
    if (end === bottom) return grid.announce(t("旁边的列下面没有数据，请拖动填充"));
    spread(grid, grid.rect, { top, left, bottom: end, right });
    grid.range(top, left, end, right);
  }
}

/** Fills a rectangle from a part of it, repeated, as one undo step. */
export function spread(grid: Grid, from: Rect, to: Rect): void {
  const h = from.bottom - from.top + 1;
  const w = from.right - from.left + 1;
  // A repeat that counts from the source outward, also upward and to the left.
  const back = (at: number, first: number, n: number) => first + ((((at - first) % n) + n) % n);
  const { lines } = grid;
  if (grid.away(Math.min(from.top, to.top), Math.max(from.bottom, to.bottom))) return;
  const step = grid.step(t("填充"), () => {
    for (let r = to.top; r <= to.bottom; r++) {
      for (let c = to.left; c <= to.right; c++) {
        if (!grid.isReadonly(c)) grid.put(lines[r], c, lines[back(r, from.top, h)].v[back(c, from.left, w)]);
      }
    }
  });
  if (step) grid.announce(t("已填充到第{0}行", to.bottom + 1));
}
