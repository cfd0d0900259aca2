import { Dropdown } from "./dropdown";
import { Grid } from "./grid";
import { arrows, blockEdge, moveKey } from "./moves";
import type { Menu } from "./menu";
import type { Picker } from "./picker";
import type { RowMenu } from "./rowmenu";
import { narrow, oneLine } from "./text";
import { copyTo, pasteFrom } from "./transfer";
import { Suggestion, isList } from "./types";
import { t } from "./words";

/**
 * Keys, composition and clipboard. One text area has the focus all the time and
 * lies over the active cell; no key ever focuses, blurs or replaces it, so an input
 * method finds an open field under its first letter and its candidate window in
 * the right place.
 *
 *   idle   the text area is empty and unseen; keys move and command
 *   enter  something was typed: it replaces the cell; arrows commit and move
 *   edit   F2 or double click: the cell's own text; arrows move the caret
 */
export class Input {
  mode: "idle" | "enter" | "edit" = "idle";
  composing = false;
  readonly drop: Dropdown;
  /** Suggestions, when they are there. */
  picker: Picker | null = null;
  /** The row menu, when it is there. */
  rows: RowMenu | null = null;
  /** The panel of a column, when it is there. */
  menu: Menu | null = null;
  private area: HTMLTextAreaElement;
  /** The column a run of Tabs began in, or -1. */
  private tabFrom = -1;
  /** Esc was pressed: the next Tab leaves the sheet. */
  private leaving = false;

  constructor(
    readonly root: HTMLElement,
    private grid: Grid,
    private openFind: () => void,
  ) {
    const area = (this.area = grid.view.input);
    this.drop = new Dropdown(area, (value) => {
      area.value = value;
      this.drop.hide();
      this.commit();
    });
    area.addEventListener("keydown", (e) => this.keydown(e));
    area.addEventListener("compositionstart", () => {
      this.composing = true;
      this.picker?.stop();
      this.rows?.hide();
      if (this.mode === "idle") this.begin("enter");
    });
    area.addEventListener("compositionend", () => {
      this.composing = false;
      this.typed();
    });
    area.addEventListener("input", () => {
      if (this.mode === "idle" && area.value !== "") this.begin("enter");
      if (this.composing) grid.view.stretch();
      else this.typed();
    });
    area.addEventListener("focus", () => {
      grid.engaged = true;
      root.classList.add("tbs-focus");
    });
    area.addEventListener("blur", () => {
      this.composing = false;
      this.rows?.hide();
      // Another window in front is not the end of an edit.
      if (!document.hasFocus()) return;
      this.commit();
      this.leaving = false;
      root.classList.remove("tbs-focus");
      grid.view.tip.hidden = true;
    });
    // While a cell is edited the clipboard is the text area's own.
    const idle = (fn: (data: DataTransfer) => void) => (e: ClipboardEvent) => {
      if (this.mode !== "idle" || !e.clipboardData) return;
      e.preventDefault();
      fn(e.clipboardData);
    };
    area.addEventListener("copy", idle((data) => copyTo(data, grid, false)));
    area.addEventListener("cut", idle((data) => copyTo(data, grid, true)));
    area.addEventListener("paste", idle((data) => pasteFrom(data, grid)));
  }

  focus(): void {
    this.area.focus({ preventScroll: true });
  }

  /** The cell that is being typed in, and what stands in it so far. */
  get typing(): { row: string; key: string; text: string } | null {
    const { line, model, sel } = this.grid;
    return this.mode === "idle" ? null : { row: line.id, key: model.columns[sel.c].key, text: this.area.value };
  }

  /** Opens the editor; `text` is what it holds at first. */
  begin(mode: "enter" | "edit", text?: string): void {
    const { grid, area } = this;
    if (grid.isReadonly(grid.sel.c) || grid.away(grid.sel.r, grid.sel.r)) return;
    this.mode = mode;
    this.leaving = false;
    grid.view.tip.hidden = true;
    grid.view.reveal(grid.sel.r, grid.sel.c);
    this.root.classList.add("tbs-editing");
    if (text !== undefined) {
      area.value = text;
      area.setSelectionRange(text.length, text.length);
    }
    grid.view.stretch();
    if (grid.model.columns[grid.sel.c].choices) this.openDrop();
  }

  /** Opens a drop-down cell by key or click; otherwise edits the cell's text. */
  edit(list = false): void {
    this.begin("edit", this.grid.value);
    if (list) this.suggest(false);
    // Typing replaces the choice as a whole.
    if (this.drop.open || list) this.area.select();
  }

