import { Line } from "./model";

/** Where Ctrl+arrow goes: the edge of the block of filled cells, or the next block. */
export function blockEdge(lines: Line[], columns: number, r: number, c: number, dr: number, dc: number): { r: number; c: number } {
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < lines.length && x < columns;
  const full = (y: number, x: number) => inside(y, x) && lines[y].v[x] !== "";
  if (full(r, c) && full(r + dr, c + dc)) {
    while (full(r + dr, c + dc)) {
      r += dr;
      c += dc;
    }
    return { r, c };
  }
  while (inside(r + dr, c + dc)) {
    r += dr;
    c += dc;
    if (full(r, c)) break;
  }
  return { r, c };
}
