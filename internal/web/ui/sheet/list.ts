import { el } from "./text";

/** What one line of a list shows; `off` lines say something and cannot be chosen. */
export interface Entry {
  parts: (Node | string)[];
  off?: boolean;
}

/**
 * A list at a cell or at the pointer: choices, suggestions, commands. It never has the
 * focus: keys reach it from the text area, which names the marked line to screen
 * readers, so that an input method is never disturbed.
 */
export class List {
  readonly el: HTMLElement;
  /** The marked line, or -1. */
  at = -1;
  private entries: Entry[] = [];

  constructor(
    private input: HTMLTextAreaElement,
    private role: "listbox" | "menu",
    label: string,
    choose: (at: number) => void,
  ) {
    const id = `${input.getAttribute("aria-describedby")}-${label}`;
    this.el = el("div", { class: "tbs-drop", id, role, "aria-label": label, hidden: "" });
    // The list must not take the focus from the text area.
    this.el.addEventListener("mousedown", (e) => {
      e.preventDefault();
      const line = e.target instanceof Element && e.target.closest("[data-at]");
      if (line) choose(Number(line.getAttribute("data-at")));
    });
  }

  get open(): boolean {
    return !this.el.hidden;
  }

  hide(): void {
    if (!this.open) return;
    this.el.hidden = true;
    for (const a of ["aria-controls", "aria-activedescendant"]) this.input.removeAttribute(a);
  }

  /** Marks the next line (1) or the one before (-1). */
  move(by: number): void {
    const n = this.entries.length;
    let to = this.at < 0 ? (by > 0 ? 0 : n - 1) : this.at + by;
    while (this.entries[to] && this.entries[to].off) to += by;
    if (this.entries[to]) this.mark(to);
  }

  protected mark(at: number): void {
    this.at = at;
    this.input.removeAttribute("aria-activedescendant");
    Array.from(this.el.children).forEach((line, i) => {
      line.classList.toggle("tbs-here", i === at);
      if (this.role === "listbox") line.setAttribute("aria-selected", String(i === at));
      if (i !== at) return;
      this.input.setAttribute("aria-activedescendant", line.id);
      line.scrollIntoView({ block: "nearest" });
    });
  }

  protected draw(entries: Entry[], at: number): void {
    const role = this.role === "menu" ? "menuitem" : "option";
    this.entries = entries;
    this.el.textContent = "";
    this.el.hidden = false;
    const root = this.input.closest("tb-sheet");
    if (root && !this.el.parentNode) root.append(this.el);
    entries.forEach((entry, i) => {
      const id = `${this.el.id}-${i + 1}`;
      this.el.append(
        entry.off
          ? el("div", { class: "tbs-option-none", role, id, "aria-disabled": "true" }, ...entry.parts)
          : el("div", { class: "tbs-option", role, id, "data-at": String(i) }, ...entry.parts),
      );
    });
    this.mark(at);
    this.input.setAttribute("aria-controls", this.el.id);
  }

  /** Puts the drawn list under a rectangle of the root element, or above it. */
  protected put(rect: { x: number; y: number; w: number; h: number }): void {
    const { style, offsetHeight: tall, offsetWidth: wide, offsetParent: root } = this.el;
    const right = root ? root.clientWidth : wide;
    const below = rect.y + rect.h + tall <= (root ? root.clientHeight : 0) || rect.y < tall;
    style.left = Math.max(0, Math.min(rect.x, right - wide)) + "px";
    style.minWidth = rect.w + "px";
    style.top = (below ? rect.y + rect.h : rect.y - tall) + "px";
  }
}
