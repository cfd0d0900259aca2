// Checks the sheet: at once by the rules that the server describes, and after a pause
// by the server itself, which alone knows the register, other units, and how a cell of
// a workbook was typed. Both make one list: what the page finds is what the server
// finds, so its answer changes nothing but what only it can know.
import { Fault, Line, Severity, TbSheet } from "../../sheet/element";
import { t } from "../../sheet/words";
import type { Cross } from "../../rules/cross";
import type { Description, Rules, Verdict } from "../../rules/rules";
import type {} from "../rules";
import { Answer, bring, call, Failure, Problem } from "./api";

/** Rows that are checked in one go; what is more gives way to keys and painting between. */
const slice = 1000;

/** A fault as the sheet and the list show it. Its row and its words follow the row. */
export class Finding implements Fault {
  readonly key: string;
  readonly code: string;
  /** As the rule has it. */
  readonly weight: Severity;
  /** As it stands: what is explained stops nothing. */
  readonly severity: Severity;

  constructor(
    private sheet: TbSheet,
    readonly line: Line,
    /** The column, -1 for the row as a whole. */
    readonly c: number,
    private verdict: Verdict,
    readonly reason: string,
    private other?: Line,
    readonly seen?: string,
  ) {
    this.key = c < 0 ? "" : sheet.columns[c].key;
    this.code = verdict.code;
    this.weight = verdict.severity;
    this.severity = reason ? "hint" : this.weight;
  }

  get row(): string {
    return this.line.id;
  }
  get text(): string {
    return t(this.verdict.message.replace("{row}", () => String(this.sheet.number(this.other as Line))));
  }
  get message(): string {
    return this.text + (this.reason ? t("（已说明：{0}）", this.reason) : this.weight === "justify" ? t("（按 Ctrl+M 说明情况）") : "");
  }
  get place(): string {
    return t("第{0}行", this.sheet.number(this.line)) + (this.c < 0 ? "" : t(" {0}列", this.sheet.columns[this.c].letter));
  }
}

/** What the server found and the page does not. */
interface Extra {
  c: number;
  /** The value that was judged. */
  v: string;
  /** A verdict on the cell's own text, instead of the page's, as long as it holds that. */
  own: boolean;
  verdict: Verdict | null;
}

/** What is known of a row. */
interface State {
  /** The cells that were judged, and their normal forms. */
  v: readonly string[];
  normal: string[];
  own: (Verdict | null)[];
  extra: Extra[];
  list: Finding[];
}

export class Checker {
  /** Whether anything was checked: before, no findings mean nothing. */
  knows = false;
  /** Findings to be dealt with, and hints. */
  readonly counts = { error: 0, justify: 0, hint: 0 };
  private rules: Rules | null = null;
  private cross: Cross<Line> | null = null;
  private between = new Set<string>();
  private states = new Map<Line, State>();
  /** By row, or by its id until it has come. */
  private reasons = new Map<Line | string, Record<string, string>>();
  private due = new Set<Line>();
  private timer = 0;
  private turn = 0;
  /** Rows that changed since the server was asked. */
  private since = new Set<Line>();

  /** `changed` hears that the list is another one now. */
  constructor(private sheet: TbSheet, private changed: () => void) {}

  /** Fetches the engine and the rules; without them the server's answers are all there is. */
  async start(): Promise<void> {
    const { engine, rules } = this.sheet.dataset;
    const loaded = bring(engine as string).catch(() => 0);
    const { data } = await call<Description>("GET", rules as string, undefined, "default");
    await loaded;
    if (!data || !window.tbRules) return;
    const { Rules, Cross } = window.tbRules;
    this.rules = new Rules(data);
    this.knows = true;
    this.cross = new Cross(data.cross, (l) => this.sheet.number(l), (l, c) => (this.states.get(l) as State).normal[c]);
    for (const r of data.cross) this.between.add(r.code);
    this.sheet.lines.forEach((l) => this.due.add(l));
    this.work();
  }

  /** Checks what changed on the sheet. Call it after every change. */
  update(): void {
    const touched = this.sheet.touched();
    const due = (l: Line) => {
      this.due.add(l);
      this.since.add(l);
    };
    if (touched) touched.forEach(due);
    else {
      // Anything may have changed: what holds the same cells costs a look.
      this.states.forEach((s, l) => (this.gone(l) || s.v !== l.v) && due(l));
      this.sheet.lines.forEach((l) => this.states.has(l) || due(l));
      if (this.cross) this.cross.again();
    }
    this.work();
  }

  private work(): void {
    window.clearTimeout(this.timer);
    const lines: Line[] = [];
    for (const l of this.due) {
      if (lines.push(l) > slice) break;
    }
    lines.forEach((l) => this.due.delete(l));
    this.judge(lines);
    if (this.due.size) this.timer = window.setTimeout(() => this.work());
  }

  private judge(lines: Line[]): void {
    const { rules, cross } = this;
    const day = rules ? window.tbRules.today(Date.now()) : "";
    for (const l of lines) {
      // A new row that is empty is none: the server never hears of it.
      if (this.gone(l) || (!l.base && l.v.every((x) => !x))) {
        if (cross) cross.put(l, null);
        this.keep(l, []);
        this.states.delete(l);
        continue;
      }
      const s = this.state(l);
      if (rules && cross) {
        if (s.v !== l.v || !s.own.length) {
          s.normal = l.v.map((x, c) => (s.own.length && s.v[c] === x ? s.normal[c] : rules.normal(c, x)));
          s.own = rules.row(s.normal, day);
        }
        s.extra = s.extra.filter((e) => (e.own ? e.v === l.v[e.c] : !e.verdict || !this.between.has(e.verdict.code)));
        cross.put(l, l.v.map((_, c) => (verdict(s, c) || { severity: "" }).severity === "error"));
      }
      s.v = l.v;
    }
    const all = cross ? cross.settle() : new Set<Line>();
    lines.forEach((l) => all.add(l));
    this.show(all);
  }

