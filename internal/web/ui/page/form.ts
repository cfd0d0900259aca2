// The form page: the sheet, and what the buttons above it do.
import { Change, Column, defineSheet, Fault, Row, TbSheet } from "../sheet/element";
import { call, download, Failure, newKey, Problem } from "./lib/api";
import { ask, byId, el, toast } from "./lib/dom";
import { FaultList, open } from "./lib/faults";
import { Importer, Plan } from "./lib/importer";
import { clashes, decide, Values, valuesOf } from "./lib/merge";
import { withUnits } from "./lib/units";
import { viewBar } from "./lib/view";
import { showRows, tellProgress } from "./lib/windows";

interface Sheet {
  report: { id: string; version: number; rows: number; state_name: string };
  columns: Column[];
  rows: Row[];
}

interface Receipt {
  id: string;
  number: string;
  at: string;
  version: number;
  rows: number;
  kind: string;
}

interface Saved {
  receipt: Receipt;
  report: { state_name: string };
  inserted: Record<string, string>;
}

interface ReasonChange {
  op: "reason";
  row?: string;
  temp?: string;
  code: string;
  text: string;
}

/** A save that was sent and whose answer did not come: it is sent again as it was. */
interface Sent {
  changes: Change[];
  reasons: ReasonChange[];
  body: object;
}

class FormPage {
  private url: string;
  private base: Values = new Map();
  private version = 0;
  private reasons: ReasonChange[] = [];
  private imports: string[] = [];
  private note = "";
  private sent: Sent | null = null;
  private reportKey = "";
  private again = false;
  private busy = false;
  private offer: (() => void) | null = null;
  private checkTurn = 0;
  private timer = 0;
  private faults: FaultList;
  private importer: Importer;

  constructor(private sheet: TbSheet) {
    this.url = "/reports/" + sheet.dataset.report;
    this.faults = new FaultList((p) => sheet.goTo(p.row, p.field || ""), (p) => void this.explain(p));
    this.importer = new Importer(this.url + "/imports", Number(sheet.dataset.maxFile), () => sheet.columns, () => this.body(this.sheet.changes()),
      (p) => void this.imported(p), () => this.dirty(), (p) => void this.importedWhole(p));
    sheet.addEventListener("tb-change", () => this.changed());
    sheet.addEventListener("tb-submit", () => void this.run(() => this.save(), "submit"));
    sheet.addEventListener("tb-deleted", (e) => this.offerUndo(`已删除 ${(e as CustomEvent<{ count: number }>).detail.count} 行，提交后生效。`));
    sheet.addEventListener("tb-notice", (e) => toast("warn", (e as CustomEvent<{ message: string }>).detail.message));
    this.on("submit", () => this.save());
    this.on("check", () => this.check(true));
    this.on("report", () => this.report());
    byId("export").addEventListener("click", (e) => {
      if (!this.dirty()) return; // the link itself fetches what is stored
      e.preventDefault();
      void this.run(() => this.export(), "export");
    });
    byId("import").addEventListener("click", () => this.importer.show());
    addEventListener("beforeunload", (e) => {
      if (this.dirty()) {
        e.preventDefault();
        e.returnValue = ""; // what Chromium 90 asks for
      }
    });
  }

  /** Binds a button; an act runs only while no other does. */
  private on(id: string, act: () => Promise<unknown>): void {
    byId(id).addEventListener("click", () => void this.run(act, id));
  }

  private async run(act: () => Promise<unknown>, id: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    byId(id).setAttribute("aria-busy", "true");
    try {
      await act();
    } finally {
      this.busy = false;
      byId(id).removeAttribute("aria-busy");
    }
  }

  async start(): Promise<void> {
    const sheet = await this.fetch("?rows=auto");
    if (!sheet) return;
    this.sheet.columns = withUnits(sheet.columns);
    this.status("");
    tellProgress(this.sheet);
    this.load(sheet);
    const at = /^#row=(\d+)$/.exec(location.hash);
    if (at) this.sheet.goTo(at[1], "");
    this.sheet.focus();
    await this.check(false);
  }

  private async fetch(query = ""): Promise<Sheet | null> {
    const res = await call<Sheet>("GET", this.url + query);
    if (res.data) return res.data;
    this.failed(res.error);
    return null;
  }

  private load(s: Sheet): void {
    this.version = s.report.version;
    this.base = new Map();
    const came = (rows: Row[]) => valuesOf(rows).forEach((v, id) => this.base.set(id, v));
    showRows(this.sheet, this.url, s, came, () => void this.reconcile(null));
    this.state(s.report.state_name);
    this.changed();
  }

  private dirty(): boolean {
    return this.sheet.dirty || this.reasons.length > 0 || this.sent !== null;
  }

  private body(changes: Change[], key = ""): object {
    return { key, base: this.version, note: this.note, imports: this.imports, changes: [...changes, ...this.reasons] };
  }

