// Random histories of two clerks on one sheet against a plain model, the second of whom
// sits at two machines: the page's own Work and sheets, a server of some lines, lost
// answers and crashes between. Every text that is typed is unique and knows its row and
// column, so that whatever is lost, doubled or put elsewhere is seen.
import { Change, Clash, defineSheet, TbSheet } from "../../sheet/element";
import { Answer } from "../../page/lib/api";
import { holds } from "../../page/lib/keeper";
import { Draft, Saved, Work } from "../../page/lib/work";

defineSheet();

type Values = string[];
type Table = Map<string, Values>; // by tag, the row's name in column a
const keys = ["a", "b", "c"];
const columns = keys.map((key, i) => ({ key, letter: "ABC"[i], title: key, width: 80 }));

interface Stored {
  id: string;
  values: Values;
  version: number;
  changed: number[]; // version by column
  by: number; // who brought it in
}

class Server {
  rows: Stored[] = [];
  version = 0;
  shots: Table[] = []; // the rows at each version
  moves: number[] = []; // versions in which rows came or went
  gone = new Map<string, number>();
  outcomes = new Map<string, Saved>();
  /** The newest draft of each person. */
  drafts: (Draft | null)[] = [null, null];
  /** Which rows whose saves brought in, by the page's names. */
  private taken: { by: number; version: number; names: Record<string, string> }[] = [];
  /** A deleted row came back, as a new one: the plain model cannot tell the two apart. */
  reborn = false;
  private names = new Set<string>();
  private serial = 0;

  constructor(n: number) {
    for (let i = 0; i < n; i++) this.rows.push(this.made("r" + i, ["r" + i, "", ""], -1));
    this.shot();
  }

  private made(tag: string, values: Values, by: number): Stored {
    if (this.rows.some((r) => r.values[0] === tag && r.by === by)) throw new Error("the row " + tag + " is stored twice");
    this.reborn = this.reborn || this.names.has(tag);
    this.names.add(tag);
    return { id: String(++this.serial), values, version: this.version, changed: values.map(() => this.version), by };
  }

  private shot(): void {
    this.shots[this.version] = this.table();
  }

  table(): Table {
    return new Map(this.rows.map((r) => [r.values[0], r.values.slice()]));
  }

  /** The new rows of a person since a version. */
  named(by: number, since: number): Record<string, string> {
    return Object.assign({}, ...this.taken.filter((x) => x.by === by && x.version > since).map((x) => x.names)) as Record<string, string>;
  }

  save(body: { key: string; base: number; changes: Change[]; draft?: string }, by: number): Answer<Saved> {
    const had = this.outcomes.get(body.key);
    if (had) return { status: 200, data: had };
    const conflict = { status: 409, error: { code: "conflict", message: "" } };
    const taken = this.named(by, body.base);
    if (body.changes.some((ch) => ch.op === "insert" && taken[ch.temp])) return conflict;
    const find = (id: string) => this.rows.find((r) => r.id === id);
    for (const ch of body.changes) {
      if (ch.op === "insert") continue;
      const r = find(ch.row);
      if (!r && ch.op === "edit") {
        if ((this.gone.get(ch.row) || 0) <= body.base) throw new Error("an edit of the row " + ch.row + " that is not there");
        return conflict;
      }
      if (r && ch.op === "delete" && r.changed.some((v) => v > body.base)) return conflict;
      if (r && ch.op === "edit" && keys.some((k, c) => ch.cells[k] !== undefined && r.changed[c] > body.base && r.values[c] !== ch.cells[k])) return conflict;
    }
    this.version++;
    const inserted: Record<string, string> = {};
    for (const ch of body.changes) {
      const r = ch.op !== "insert" && find(ch.row);
      if (ch.op === "insert") {
        const at = ch.afterTemp ? inserted[ch.afterTemp] : ch.after;
        const i = this.rows.findIndex((x) => x.id === at);
        const row = this.made(ch.cells.a, keys.map((k) => ch.cells[k] || ""), by);
        inserted[ch.temp] = row.id;
        this.rows.splice(i >= 0 ? i + 1 : at ? this.rows.length : 0, 0, row);
        this.moves.push(this.version);
      } else if (r && ch.op === "delete") {
        this.rows.splice(this.rows.indexOf(r), 1);
        this.gone.set(r.id, this.version);
        this.moves.push(this.version);
      } else if (r && ch.op === "edit") {
        r.version = this.version;
        keys.forEach((k, c) => {
          if (ch.cells[k] === undefined || r.values[c] === ch.cells[k]) return;
          r.values[c] = ch.cells[k];
          r.changed[c] = this.version;
        });
      }
    }
    this.shot();
    this.taken.push({ by, version: this.version, names: inserted });
    const draft = this.drafts[by];
    if (draft && draft.name === body.draft) this.drafts[by] = null;
    const saved = { receipt: { id: "", number: "", at: "", version: this.version, rows: this.rows.length }, report: { state_name: "" }, inserted };
    this.outcomes.set(body.key, saved);
    return { status: 200, data: saved };
  }

