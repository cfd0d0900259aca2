import type { Part, TbSheet } from "./element";
import { Handle } from "./handle";
import { columnMenu } from "./menu";
import { Picker } from "./picker";
import { RowMenu } from "./rowmenu";

/**
 * Suggestions, the fill handle, the row menu and the panel of a column. They are a part of their own, because a
 * page may want to be ready for typing before it brings them.
 */
export const extras: Part = (grid, input, mouse) => {
  const { view } = grid;
  const { root } = input;
  columnMenu(grid, input, mouse);
  const menu = new RowMenu(view.input, grid, (...at) => (root as TbSheet).rowMenu(...at));
  input.picker = new Picker(view.input, grid, (chosen) => input.choose(chosen));
  input.rows = menu;
  mouse.handle = new Handle(grid);
  view.scroll.addEventListener("contextmenu", (e) => {
    // Over a text that is edited the browser's own; from the keyboard at the active cell.
    if (e.target === view.input) {
      if (input.mode !== "idle") return;
      e.preventDefault();
      return input.openRows();
    }
    const { r, c, part } = view.hit(e.target, e.clientX);
    if (part !== "cell" && part !== "arrow" && part !== "num") return;
    e.preventDefault();
    input.commit();
    input.focus();
    const { top, left, bottom, right } = grid.rect;
    if (r < top || r > bottom || (part !== "num" && (c < left || c > right))) {
      if (part === "num") grid.range(r, 0, r, grid.model.columns.length - 1);
      else grid.choose(r, c);
    }
    const box = root.getBoundingClientRect();
    menu.show({ x: e.clientX - box.left, y: e.clientY - box.top, w: 0, h: 0 });
  });
};
