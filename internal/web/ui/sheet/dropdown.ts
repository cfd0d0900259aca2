import { el, initials } from "./text";

/**
 * The list under a drop-down cell. It never has the focus: keys reach it from the
 * text area, whose text filters it by part of a word, by pinyin initials or by the
 * number of the choice. What matches nothing may still be kept.
 */
export class Dropdown {
  readonly el = el("div", { class: "tbs-drop", role: "listbox", "aria-label": "选项", hidden: "" });
  private choices: string[] = [];
  private shown: string[] = [];
  private at = -1;
  /** A choice was marked by a key or by matching typed text. */
  private meant = false;

  constructor(
    private input: HTMLTextAreaElement,
    private pick: (value: string) => void,
  ) {
    this.el.id = input.getAttribute("aria-describedby") + "-list";
    // The list must not take the focus from the text area.
    this.el.addEventListener("mousedown", (e) => {
      e.preventDefault();
      const option = e.target instanceof Element && e.target.closest("[data-at]");
      if (option) this.pick(this.shown[Number(option.getAttribute("data-at"))]);
    });
  }

  get open(): boolean {
    return !this.el.hidden;
  }

  /** Shows all choices, `current` marked. */
  show(choices: string[], current: string, rect: { x: number; y: number; w: number; h: number }, bottom: number): void {
    this.choices = choices;
    this.shown = choices;
    this.at = choices.indexOf(current);
    this.meant = false;
    this.el.hidden = false;
    this.draw();
    const tall = this.el.offsetHeight;
    const below = rect.y + rect.h + tall <= bottom || rect.y < tall;
    this.el.style.left = rect.x + "px";
    this.el.style.minWidth = rect.w + "px";
    this.el.style.top = (below ? rect.y + rect.h : rect.y - tall) + "px";
    this.input.setAttribute("aria-controls", this.el.id);
  }

  hide(): void {
    if (!this.open) return;
    this.el.hidden = true;
    for (const a of ["aria-controls", "aria-activedescendant"]) this.input.removeAttribute(a);
  }

  filter(text: string): void {
    const t = text.trim().toLowerCase();
    const match = (c: string, i: number) => c.toLowerCase().includes(t) || initials(c).startsWith(t) || String(i + 1) === t;
    this.shown = t ? this.choices.filter(match) : this.choices;
    this.meant = t !== "" && this.shown.length > 0;
    this.at = this.meant ? Math.max(0, this.shown.indexOf(text)) : -1;
    this.draw();
  }

  move(by: number): void {
    const n = this.shown.length;
    if (!n) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : n - 1) : Math.max(0, Math.min(n - 1, this.at + by));
    this.meant = true;
    this.draw();
  }

  /** The value to keep for the typed text. */
  value(text: string): string {
    return this.open && this.meant && this.at >= 0 ? this.shown[this.at] : text;
  }

  private draw(): void {
    this.el.textContent = "";
    this.shown.forEach((c, i) => {
      const n = this.choices.indexOf(c) + 1;
      const option = el("div", { class: "tbs-option", role: "option", id: `${this.el.id}-${n}`, "data-at": String(i) });
      option.setAttribute("aria-selected", String(i === this.at));
      option.append(el("span", { class: "tbs-option-no", "aria-hidden": "true" }, n < 10 ? String(n) : ""), c);
      this.el.append(option);
      if (i === this.at) {
        this.input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      }
    });
    if (this.at < 0) this.input.removeAttribute("aria-activedescendant");
    if (!this.shown.length) this.el.append(el("div", { class: "tbs-option-none", role: "option", "aria-disabled": "true" }, "不在列表中，按 Enter 原样保留"));
  }
}
