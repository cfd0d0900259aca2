// The city view: all rows of all reports of a campaign in the viewer's scope.
import { Column, defineSheet, Fault, Row, TbSheet } from "../sheet/element";
import { columnMenu } from "../sheet/menu";
import { call } from "./lib/api";
import { byId, toast } from "./lib/dom";
import { getWindow, tellProgress } from "./lib/windows";
import { t } from "../sheet/words";

interface Filed {
  id: string;
  owner: string;
  version: number;
  rows: number;
}

interface Head {
  columns: Column[];
  rows: number;
  reports: Filed[];
}

interface Part extends Filed {
  from: number;
  list: { id: string; values: string[]; faults?: number }[];
}

/** The rows of a report that have come, at one version of it. */
interface Kept {
  version: number;
  rows: (Row | undefined)[];
  faults: Fault[];
}

const unitColumn: Column = { key: "@report", letter: "表", title: t("填报单位"), width: 150 };

class AcrossPage {
  private url: string;
  private query: string;
  /** The reports in order, and the position of the first row of each. */
  private reports: Filed[] = [];
  private starts: number[] = [];
  private kept = new Map<string, Kept>();
  private active = "";

  constructor(private sheet: TbSheet) {
    this.url = "/campaigns/" + sheet.dataset.campaign;
    this.query = sheet.dataset.unit ? "unit=" + sheet.dataset.unit + "&" : "";
    sheet.setReadonly(true);
    tellProgress(sheet);
    const reveal = document.getElementById("reveal"); // only for who may see full values
    sheet.addEventListener("tb-active", (e) => {
      this.active = (e as CustomEvent<{ row: string }>).detail.row;
      for (const b of [byId("open"), reveal]) if (b) (b as HTMLButtonElement).disabled = !/\./.test(this.active);
    });
    sheet.addEventListener("tb-notice", (e) => toast("warn", (e as CustomEvent<{ message: string }>).detail.message));
    sheet.addEventListener("dblclick", (e) => {
      if (e.target instanceof Element && e.target.closest(".tbs-cell")) this.open();
    });
    byId("open").addEventListener("click", () => this.open());
    if (reveal) {
      reveal.addEventListener("click", () => {
        const [report, row] = this.active.split(".");
        if (row) location.assign(`/reports/${report}/rows/${row}/reveal`);
      });
    }
    byId("reload").addEventListener("click", () => void this.start());
  }

  /** Opens the report that the active row stands in, at that row. */
  private open(): void {
    const [report, row] = this.active.split(".");
    if (row) location.assign(`/reports/${report}#row=${row}`);
  }

  /** Reads which reports there are, and then their rows; what has come of one that nobody saved since stays. */
  async start(): Promise<void> {
    const res = await call<Head>("GET", `${this.url}/sheet?${this.query}`);
    if (!res.data) {
      toast("error", res.error ? res.error.message : "");
      byId("status").textContent = "";
      return;
    }
    const { columns, reports, rows } = res.data;
    this.reports = reports;
    this.starts = [];
    let at = 0;
    const kept = new Map<string, Kept>();
    for (const r of reports) {
      this.starts.push(at);
      at += r.rows;
      const was = this.kept.get(r.id);
      kept.set(r.id, was && was.version === r.version ? was : { version: r.version, rows: new Array<Row | undefined>(r.rows), faults: [] });
    }
    this.kept = kept;
    if (!this.sheet.columns.length) this.sheet.columns = [unitColumn, ...columns.map((c) => ({ ...c, choices: undefined, required: false }))];
    byId("count-rows").textContent = t("共 {0} 个单位 {1} 行", reports.length, rows);
    byId("count-faults").textContent = "";
    byId("status").textContent = rows ? "" : t("各单位还没有提交内容");
    const turn = this.reports;
    this.sheet.setSource({ count: rows, load: (from, count, signal) => this.load(from, count, signal) });
    this.sheet.focus();
    void this.sheet.complete.then(() => turn === this.reports && this.mark());
  }

  /** Where a position lies: the report by number, and the row in it. */
  private find(position: number): [number, number] {
    let low = 0;
    for (let high = this.starts.length; high - low > 1; ) {
      const mid = (low + high) >> 1;
      if (this.starts[mid] <= position) low = mid;
      else high = mid;
    }
    return [low, position - this.starts[low]];
  }

  /** The rows from a position on that have come already, up to the first that has not. */
  private have(from: number, count: number): Row[] {
    const out: Row[] = [];
    let [i, n] = this.find(from);
    while (out.length < count && i < this.reports.length) {
      const { rows } = this.kept.get(this.reports[i].id) as Kept;
      for (; n < rows.length && out.length < count; n++) {
        const row = rows[n];
        if (!row) return out;
        out.push(row);
      }
      i++;
      n = 0;
    }
    return out;
  }

  private async load(from: number, count: number, signal: AbortSignal): Promise<Row[]> {
    const here = this.have(from, count);
    if (here.length) return here;
    const turn = this.reports;
    const [i, n] = this.find(from);
    const { parts } = await getWindow<{ parts: Part[] }>(`${this.url}/rows?${this.query}report=${turn[i].id}&from=${n}&count=${count}`, signal);
    if (turn !== this.reports) throw new Error("started anew");
    let moved = !parts.length;
    for (const p of parts) moved = !this.keep(p) || moved;
    if (!moved) return this.have(from, count);
    // Somebody saved, so the places have moved; what has come of the others stays.
    setTimeout(() => void this.start(), 300);
    throw new Error("moved");
  }

  /** Keeps a part; false when it is of another version than the head told. */
  private keep(p: Part): boolean {
    const kept = this.kept.get(p.id);
    if (!kept || kept.version !== p.version) return false;
    p.list.forEach((r, i) => {
      const id = p.id + "." + r.id;
      if (!kept.rows[p.from + i] && r.faults) {
        kept.faults.push({ row: id, key: "", severity: "error", code: "faults", message: t("这一行有 {0} 处错误，请打开所在单位的表查看", r.faults) });
      }
      kept.rows[p.from + i] = { id, values: [p.owner, ...r.values] };
    });
    return p.list.length > 0;
  }

  /** Marks the rows that have errors by themselves, so that F8 goes from one to the next. */
  private mark(): void {
    const all: Fault[] = [];
    this.kept.forEach((k) => k.faults.forEach((f) => all.push(f)));
    this.sheet.setFaults(all);
    byId("count-faults").textContent = all.length ? t("{0} 行有错误", all.length) : "";
  }
}

defineSheet(columnMenu);
const sheet = document.querySelector("tb-sheet[data-campaign]") as TbSheet | null;
if (sheet) void new AcrossPage(sheet).start();
