import "cheetah-grid/main.css";
import { ListGrid, columns as kinds } from "cheetah-grid";
import { columns, frozen, record, values } from "../form.js";

export default {
  mount(host, rows) {
    const data = rows.map(record);
    const grid = new ListGrid({
      parentElement: host,
      header: columns.map((c) => ({
        field: c.key,
        caption: c.title,
        width: c.width,
        action: c.readonly
          ? undefined
          : c.choices
            ? new kinds.action.InlineMenuEditor({ options: c.choices.map((v) => ({ value: v, label: v })) })
            : new kinds.action.InlineInputEditor(),
      })),
      records: data,
      frozenColCount: frozen,
      allowRangePaste: true,
      keyboardOptions: { moveCellOnTab: true, moveCellOnEnter: true, deleteCellValueOnDel: true, selectAllOnCtrlA: true },
    });
    return {
      data: () => data.map(values),
      cell(r, c) {
        const rect = grid.getCellRelativeRect(c, r + 1);
        const at = grid.getElement().getBoundingClientRect();
        return [at.x + rect.left + rect.width / 2, at.y + rect.top + rect.height / 2];
      },
      destroy: () => grid.dispose(),
    };
  },
};