  /** Tells of a step that can be taken back, as long as it is the last one. */
  private offerUndo(message: string, undone?: () => void): void {
    this.offer = toast("ok", message, {
      text: "撤销",
      act: () => {
        this.sheet.undo();
        if (undone) undone();
        this.sheet.focus();
      },
    });
  }

  private changed(): void {
    if (this.offer) this.offer();
    this.offer = null;
    const n = this.sheet.changes().length + this.reasons.length;
    const dirty = byId("dirty");
    dirty.hidden = !this.dirty();
    dirty.textContent = n ? `有 ${n} 行改动未提交` : "正在等待保存结果";
    byId("count-rows").textContent = `共 ${this.sheet.filled} 行`;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.check(false), 700);
  }

  private status(text: string): void {
    byId("status").textContent = text;
  }

  private state(name: string): void {
    const cls = { 已上报: "badge-reported", 已提交: "badge-saved", 上报后有修改: "badge-fault" }[name] || "badge-empty";
    byId("state").className = "badge " + cls;
    byId("state").textContent = name;
  }

  private failed(e?: Failure): void {
    if (!e) return;
    if (e.code === "signed_out") {
      toast("error", "登录已经超时。请不要关闭本页：在新窗口登录后，回到这里再点一次。", { text: "去登录", href: "/signin" });
    } else toast("error", e.message + (e.code === "internal" && e.request ? `（编号 ${e.request}）` : ""));
    this.status("");
  }

  /** 数据校验, and the quiet check after each change. Writes nothing. */
  private async check(loud: boolean): Promise<void> {
    clearTimeout(this.timer);
    const turn = ++this.checkTurn;
    const res = await call<{ problems: Problem[]; left?: number; counts: { error: number; justify: number; hint: number } }>(
      "POST", this.url + "/check", this.body(this.sheet.changes()),
    );
    if (turn !== this.checkTurn) return;
    if (!res.data) {
      if (loud) this.failed(res.error);
      return;
    }
    this.mark(res.data.problems, res.data.left || 0);
    if (!loud) return;
    const { error, justify, hint } = res.data.counts;
    this.faults.show(true);
    if (!error && !justify && !hint) toast("ok", "校验通过，没有发现问题。");
    else toast(error ? "warn" : "ok", `校验完成：错误 ${error} 处，需要说明 ${justify} 处，提示 ${hint} 处。`);
  }

  private mark(problems: Problem[], left: number): void {
    this.sheet.setFaults(problems.map((p): Fault => ({
      row: p.row, key: p.field || "", severity: p.reason ? "hint" : p.severity, code: p.code,
      message: p.message + (p.reason ? `（已说明：${p.reason}）` : ""),
    })));
    this.faults.set(problems, left);
    const n = problems.filter(open).length + left;
    const counts = byId("count-faults");
    counts.textContent = "";
    counts.append(el("b", n ? "count-error" : "", String(n)), n ? " 处待处理" : " 处问题");
  }

  /** Saves what is on the screen; true when it is saved. */
  private async save(): Promise<boolean> {
    if (!this.dirty()) {
      toast("ok", "没有需要提交的改动。");
      return true;
    }
    // A save of its own moves the version of which the other rows are still to come.
    await this.sheet.complete;
    // A save whose answer never came goes first, as it was: it may have happened.
    if (this.sent && !(await this.send(this.sent))) return false;
    for (let tries = 0; tries < 5 && this.dirty(); tries++) {
      const changes = this.sheet.changes();
      if (await this.send((this.sent = { changes, reasons: this.reasons, body: this.body(changes, newKey()) }))) return true;
      if (!this.again) return false;
    }
    return !this.dirty();
  }

  /** Sends one save; true when it is saved. Sets again when it is to be made anew. */
  private async send(sent: Sent): Promise<boolean> {
    this.again = false;
    this.status("正在提交…");
    const res = await call<Saved>("POST", this.url + "/changes", sent.body);
    if (res.data) return this.saved(sent, res.data);
    // Without an answer the save may have happened: it is kept and sent again with
    // its key, which saves it once. Any other answer means that it did not happen.
    if (res.status !== 0 && res.status < 500) this.sent = null;
    this.changed();
    if (res.status === 409 && res.error) this.again = await this.reconcile(res.error);
    else this.failed(res.error);
    return false;
  }

  private async saved(sent: Sent, out: Saved): Promise<boolean> {
    const gap = out.receipt.version !== this.version + 1;
    this.sheet.committed(out.inserted, sent.changes);
    this.sent = null;
    this.reasons = this.reasons.filter((r) => sent.reasons.indexOf(r) < 0);
    this.imports = [];
    this.note = "";
    this.state(out.report.state_name);
    if (gap) {
      // Others saved meanwhile: their rows are taken in before going on.
      if (!(await this.reconcile(null))) return false;
    } else {
      this.version = out.receipt.version;
      this.rebase(sent.changes, out.inserted);
    }
    this.changed();
    void this.check(false);
    this.status(`已提交 ${out.receipt.at.slice(11, 16)}`); // RFC 3339 in the zone of Shanghai
    toast("ok", `已提交，共 ${out.receipt.rows} 行。`, { text: "查看回执", href: `${this.url}/receipts/${out.receipt.id}` });
    return true;
  }

  /** Brings what was just saved into the base that later saves start from. */
  private rebase(changes: Change[], inserted: Record<string, string>): void {
    const cols = this.sheet.columns;
    for (const ch of changes) {
      if (ch.op === "delete") this.base.delete(ch.row);
      else if (ch.op === "insert") this.base.set(inserted[ch.temp], cols.map((c) => ch.cells[c.key] || ""));
      else this.base.set(ch.row, cols.map((c, i) => (ch.cells[c.key] !== undefined ? ch.cells[c.key] : (this.base.get(ch.row) || [])[i] || "")));
    }
  }

  /** Takes in newer data under the changes on the screen; false: decide later. */
  private async reconcile(conflict: Failure | null): Promise<boolean> {
    const now = await this.fetch();
    if (!now) return false;
    const mine = this.sheet.changes();
    const found = clashes(this.sheet.columns, mine, this.base, valuesOf(now.rows));
    const kept = await decide(this.sheet.columns, mine, found, this.base, (conflict && conflict.conflicts) || []);
    if (!kept) {
      this.status("有冲突没有处理，还没有提交");
      return false;
    }
    this.load(now);
    if (kept.length) this.sheet.apply(kept, "合并他人的改动");
    return true;
  }

  /** 上报. */
  private async report(): Promise<void> {
    if (this.dirty()) {
      if (!(await ask("先提交再上报", ["表中有改动还没有提交。上报的是已提交的内容，现在提交并继续吗？"], "提交并继续"))) return;
      if (!(await this.save())) return;
    }
    if (!(await ask("上报", [`确定上报这张表吗？共 ${this.sheet.filled} 行。上报后如有修改，需要重新上报。`], "上报"))) return;
    this.reportKey = this.reportKey || newKey();
    const res = await call<Receipt>("POST", this.url + "/submission", { key: this.reportKey });
    if (res.status !== 0) this.reportKey = "";
    if (res.data) {
      this.state("已上报");
      this.status("已上报");
      toast("ok", `已上报，回执编号 ${res.data.number}。`, { text: "查看回执", href: `${this.url}/receipts/${res.data.id}` });
      return;
    }
    if (res.error && res.error.problems && res.error.problems.length) {
      await this.check(false);
      this.faults.show(true);
      const first = res.error.problems[0];
      this.sheet.goTo(first.row, first.field || "");
    }
    this.failed(res.error);
  }

  /** 原样导出 of the screen as it is seen, unsaved changes included. */
  private async export(): Promise<void> {
    const message = await download(this.url + "/export", this.body(this.sheet.changes()));
    if (message) toast("error", message);
  }

  private async imported(plan: Plan): Promise<void> {
    await this.sheet.complete;
    this.sheet.apply(plan.changes, "导入 " + plan.file);
    this.imports = [...this.imports, plan.import];
    this.note = plan.file;
    const n = plan.counts;
    this.offerUndo(`已导入到表中：新增 ${n.add} 行，修改 ${n.change} 行，删除 ${n.delete} 行。确认后请点“提交”。`, () => {
      this.imports = this.imports.filter((id) => id !== plan.import);
      this.note = "";
    });
    this.sheet.focus();
  }

  /** A long file was saved by the server: the sheet is loaded anew. */
  private async importedWhole(plan: Plan): Promise<void> {
    const n = plan.counts;
    toast("ok", `已导入并提交：新增 ${n.add} 行，修改 ${n.change} 行，删除 ${n.delete} 行。`);
    const sheet = await this.fetch("?rows=auto");
    if (sheet) this.load(sheet);
  }

  /** Takes the explanation of a 核实性 problem. */
  private async explain(p: Problem): Promise<void> {
    const min = Number(this.sheet.dataset.minReason);
    const text = el("textarea", "input") as HTMLTextAreaElement;
    text.rows = 3;
    text.maxLength = 500;
    text.value = p.reason || "";
    text.setAttribute("aria-label", "情况说明");
    const ok = await ask("情况说明", [el("p", "", p.message), text, el("p", "field-help", `至少 ${min} 个字，随表保存。`)], "确定", () => Array.from(text.value.trim()).length >= min);
    if (!ok) return;
    const isNew = !/^[0-9]+$/.test(p.row);
    const change: ReasonChange = { op: "reason", code: p.code, text: text.value.trim(), ...(isNew ? { temp: p.row } : { row: p.row }) };
    this.reasons = this.reasons.filter((r) => !(r.code === p.code && (r.row || r.temp) === p.row)).concat(change);
    this.changed();
    await this.check(false);
  }
}

defineSheet();
const sheet = document.querySelector("tb-sheet[data-report]") as TbSheet | null;
if (sheet) {
  viewBar(sheet);
  void new FormPage(sheet).start();
}
document.querySelectorAll("[data-print]").forEach((b) => b.addEventListener("click", () => print()));
