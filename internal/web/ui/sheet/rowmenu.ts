import { Grid } from "./grid";
import { List } from "./list";
import { el } from "./text";
import { MenuLines } from "./types";
import { t } from "./words";

interface Command {
  text: string;
  key?: string;
  /** Missing for a line that only says something. */
  run?: () => void;
}

/**
 * The menu of the rows and cells that are selected: by the right mouse button, the menu
 * key or Shift+F10. The text area keeps the focus; a key that is none of the menu's
 * closes it and does what it always does.
 */
export class RowMenu extends List {
  private commands: Command[] = [];

  constructor(
    input: HTMLTextAreaElement,
    private grid: Grid,
    private extra: MenuLines,
  ) {
    super(input, "menu", t("行菜单"), (at) => this.run(at));
    // Without a selected text the browser asks first whether there is something to copy.
    for (const type of ["beforecopy", "beforecut"]) input.addEventListener(type, (e) => e.preventDefault());
  }

  show(rect: { x: number; y: number; w: number; h: number }): void {
    this.grid.view.tip.hidden = true;
    this.commands = this.make();
    const parts = (c: Command) => [el("span", {}, c.text), el("span", { class: "tbs-option-note" }, c.key || "")];
    this.draw(this.commands.map((c) => ({ parts: parts(c), off: !c.run })), -1);
    this.put(rect);
    this.move(1);
  }

  /** Takes a key while the menu is open; false: the key is not the menu's. */
  key(e: KeyboardEvent): boolean {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (by) this.move(by);
    else if (e.key === "Enter" || e.key === " ") this.run(this.at);
    else {
      if (/^(Shift|Control|Alt|Meta)$/.test(e.key)) return true;
      this.hide();
      return e.key === "Escape" || e.key === "Tab";
    }
    return true;
  }

  private run(at: number): void {
    const { run } = this.commands[at];
    this.hide();
    if (run) run();
  }

  private make(): Command[] {
    const { grid } = this;
    const { top, bottom } = grid.rect;
    const n = bottom - top + 1;
    const col = grid.model.columns[grid.sel.c];
    const all = grid.model.lines;
    const row = grid.line.id;
    const copy = { text: t("复制"), key: "Ctrl+C", run: () => void document.execCommand("copy") };
    const fault = grid.faults.at(grid.line, grid.sel.c) || grid.faults.at(grid.line, -1);
    const extra = this.extra(row, col.key, fault && fault.severity).map((x) => ({ text: x.text, run: () => grid.emit("tb-row-menu", { id: x.id, row, key: col.key }) }));
    if (grid.locked) return [copy, ...extra];
    return [
      { text: t("在上方插入行"), run: () => void grid.insertRows(all.indexOf(grid.lines[top]), n) },
      { text: t("在下方插入行"), key: "Ctrl+=", run: () => void grid.insertRow() },
      { text: t("删除 {0} 行", n), key: "Ctrl+-", run: () => grid.deleteSelected() },
      { text: t("剪切"), key: "Ctrl+X", run: () => void document.execCommand("cut") },
      copy,
      { text: t("粘贴请按"), key: "Ctrl+V" },
      { text: t("清除内容"), key: "Delete", run: () => grid.clear() },
      { text: t("向下填充"), key: "Ctrl+D", run: () => grid.fill(true) },
      ...extra,
    ];
  }
}
