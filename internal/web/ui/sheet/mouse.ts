import { Grid } from "./grid";
import type { Handle } from "./handle";
import { Input } from "./input";
import { rowHeight } from "./view";

/** Mouse and buttons: choosing, dragging, whole rows and columns, the row buttons. */
export class Mouse {
  private dragging: "cell" | "num" | "head" | "fill" | null = null;
  private timer = 0;
  private y = 0;
  private move = (e: MouseEvent) => this.drag(e);
  private up = () => this.stop(true);
  /** The fill handle, when it is there. */
  handle: Handle | null = null;

  constructor(
    private grid: Grid,
    private input: Input,
  ) {
    const { scroll } = grid.view;
    scroll.addEventListener("mousedown", (e) => this.down(e));
    scroll.addEventListener("dblclick", (e) => {
      if (this.handle?.hit(e)) this.handle.down();
      else if (e.target !== grid.view.input && grid.view.hit(e.target, e.clientX).part === "cell") input.edit();
    });
    scroll.addEventListener("mouseover", (e) => this.over(e));
    scroll.addEventListener("mouseleave", () => (grid.view.tip.hidden = true));
    scroll.addEventListener("click", (e) => this.click(e));
  }

  private down(e: MouseEvent): void {
    const { grid, input } = this;
    if (e.target === grid.view.input || e.button > 1) return;
    const hit = grid.view.hit(e.target, e.clientX);
    // Nothing in the sheet but the text area takes the focus (scroll bars stay usable).
    if (e.target !== grid.view.scroll) e.preventDefault();
    if (hit.part === "none" || e.button !== 0) return;
    const fill = this.handle?.hit(e);
    input.commit();
    input.pointed();
    input.focus();
    if (fill) {
      this.start("fill");
      return this.handle?.grab();
    }
    const lastRow = grid.lines.length - 1;
    const lastCol = grid.model.columns.length - 1;
    switch (hit.part) {
      case "corner":
        return grid.range(0, 0, lastRow, lastCol);
      case "head":
        this.start("head");
        return grid.range(0, e.shiftKey ? grid.sel.c : hit.c, lastRow, hit.c);
      case "num":
        this.start("num");
        return grid.range(e.shiftKey ? grid.sel.r : hit.r, 0, hit.r, lastCol);
      case "arrow":
        grid.choose(hit.r, hit.c);
        return input.edit(true);
      case "cell":
        this.start("cell");
        return grid.choose(hit.r, hit.c, e.shiftKey);
    }
  }

  private start(kind: "cell" | "num" | "head" | "fill"): void {
    this.stop();
    this.dragging = kind;
    document.addEventListener("mousemove", this.move);
    document.addEventListener("mouseup", this.up);
    // Beyond the upper or lower edge the sheet goes on scrolling while the mouse rests.
    this.timer = window.setInterval(() => this.beyond(), 40);
  }

  stop(fill = false): void {
    this.dragging = null;
    this.handle?.drop(fill);
    document.removeEventListener("mousemove", this.move);
    document.removeEventListener("mouseup", this.up);
    window.clearInterval(this.timer);
  }

  private drag(e: MouseEvent): void {
    const { grid } = this;
    if (!(e.buttons & 1)) return this.stop();
    this.y = e.clientY;
    const hit = grid.view.hit(e.target, e.clientX);
    if (hit.part === "none" || hit.part === "corner" || (hit.part === "head") !== (this.dragging === "head")) return;
    this.extend(hit.r, hit.c);
  }

  private extend(r: number, c: number): void {
    const { sel, model, lines } = this.grid;
    if (this.dragging === "fill") return this.handle?.drag(r, c);
    if (this.dragging === "num") c = model.columns.length - 1;
    if (this.dragging === "head") r = lines.length - 1;
    if (r !== sel.r2 || c !== sel.c2) {
      if (this.dragging === "head") this.grid.range(0, sel.c, r, c);
      else this.grid.choose(r, c, true);
    }
  }

  private beyond(): void {
    if (this.dragging === "head" || !this.y) return;
    const { scroll } = this.grid.view;
    const box = scroll.getBoundingClientRect();
    const rows = this.y < box.top ? -1 : this.y > box.bottom ? 1 : 0;
    if (!rows) return;
    const speed = Math.ceil(Math.abs(rows < 0 ? box.top - this.y : this.y - box.bottom) / rowHeight);
    this.extend(this.grid.sel.r2 + rows * speed, this.grid.sel.c2);
  }

  private over(e: MouseEvent): void {
    const { grid, input } = this;
    if (this.dragging || input.mode !== "idle") return;
    const hit = grid.view.hit(e.target, e.clientX);
    if (hit.part !== "cell" && hit.part !== "arrow" && hit.part !== "num") return;
    const fault = grid.faults.at(grid.lines[hit.r], hit.part === "num" ? -1 : hit.c);
    if (fault) grid.view.showTip(hit.r, hit.part === "num" ? 0 : hit.c, fault.text);
    else grid.view.tip.hidden = true;
  }

  private click(e: MouseEvent): void {
    const button = e.target instanceof Element ? e.target.closest("[data-do]") : null;
    if (!button) return;
    const { grid, input } = this;
    input.commit();
    if (button.getAttribute("data-do") === "insert") grid.insertRow();
    else {
      const line = grid.lines[grid.view.rowOf(button)];
      if (line) grid.deleteRows([line.id]);
    }
    input.pointed();
    input.focus();
  }
}