  /** Asks the column what it suggests for the text so far. */
  private suggest(wait: boolean): void {
    const { view, sel, model } = this.grid;
    const { suggest } = model.columns[sel.c];
    const place = () => (this.mode === "idle" || this.composing ? null : view.cellRect(sel.r, sel.c));
    if (suggest && this.mode !== "idle") this.picker?.ask(suggest, this.area.value, wait, place);
  }

  private openDrop(): void {
    const { grid } = this;
    const { view, sel } = grid;
    this.drop.show(grid.model.columns[sel.c].choices || [], grid.value, view.cellRect(sel.r, sel.c));
  }

  /** After every change of the text that is not the middle of a composition. */
  private typed(): void {
    if (this.mode === "idle") return;
    const { area, grid } = this;
    const col = grid.model.columns[grid.sel.c];
    const text = oneLine(col.narrow ? narrow(area.value) : area.value);
    if (text !== area.value) {
      const caret = area.selectionEnd;
      area.value = text;
      area.setSelectionRange(caret, caret);
    }
    if (this.drop.open) this.drop.filter(text);
    this.suggest(true);
    grid.view.stretch();
  }

  private close(): void {
    this.mode = "idle";
    this.drop.hide();
    this.picker?.stop();
    this.area.value = "";
    this.root.classList.remove("tbs-editing");
    this.grid.view.place();
  }

  /** Writes what is in the editor, if it is open. */
  commit(all = false): void {
    if (this.mode === "idle") return;
    if (this.composing) {
      // A click on another cell: the input method hands over its text on blur, and
      // the blur handler comes back here with it.
      this.area.blur();
      this.focus();
      return;
    }
    const text = this.drop.value(this.area.value);
    const chosen = this.picker?.chosen();
    this.close();
    if (chosen) this.picker?.take(chosen, all);
    else this.grid.write(text, t("输入"), all);
  }

  /** A suggestion was clicked. */
  choose(chosen: Suggestion): void {
    this.close();
    this.picker?.take(chosen, false);
  }

  cancel(): void {
    this.close();
    this.grid.emit("tb-cancel", {});
    this.grid.announce(t("已取消"));
  }

  private keydown(e: KeyboardEvent): void {
    // Keys of a composition belong to the input method. 229: it may begin with this key.
    if (e.isComposing || e.keyCode === 229) {
      if (this.mode === "idle") this.grid.view.reveal(this.grid.sel.r, this.grid.sel.c);
      return;
    }
    if (this.rows?.open && this.rows.key(e)) return e.preventDefault();
    const ctrl = e.ctrlKey || e.metaKey;
    const done = ctrl && !e.altKey ? this.control(e) : this.mode === "idle" ? this.idleKey(e) : this.editKey(e);
    if (done) e.preventDefault();
  }

  /** Keys with Ctrl, in every mode. */
  private control(e: KeyboardEvent): boolean {
    const { grid } = this;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    switch (key) {
      case "s":
        this.commit();
        grid.emit("tb-submit", {});
        return true;
      case "/":
        return this.card();
      case "f":
        this.commit();
        this.openFind();
        return true;
      case "l":
        if (!e.shiftKey) return false;
        this.commit();
        this.menu?.open(grid.sel.c);
        return true;
      case "m":
        this.commit();
        grid.emit("tb-explain", { row: grid.line.id, key: grid.model.columns[grid.sel.c].key });
        return true;
      case "Enter":
        if (this.mode === "idle") grid.write(grid.value, t("填充"), true);
        else this.commit(true);
        return true;
    }
    if (this.mode === "edit" || (this.mode === "enter" && "zyax".includes(key))) return false;
    const { r, c } = grid.sel;
    switch (key) {
      case "z":
        if (e.shiftKey) grid.redo();
        else grid.undo();
        return true;
      case "y":
        grid.redo();
        return true;
      case "a":
        grid.range(0, 0, grid.lines.length - 1, grid.model.columns.length - 1);
        return true;
      case "d":
      case "r":
        this.commit();
        grid.fill(key === "d");
        return true;
      case "=":
      case "+":
        this.commit();
        grid.insertRow();
        return true;
      case "-":
      case "_":
        this.commit();
        grid.deleteSelected();
        return true;
      case "Home":
        return this.go(0, 0, e.shiftKey);
      case "End":
        return this.go(grid.lines.length - 1, grid.model.columns.length - 1, e.shiftKey);
      case "ArrowUp":
      case "ArrowDown":
      case "ArrowLeft":
      case "ArrowRight": {
        const at = e.shiftKey ? { r: grid.sel.r2, c: grid.sel.c2 } : { r, c };
        const [dr, dc] = arrows[key];
        const to = blockEdge(grid.lines, grid.model.columns.length, at.r, at.c, dr, dc);
        return this.go(to.r, to.c, e.shiftKey);
      }
    }
    return false;
  }

