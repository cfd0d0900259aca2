// The fault list under the sheet.
import { Problem } from "./api";
import { byId, el, fill } from "./dom";
import { t } from "../../sheet/words";

const names = { error: t("强制性"), justify: t("核实性"), hint: t("提示性") };

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
      const chip = el("button", "chip", (sev ? names[sev as keyof typeof names] : t("全部")) + " " + n) as HTMLButtonElement;
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
    if (more) list.append(el("li", "muted", t("还有 {0} 处没有列出，请先改正以上问题。", more)));
    if (!shown.length) list.append(el("li", "muted", t("没有发现问题。")));
  }

  private item(p: Problem): HTMLElement {
    const b = el(
      "button",
      "fault fault-" + p.severity,
      el("span", "badge badge-" + p.severity, names[p.severity]),
      el("span", "fault-place", t("第{0}行", p.seq) + (p.letter ? t(" {0}列", p.letter) : "")),
      el("span", "fault-text", t(p.message) + (p.reason ? t("（已说明：{0}）", p.reason) : "")),
    ) as HTMLButtonElement;
    b.type = "button";
    b.addEventListener("click", () => this.goTo(p));
    const li = el("li", "", b);
    if (p.severity === "justify") {
      const why = el("button", "button button-small", p.reason ? t("改说明") : t("说明情况")) as HTMLButtonElement;
      why.type = "button";
      why.addEventListener("click", () => this.explain(p));
      li.classList.add("row");
      li.append(why);
    }
    return li;
  }
}
