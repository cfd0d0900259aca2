// What is on the screen and not on the server yet: how it is saved, kept, restored
// after a crash, and brought together with what others save. There is no markup in
// here, so tests run it without a page.
import { Change, Clash, Newer, TbSheet } from "../../sheet/element";
import { heir } from "../../sheet/meet";
import { again } from "../../sheet/model";
import { Answer, Failure, newKey } from "./api";
import { t } from "../../sheet/words";

export interface Receipt {
  id: string;
  number: string;
  at: string;
  version: number;
  rows: number;
}

export interface Saved {
  receipt: Receipt;
  report: { state: string; state_name: string };
  inserted: Record<string, string>;
}

export interface ReasonChange {
  op: "reason";
  row?: string;
  temp?: string;
  code: string;
  text: string;
}

interface Body {
  key: string;
  base: number;
  note: string;
  imports: string[];
  changes: Step[];
  draft?: string;
}

/** A save that was sent and whose answer did not come: it is sent again as it was. */
interface Sent {
  changes: Change[];
  reasons: ReasonChange[];
  body: Body;
}

/** Saved values of the rows that a change set edits or deletes. */
type Was = Record<string, string[]>;

type Step = Change | ReasonChange;

/** Changes, and the values they were made on. */
interface Part {
  changes: Step[];
  was?: Was;
}

/** What is not saved, as journal and server keep it. */
export interface Draft extends Part {
  name: string;
  /** The page that wrote it; and up to when it holds what other pages wrote, by their own clocks. */
  page?: string;
  seen?: Record<string, string>;
  since: string;
  edited: string;
  base: number;
  note?: string;
  imports?: string[];
  /** The cell that was being typed in; what it held so far is among the changes. */
  typing?: { row: string; key: string };
  /** A save whose answer did not come; the changes are on top of it, by its names of new rows. */
  sent?: Body;
  /** All that is not saved if that save did not happen, as if it had never been sent. */
  unsent?: Part;
}

interface NewerAnswer extends Newer {
  report: { version: number; state: string; state_name: string; updated_by: string };
}

/** What the work asks of its page. Paths are behind the report's. */
export interface Host {
  call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  decide(found: Clash[]): Promise<boolean[] | null>;
  /** Puts the draft into the journal before a save goes out. */
  keep(): Promise<void>;
  failed(e?: Failure): void;
  /** Signs in again in place; false when the clerk does not. */
  signIn(): Promise<boolean>;
  saved(out: Saved): void;
  met(n: NewerAnswer): void;
}

const pause = (ms: number) => new Promise((ok) => setTimeout(ok, ms));

