import "tabulator-tables/dist/css/tabulator.css";
import { TabulatorFull } from "tabulator-tables";
import { columns, frozen, middle, record, values } from "../form.js";

export default {
  mount(host, rows) {
    const table = new TabulatorFull(host, {
      data: rows.map(record),
      height: host.clientHeight,
      // Without it the first frozen column is taken for the numbers of the rows.
      rowHeader: { formatter: "rownum", frozen: true, width: 40, editor: false, headerSort: false, resizable: false },
      columns: columns.map((c, i) => ({
        title: c.title,
        field: c.key,
        width: c.width,
        frozen: i < frozen,
        headerSort: false,
        editor: c.readonly ? undefined : c.choices ? "list" : "input",
        editorParams: c.choices ? { values: c.choices } : undefined,
      })),
      selectableRange: 1,
      selectableRangeColumns: true,
      selectableRangeRows: true,
      selectableRangeClearCells: true,
      editTriggerEvent: "dblclick",
      history: true,
      clipboard: true,
      clipboardCopyStyled: false,
      clipboardCopyConfig: { rowHeaders: false, columnHeaders: false },
      clipboardCopyRowRange: "range",
      clipboardPasteParser: "range",
      clipboardPasteAction: "range",
    });
    return new Promise((ok) =>
      table.on("tableBuilt", () =>
        ok({
          data: () => table.getData().map(values),
          cell: (r, c) => middle(table.getRowFromPosition(r + 1).getCell(columns[c].key).getElement()),
          destroy: () => table.destroy(),
        }),
      ),
    );
  },
};
