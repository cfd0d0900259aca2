import { Line } from "./model";

/** Rows and columns that each arrow goes. */
export const arrows: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where a plain moving key goes from (r, c), perhaps beyond the edge; null for other keys. */
export function moveKey(key: string, r: number, c: number, columns: number, page: number): { r: number; c: number } | null {
  switch (key) {
    case "Home":
      return { r, c: 0 };
    case "End":
      return { r, c: columns - 1 };
    case "PageUp":
      return { r: r - page, c };
    case "PageDown":
      return { r: r + page, c };
  }
  const by = arrows[key];
  return by ? { r: r + by[0], c: c + by[1] } : null;
}

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
