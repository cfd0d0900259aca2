import "w2ui/w2ui-2.0.css";
import { w2grid } from "w2ui";
import { columns, frozen, middle, record, values } from "../form.js";

export default {
  mount(host, rows) {
    const grid = new w2grid({
      name: "bench",
      selectType: "cell",
      recordHeight: 28,
      show: { footer: false, toolbar: false },
      columns: columns.map((c, i) => ({
        field: c.key,
        text: c.title,
        size: c.width + "px",
        frozen: i < frozen,
        editable: c.readonly ? false : c.choices ? { type: "combo", items: c.choices } : { type: "text" },
      })),
      records: rows.map((r, i) => ({ recid: i + 1, ...record(r) })),
    });
    grid.render(host);
    return {
      data: () => grid.records.map((r) => values({ ...r, ...(r.w2ui && r.w2ui.changes) })),
      cell: (r, c) => middle(host.querySelector(`tr[index="${r}"] td[col="${c}"]`)),
      destroy: () => grid.destroy(),
    };
  },
};
