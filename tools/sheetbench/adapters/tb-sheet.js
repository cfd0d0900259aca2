import "../../../internal/web/ui/css/site.css";
import { defineSheet } from "../../../internal/web/ui/sheet/element";
import { columns } from "../form.js";

defineSheet();
export default {
  mount(host, rows) {
    const sheet = document.createElement("tb-sheet");
    sheet.className = "sheet";
    host.append(sheet);
    sheet.columns = columns.map((c) => ({ ...c, letter: c.key.toUpperCase() }));
    sheet.setRows(rows.map((values, i) => ({ id: "r" + i, values })));
    return {
      data: () => sheet.rows().map((r) => r.values),
      cell: (r, c) => middleOf(sheet, r, c),
      destroy: () => sheet.remove(),
    };
  },
};

function middleOf(sheet, r, c) {
  const el = sheet.querySelector(`.tbs-row[aria-rowindex="${r + 3}"]:not([hidden]) [data-c="${c}"]`);
  const b = el.getBoundingClientRect();
  return [b.x + b.width / 2, b.y + b.height / 2];
}
