import { List } from "./list";
import { el, initials } from "./text";
import { t } from "./words";

/**
 * The list under a drop-down cell. Typed text filters it by part of a word, by pinyin
 * initials or by the number of the choice. What matches nothing may still be kept.
 */
export class Dropdown extends List {
  private choices: string[] = [];
  private shown: string[] = [];
  /** A choice was marked by a key or by matching typed text. */
  private meant = false;

  constructor(input: HTMLTextAreaElement, pick: (value: string) => void) {
    super(input, "listbox", t("选项"), (at) => pick(this.shown[at]));
  }

  /** Shows all choices, `current` marked. */
  show(choices: string[], current: string, rect: { x: number; y: number; w: number; h: number }): void {
    this.choices = choices;
    this.shown = choices;
    this.meant = false;
    this.list(choices.indexOf(current));
    this.put(rect);
  }

  filter(text: string): void {
    const t = text.trim().toLowerCase();
    const match = (c: string, i: number) => c.toLowerCase().includes(t) || initials(c).startsWith(t) || String(i + 1) === t;
    this.shown = t ? this.choices.filter(match) : this.choices;
    this.meant = t !== "" && this.shown.length > 0;
    this.list(this.meant ? Math.max(0, this.shown.indexOf(text)) : -1);
  }

  override move(by: number): void {
    this.meant = true;
    super.move(by);
  }

  /** The value to keep for the typed text. */
  value(text: string): string {
    return this.open && this.meant && this.at >= 0 ? this.shown[this.at] : text;
  }

  private list(at: number): void {
    const entries = this.shown.map((c) => {
      const n = this.choices.indexOf(c) + 1;
      return { parts: [el("span", { class: "tbs-option-no", "aria-hidden": "true" }, n < 10 ? String(n) : ""), c] };
    });
    this.draw(entries.length ? entries : [{ parts: [t("不在列表中，按 Enter 原样保留")], off: true }], at);
  }
}
