import { shownText } from "./format";
import { Model } from "./model";
import { Shown } from "./shown";
import { View } from "./view";
import { t } from "./words";

const least = 40;
const most = 800;
/** What a key press widens or narrows a column by. */
const step = 16;

/**
 * Widths that the clerk has given the columns, by mouse, menu or keys. Once one is
 * given the others keep the width they have, so that nothing moves away under the
 * mouse. They are remembered in this browser under the name that the page gives;
 * nothing but keys of columns and numbers is stored.
 */
export class Sizes {
  /** The name under which widths are remembered; "": not at all. */
  private name = "";
  private c = 0;
  /** The mouse's place minus the width of the column it drags. */
  private from = 0;
  private move = (e: MouseEvent) => {
    if (e.buttons & 1) this.set(this.c, e.clientX - this.from);
    else this.stop();
  };

  constructor(
    private view: View,
    private model: Model,
    private shown: Shown,
  ) {
    view.head.addEventListener("mousedown", (e) => {
      const c = (e.target as Element).getAttribute("data-grip");
      if (!c || e.button) return;
      e.preventDefault();
      e.stopPropagation();
      this.c = +c;
      this.from = e.clientX - view.widthOf(+c);
      document.addEventListener("mousemove", this.move);
      document.addEventListener("mouseup", this.stop);
    });
    view.head.addEventListener("dblclick", (e) => {
      const c = (e.target as Element).getAttribute("data-grip");
      if (c) this.fit(+c);
    });
  }

  /** Reads the widths remembered under a name; what is not a sensible number is passed over. */
  recall(name: string | null): void {
    this.name = name ? "tb-sheet " + name : "";
    this.view.sizes = {};
    try {
      const all = JSON.parse((name && localStorage.getItem(this.name)) || "{}") as Record<string, unknown>;
      for (const { key } of this.model.columns) {
        const w = all[key];
        if (typeof w === "number" && w >= least && w <= most) this.view.sizes[key] = w;
      }
    } catch {
      // Storage may be closed to the page: then widths last as long as the page.
    }
  }

  private use(sizes: Record<string, number>): void {
    const { view, name } = this;
    view.sizes = sizes;
    view.resize();
    view.live.textContent = t("列宽 {0} 像素", view.widthOf(this.c));
    try {
      if (name) localStorage.setItem(name, JSON.stringify(sizes));
    } catch {
      // As in recall.
    }
  }

  private set(c: number, px: number): void {
    const sizes: Record<string, number> = {};
    this.c = c;
    this.model.columns.forEach(({ key }, i) => (sizes[key] = i === c ? Math.round(Math.max(least, Math.min(most, px))) : this.view.widthOf(i)));
    this.use(sizes);
  }

  /** Widens (1) or narrows (-1) a column. */
  by(c: number, dir: 1 | -1): void {
    this.set(c, this.view.widthOf(c) + dir * step);
  }

  /** Gives a column the width of its longest text. */
  fit(c: number): void {
    const col = this.model.columns[c];
    const paper = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
    paper.font = getComputedStyle(this.view.scroll).font;
    // Measuring is slow: only the texts with the most bytes are measured.
    const rough = (s: string) => s.length + s.replace(/[\x00-\xff]/g, "").length;
    const texts = Array.from(new Set(this.shown.lines.map((l) => l.v[c]))).sort((a, b) => rough(b) - rough(a));
    const wide = texts.slice(0, 50).map((s) => paper.measureText(shownText(col, s)).width);
    this.set(c, Math.ceil(Math.max(...wide)) + (col.choices ? 32 : 19));
  }

  reset(): void {
    this.use({});
  }

  stop = (): void => {
    document.removeEventListener("mousemove", this.move);
    document.removeEventListener("mouseup", this.stop);
  };
}
