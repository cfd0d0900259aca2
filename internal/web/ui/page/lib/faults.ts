// The list of faults under the sheet: by severity, then by row.
import { Checker, Finding } from "./checker";
import { byId, el, fill } from "./dom";
import { Explain, reasonField } from "./reason";
import { t } from "../../sheet/words";

/** Entries drawn of one group; its count tells of all. */
const most = 500;
/** From so many of one kind on, a fault offers to show its kind only. */
const many = 3;

const weights = ["error", "justify", "hint"] as const;

/** Shows a number inside an element that is there only for numbers other than 0. */
function count(id: string, inside: string, n: number): HTMLElement {
  const box = byId(id);
  box.hidden = !n;
  (box.querySelector(inside) as Element).textContent = String(n);
  return box;
}

export class FaultList {
  private box = byId("faults");
  private list = byId("faults-list");
  private only = "";
  private frame = 0;
  private active = "";

  constructor(private checker: Checker, private goTo: (f: Finding) => void, private explain: Explain) {
    byId("faults-close").addEventListener("click", () => this.show(false));
    // The list is not drawn anew while somebody is in it.
    this.list.addEventListener("focusout", () => this.changed());
  }

  show(visible: boolean): void {
    this.box.hidden = !visible;
    this.changed();
  }

  /** The cell that is chosen on the sheet: its faults are told apart. */
  chose(row: string, key: string): void {
    this.active = row + " " + key;
    this.mark();
  }

  /** The findings are other ones now. Draws them at the next frame. */
  changed(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const { counts, knows } = this.checker;
    byId("count-faults").hidden = !knows;
    byId("count-none").hidden = counts.error + counts.justify + counts.hint > 0;
    for (const weight of weights) count("count-" + weight, "b", counts[weight]);
    if (this.box.hidden || this.list.contains(document.activeElement)) return;
    const all = this.checker.all();
    const kinds = new Map<string, number>();
    for (const f of all) kinds.set(f.code, (kinds.get(f.code) || 0) + 1);
    const kind = kinds.get(this.only);
    if (!kind) this.only = "";
    fill(byId("faults-chips"), kind ? this.button("chip", t("只看同类 {0} 处，点此看全部", kind), "") : all.length ? "" : t("没有发现问题。"));
    for (const weight of weights) {
      const part = all.filter((f) => f.weight === weight && (!kind || f.code === this.only));
      const items = count("faults-" + weight, ".badge", part.length).querySelector("ol") as HTMLElement;
      fill(items, ...part.slice(0, most).map((f) => this.item(f, kind ? 0 : kinds.get(f.code) || 0)));
      if (part.length > most) items.append(el("li", "muted", t("还有 {0} 处没有列出，请先处理以上问题。", part.length - most)));
    }
    this.mark();
  }

  /** A button that shows one kind only, or with "" all again. */
  private button(cls: string, text: string, code: string): HTMLElement {
    const b = el("button", cls, text) as HTMLButtonElement;
    b.type = "button";
    b.onclick = () => {
      this.only = code;
      this.changed();
      // What was pressed goes; the keyboard stays near.
      byId("faults-close").focus();
    };
    return b;
  }

  private item(f: Finding, kind: number): HTMLElement {
    const b = this.button("fault", "", "");
    b.onclick = () => this.goTo(f);
    b.append(el("span", "fault-place", f.place), el("span", "fault-text", f.text));
    const li = el("li", "", b);
    if (f.weight === "justify") li.append(reasonField(f, this.explain, () => b.focus()));
    if (kind >= many) li.append(this.button("button button-quiet button-small", t("同类 {0}", kind), f.code));
    li.dataset.at = f.row + " " + f.key;
    return li;
  }

  /** Tells the chosen cell's faults apart and brings them into sight. */
  private mark(): void {
    this.list.querySelectorAll("li").forEach((li) => {
      const b = li.firstElementChild;
      const on = li.dataset.at === this.active;
      if (!b || on === b.hasAttribute("aria-current")) return;
      b.toggleAttribute("aria-current", on);
      if (on && !this.list.contains(document.activeElement)) li.scrollIntoView({ block: "nearest" });
    });
  }
}
