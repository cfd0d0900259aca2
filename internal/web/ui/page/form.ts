// The form page: the sheet, and what the buttons above it do.
import { Column, defineSheet, Row, TbSheet } from "../sheet/element";
import { Answer, bring, call, download, Failure, later, newKey, takeSession } from "./lib/api";
import { Checker, Finding } from "./lib/checker";
import { ask, byId, toast } from "./lib/dom";
import type { FaultList } from "./lib/faults";
import type { ImportHost, Plan } from "./lib/importer";
import { Keeping } from "./lib/keeping";
import type { Explain } from "./lib/reason";
import "./lib/shared";
import { withUnits } from "./lib/units";
import { viewBar } from "./lib/view";
import { showRows, tellProgress } from "./lib/windows";
import { Receipt, ReasonChange, Work } from "./lib/work";
import { t } from "../sheet/words";

interface Sheet {
  report: { id: string; version: number; rows: number; state: string; state_name: string };
  columns: Column[];
  rows: Row[];
}

class FormPage {
  private url: string;
  private work: Work;
  private keeping: Keeping;
  private reportKey = "";
  private busy = false;
  private offer: (() => void) | null = null;
  private timer = 0;
  private checker: Checker;
  private faults: FaultList | null = null;
  private explain: Explain;

  constructor(private sheet: TbSheet) {
    this.url = "/reports/" + sheet.dataset.report;
    this.work = new Work(sheet, {
      call: (method, path, body) => this.call(method, path, body),
      decide: async (found) => {
        const order = sheet.rows().map((r) => r.id);
        const mine = await (await later()).decide(sheet.columns, found, (row) => order.indexOf(row) + 1);
        if (!mine) this.status(t("有冲突没有处理，还没有提交"));
        return mine;
      },
      keep: () => this.keeping.keeper.write(),
      failed: (e) => this.failed(e),
      signIn: async () => (await later()).signIn(),
      saved: (out) => {
        this.keeping.saved();
        this.state(out.report);
        this.changed();
        this.status(t("已提交 {0}", out.receipt.at.slice(11, 16))); // RFC 3339 in the zone of Shanghai
        toast("ok", t("已提交，共 {0} 行。", out.receipt.rows), { text: t("查看回执"), href: `${this.url}/receipts/${out.receipt.id}` });
      },
      met: ({ report, rows }) => {
        this.state(report);
        if (rows.length) this.status(t("{0}提交了改动，已更新到表中", report.updated_by));
        this.changed();
      },
    });
    this.keeping = new Keeping(sheet, this.work, this.url, (method, path, body) => this.call(method, path, body));
    this.explain = { least: Number(sheet.dataset.minReason), save: (f, text) => this.explained(f, text) };
    this.checker = new Checker(sheet, () => this.faults && this.faults.changed());
    sheet.addEventListener("tb-active", (e) => this.faults && this.faults.chose((e as CustomEvent).detail.row, (e as CustomEvent).detail.key));
    sheet.addEventListener("tb-progress", () => this.checker.update());
    sheet.addEventListener("tb-explain", (e) => this.askReason((e as CustomEvent).detail.row, (e as CustomEvent).detail.key));
    sheet.addEventListener("tb-change", () => this.changed());
    sheet.addEventListener("tb-submit", () => void this.run(() => this.save(), "submit"));
    sheet.addEventListener("tb-deleted", (e) => this.offerUndo(t("已删除 {0} 行，提交后生效。", (e as CustomEvent<{ count: number }>).detail.count)));
    sheet.addEventListener("tb-notice", (e) => toast("warn", (e as CustomEvent<{ message: string }>).detail.message));
    this.on("submit", () => this.save());
    this.on("check", () => this.check(true));
    this.on("report", () => this.report());
    byId("export").addEventListener("click", (e) => {
      if (!this.work.dirty) return; // the link itself fetches what is stored
      e.preventDefault();
      void this.run(() => this.export(), "export");
    });
    this.on("import", () => this.import());
    addEventListener("beforeunload", (e) => {
      if (this.work.dirty) {
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
    const [sheet, session] = await Promise.all([this.fetch("?rows=auto"), call<{ login: string; csrf: string }>("GET", "/session")]);
    if (session.data) takeSession(session.data);
    if (!sheet) return;
    this.sheet.columns = withUnits(sheet.columns);
    this.status("");
    tellProgress(this.sheet);
    this.load(sheet);
    const at = /^#row=(\d+)$/.exec(location.hash);
    if (at) this.sheet.goTo(at[1], "");
    this.sheet.focus();
    await this.keeping.start();
    void this.checker.start().then(() => this.list());
    await this.check(false);
    // Suggestions, row menu, fill handle, card of keys, printing: nobody needs them before.
    void later().catch(() => 0);
  }

  private async fetch(query = ""): Promise<Sheet | null> {
    const res = await this.call<Sheet>("GET", query);
    if (res.data) return res.data;
    this.failed(res.error);
    return null;
  }

  /** Somebody saved while a long sheet was still being read: it is read anew, whole. */
  private async moved(): Promise<void> {
    const mine = this.work.draft();
    const now = await this.fetch();
    if (!now) return;
    this.work.settled();
    this.load(now);
    if (mine) await this.work.restore(mine);
  }

  /** Sends a request of the report, and tells what it shows of network and session. */
  private async call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const res = await call<T>(method, this.url + path, body);
    this.keeping.heard(res);
    return res;
  }

  private load(s: Sheet): void {
    this.work.version = s.report.version;
    this.checker.saved(s.rows);
    showRows(this.sheet, this.url, s, () => void this.moved());
    this.state(s.report);
    this.changed();
  }

  /** Tells of a step that can be taken back, as long as it is the last one. */
  private offerUndo(message: string, undone?: () => void): void {
    this.offer = toast("ok", message, {
      text: t("撤销"),
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
    this.keeping.touch();
    this.checker.update();
    byId("count-rows").textContent = t("共 {0} 行", this.sheet.filled);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.check(false), 700);
  }

  private status(text: string): void {
    byId("status").textContent = text;
  }

  private state(report: { state: string; state_name: string }): void {
    const cls = { reported: "badge-reported", draft: "badge-saved", changed: "badge-fault" }[report.state] || "badge-empty";
    byId("state").className = "badge " + cls;
    byId("state").textContent = t(report.state_name);
  }

  private failed(e?: Failure): void {
    if (!e) return;
    // The banner tells these, and how to go on.
    if (e.code !== "signed_out" && e.code !== "offline") toast("error", e.message + (e.code === "internal" && e.request ? t("（编号 {0}）", e.request) : ""));
    this.status("");
  }

  /** Makes the list of faults, which came with the engine. */
  private list(): void {
    if (!window.tbRules) return;
    this.faults = new window.tbRules.FaultList(this.checker, (f) => this.sheet.goTo(f.row, f.key), this.explain);
    this.faults.changed();
  }

  /** 数据校验, and the quiet check after each change. Writes nothing. */
  private async check(loud: boolean): Promise<void> {
    clearTimeout(this.timer);
    const res = await this.checker.ask(() => this.call("POST", "/check", this.work.body(this.sheet.changes())));
    if (!loud) return;
    if (!res.done) return this.failed(res.error);
    const { error, justify, hint } = this.checker.counts;
    if (this.faults) this.faults.show(true);
    if (!error && !justify && !hint) toast("ok", t("校验通过，没有发现问题。"));
    else toast(error ? "warn" : "ok", t("校验完成：错误 {0} 处，需要说明 {1} 处，提示 {2} 处。", error, justify, hint));
  }

  /** Saves what is on the screen; true when it is saved. */
  private async save(): Promise<boolean> {
    if (!this.work.dirty) {
      toast("ok", t("没有需要提交的改动。"));
      return true;
    }
    // A save of its own moves the version of which the other rows are still to come.
    await this.sheet.complete;
    this.status(t("正在提交…"));
    const done = await this.work.save();
    if (byId("status").textContent === t("正在提交…")) this.status("");
    return done;
  }

  /** 上报. */
  private async report(): Promise<void> {
    if (this.work.dirty) {
      if (!(await ask(t("先提交再上报"), [t("表中有改动还没有提交。上报的是已提交的内容，现在提交并继续吗？")], t("提交并继续")))) return;
      if (!(await this.save())) return;
    }
    if (!(await ask(t("上报"), [t("确定上报这张表吗？共 {0} 行。上报后如有修改，需要重新上报。", this.sheet.filled)], t("上报")))) return;
    this.reportKey = this.reportKey || newKey();
    const res = await this.call<Receipt>("POST", "/submission", { key: this.reportKey });
    if (res.status !== 0 && res.status < 500) this.reportKey = ""; // else it may have happened
    if (res.data) {
      this.state({ state: "reported", state_name: t("已上报") });
      this.status(t("已上报"));
      toast("ok", t("已上报，回执编号 {0}。", res.data.number), { text: t("查看回执"), href: `${this.url}/receipts/${res.data.id}` });
      return;
    }
    if (res.error && res.error.problems && res.error.problems.length) {
      await this.check(false);
      if (this.faults) this.faults.show(true);
      const first = res.error.problems[0];
      this.sheet.goTo(first.row, first.field || "");
    }
    this.failed(res.error);
  }

  /** 原样导出 of the screen as it is seen, unsaved changes included. */
  private async export(): Promise<void> {
    const message = await download(this.url + "/export", this.work.body(this.sheet.changes()));
    if (message) toast("error", message);
  }

  /** Opens the import dialog, whose script comes when it is first asked for. */
  private async import(): Promise<void> {
    try {
      await bring(this.sheet.dataset.import as string);
    } catch {
      toast("error", t("连不上服务器，不能打开导入窗口，请检查网络后再试。"));
      return;
    }
    const detail: ImportHost = {
      url: this.url + "/imports", maxFile: Number(this.sheet.dataset.maxFile), columns: () => this.sheet.columns,
      screen: () => this.work.body(this.sheet.changes()), apply: (p) => void this.imported(p),
      dirty: () => this.work.dirty, saved: (p) => void this.importedWhole(p),
    };
    document.dispatchEvent(new CustomEvent("tb-import", { detail }));
  }

  private async imported(plan: Plan): Promise<void> {
    await this.sheet.complete;
    this.sheet.apply(plan.changes, t("导入 ") + plan.file);
    this.work.imports = [...this.work.imports, plan.import];
    this.work.note = plan.file;
    const n = plan.counts;
    this.offerUndo(t("已导入到表中：新增 {0} 行，修改 {1} 行，删除 {2} 行。确认后请点“提交”。", n.add, n.change, n.delete), () => {
      this.work.imports = this.work.imports.filter((id) => id !== plan.import);
      this.work.note = "";
    });
    this.sheet.focus();
  }

  /** A long file was saved by the server: the sheet is loaded anew. */
  private async importedWhole(plan: Plan): Promise<void> {
    const n = plan.counts;
    toast("ok", t("已导入并提交：新增 {0} 行，修改 {1} 行，删除 {2} 行。", n.add, n.change, n.delete));
    const sheet = await this.fetch("?rows=auto");
    if (!sheet) return;
    this.work.settled();
    this.load(sheet);
  }

  /** Takes the explanation of a 核实性 problem; it is saved with the sheet. */
  private explained(f: Finding, text: string): void {
    const change: ReasonChange = { op: "reason", code: f.code, text, ...(f.line.base ? { row: f.row } : { temp: f.row }) };
    this.work.reasons = this.work.reasons.filter((r) => !(r.code === f.code && (r.row || r.temp) === f.row)).concat(change);
    this.checker.explain(f.line, f.code, text);
    this.changed();
  }

  /** Opens the box for the explanation that the cell asks for, or its row. */
  private askReason(row: string, key: string): void {
    const line = this.sheet.line(row);
    const open = line ? this.checker.of(line).filter((f) => f.weight === "justify") : [];
    const f = open.find((x) => x.key === key) || open[0];
    if (!f || !window.tbRules) return void toast("ok", t("这一行没有需要说明的问题。"));
    this.sheet.goTo(row, f.key);
    window.tbRules.askReason(f, this.explain, this.sheet.activeBox, () => this.sheet.focus());
  }
}

defineSheet();
const sheet = document.querySelector("tb-sheet[data-report]") as TbSheet | null;
if (sheet) {
  viewBar(sheet);
  void new FormPage(sheet).start();
}
document.querySelectorAll("[data-print]").forEach((b) => b.addEventListener("click", () => print()));
