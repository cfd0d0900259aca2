// The fault list under the sheet.
import { Problem } from "./api";
import { byId, el, fill } from "./dom";

const names = { error: "强制性", justify: "核实性", hint: "提示性" };

/** Most entries drawn at once; the counts tell of all, and the filter finds the rest. */
const most = 1000;

/** How a problem stands now: one that has its reason stops nothing. */
export const open = (p: Problem): boolean => p.severity === "error" || (p.severity === "justify" && !p.reason);

export class FaultList {
  private problems: Problem[] = [];
  /** Problems that the server counts and does not list. */
  private left = 0;
  private filter = "";

  constructor(private goTo: (p: Problem) => void, private explain: (p: Problem) => void) {
    byId("faults-close").addEventListener("click", () => this.show(false));
  }

  show(visible: boolean): void {
    byId("faults").hidden = !visible;
  }

  set(problems: Problem[], left = 0): void {
    this.problems = problems;
    this.left = left;
    this.draw();
  }

  private count(severity: string): number {
    return this.problems.filter((p) => !severity || p.severity === severity).length + (severity ? 0 : this.left);
  }

  private draw(): void {
    const chips = byId("faults-chips");
    fill(chips);
    for (const sev of ["", "error", "justify", "hint"]) {
      const n = this.count(sev);
      if (sev && !n) continue;
      const chip = el("button", "chip", (sev ? names[sev as keyof typeof names] : "全部") + " " + n) as HTMLButtonElement;
      chip.type = "button";
      chip.setAttribute("aria-pressed", String(this.filter === sev));
      chip.addEventListener("click", () => {
        this.filter = sev;
        this.draw();
      });
      chips.append(chip);
    }
    const list = byId("faults-list");
    fill(list);
    const shown = this.problems.filter((p) => !this.filter || p.severity === this.filter);
    for (const p of shown.slice(0, most)) list.append(this.item(p));
    const more = Math.max(0, shown.length - most) + (this.filter ? 0 : this.left);
    if (more) list.append(el("li", "muted", `还有 ${more} 处没有列出，请先改正以上问题。`));
    if (!shown.length) list.append(el("li", "muted", "没有发现问题。"));
  }

  private item(p: Problem): HTMLElement {
    const b = el(
      "button",
      "fault fault-" + p.severity,
      el("span", "badge badge-" + p.severity, names[p.severity]),
      el("span", "fault-place", `第${p.seq}行` + (p.letter ? ` ${p.letter}列` : "")),
      el("span", "fault-text", p.message + (p.reason ? `（已说明：${p.reason}）` : "")),
    ) as HTMLButtonElement;
    b.type = "button";
    b.addEventListener("click", () => this.goTo(p));
    const li = el("li", "", b);
    if (p.severity === "justify") {
      const why = el("button", "button button-small", p.reason ? "改说明" : "说明情况") as HTMLButtonElement;
      why.type = "button";
      why.addEventListener("click", () => this.explain(p));
      li.classList.add("row");
      li.append(why);
    }
    return li;
  }
}