  private gone(l: Line): boolean {
    return this.sheet.line(l.id) !== l;
  }

  private state(l: Line): State {
    let s = this.states.get(l);
    if (!s) this.states.set(l, (s = { v: l.v, normal: [], own: [], extra: [], list: [] }));
    return s;
  }

  /** Makes the lists of these rows anew and gives them to the sheet. */
  private show(lines: Set<Line>): void {
    const marks = new Map<Line, Fault[]>();
    lines.forEach((l) => {
      const s = this.states.get(l);
      if (s) this.keep(l, this.list(l, s));
      marks.set(l, s ? s.list : []);
    });
    this.sheet.setRowFaults(marks);
    if (this.knows) this.changed();
  }

  private keep(l: Line, list: Finding[]): void {
    const s = this.state(l);
    for (const f of s.list) if (!f.reason) this.counts[f.weight]--;
    for (const f of list) if (!f.reason) this.counts[f.weight]++;
    s.list = list;
  }

  private list(l: Line, s: State): Finding[] {
    const list: Finding[] = [];
    const add = (c: number, v: Verdict | null, other?: Line, seen?: string) => {
      if (v) list.push(new Finding(this.sheet, l, c, v, (v.severity === "justify" && { ...this.reasons.get(l.id), ...this.reasons.get(l) }[v.code]) || "", other, seen));
    };
    l.v.forEach((_, c) => add(c, verdict(s, c)));
    if (this.cross) for (const { rule, other } of this.cross.of(l)) add(rule.at, rule, other);
    for (const e of s.extra) if (!e.own) add(e.c, e.verdict, undefined, e.v);
    const place = (f: Finding) => (f.c < 0 ? l.v.length : f.c);
    return list.sort((a, b) => place(a) - place(b));
  }

  /** Everything found, in the order of the rows. */
  all(): Finding[] {
    const out: Finding[] = [];
    this.sheet.lines.forEach((l) => out.push(...this.of(l)));
    return out;
  }

  /** What a row has against it. */
  of(l: Line): Finding[] {
    return (this.states.get(l) || { list: [] }).list;
  }

  /** Takes the explanations of rows that come. */
  saved(rows: { id: string; reasons?: { code: string; text: string }[] }[]): void {
    for (const r of rows) for (const x of r.reasons || []) this.reasons.set(r.id, { ...this.reasons.get(r.id), [x.code]: x.text });
  }

  /** Takes an explanation that was given, and shows it there. */
  explain(l: Line, code: string, text: string): void {
    this.reasons.set(l, { ...this.reasons.get(l), [code]: text });
    this.show(new Set([l]));
  }

  /** Asks the server; what it finds completes the list, unless it was asked again meanwhile. */
  async ask(send: () => Promise<Answer<{ problems: Problem[]; left?: number }>>): Promise<{ done: boolean; error?: Failure }> {
    const turn = ++this.turn;
    this.since.clear();
    const { data, error } = await send();
    const done = turn === this.turn;
    if (data && done) {
      this.knows = true;
      const { problems, left } = data;
      const late = this.answer(problems, !!left);
      // Rows that are still to come get what was found on them when they are there.
      if (late) void this.sheet.complete.then(() => turn === this.turn && this.answer(problems, !!left));
    }
    return { done: done && !!data, error };
  }

  /** Rows that changed since the question have their turn to come; of a cut list only what it holds is known. True when some are not there yet. */
  private answer(problems: Problem[], cut: boolean): boolean {
    const by = new Map<Line, Problem[]>();
    if (!cut) this.states.forEach((s, l) => (s.list.length || s.extra.length) && by.set(l, []));
    let late = false;
    for (const p of problems) {
      const l = this.sheet.line(p.row);
      if (l) by.set(l, (by.get(l) || []).concat(p));
      else late = true;
    }
    this.since.forEach((l) => by.delete(l));
    const last = cut && problems.length ? this.sheet.line(problems[problems.length - 1].row) : null;
    if (last) by.delete(last);
    by.forEach((list, l) => {
      const s = this.state(l);
      const extra: Extra[] = (s.extra = []);
      const theirs: (Verdict | null)[] = l.v.map(() => null);
      for (const p of list) {
        const c = this.sheet.columns.findIndex((x) => x.key === p.field);
        if (p.reason) this.reasons.set(l, { ...this.reasons.get(l), [p.code]: p.reason });
        if (c >= 0 && (p.code === "required" || p.code.startsWith(p.field + "."))) theirs[c] = p;
        else extra.push({ c, v: c < 0 ? l.v.join("\t") : l.v[c], own: false, verdict: p });
      }
      theirs.forEach((v, c) => told(v) !== told(s.own[c]) && extra.push({ c, v: l.v[c], own: true, verdict: v }));
    });
    this.judge(Array.from(by.keys()));
    return late;
  }
}

function verdict(s: State, c: number): Verdict | null {
  const e = s.extra.find((x) => x.own && x.c === c);
  return e ? e.verdict : s.own[c] || null;
}

function told(v: Verdict | null | undefined): string {
  return v ? v.code + v.message : "";
}
