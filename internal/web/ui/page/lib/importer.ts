// 导入 EXCEL: choose a file and a mode, look at what it would do, then bring it into
// the sheet on the screen. Nothing is saved before 提交.
import { Change, Column } from "../../sheet/element";
import { call, download, Failure, newKey, Problem } from "./api";
import { byId, el, fill } from "./dom";
import { t } from "../../sheet/words";

interface Item {
  kind: "add" | "change" | "delete" | "same";
  sheet_row?: number;
  seq: number;
  cells?: { field: string; before?: string; after?: string }[];
  errors?: number;
}

interface Conflict {
  row: string;
  field?: string;
  kind: "edited" | "deleted" | "delete-edited";
  mine: string;
  theirs: string;
  by: string;
  sheet_row?: number;
  seq?: number;
  take: Change;
}

export interface Plan {
  import: string;
  file: string;
  sheet: string;
  changes: Change[];
  counts: { rows: number; add: number; change: number; delete: number; same: number; conflict: number; error: number };
  items: Item[];
  problems: Problem[];
  conflicts?: Conflict[];
  remarks?: string[];
  /** Too many changes for the screen: the file is saved in the background. */
  large?: boolean;
  confirm?: string;
  again?: string;
}

interface Job {
  id: string;
  state: "running" | "done" | "failed" | "cancelled";
  stage?: string;
  done: number;
  total: number;
  plan?: Plan;
  error?: string;
}

/** What the dialog asks of the page: the unsaved changes, and what becomes of a plan. */
export interface ImportHost {
  url: string;
  maxFile: number;
  columns(): Column[];
  screen(): unknown;
  apply(plan: Plan): void;
  dirty(): boolean;
  saved(plan: Plan): void;
}

export class Importer {
  private dialog = byId<HTMLDialogElement>("import-dialog");
  private file = byId<HTMLInputElement>("import-file");
  private button = byId<HTMLButtonElement>("import-apply");
  private preview = byId("import-preview");
  private plan: Plan | null = null;
  private sure: HTMLInputElement | null = null;
  private turn = 0;
  private help: Record<string, string> = {};
  private invitation = "";

  private url: string;
  private maxFile: number;
  private columns: () => Column[];
  private screen: () => unknown;
  private apply: (plan: Plan) => void;
  private dirty: () => boolean;
  private saved: (plan: Plan) => void;

  constructor(host: ImportHost) {
    this.url = host.url;
    this.maxFile = host.maxFile;
    this.columns = host.columns;
    this.screen = host.screen;
    this.apply = host.apply;
    this.dirty = host.dirty;
    this.saved = host.saved;
    this.file.addEventListener("change", () => void this.load());
    byId("import-form").addEventListener("change", (e) => {
      if ((e.target as HTMLInputElement).name === "mode") void this.load();
    });
    this.button.addEventListener("click", () => {
      if (!this.plan) return;
      if (this.plan.large) return void this.background(this.plan);
      const plan = this.decided(this.plan);
      this.dialog.close("apply");
      this.apply(plan);
    });
    const box = this.file.parentElement as HTMLElement;
    box.addEventListener("dragover", (e) => e.preventDefault());
    box.addEventListener("drop", (e) => {
      e.preventDefault();
      if (e.dataTransfer && e.dataTransfer.files.length) {
        this.file.files = e.dataTransfer.files;
        void this.load();
      }
    });
  }

  show(): void {
    const text = this.file.nextElementSibling as HTMLElement;
    this.invitation = this.invitation || text.textContent || "";
    text.textContent = this.invitation;
    this.file.value = "";
    this.reset();
    this.dialog.showModal();
    this.file.focus();
  }

  private reset(): void {
    this.turn++;
    this.plan = null;
    this.sure = null;
    this.button.disabled = true;
    fill(this.preview);
  }

  /** Reads the file; help is what the server asked for: a password, a sheet. */
  private async load(help: Record<string, string> = {}): Promise<void> {
    this.reset();
    const file = this.file.files && this.file.files[0];
    (this.file.nextElementSibling as HTMLElement).textContent = file ? t("已选择：{0}（点这里换一个文件）", file.name) : this.invitation;
    if (!file) return;
    if (file.size > this.maxFile) return this.refuse(t("文件超过 20 MB，请删去无关的工作表和图片，或分成几份再导入。"));
    const turn = this.turn;
    this.help = help;
    fill(this.preview, el("p", "muted", t("正在读取文件…")));
    const form = this.form(file);
    form.append("screen", JSON.stringify(this.screen()));
    const res = await call<Plan>("POST", this.url, form);
    if (turn !== this.turn) return; // another file or mode was chosen meanwhile
    if (res.error || !res.data) return this.refuse(res.error ? res.error.message : "", res.error, help);
    this.plan = res.data;
    this.draw(res.data);
  }

  private form(file: File): FormData {
    const form = new FormData();
    form.append("mode", (byId("import-form").querySelector('input[name="mode"]:checked') as HTMLInputElement).value);
    for (const [name, value] of Object.entries(this.help)) form.append(name, value);
    form.append("file", file);
    return form;
  }

