import "jsuites/dist/jsuites.css";
import "jspreadsheet-ce/dist/jspreadsheet.css";
import jspreadsheet from "jspreadsheet-ce";
import { columns, frozen, middle } from "../form.js";

export default {
  mount(host, rows) {
    const [sheet] = jspreadsheet(host, {
      worksheets: [
        {
          data: rows,
          columns: columns.map((c) => ({
            type: c.choices ? "dropdown" : "text",
            source: c.choices,
            title: c.title,
            width: c.width,
            readOnly: !!c.readonly,
            align: "left",
          })),
          freezeColumns: frozen,
          tableOverflow: true,
          tableWidth: host.clientWidth + "px",
          tableHeight: host.clientHeight + "px",
        },
      ],
    });
    return {
      data: () => sheet.getData(),
      cell: (r, c) => middle(host.querySelector(`td[data-x="${c}"][data-y="${r}"]`)),
      destroy: () => jspreadsheet.destroy(host, true),
    };
  },
};
