import "slickgrid/dist/styles/css/slick.grid.css";
import "slickgrid/dist/styles/css/slick-default-theme.css";
import Sortable from "sortablejs";
import { Editors, SlickCellExternalCopyManager, SlickCellSelectionModel, SlickGrid } from "slickgrid";
import { columns, frozen, middle, record, values } from "../form.js";

window.Sortable = Sortable;

export function slick(autoEdit) {
  return {
    mount(host, rows) {
      const data = rows.map(record);
      const cols = columns.map((c) => ({ id: c.key, field: c.key, name: c.title, width: c.width, editor: c.readonly ? null : Editors.Text }));
      const grid = new SlickGrid(host, data, cols, {
        editable: true,
        autoEdit,
        asyncEditorLoading: false,
        enableCellNavigation: true,
        enableColumnReorder: false,
        frozenColumn: frozen - 1,
        rowHeight: 28,
      });
      grid.setSelectionModel(new SlickCellSelectionModel());
      grid.registerPlugin(
        new SlickCellExternalCopyManager({
          // Without this a paste writes into columns that have no editor.
          dataItemColumnValueSetter(item, column, value) {
            if (column.editor) item[column.field] = value;
          },
          newRowCreator(n) {
            while (n--) data.push(record(columns.map(() => "")));
            grid.updateRowCount();
          },
        }),
      );
      return {
        data: () => data.map(values),
        cell: (r, c) => middle(grid.getCellNode(r, c)),
        destroy: () => grid.destroy(true),
      };
    },
  };
}
export default slick(false);
