// What the clerk sees of keeping and meeting: what is not submitted, since when and
// where it is kept; what was restored; network and session; who else is here.
import { Line, TbSheet } from "../../sheet/element";
import { Answer, call, later } from "./api";
import { ask, byId, el, fill, toast } from "./dom";
import { Journal } from "./journal";
import { Keeper } from "./keeper";
import { Live } from "./live";
import { Work } from "./work";
import { t } from "../../sheet/words";

type Call = <T>(method: string, path: string, body?: unknown) => Promise<Answer<T>>;

/** How often a lost network is tried, in ms. */
const retry = 4000;

const clock = (ms: number) => new Date(ms).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });

const touched = (changes: object[]) => new Set((changes as { temp?: string; row?: string }[]).map((c) => c.temp || c.row)).size;

export class Keeping {
  keeper: Keeper;
  private live: Live;
  private offline = false;
  private expired = false;
  private timer = 0;

  constructor(private sheet: TbSheet, private work: Work, url: string, call: Call) {
    this.keeper = new Keeper(work, call, () => this.show());
    this.live = new Live(url + "/events", {
      version: (n) => void work.follow(n),
      people: (names, self) => this.people(names, self),
      end: () => this.end(),
      lost: () => void this.probe(),
      back: () => undefined,
    });
    // The open cell is kept too; an input method that composes is not done yet.
    sheet.addEventListener("input", (e) => (e as InputEvent).isComposing || this.keeper.touch());
    sheet.addEventListener("tb-cancel", () => this.keeper.touch());
    addEventListener("offline", () => this.lost());
    addEventListener("online", () => void this.probe());
  }

  /** Restores what was left behind and begins to listen. */
  async start(): Promise<void> {
    const report = this.sheet.dataset.report as string;
    let alone = true;
    try {
      alone = await this.alone(report);
      if (alone) this.keeper.journal = await Journal.open(report, (salt) => call("POST", "/session/journal-key", { salt }));
    } catch {
      toast("warn", t("这个浏览器不能在本机保存没有提交的内容（可能是无痕窗口），请及时提交。"));
    }
    if (!alone) this.banner("twice", "info", t("这张表已在另一个窗口打开。没有提交的内容只由那个窗口保存，请回到那个窗口填写。"));
    else await this.restore();
    this.live.open();
  }

  /** Whether this is the only window of the browser with this sheet. */
  private alone(report: string): Promise<boolean> {
    const { locks } = navigator as { locks?: { request(name: string, options: object, fn: () => unknown): Promise<unknown> } };
    if (!locks) return Promise.resolve(true);
    const stop = new AbortController();
    // A window that is just closing still has it for a moment.
    setTimeout(() => stop.abort(), 1500);
    return new Promise((ok) => {
      const held = () => {
        ok(true);
        return new Promise(() => undefined); // until the window closes
      };
      locks.request("tianbao/" + report, { signal: stop.signal }, held).catch(() => ok(false));
    });
  }

  private async restore(): Promise<void> {
    for (const { draft, spent } of await this.keeper.found()) {
      const at = clock(Date.parse(draft.since));
      let rows = touched(draft.changes);
      if (spent && !(await ask(t("本机保存的内容"), [t("这台电脑上保存着您 {0} 起填写的 {1} 行，其中的内容可能已经从别处提交。要恢复到表中核对吗？", at, rows)], t("恢复")))) continue;
      const takeBack = await this.work.restore(draft);
      if (!this.work.dirty) continue; // the save had happened, and that was all
      if (draft.sent) rows = touched(this.sheet.changes()); // with what it brought, if it was refused
      const { typing } = draft;
      const line = typing && this.sheet.line(typing.row);
      const open = line && this.sheet.columns.find((c) => c.key === (typing as { key: string }).key);
      const note = open ? t("第{0}行 {1}列当时还没有输完，请核对。", this.sheet.number(line as Line), open.letter) : "";
      this.banner("restored", "info", t("您在 {0} 填写的 {1} 行还没有提交，已经恢复。", at, rows) + note, {
        [t("放弃这些改动")]: async () => {
          if (!(await ask(t("放弃改动"), [t("将放弃 {0} 填写的 {1} 行，表恢复为已提交的内容。放弃以后可以用 Ctrl+Z 撤销。", at, rows)], t("放弃")))) return;
          takeBack(t("放弃恢复的改动"));
          this.banner("restored");
          this.sheet.focus();
        },
        [t("知道了")]: () => this.banner("restored"),
      });
    }
    this.keeper.off = false;
    this.touch();
  }

