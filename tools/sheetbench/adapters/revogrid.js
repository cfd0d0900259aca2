import { defineCustomElement } from "@revolist/revogrid/standalone";
import { columns, frozen, middle, record, values } from "../form.js";

defineCustomElement();
export default {
  async mount(host, rows) {
    const grid = document.createElement("revo-grid");
    grid.range = true;
    grid.rowSize = 28;
    grid.columns = columns.map((c, i) => ({
      prop: c.key,
      name: c.title,
      size: c.width,
      readonly: !!c.readonly,
      pin: i < frozen ? "colPinStart" : undefined,
    }));
    grid.source = rows.map(record);
    host.append(grid);
    await customElements.whenDefined("revo-grid");
    for (let i = 0; i < 200 && !cell(grid, 0, frozen); i++) await new Promise((ok) => setTimeout(ok, 5));
    return {
      data: async () => (await grid.getSource()).map(values),
      cell: (r, c) => middle(cell(grid, r, c)),
      destroy: () => grid.remove(),
    };
  },
};

function cell(grid, r, c) {
  const part = c < frozen ? "colPinStart" : "rgCol";
  const col = c < frozen ? c : c - frozen;
  return grid.querySelector(`revogr-data[type="rgRow"][col-type="${part}"] [data-rgRow="${r}"][data-rgCol="${col}"], revogr-viewport-scroll.${part} revogr-data [data-rgRow="${r}"][data-rgCol="${col}"]`);
}