  /** Saves a long file by a job of the server; the page may be left meanwhile. */
  private async background(plan: Plan): Promise<void> {
    const file = this.file.files && this.file.files[0];
    if (!file) return;
    const turn = ++this.turn;
    this.button.disabled = true;
    const form = this.form(file);
    for (const [name, value] of [["action", "save"], ["background", "yes"], ["key", newKey()], ["confirm", plan.confirm ? "yes" : ""]]) form.append(name, value);
    const started = await call<Job>("POST", this.url, form);
    if (!started.data) return this.refuse(started.error ? started.error.message : "");
    const at = this.url.replace(/imports$/, "jobs/") + started.data.id;
    const bar = el("progress", "") as HTMLProgressElement;
    const text = el("p", "", t("正在导入…"));
    const stop = el("button", "button", t("取消导入")) as HTMLButtonElement;
    stop.type = "button";
    stop.addEventListener("click", () => void call("POST", at + "/cancel", {}));
    fill(this.preview, text, bar, el("p", "muted", t("可以关闭这个页面，导入会继续；完成后在“历史”和“回执”中可以看到。")), stop);
    for (;;) {
      await new Promise((r) => setTimeout(r, 500));
      if (turn !== this.turn) return;
      const res = await call<Job>("GET", at);
      if (!res.data) {
        if (res.status === 0) continue; // the network comes back or does not; the job goes on
        return this.refuse(res.error ? res.error.message : "");
      }
      const j = res.data;
      text.textContent = t("正在{0}", t(j.stage || "") || t("导入")) + (j.total ? t("，{0} / {1} 行", j.done, j.total) : "") + "…";
      if (j.total) {
        bar.max = j.total;
        bar.value = j.done;
      } else bar.removeAttribute("value");
      if (j.state === "running") continue;
      if (j.state !== "done" || !j.plan) return this.refuse(t(j.error || "") || t("导入没有完成，请重试。"));
      this.dialog.close("saved");
      return this.saved(j.plan);
    }
  }

  private refuse(message: string, error?: Failure, help: Record<string, string> = {}): void {
    const asks = error && (error.choices || error.code === "encrypted" || error.code === "bad_password");
    const p = el("p", "callout " + (asks ? "callout-warn" : "callout-error"), message);
    p.setAttribute("role", "alert");
    fill(this.preview, p);
    if (error && error.choices) this.preview.append(this.choice(error.choices, help));
    else if (asks) this.preview.append(this.password(help));
  }

  /** Which of several sheets. */
  private choice(sheets: string[], help: Record<string, string>): HTMLElement {
    const box = el("div", "row");
    for (const name of sheets) {
      const b = el("button", "button", name) as HTMLButtonElement;
      b.type = "button";
      b.addEventListener("click", () => void this.load({ ...help, sheet: name }));
      box.append(b);
    }
    return box;
  }

  private password(help: Record<string, string>): HTMLElement {
    const input = el("input", "input") as HTMLInputElement;
    input.type = "password";
    input.autocomplete = "off";
    input.setAttribute("aria-label", t("工作簿的打开密码"));
    const b = el("button", "button", t("用这个密码打开")) as HTMLButtonElement;
    b.type = "button";
    const go = () => void this.load({ ...help, password: input.value });
    b.addEventListener("click", go);
    input.addEventListener("keydown", (e) => {
      if (e.key !== "Enter") return;
      e.preventDefault();
      go();
    });
    setTimeout(() => input.focus());
    return el("div", "row", input, b);
  }

  /** The plan with the conflicts decided: the file's side where it was chosen. */
  private decided(plan: Plan): Plan {
    const takes = (plan.conflicts || []).filter((_, i) => this.chosen(i) === "mine").map((c) => c.take);
    return { ...plan, changes: [...plan.changes, ...takes] };
  }

  private chosen(i: number): string {
    const input = this.preview.querySelector(`input[name="conflict-${i}"]:checked`) as HTMLInputElement | null;
    return input ? input.value : "";
  }

  private conflicts(list: Conflict[]): HTMLElement {
    const title = new Map(this.columns().map((c) => [c.key, c.title]));
    const box = el("div", "stack", el("p", "callout callout-warn", t("这些单元格在文件导出之后，文件里和系统里都有改动。请逐处选择保留哪一个：")));
    list.forEach((c, i) => {
      const by = c.by ? t("{0} 保存的", c.by) : t("系统中的");
      const text = {
        edited: [t("系统：{0} {1}", by, c.theirs || t("（空）")), t("文件：{0}", c.mine || t("（空）"))],
        deleted: [t("系统：{0} 已删除这一行，不再加入", c.by || t("他人")), t("文件：保留这一行，重新加入到最后")],
        "delete-edited": [t("系统：保留这一行（{0}：{1}）", by, c.theirs), t("文件：删除这一行")],
      }[c.kind];
      const place = (c.seq ? t("第{0}行", c.seq) : t("文件第{0}行", c.sheet_row)) + (c.field && c.kind === "edited" ? ` ${title.get(c.field)}` : "");
      const field = el("fieldset", "choices", el("legend", "", place));
      ["theirs", "mine"].forEach((value, j) => {
        const input = document.createElement("input");
        input.type = "radio";
        input.name = "conflict-" + i;
        input.value = value;
        input.addEventListener("change", () => this.update());
        field.append(el("label", "choice", input, el("span", "", text[j])));
      });
      box.append(field);
    });
    return box;
  }