  newer(since: number, by: number): unknown {
    const rows = this.rows.filter((r) => r.version > since).map((r) => ({ id: r.id, values: r.values.slice() }));
    const order = this.moves.some((v) => v > since) ? this.rows.map((r) => r.id) : undefined;
    return { report: { version: this.version, state_name: "", updated_by: "" }, rows, order, by: {}, named: this.named(by, since) };
  }
}

/** One clerk at one page, which may crash; what it had is in its journal. */
class Clerk {
  sheet!: TbSheet;
  work!: Work;
  lose: "" | "before" | "after" = "";
  /** The screen when the save that has no answer was sent. */
  sentScreen: Table | null = null;
  private sentKey = "";
  decided: { tag: string; key: string; mine: string; theirs: string }[] = [];

  constructor(readonly person: number, private server: Server, private random: (n: number) => number) {
    this.open();
  }

  draft(): Draft | null {
    return JSON.parse(JSON.stringify(this.work.draft())) as Draft | null;
  }

  /** What a page finds that is opened where this one was: its journal, and the server's draft. */
  found(): Draft[] {
    const mine = this.draft();
    const theirs = this.server.drafts[this.person];
    const out: Draft[] = [];
    if (mine && !(theirs && holds(theirs, mine))) out.push(mine);
    if (theirs && !(out.length && holds(out[0], theirs))) out.push(theirs);
    return out;
  }

  open(): void {
    this.sheet = document.createElement("tb-sheet") as TbSheet;
    this.sheet.columns = columns;
    this.sheet.setRows(this.server.rows.map((r) => ({ id: r.id, values: r.values.slice() })));
    this.work = new Work(this.sheet, {
      call: async <T>(method: string, path: string, body?: unknown) => this.answer(method, path, body) as Answer<T>,
      decide: async (found) => found.map((c) => this.choose(c)),
      keep: async () => undefined,
      failed: () => undefined,
      signIn: async () => false,
      saved: () => undefined,
      met: () => undefined,
    });
    this.work.version = this.server.version;
  }

  private choose(c: Clash): boolean {
    const row = this.sheet.rows().find((r) => r.id === c.row) || this.server.rows.find((r) => r.id === c.row);
    this.decided.push({ tag: row ? row.values[0] : "", key: c.key, mine: c.mine, theirs: c.theirs });
    return this.random(2) === 0;
  }

  private answer(method: string, path: string, body: unknown): Answer<unknown> {
    if (method === "GET") return { status: 200, data: this.server.newer(Number(path.split("=")[1]), this.person) };
    const lose = this.lose;
    this.lose = "";
    const sent = JSON.parse(JSON.stringify(body));
    // One that is sent again is what it was.
    if (lose && sent.key !== this.sentKey) this.sentScreen = this.screen();
    if (lose) this.sentKey = sent.key;
    if (lose === "before") return { status: 0 };
    const res = this.server.save(sent, this.person);
    return lose && res.status === 200 ? { status: 0 } : res;
  }

  screen(): Table {
    const t: Table = new Map();
    for (const r of this.sheet.rows()) if (r.values.some((v) => v)) t.set(r.values[0], r.values);
    return t;
  }
}

/** The plain model: what mine, made on base, becomes over what is stored now. */
function threeWay(mine: Table, base: Table, now: Table): Table {
  const out: Table = new Map();
  new Set([...mine.keys(), ...base.keys(), ...now.keys()]).forEach((tag) => {
    const m = mine.get(tag);
    const b = base.get(tag);
    const n = now.get(tag);
    if (m && b && n) out.set(tag, m.map((v, c) => (v !== b[c] ? v : n[c])));
    else if (m && b && !n && m.some((v, c) => v !== b[c])) out.set(tag, m);
    else if (m && !b && n) out.set(tag, m.map((v, c) => v || n[c])); // both had it of one draft
    else if (m && !b) out.set(tag, m);
    else if (!m && !b && n) out.set(tag, n);
  });
  return out;
}

