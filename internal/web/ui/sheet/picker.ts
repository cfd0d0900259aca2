import { Grid } from "./grid";
import { List } from "./list";
import { el } from "./text";
import { Suggestion } from "./types";
import { t } from "./words";

/** How long typing must rest before it is looked for. */
const rest = 150;

type Place = { x: number; y: number; w: number; h: number };

/**
 * The list under a cell whose column suggests, such as units of a register. It is an
 * offer and no more: nothing is marked before an arrow key marks it, so what was typed
 * is what is kept, however fast the answer comes; and the answer to a text that has
 * changed meanwhile is dropped.
 */
export class Picker extends List {
  private found: Suggestion[] = [];
  private turn = 0;
  private timer = 0;

  constructor(
    input: HTMLTextAreaElement,
    private grid: Grid,
    pick: (chosen: Suggestion) => void,
  ) {
    super(input, "listbox", t("建议"), (at) => pick(this.found[at]));
  }

  /** Looks for a text; `place` tells where the answer is to be shown, null: no more. */
  ask(suggest: (text: string) => Promise<Suggestion[]>, text: string, wait: boolean, place: () => Place | null): void {
    window.clearTimeout(this.timer);
    const turn = ++this.turn;
    const look = async () => {
      const found = await suggest(text.trim()).catch((): Suggestion[] => []);
      const at = turn === this.turn ? place() : null;
      if (at) this.show(found, at);
    };
    this.timer = window.setTimeout(() => void look(), wait ? rest : 0);
  }

  private show(found: Suggestion[], at: Place): void {
    this.found = found;
    if (!found.length) return this.hide();
    this.draw(found.map((s) => ({ parts: [el("span", {}, s.text), el("span", { class: "tbs-option-note" }, s.note || "")] })), -1);
    this.put(at);
    this.grid.announce(t("有 {0} 项可选，按向下键选择", found.length));
  }

  /** Closes the list; an answer that is under way comes too late. */
  stop(): void {
    this.turn++;
    window.clearTimeout(this.timer);
    this.hide();
  }

  /** The marked suggestion. */
  chosen(): Suggestion | null {
    return (this.open && this.found[this.at]) || null;
  }

  /** Fills the active row, or all selected rows, from a suggestion, as one undo step. */
  take(from: Suggestion, all: boolean): void {
    const { grid } = this;
    const { model, sel } = grid;
    const { top, bottom } = all ? grid.rect : { top: sel.r, bottom: sel.r };
    if (grid.away(top, bottom)) return;
    grid.step(t("选择") + from.text, () => {
      for (const line of grid.lines.slice(top, bottom + 1)) {
        const fill = (cells: Record<string, string>, over: boolean) => {
          for (const key of Object.keys(cells)) {
            const c = model.column(key);
            if (c >= 0 && !grid.isReadonly(c) && (over || !line.v[c])) grid.put(line, c, cells[key]);
          }
        };
        fill(from.cells, true);
        fill(from.blanks || {}, false);
      }
    });
  }
}