  /** Tells the page to show the card of keys. */
  private card(): true {
    this.commit();
    this.grid.emit("tb-keys", {});
    return true;
  }

  /** Opens the row menu at the active cell. */
  openRows(): void {
    this.rows?.show(this.grid.view.cellRect(this.grid.sel.r, this.grid.sel.c));
  }

  private idleKey(e: KeyboardEvent): boolean {
    const { grid } = this;
    const { sel } = grid;
    const shift = e.shiftKey;
    const from = shift ? { r: sel.r2, c: sel.c2 } : sel;
    const leaving = this.leaving;
    if (e.key !== "Shift") this.leaving = false;
    const to = moveKey(e.key, from.r, from.c, grid.model.columns.length, grid.view.page());
    if (to && !e.altKey) return this.go(to.r, to.c, shift);
    if (shift && e.altKey && (e.key === "ArrowLeft" || e.key === "ArrowRight")) {
      grid.sizes.by(sel.c, e.key === "ArrowLeft" ? -1 : 1);
      return true;
    }
    switch (e.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (isList(grid.model.columns[sel.c])) this.edit(true);
        return true;
      case "Tab":
        return !leaving && this.tab(shift ? -1 : 1);
      case "Enter":
        return this.enter(shift ? -1 : 1);
      case "F2":
        this.edit();
        return true;
      case "F8":
        grid.nextFault(shift ? -1 : 1);
        return true;
      case "F1":
        return this.card();
      case "F10":
      case "ContextMenu":
        if (e.key === "F10" && !shift) return false;
        this.openRows();
        return true;
      case "Delete":
      case "Backspace":
        grid.clear();
        return true;
      case "Escape":
        this.leaving = true;
        grid.view.tip.hidden = true;
        grid.announce(t("按 Tab 键离开表格，按其他键继续填写"));
        return true;
    }
    return false;
  }

  private editKey(e: KeyboardEvent): boolean {
    const { grid, drop, picker } = this;
    const { sel } = grid;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const list = drop.open ? drop : picker?.open ? picker : null;
      if (list) list.move(arrows[e.key][0]);
      else if (e.altKey) this.suggest(false);
      if (list || e.altKey) return true;
    }
    switch (e.key) {
      case "Escape":
        if (picker?.open) picker.stop();
        else this.cancel();
        return true;
      case "Enter":
        if (e.altKey) {
          this.area.setRangeText(" ", this.area.selectionStart, this.area.selectionEnd, "end");
          return true;
        }
        this.commit();
        return this.enter(e.shiftKey ? -1 : 1);
      case "Tab":
        this.commit();
        return this.tab(e.shiftKey ? -1 : 1);
      case "F2":
        this.mode = this.mode === "enter" ? "edit" : "enter";
        return true;
      case "F1":
        return this.card();
      case "F8":
        this.commit();
        grid.nextFault(e.shiftKey ? -1 : 1);
        return true;
    }
    if (this.mode === "edit" || e.altKey) return false;
    const to = moveKey(e.key, sel.r, sel.c, grid.model.columns.length, grid.view.page());
    return !!to && this.go(to.r, to.c, e.shiftKey);
  }

  private go(r: number, c: number, extend: boolean): true {
    this.commit();
    this.tabFrom = -1;
    this.grid.choose(r, c, extend);
    return true;
  }

  /** Tab goes on to the next row at the end of a row, and stays at the sheet's ends. */
  private tab(dir: 1 | -1): true {
    const { sel, model, lines } = this.grid;
    const last = model.columns.length - 1;
    if (this.tabFrom < 0) this.tabFrom = sel.c;
    let { r, c } = sel;
    c += dir;
    if (c > last && r < lines.length - 1) {
      r++;
      c = 0;
    } else if (c < 0 && r > 0) {
      r--;
      c = last;
    }
    this.grid.choose(r, c);
    return true;
  }

  /** After a run of Tabs Enter returns to the column in which the run began. */
  private enter(dir: 1 | -1): true {
    const { sel } = this.grid;
    const c = this.tabFrom >= 0 ? this.tabFrom : sel.c;
    this.tabFrom = -1;
    this.grid.choose(sel.r + dir, c);
    return true;
  }

  /** The mouse has chosen a cell. */
  pointed(): void {
    this.rows?.hide();
    this.tabFrom = -1;
    this.leaving = false;
  }
}