/** The rows that a draft fills in, as it leaves them and as they were; names has the tags of saved rows. */
function filled(d: Draft, names: Map<string, string>): { there: Table; was: Table } {
  const [there, was]: Table[] = [new Map(), new Map()];
  for (const ch of d.changes) {
    if (ch.op === "delete" || ch.op === "reason") continue;
    const tag = ch.op === "insert" ? ch.cells.a : names.get(ch.row);
    const old = (ch.op === "edit" && d.was && d.was[ch.row]) || keys.map(() => "");
    if (tag) was.set(tag, old);
    if (tag) there.set(tag, keys.map((key, c) => (ch.cells[key] === undefined ? old[c] : ch.cells[key])));
  }
  return { there, was };
}

const show = (t: Table) => JSON.stringify(Array.from(t.values()).sort((x, y) => (x[0] < y[0] ? -1 : 1)));

async function history(seed: number): Promise<string> {
  // mulberry32: near seeds have nothing in common, and it does not come back to where it was.
  let s = seed;
  const random = (n: number) => {
    s = (s + 0x6d2b79f5) | 0;
    let x = Math.imul(s ^ (s >>> 15), s | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
  const server = new Server(1 + random(4));
  const clerks = [new Clerk(0, server, random), new Clerk(1, server, random), new Clerk(1, server, random)];
  const typed = new Map<string, string>(); // text → the tag and column it was typed into
  let serial = 0;
  const log: string[] = [];
  const text = (tag: string, c: number) => {
    const v = "t" + ++serial;
    typed.set(v, tag + "/" + c);
    return v;
  };
  const invented = (where: string, t: Table) => {
    t.forEach((values, tag) =>
      values.forEach((v, c) => {
        if (c && v && typed.get(v) !== tag + "/" + c) throw new Error(`${where}: ${v} stands in ${tag}/${c}, typed into ${typed.get(v)}`);
      }),
    );
    const tags = Array.from(t.keys());
    if (tags.indexOf("") >= 0) throw new Error(where + ": a row without its name");
  };
  const same = (what: string, got: Table, want: Table) => {
    if (show(got) !== show(want)) throw new Error(`${what}\n got ${show(got)}\nwant ${show(want)}`);
  };
  const unique = (where: string, rows: Values[]) => {
    const tags = rows.map((r) => r[0]).filter((x) => x);
    if (new Set(tags).size !== tags.length) throw new Error(where + ": a row stands twice: " + tags);
  };
  /** What a clerk's edits were made on. */
  const base = (k: Clerk) => (k.sentScreen && k.work.sent && server.outcomes.has(k.work.sent.body.key) ? k.sentScreen : server.shots[k.work.version]);
  try {
    for (let i = 0; i < 30; i++) {
      const who = random(3);
      const k = clerks[who];
      const rows = k.sheet.rows();
      const row = rows[random(rows.length)];
      const what = random(14);
      log.push(who + ":" + what);
      if (what < 3 && row.values[0]) {
        const c = 1 + random(2);
        k.sheet.apply([{ op: "edit", row: row.id, cells: { [keys[c]]: random(6) ? text(row.values[0], c) : "" } }], "edit");
      } else if (what === 3) {
        const tag = "n" + ++serial;
        k.sheet.apply([{ op: "insert", temp: "x", after: random(3) ? row.id : "end", cells: { a: tag, b: text(tag, 1) } }], "insert");
      } else if (what === 4 && row.values[0]) k.sheet.deleteRows([row.id]);
      else if (what === 5) {
        // A paste over several rows.
        const some = rows.slice(0, 3).filter((r) => r.values[0]);
        k.sheet.apply(some.map((r) => ({ op: "edit", row: r.id, cells: { b: text(r.values[0], 1), c: text(r.values[0], 2) } })), "paste");
      } else if (what === 6 || what === 7) k.sheet.undo();
      else if (what === 8) k.sheet.redo();
      else if (what === 9) {
        k.lose = (["", "", "before", "after"] as const)[random(4)];
        k.decided = [];
        const [mine, on, now, { sent }, { sentScreen }] = [k.screen(), base(k), server.table(), k.work, k];
        const had = !!sent && server.outcomes.has(sent.body.key);
        const done = await k.work.save();
        // One that was sent again and happens only now: what was made since is made on it.
        const late = sent && !had && server.outcomes.has(sent.body.key) && sentScreen;
        const want = late ? threeWay(mine, late, threeWay(late, on, now)) : threeWay(mine, on, now);
        k.lose = "";
        if (!k.work.sent) k.sentScreen = null;
        if (done && !server.reborn) {
          // Where it was asked, either answer may stand.
          const got = server.table();
          for (const d of k.decided) [got, want].forEach((t) => t.delete(d.tag));
          same("after a save", got, want);
        }
      } else if (what === 10 && !k.work.sent) {
        const want = threeWay(k.screen(), base(k), server.table());
        await k.work.follow(server.version);
        same("after another's save", k.screen(), want);
      } else if (what === 12) {
        // The clerk pauses. A save without an answer is its page's own to send again, in this model.
        const d = k.draft();
        if (d && !d.sent) server.drafts[k.person] = d;
      } else if (what === 13 && !k.work.dirty) {
        // The sheet is opened anew, here or at the other machine.
        const draft = server.drafts[k.person];
        k.open();
        if (draft) await k.work.restore(draft);
        if (!server.reborn) {
          const tags = k.screen();
          const lost = (draft ? draft.changes : []).filter((c) => c.op === "insert" && !tags.has(c.cells.a));
          if (lost.length) throw new Error("a row of the draft is lost: " + JSON.stringify(lost));
        }
      } else if (what === 11) {
        const draft = k.draft();
        const both = k.found();
        const page = draft && draft.page;
        const mine = k.screen();
        const sent = k.sentScreen;
        const version = k.work.version;
        k.open();
        if (both.length > 1 || (both.length && !draft)) {
          // What was typed at two machines comes together; which cell wins is not told here.
          // But no row goes unasked that holds what is not saved, also where the other one deletes it.
          const names = new Map(server.rows.map((r) => [r.id, r.values[0]]));
          for (const d of both) await k.work.restore(d);
          const [tags, now] = [k.screen(), server.table()];
          const happened = draft && draft.sent && server.outcomes.has(draft.sent.key);
          const on = happened && sent ? sent : server.shots[version];
          const open = (tag: string, c: number, v: string, ...from: Table[]) => from.every((t) => (t.get(tag) || [])[c] !== v);
          const holding = (t: Table, from: Table) => Array.from(t.keys()).filter((tag) => (t.get(tag) as Values).some((v, c) => open(tag, c, v, from, now)));
          const typed = both[0].page === page ? holding(mine, on) : [];
          const { there, was } = filled(both[both.length - 1], names);
          typed.push(...holding(there, was));
          for (const c of k.sheet.clashes()) tags.set(names.get(c.row) || "", []);
          const gone = typed.filter((tag) => !tags.has(tag));
          if (gone.length) throw new Error("after a crash rows are lost: " + gone);
        } else if (draft && !server.reborn) {
          const known = draft.sent && server.outcomes.has(draft.sent.key);
          await k.work.restore(draft);
          const happened = draft.sent && server.outcomes.has(draft.sent.key);
          const on = happened && sent ? sent : server.shots[version];
          if (!server.reborn) same("after a crash" + (known ? " with a save that had happened" : happened ? " with a save sent again" : ""), k.screen(), threeWay(mine, on, server.table()));
        }
        k.sentScreen = null;
      }
      if (server.reborn) return ""; // checked as far as it goes
      unique("screen", k.sheet.rows().map((r) => r.values));
      unique("server", server.rows.map((r) => r.values));
      invented("screen", k.screen());
      invented("server", server.table());
    }
    // In the end everybody sees what is stored. The order may differ where a deletion
    // was undone over saves, until the sheet is loaded again.
    for (let round = 0; round < 4; round++) {
      for (const k of clerks) {
        for (let n = 0; n < 5 && k.work.dirty; n++) await k.work.save();
        await k.work.follow(server.version);
      }
    }
    if (server.reborn) return "";
    clerks.forEach((k, i) => {
      if (k.work.dirty) throw new Error("clerk " + i + " does not come to an end");
      const got = k.sheet.rows().filter((r) => r.values[0]).map((r) => r.values.join()).sort();
      const want = server.rows.map((r) => r.values.join()).sort();
      if (got.join(" ") !== want.join(" ")) throw new Error(`in the end clerk ${i}\n sees ${got.join(" ")}\nstored ${want.join(" ")}`);
    });
  } catch (e) {
    return `seed ${seed}: ${log.join(" ")}\n${(e as Error).stack}`;
  }
  return "";
}

(window as unknown as Record<string, unknown>).histories = async (from: number, count: number) => {
  for (let i = 0; i < count; i++) {
    const wrong = await history(from + i);
    if (wrong) return wrong;
  }
  return "";
};
