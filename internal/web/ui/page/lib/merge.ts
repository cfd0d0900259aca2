// Meeting newer data: what others saved since this sheet was loaded is taken in,
// and where both sides changed the same cell the clerk decides. Nothing is
// overwritten without asking, on either side.
import { Change, Column, Row } from "../../sheet/element";
import { ServerConflict } from "./api";
import { ask, el } from "./dom";

export type Values = Map<string, string[]>;

interface Clash {
  row: string;
  col: number; // -1: the row as a whole
  kind: "edited" | "deleted" | "delete-edited";
  mine: string;
  theirs: string;
}

export function valuesOf(rows: Row[]): Values {
  return new Map(rows.map((r) => [r.id, r.values.slice()]));
}

/** Where my changes, made on `base`, meet other changes that led to `now`. */
export function clashes(columns: Column[], mine: Change[], base: Values, now: Values): Clash[] {
  const out: Clash[] = [];
  for (const ch of mine) {
    if (ch.op === "insert") continue;
    const was = base.get(ch.row);
    const is = now.get(ch.row);
    if (!was) continue;
    if (ch.op === "delete") {
      if (is && is.some((v, i) => v !== was[i])) out.push({ row: ch.row, col: -1, kind: "delete-edited", mine: "", theirs: is.filter((v) => v).join("，") });
    } else if (!is) {
      out.push({ row: ch.row, col: -1, kind: "deleted", mine: Object.values(ch.cells).join("，"), theirs: "" });
    } else {
      columns.forEach((c, i) => {
        const v = ch.cells[c.key];
        if (v !== undefined && is[i] !== was[i] && is[i] !== v) out.push({ row: ch.row, col: i, kind: "edited", mine: v, theirs: is[i] });
      });
    }
  }
  return out;
}

/**
 * Asks the clerk about each clash and returns my changes as decided, or null when
 * the clerk wants to decide later.
 */
export async function decide(columns: Column[], mine: Change[], found: Clash[], base: Values, who: ServerConflict[]): Promise<Change[] | null> {
  if (!found.length) return mine;
  const table = el("div", "stack");
  const order = Array.from(base.keys()); // as the rows stood when they were loaded
  found.forEach((c, i) => table.append(question(columns, c, i, order.indexOf(c.row) + 1, who)));
  const ok = await ask(
    `有 ${found.length} 处与他人保存的内容不一致`,
    [el("p", "", "在您填写期间，有人保存了同样的单元格。请逐处选择保留哪一个："), table],
    "按选择合并",
  );
  if (!ok) return null;
  const keep = found.map((_, i) => (document.querySelector(`input[name="clash-${i}"]:checked`) as HTMLInputElement).value === "mine");
  return resolve(columns, mine, found, keep, base);
}

function question(columns: Column[], c: Clash, i: number, number: number, who: ServerConflict[]): HTMLElement {
  const by = who.find((w) => w.row === c.row && (c.col < 0 || w.field === columns[c.col].key));
  const other = by && by.by ? `${by.by} 保存的` : "他人保存的";
  const text = {
    edited: [`我填写的：${c.mine || "（空）"}`, `${other}：${c.theirs || "（空）"}`],
    deleted: [`保留我的改动，这一行重新加入：${c.mine}`, `${by && by.by ? by.by : "他人"}已删除这一行，放弃我的改动`],
    "delete-edited": ["仍然删除这一行", `不删除，保留${other}内容：${c.theirs}`],
  }[c.kind];
  const place = `原第${number}行 ` + (c.col >= 0 ? columns[c.col].title : "整行");
  const field = el("fieldset", "choices", el("legend", "", place));
  ["mine", "theirs"].forEach((value, j) => {
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "clash-" + i;
    input.value = value;
    // The other's value is preselected: it is saved already, and keeping it harms nobody.
    input.checked = value === "theirs";
    field.append(el("label", "choice", input, el("span", "", text[j])));
  });
  return field;
}

/** My changes after the decisions. */
export function resolve(columns: Column[], mine: Change[], found: Clash[], keep: boolean[], base: Values): Change[] {
  const out: Change[] = [];
  for (const ch of mine) {
    if (ch.op === "insert") {
      out.push(ch);
      continue;
    }
    const whole = found.findIndex((c) => c.row === ch.row && c.col < 0);
    if (whole >= 0) {
      if (!keep[whole]) continue;
      if (ch.op === "delete") out.push(ch);
      else {
        // The row is gone on the server: mine comes back as a new row, whole.
        const cells: Record<string, string> = {};
        columns.forEach((c, i) => {
          const v = ch.cells[c.key] !== undefined ? ch.cells[c.key] : (base.get(ch.row) as string[])[i];
          if (v) cells[c.key] = v;
        });
        out.push({ op: "insert", temp: "back-" + ch.row, after: "end", cells });
      }
      continue;
    }
    if (ch.op === "delete") {
      out.push(ch);
      continue;
    }
    const cells: Record<string, string> = {};
    for (const [key, v] of Object.entries(ch.cells)) {
      const i = found.findIndex((c) => c.row === ch.row && c.col >= 0 && columns[c.col].key === key);
      if (i < 0 || keep[i]) cells[key] = v;
    }
    if (Object.keys(cells).length) out.push({ op: "edit", row: ch.row, cells });
  }
  return out;
}
