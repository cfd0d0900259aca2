import canvasDatagrid from "canvas-datagrid";
import { columns, record, values } from "../form.js";

export default {
  mount(host, rows) {
    const grid = canvasDatagrid({
      parentNode: host,
      data: rows.map(record),
      schema: columns.map((c) => ({ name: c.key, title: c.title, width: c.width })),
      allowFreezingColumns: true,
    });
    grid.style.width = "100%";
    grid.style.height = "100%";
    // It has no read-only column, only this event.
    grid.addEventListener("beforebeginedit", (e) => {
      if (columns[e.cell.columnIndex].readonly) e.preventDefault();
    });
    return {
      data: () => grid.data.map(values),
      cell(r, c) {
        const cell = grid.getVisibleCellByIndex(c, r);
        const at = grid.getBoundingClientRect();
        return [at.x + cell.x + cell.width / 2, at.y + cell.y + cell.height / 2];
      },
      destroy: () => grid.dispose(),
    };
  },
};
