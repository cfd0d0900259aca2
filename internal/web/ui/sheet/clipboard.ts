import { oneLine } from "./text";

/**
 * Reads tab-separated text as spreadsheets write it: a cell that begins with a
 * quote may hold tabs, line breaks and doubled quotes. A quote that is never closed
 * is an ordinary character (`"5寸`). One trailing line break ends the last row and
 * does not begin another. Line breaks inside a cell become a blank.
 */
export function parseText(text: string): string[][] {
  const s = text.replace(/\r\n?/g, "\n");
  const rows: string[][] = [];
  let row: string[] = [];
  let i = 0;
  for (;;) {
    let cell = "";
    const quoted = s[i] === '"' ? closing(s, i) : -1;
    if (quoted >= 0) {
      cell = s.slice(i + 1, quoted).replace(/""/g, '"');
      i = quoted + 1;
    } else {
      let end = i;
      while (end < s.length && s[end] !== "\t" && s[end] !== "\n") end++;
      cell = s.slice(i, end);
      i = end;
    }
    row.push(oneLine(cell));
    const sep = s[i++];
    if (sep === "\t") continue;
    rows.push(row);
    row = [];
    if (sep === undefined || i >= s.length) return rows;
  }
}

/** Position of the quote that closes the cell beginning at i, or -1. */
function closing(s: string, i: number): number {
  for (let j = i + 1; ; j++) {
    j = s.indexOf('"', j);
    if (j < 0) return -1;
    const next = s[j + 1];
    if (next === '"') j++;
    else return next === undefined || next === "\t" || next === "\n" ? j : -1;
  }
}

/**
 * Reads the first table of an HTML fragment. It is the way out when the clipboard
 * has no plain text, so it is a scanner of tags: the browser's own parser is closed
 * under Trusted Types.
 */
export function parseHtml(html: string): string[][] {
  const rows: string[][] = [];
  const tag = /<!--[^]*?-->|<(style|script)\b[^]*?<\/\1>|<(\/?)(table|tr|td|th|br)\b([^>]*)>|<[^>]*>/gi;
  let cell: string | null = null;
  let last = 0;
  let span = 1;
  const close = () => {
    if (cell === null) return;
    if (!rows.length) rows.push([]);
    const row = rows[rows.length - 1];
    row.push(oneLine(decode(cell).trim()));
    for (; span > 1; span--) row.push("");
    cell = null;
  };
  for (let m = tag.exec(html); m; m = tag.exec(html)) {
    if (cell !== null) cell += html.slice(last, m.index).replace(/\s+/g, " ");
    last = tag.lastIndex;
    const name = (m[3] || "").toLowerCase();
    if (name === "br") cell = cell === null ? null : cell + "\n";
    else if (name) {
      close();
      if (m[2]) {
        if (name === "table") break;
      } else if (name === "tr") rows.push([]);
      else if (name !== "table") {
        cell = "";
        const n = /colspan\s*=\s*["']?(\d{1,3})/i.exec(m[4]);
        span = n ? Math.max(1, parseInt(n[1], 10)) : 1;
      }
    }
  }
  close();
  return rows.filter((r) => r.length);
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function decode(s: string): string {
  return s.replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, (all, name: string) => {
    if (name[0] !== "#") return entities[name.toLowerCase()] ?? all;
    const n = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
    return n > 0 && n <= 0x10ffff ? String.fromCodePoint(n) : all;
  });
}

/** Writes cells as tab-separated text; quotes only where they are needed. */
export function writeText(rows: readonly (readonly string[])[]): string {
  return rows
    .map((r) => r.map((c) => (/[\t\r\n]|^"/.test(c) ? '"' + c.replace(/"/g, '""') + '"' : c)).join("\t"))
    .join("\r\n");
}

/** Writes cells as an HTML table in which every cell is text, never a number. */
export function writeHtml(rows: readonly (readonly string[])[]): string {
  const esc = (s: string) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return (
    '<html><head><meta charset="utf-8"></head><body><table>' +
    rows
      .map((r) => "<tr>" + r.map((c) => `<td style='mso-number-format:"\\@"'>${esc(c)}</td>`).join("") + "</tr>")
      .join("") +
    "</table></body></html>"
  );
}