export class Work {
  version = 0;
  reasons: ReasonChange[] = [];
  imports: string[] = [];
  note = "";
  sent: Sent | null = null;
  /** When the oldest change that is not saved was made; 0 when all is saved. */
  since = 0;
  private name = newKey();
  private page = newKey().slice(0, 16);
  private seen: Record<string, string> = {};
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private sheet: TbSheet, private host: Host) {
    // A new row has one name wherever its draft is restored: so it is submitted once.
    sheet.newRows = this.page + "-";
  }

  get dirty(): boolean {
    return this.sheet.dirty || this.reasons.length > 0 || this.sent !== null;
  }

  body(changes: Change[], key = ""): Body {
    return { key, base: this.version, note: this.note, imports: this.imports, changes: [...changes, ...this.reasons] };
  }

  /** All of it was saved another way. */
  settled(): void {
    this.sent = null;
    this.reasons = [];
    this.imports = [];
    this.note = "";
    this.name = newKey();
    this.seen = {};
    this.since = 0;
  }

  /** Runs fn when nothing else of the kind runs: saves, merges and drafts go one by one. */
  alone<T>(fn: () => Promise<T>): Promise<T> {
    const run = this.turn.then(fn);
    this.turn = run.catch(() => undefined);
    return run;
  }

  /** What is to be kept; null when all is saved. */
  draft(): Draft | null {
    const { typing } = this.sheet;
    if (!this.dirty && !typing) {
      this.since = 0;
      return null;
    }
    const { sent } = this;
    this.since = this.since || Date.now();
    const time = (ms: number) => new Date(ms).toISOString();
    return {
      name: this.name, page: this.page, seen: this.seen, since: time(this.since), edited: time(Date.now()),
      base: this.version, note: this.note, imports: this.imports, ...this.part(sent),
      ...(typing ? { typing: { row: typing.row, key: typing.key } } : {}),
      ...(sent ? { sent: sent.body, unsent: this.part(null) } : {}),
    };
  }

  /** What is to be saved after `sent`. */
  private part(sent: Sent | null): Part {
    const { typing } = this.sheet;
    const steps = this.sheet.changes(sent ? sent.changes : undefined);
    if (typing) this.typed(steps, typing, sent);
    const was: Was = {};
    for (const ch of steps) {
      const v = ch.op !== "insert" && this.sheet.saved(ch.row, sent ? sent.changes : undefined);
      if (v) was[(ch as { row: string }).row] = v;
    }
    return { changes: [...steps, ...this.reasons.filter((r) => !sent || sent.reasons.indexOf(r) < 0)], was };
  }

  /** Adds what is being typed to the changes as if it were finished: a crash must not take it. */
  private typed(steps: Change[], { row, key, text }: { row: string; key: string; text: string }, sent: Sent | null): void {
    const { sheet } = this;
    const known = (id: string) => steps.find((c) => (c.op === "insert" ? c.temp : c.row) === id);
    const saved = (id: string) => sheet.saved(id, sent ? sent.changes : undefined);
    const cells = { [key]: text };
    const step = known(row);
    if (step && step.op !== "delete") step.cells[key] = text;
    else if (saved(row)) steps.push({ op: "edit", row, cells });
    else {
      // A new row, empty so far: behind the row above it that is not.
      const ids = sheet.rows().map((r) => r.id);
      let i = ids.indexOf(row) - 1;
      while (i >= 0 && !saved(ids[i]) && !known(ids[i])) i--;
      steps.push(i < 0 || saved(ids[i]) ? { op: "insert", temp: row, after: ids[i] || "", cells } : { op: "insert", temp: row, after: "", afterTemp: ids[i], cells });
    }
  }

  /** Saves what is on the screen; true when it is saved. */
  save(): Promise<boolean> {
    return this.alone(async () => {
      // A save whose answer never came goes first, as it was: it may have happened.
      if (this.sent && (await this.send(this.sent)) === "no") return false;
      for (let tries = 0; tries < 5 && this.dirty; tries++) {
        const found = this.sheet.clashes();
        if (found.length) {
          const mine = await this.host.decide(found);
          if (!mine) return false;
          this.sheet.settle(mine);
          if (!this.dirty) break;
        }
        const changes = this.sheet.changes();
        const body = { ...this.body(changes, this.name + "." + newKey()), draft: this.name };
        this.sent = { changes, reasons: this.reasons, body };
        await this.host.keep();
        const done = await this.send(this.sent);
        if (done !== "again") return done === "yes";
      }
      return !this.dirty;
    });
  }

  /** Sends a save that got no answer once more; what was changed since is not submitted by it. */
  again(): Promise<unknown> {
    return this.alone(async () => this.sent && this.send(this.sent));
  }

  private async send(sent: Sent): Promise<"yes" | "no" | "again"> {
    const res = await this.host.call<Saved>("POST", "/changes", sent.body);
    if (res.data) {
      const { receipt, inserted } = res.data;
      this.sheet.committed(inserted, sent.changes);
      const left = this.reasons.filter((r) => sent.reasons.indexOf(r) < 0);
      this.settled();
      this.reasons = left.map((r) => (r.temp && inserted[r.temp] ? { ...r, temp: undefined, row: inserted[r.temp] } : r));
      // Others saved meanwhile: their rows are taken in before going on.
      if (receipt.version === this.version + 1) this.version = receipt.version;
      else if (receipt.version > this.version) await this.take();
      this.host.saved(res.data);
      return "yes";
    }
    // Without an answer the save may have happened: it is kept and sent again with
    // its key, which saves it once. Any other answer means that it did not happen.
    if (res.status !== 0 && res.status < 500) this.sent = null;
    if (res.status === 409) return (await this.take()) ? "again" : "no";
    if (res.status === 401 && (await this.host.signIn())) return "again";
    this.host.failed(res.error);
    return "no";
  }

  /** Somebody saved: takes it in, unless it is known. */
  follow(version: number): Promise<boolean> {
    // A save that waits for its answer comes first: the new rows may be its own.
    return this.alone(async () => this.sent !== null || version <= this.version || this.take());
  }

  private async take(): Promise<boolean> {
    const res = await this.host.call<NewerAnswer>("GET", "/newer?since=" + this.version);
    if (!res.data) {
      this.host.failed(res.error);
      return false;
    }
    await this.merge(res.data);
    this.version = Math.max(this.version, res.data.report.version);
    this.host.met(res.data);
    return true;
  }

  private async merge(newer: Newer): Promise<void> {
    await this.sheet.complete;
    while (!this.sheet.merge(newer)) await pause(200); // an input method composes
    const named = newer.named || {};
    this.reasons = this.reasons.map((r) => (r.temp && named[r.temp] ? { ...r, temp: undefined, row: heir(named, r.temp) } : r));
  }

  /**
   * Goes on from a draft, on top of what is saved now. A save whose answer never came
   * is sent first, as it was. Returns what takes the restored changes back again.
   */
  restore(d: Draft): Promise<(label: string) => void> {
    return this.alone(async () => {
      await this.sheet.complete;
      let ids: Record<string, string> = {};
      let part: Part = d;
      if (d.sent) {
        const saved = await this.insist<Saved>("POST", "/changes", d.sent);
        if (saved) {
          ids = saved.inserted;
          await this.take();
        } else part = d.unsent as Part; // refused
      }
      const takeBack = await this.play(part, d.base, ids);
      this.imports = this.imports.concat((d.imports || []).filter((id) => !this.imports.includes(id)));
      this.note = d.note || this.note;
      this.name = d.name;
      this.since = Date.parse(d.since);
      Object.assign(this.seen, d.seen);
      if (d.page) this.seen[d.page] = d.edited;
      return takeBack;
    });
  }

  /** Asks until there is an answer; null: it was refused. */
  private async insist<T>(method: string, path: string, body?: unknown): Promise<T | null> {
    for (;;) {
      const res = await this.host.call<T>(method, path, body);
      if (res.data) return res.data;
      if (res.status === 401) await this.host.signIn();
      else if (res.status !== 0 && res.status < 500) return null;
      await pause(2000);
    }
  }

  /** What was saved after a version, with this sheet brought to the same state. */
  private async newer(since: number): Promise<NewerAnswer | null> {
    for (;;) {
      const data = await this.insist<NewerAnswer>("GET", "/newer?since=" + since);
      if (!data || data.report.version <= this.version || !(await this.take())) return data;
    }
  }

  /**
   * Makes changes that were made on earlier values: back to these, the changes, and
   * forward again. The merge then is the same as if others had saved while this sheet
   * was open. `ids` names rows that are known under others; a new row that is there
   * already, saved from another page or restored, takes its cells as edits.
   */
  private async play({ changes, was = {} }: Part, base: number, ids: Record<string, string>): Promise<(label: string) => void> {
    const { sheet } = this;
    const newer = await this.newer(base);
    const named = (newer && newer.named) || {};
    ids = { ...ids };
    for (const name of Object.keys(named)) ids[name] = ids[name.replace(again, "")] = heir(named, name);
    const name = (id: string) => {
      const to = ids[id] || id;
      return !sheet.line(to) && sheet.line(again + to) ? again + to : to; // brought back by another draft
    };
    const old: Was = {};
    const stood = (id: string, values: string[]) => {
      if (sheet.saved(id) || !sheet.line(id)) old[id] = old[id] || values;
    };
    for (const id of Object.keys(was)) stood(name(id), was[id]);
    const steps = changes.map((c): Step => {
      const { temp, row, after, afterTemp } = c as { temp?: string; row?: string; after?: string; afterTemp?: string };
      if (c.op === "insert") {
        const id = name(c.temp);
        if (id !== c.temp) stood(id, []);
        if (id !== c.temp || sheet.line(id)) return { op: "edit", row: id, cells: c.cells };
        return afterTemp && ids[afterTemp] ? { ...c, after: ids[afterTemp], afterTemp: undefined } : { ...c, after: name(after as string) };
      }
      if (c.op === "reason" && temp) return ids[temp] ? { ...c, row: ids[temp], temp: undefined } : c;
      const id = row as string;
      return { ...c, row: c.op === "delete" ? ids[id] || id : name(id) } as Step;
    });
    const rows = Object.keys(old).map((id) => ({ id, values: old[id] }));
    const now = rows.map(({ id }) => ({ id, values: sheet.saved(id) as string[] })).filter((r) => r.values);
    const gone = rows.map((r) => r.id).filter((id) => !sheet.saved(id));
    // All rows that are saved, also those that are deleted here.
    const dead = () => sheet.changes().map((ch) => (ch.op === "delete" ? ch.row : ""));
    const order = gone.length ? sheet.rows().map((r) => r.id).concat(dead()).filter((id) => sheet.saved(id)) : undefined;
    await this.merge({ rows, order: order && order.concat(gone) });
    const made = sheet.apply(steps.filter((ch): ch is Change => ch.op !== "reason"), t("恢复没有提交的改动"), true);
    await this.merge({ rows: now, order, by: newer ? newer.by : {} });
    const reasons = steps.filter((ch): ch is ReasonChange => ch.op === "reason").map((r) => (r.temp ? { ...r, temp: made.ids[r.temp] || r.temp } : r));
    this.reasons = this.reasons.concat(reasons);
    return (label) => {
      made.takeBack(label);
      this.reasons = this.reasons.filter((r) => reasons.indexOf(r) < 0);
    };
  }
}
