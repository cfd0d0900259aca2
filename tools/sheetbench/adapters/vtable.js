import { ListTable, register } from "@visactor/vtable";
import { InputEditor, ListEditor } from "@visactor/vtable-editors";
import { columns, frozen, record, values } from "../form.js";

register.editor("text", new InputEditor());
register.editor("list", new ListEditor({ values: columns.find((c) => c.choices).choices }));
export default {
  mount(host, rows) {
    const table = new ListTable({
      container: host,
      records: rows.map(record),
      columns: columns.map((c) => ({
        field: c.key,
        title: c.title,
        width: c.width,
        editor: c.readonly ? undefined : c.choices ? "list" : "text",
      })),
      frozenColCount: frozen,
      editCellTrigger: ["doubleclick", "keydown"],
      keyboardOptions: {
        copySelected: true,
        cutSelected: true,
        pasteValueToCell: true,
        selectAllOnCtrlA: true,
        moveEditCellOnArrowKeys: true,
        moveFocusCellOnTab: true,
        moveFocusCellOnEnter: true,
        moveSelectedCellOnArrowKeys: true,
      },
    });
    return {
      data: () => table.records.map(values),
      cell(r, c) {
        const rect = table.getCellRelativeRect(c, r + 1);
        const at = table.getElement().getBoundingClientRect();
        return [at.x + rect.left + rect.width / 2, at.y + rect.top + rect.height / 2];
      },
      destroy: () => table.release(),
    };
  },
};
