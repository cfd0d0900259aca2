import "../../../internal/web/ui/sheet/sheet.css";
import { defineSheet } from "../../../internal/web/ui/sheet/element";
import { columnMenu } from "../../../internal/web/ui/sheet/menu";
import { columns, frozen, middle } from "../form.js";

defineSheet(columnMenu);
export default {
  mount(host, rows) {
    const sheet = document.createElement("tb-sheet");
    sheet.className = "sheet";
    host.append(sheet);
    sheet.columns = columns.map((c, i) => ({ ...c, letter: c.key.toUpperCase(), frozen: i < frozen }));
    sheet.setRows(rows.map((values, i) => ({ id: "r" + i, values })));
    return {
      data: () => sheet.rows().map((r) => r.values),
      cell: (r, c) => middle(sheet.querySelector(`.tbs-row[aria-rowindex="${r + 3}"]:not([hidden]) [data-c="${c}"]`)),
      destroy: () => sheet.remove(),
    };
  },
};
