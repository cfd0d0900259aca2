import { again, Line, Model } from "./model";
import { Newer } from "./types";

/** What a merge did, for whoever shows it. */
export interface Met {
  /** A cell has another's value now. */
  fresh(line: Line, c: number): void;
  /** Both sides changed it differently; c -1: one side deleted the row. */
  clash(line: Line, c: number, by: string): void;
}

/**
 * Takes what others saved in under the changes on the screen, cell by cell: the saved
 * base moves, cells that were not touched here take the new value, touched ones keep
 * mine. Nothing that was typed is lost: a row that others deleted and that was
 * changed here, or is being typed in (`keep`), stays as a new row. The undo history
 * stays too and afterwards leads back to what is saved now. Returns the rows that came
 * or went.
 */
export function meet(model: Model, newer: Newer, keep: Line | null, out: Met): Line[] {
  const moved: Line[] = [];
  const by = newer.by || {};
  const named = newer.named || {};
  for (const name of Object.keys(named)) {
    // The name of a row that came back tells which row it was.
    const line = model.byId.get(name) || model.byId.get(name.replace(again, ""));
    const id = heir(named, name);
    if (line && !model.byId.get(id)) model.adopt(line, id);
  }
  const was = new Map<Line, { old: readonly string[]; settled: boolean[] }>();
  for (const row of newer.rows) {
    const v = model.columns.map((_, c) => row.values[c] || "");
    let line = model.byId.get(row.id);
    // A draft leads back to where a row was not deleted yet: it is the row that undo knows.
    const past = line ? undefined : model.byId.get(again + row.id);
    if (past && !past.live) model.adopt((line = past), row.id);
    if (!line || !line.base) {
      const made: Line = line || { id: row.id, v, base: v, live: true, i: 0 };
      made.v = made.base = v;
      made.live = true;
      made.version = row.version;
      model.byId.set(made);
      moved.push(made);
      v.forEach((text, c) => text && out.fresh(made, c));
      continue;
    }
    line.version = row.version;
    const base = line.base;
    const other = v.map((text, c) => text !== base[c]);
    if (other.indexOf(true) < 0) continue;
    was.set(line, { old: base, settled: line.v.map((text, c) => text === base[c]) });
    line.base = v;
    if (!line.live) {
      out.clash(line, -1, by[row.id] || "");
      line.v = line.v.map((text, c) => (other[c] && text === base[c] ? v[c] : text));
      continue;
    }
    line.v = line.v.map((text, c) => {
      if (!other[c] || text === v[c]) return text;
      if (text !== base[c]) {
        out.clash(line, c, by[row.id] || "");
        return text;
      }
      out.fresh(line, c);
      return v[c];
    });
  }
  if (was.size) rebase(model, was);
  if (newer.order) for (const l of arrange(model, newer.order, keep, by, out)) moved.push(l);
  return moved;
}

/** The id under which a row stands now, which may have come back since. */
export function heir(named: Record<string, string>, name: string): string {
  let id = named[name];
  while (named[again + id]) id = named[again + id];
  return id;
}

/**
 * Where undo leads a touched cell back to the saved value, it leads to the new saved
 * value. Older steps are left alone: what they made is not on the screen any more.
 */
function rebase(model: Model, was: Map<Line, { old: readonly string[]; settled: boolean[] }>): void {
  for (let i = model.undos.length - 1; i >= 0; i--) {
    for (let j = model.undos[i].edits.length - 1; j >= 0; j--) {
      const e = model.undos[i].edits[j];
      const at = e.kind === "values" ? was.get(e.line) : undefined;
      if (e.kind !== "values" || !at) continue;
      const { to } = e;
      const now = e.line.base as readonly string[];
      e.from = e.from.map((v, c) => {
        if (at.settled[c] || v === to[c] || v !== at.old[c]) return v;
        at.settled[c] = true;
        return now[c];
      });
    }
  }
}

/** Puts the rows into the server's order; new rows stay behind the row they follow. */
function arrange(model: Model, order: string[], keep: Line | null, by: Record<string, string>, out: Met): Line[] {
  const there = new Set(order);
  model.heard(order, true);
  const gone = new Set<Line>();
  model.byId.forEach((line) => {
    const { id } = line;
    if (!line.base || there.has(id)) return;
    if (line.live && (line === keep || model.changed(line))) out.clash(line, -1, by[id] || "");
    else if (line.live) gone.add(line);
    model.forget(line);
    model.touched.add(line);
  });
  if (gone.size) model.drop(gone);
  let followers: Line[] = [];
  const lines = followers;
  const behind = new Map<Line, Line[]>();
  for (const l of model.lines) {
    if (l.base) behind.set(l, (followers = []));
    else followers.push(l);
  }
  for (const id of order) {
    const line = model.byId.get(id);
    if (!line || !line.live) continue;
    lines.push(line);
    const after = behind.get(line);
    if (after) for (const l of after) lines.push(l);
  }
  // The empty row of an empty sheet gives way to the rows that come.
  const blank = lines[0];
  if (lines.length > 1 && blank && !blank.base && blank !== keep && model.lines.length === 1 && !model.redos.length && blank.v.every((x) => !x)) {
    lines.shift();
    blank.live = false;
    gone.add(blank);
  }
  model.order(lines);
  model.atLeastOne();
  return Array.from(gone);
}
