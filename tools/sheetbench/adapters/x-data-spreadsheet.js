import "x-data-spreadsheet/dist/xspreadsheet.css";
import "x-data-spreadsheet/dist/xspreadsheet.js";
import { columns } from "../form.js";

const rowHeight = 28;
const numberWidth = 60;
const headHeight = 25;
export default {
  mount(host, rows) {
    const sheet = window.x_spreadsheet(host, {
      mode: "edit",
      showToolbar: false,
      showBottomBar: false,
      row: { len: rows.length, height: rowHeight },
      col: { len: columns.length, width: 100, indexWidth: numberWidth, minWidth: 60 },
      view: { width: () => host.clientWidth, height: () => host.clientHeight },
    });
    const data = { len: rows.length };
    rows.forEach((r, i) => {
      data[i] = { cells: Object.fromEntries(r.map((text, c) => [c, columns[c].readonly ? { text, editable: false } : { text }])) };
    });
    sheet.loadData([{ name: "1", freeze: "C1", rows: data, cols: Object.fromEntries(columns.map((c, i) => [i, { width: c.width }])) }]);
    return {
      data() {
        const got = sheet.getData()[0].rows;
        const out = [];
        for (let r = 0; r < got.len; r++) out.push(columns.map((_, c) => got[r]?.cells?.[c]?.text ?? ""));
        return out;
      },
      cell(r, c) {
        const at = host.querySelector("canvas").getBoundingClientRect();
        const left = columns.slice(0, c).reduce((sum, col) => sum + col.width, numberWidth);
        return [at.x + left + columns[c].width / 2, at.y + headHeight + (r + 0.5) * rowHeight];
      },
      destroy() {},
    };
  },
};
