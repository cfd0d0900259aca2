// Paper: the whole form, also the rows that are out of sight.
import { TbSheet } from "../../sheet/element";
import { shownText } from "../../sheet/format";
import { t } from "../../sheet/words";
import { el } from "./dom";

const tr = (tag: string, texts: string[]) => el("tr", "", ...texts.map((t) => el(tag, "", t)));

/** The form as a table: letters and titles on every page, 序号, every row. */
function sheetOf(sheet: TbSheet, missing: number): HTMLElement {
  const { columns } = sheet;
  const rows = sheet.rows().filter((r) => r.values.some((v) => v));
  const sum = columns.reduce((n, c) => n + c.width, 0);
  const widths = [0.05, ...columns.map((c) => (0.95 * c.width) / sum)].map((w) => {
    const col = el("col");
    col.style.width = w * 100 + "%";
    return col;
  });
  const text = (selector: string) => (document.querySelector(selector) || sheet).textContent || "";
  const notes = [
    t("填报单位：{0}", text(".form-meta > :first-child")),
    t("共 {0} 行", rows.length) + (sheet.dirty ? t("（有改动尚未提交）") : "") + (missing ? t("（另有 {0} 行还没有读完，请读完后再打印）", missing) : ""),
    t("打印人：{0}　打印时间：{1}", text(".topbar-name"), new Date().toLocaleString("zh-CN", { timeZone: "Asia/Shanghai" })),
  ];
  const head = el("thead", "", tr("th", ["", ...columns.map((c) => c.letter)]), tr("th", [t("序号"), ...columns.map((c) => c.title)]));
  const body = el("tbody", "", ...rows.map((r, i) => tr("td", [String(i + 1), ...columns.map((c, at) => shownText(c, r.values[at]))])));
  return el("section", "", el("h1", "", text("h1")), el("p", "", ...notes.map((n) => el("span", "", n))), el("table", "", el("colgroup", "", ...widths), head, body));
}

/**
 * Makes the browser print the form instead of the page around it; while a card of keys
 * is open, the card. What was made for the paper is gone afterwards.
 */
export function printing(sheet: TbSheet): void {
  let out: Element | null = null;
  let missing = 0;
  sheet.addEventListener("tb-progress", (e) => {
    const { loaded, count } = (e as CustomEvent<{ loaded: number; count: number }>).detail;
    missing = count - loaded;
  });
  addEventListener("beforeprint", () => {
    out = document.querySelector("dialog.keys[open]") || document.body.appendChild(sheetOf(sheet, missing));
    out.classList.add("paper");
    document.documentElement.classList.add("on-paper");
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("on-paper");
    if (!out) return;
    out.classList.remove("paper");
    if (out.tagName === "SECTION") out.remove();
  });
}
