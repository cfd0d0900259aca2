// What the form page adds to the row menu: the faults of a cell, and the row's history.
import { MenuItem, TbSheet } from "../../sheet/element";
import { t } from "../../sheet/words";
import { byId } from "./dom";

export function rowMenu(sheet: TbSheet): void {
  sheet.rowMenu = (row, _key, fault) => {
    const items: MenuItem[] = [];
    if (fault) items.push({ id: "fault", text: t("查看问题") });
    if (fault === "justify") items.push({ id: "reason", text: t("填写情况说明") });
    // A row that was never saved has no history.
    if (/^\d+$/.test(row)) items.push({ id: "history", text: t("这一行的历史") });
    return items;
  };
  sheet.addEventListener("tb-row-menu", (e) => {
    const { id, row, key } = (e as CustomEvent<{ id: string; row: string; key: string }>).detail;
    if (id === "history") window.open(`/reports/${sheet.dataset.report}/history?row=${row}`, "_blank", "noopener");
    else if (id === "reason") sheet.dispatchEvent(new CustomEvent("tb-explain", { detail: { row, key } }));
    else byId("check").click();
  });
}