  private draw(p: Plan): void {
    const n = p.counts;
    const tally = el("ul", "tally");
    for (const [kind, count, name] of [
      ["add", n.add, t("新增")], ["edit", n.change, t("修改")], ["delete", n.delete, t("删除")], ["conflict", n.conflict, t("冲突")], ["error", n.error, t("错误")],
    ] as [string, number, string][]) {
      tally.append(el("li", "tally-" + kind, el("b", "", String(count)), name));
    }
    const out: Node[] = [el("p", "", t("工作表“{0}”中有 {1} 行数据", p.sheet, n.rows) + (n.same ? t("，其中 {0} 行与表中相同", n.same) : "") + t("。")), tally];
    for (const text of [p.again, ...(p.remarks || [])]) if (text) out.push(el("p", "callout callout-info", t(text)));
    if (n.error) out.push(this.faulty());
    if (p.conflicts && p.conflicts.length) out.push(this.conflicts(p.conflicts));
    if (p.confirm) out.push(this.question(p.confirm));
    if (p.large) {
      out.push(el("p", "callout callout-info", this.dirty() ? t("文件较大，要在后台导入并直接提交；表中有未提交的改动，请先取消、提交，再来导入。")
        : p.conflicts && p.conflicts.length ? t("文件较大且有冲突，请把有冲突的行复制到新建的工作簿中（带表头），先单独导入。") : t("文件较大，将在后台导入并直接提交。")));
    }
    if (p.items.length) out.push(this.table(p));
    fill(this.preview, ...out);
    this.update();
  }

  /** Faulty rows may come in; or the sender corrects the file, marked where it is wrong. */
  private faulty(): HTMLElement {
    const b = el("button", "button button-small", t("下载批注副本")) as HTMLButtonElement;
    b.type = "button";
    b.addEventListener("click", async () => {
      const file = this.file.files && this.file.files[0];
      if (!file) return;
      const form = this.form(file);
      form.append("action", "annotate");
      const message = await download(this.url, form);
      if (message) this.refuse(message);
    });
    return el("p", "callout callout-warn", t("有错误的行也可以先导入，改正后再上报；或者下载批注副本，照着标出的单元格改好后重新导入。"), b);
  }

  private question(text: string): HTMLElement {
    this.sure = document.createElement("input");
    this.sure.type = "checkbox";
    this.sure.id = "import-sure";
    this.sure.addEventListener("change", () => this.update());
    return el("label", "choice callout callout-warn", this.sure, el("span", "", el("b", "", t(text)), el("small", "", t("勾选表示确定。"))));
  }

  private update(): void {
    const open = (this.plan && this.plan.conflicts) || [];
    const empty = !!this.plan && !this.plan.changes.length && !open.length;
    const large = !!this.plan && !!this.plan.large;
    this.button.textContent = large ? t("导入并提交（后台进行）") : t("导入到表中");
    const undecided = open.some((_, i) => !this.chosen(i));
    this.button.disabled = !this.plan || (empty && !large) || (large && (this.dirty() || open.length > 0)) || undecided || (!!this.sure && !this.sure.checked);
    if (empty && !large && !this.preview.querySelector(".callout-ok")) this.preview.append(el("p", "callout callout-ok", t("文件内容与表中完全相同，没有需要导入的改动。")));
  }

  private table(p: Plan): HTMLElement {
    const names = { add: t("新增"), change: t("修改"), delete: t("删除"), same: t("相同") };
    const title = new Map(this.columns().map((c) => [c.key, c.title]));
    const body = el("tbody");
    for (const it of p.items.slice(0, 100)) {
      const what = el("td");
      if (it.kind === "change") {
        for (const c of it.cells || []) {
          what.append(t("{0}：", title.get(c.field)), el("del", "", c.before || t("（空）")), " ", el("ins", "", c.after || t("（空）")), " ");
        }
      } else what.append((it.cells || []).map((c) => c.after || c.before || "").join("　"));
      body.append(
        el("tr", "diff-" + (it.kind === "change" ? "edit" : it.kind), el("td", "", names[it.kind]), el("td", "num", it.sheet_row ? String(it.sheet_row) : "—"),
          el("td", "num", String(it.seq)), what, el("td", "", it.errors ? t("{0} 处错误", it.errors) : "")),
      );
    }
    const head = el("tr", "", ...[t("操作"), t("文件行"), t("表中行"), t("内容"), t("错误")].map((x) => el("th", "", x)));
    const out = el("div", "table-wrap", el("table", "table table-tight diff", el("thead", "", head), body));
    if (p.items.length > 100) out.append(el("p", "muted", t("只列出前 100 项，共 {0} 项。", p.counts.add + p.counts.change + p.counts.delete)));
    return out;
  }
}