  touch(): void {
    this.keeper.touch();
    this.show();
  }

  saved(): void {
    this.keeper.saved();
    this.banner("restored");
  }

  /** What an answer tells of network and session. */
  heard(res: Answer<unknown>): void {
    if (res.status === 0 && res.error && res.error.code === "offline") this.lost();
    else if (res.error && res.error.code === "signed_out") this.end();
    else if (this.offline) void this.probe();
    else if (res.data && this.expired) this.resume();
  }

  private lost(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.probe(), retry);
    this.offline = true;
    this.show();
  }

  /** Asks whether the server answers, and goes on when it does. */
  private async probe(): Promise<void> {
    const ok = await fetch("/healthz", { cache: "no-store" }).then((r) => r.ok, () => false);
    if (!ok) return this.lost();
    clearTimeout(this.timer);
    if (this.offline) this.resume();
  }

  private end(): void {
    this.expired = true;
    this.live.close();
    this.show();
  }

  private resume(): void {
    this.offline = this.expired = false;
    this.show();
    this.live.open();
    void this.keeper.send();
    void this.work.again();
  }

  /** The dirty mark, and the banner of what is not as it should be. */
  private show(): void {
    const { work, keeper } = this;
    const dirty = byId("dirty");
    dirty.hidden = !work.dirty;
    if (work.dirty) work.since = work.since || Date.now();
    const n = this.sheet.changes().length + work.reasons.length;
    const places = [keeper.here && keeper.journal ? t("本机") : "", keeper.there ? t("服务器") : ""].filter((x) => x).join(t("和"));
    const kept = places ? t("，已存{0}", places) : "";
    const since = work.since ? t("，{0} 起", clock(work.since)) : "";
    dirty.textContent = n ? t("有 {0} 行改动未提交{1}{2}", n, since, kept) : t("正在等待保存结果");
    if (this.offline) this.banner("state", "warn", keeper.journal ? t("网络已断开，填写的内容已保存在本机，恢复后自动继续。") : t("网络已断开，填写的内容还在本页，请不要关闭。"));
    else if (this.expired) {
      const what = n ? t("您{0}填写的 {1} 行没有提交{2}。", since.slice(1) || t("刚才"), n, kept) : "";
      this.banner("state", "warn", t("登录已经超时。{0}", what), {
        [t("重新登录")]: async () => {
          if (await (await later()).signIn()) this.resume();
          this.sheet.focus();
        },
      });
    } else this.banner("state");
  }

  private people(names: string[], self: boolean): void {
    const text = names.length ? t("另有 {0} 人正在看这张表：{1}", names.length, names.join("、")) : "";
    byId("people").textContent = text + (self ? t("{0}您在另一处也打开着这张表", text ? t("；") : "") : "");
  }

  /** Shows a banner under the toolbar, or with no text takes it away. */
  private banner(id: string, kind = "", text = "", acts: Record<string, () => unknown> = {}): void {
    const old = document.getElementById("banner-" + id);
    if (old && old.firstChild && old.firstChild.textContent === text) return;
    if (!text) {
      if (old) old.remove();
      return;
    }
    const box = old || el("div");
    box.id = "banner-" + id;
    box.className = `callout callout-${kind} banner`;
    fill(box, el("span", "", text), ...Object.keys(acts).map((name) => {
      const b = el("button", "button button-small", name) as HTMLButtonElement;
      b.type = "button";
      b.addEventListener("click", () => void acts[name]());
      return b;
    }));
    if (!old) byId("banners").append(box);
  }
}
