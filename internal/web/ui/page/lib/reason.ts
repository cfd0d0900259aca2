// Where a fault that asks for a reason takes it: in its line of the list, or in a box at
// its cell. Both hold the same field.
import { Finding } from "./checker";
import { el } from "./dom";
import { t } from "../../sheet/words";

/** Takes an explanation; how long it must be. */
export interface Explain {
  least: number;
  save(f: Finding, text: string): void;
}

/**
 * A field for the reason. Enter saves it, and so does leaving it; Esc puts back what
 * stood there. `done` hears of both keys.
 */
export function reasonField(f: Finding, { least, save }: Explain, done: () => void): HTMLElement {
  const field = el("input", "input reason-text") as HTMLInputElement;
  const help = el("span", "muted");
  field.maxLength = 500;
  field.value = f.reason;
  field.placeholder = t("请说明情况，至少 {0} 个字", least);
  field.setAttribute("aria-label", f.place + " " + field.placeholder);
  const missing = () => least - Array.from(field.value.trim()).length;
  field.oninput = () => {
    help.textContent = missing() > 0 ? t("还差 {0} 个字", missing()) : t("Enter 保存，Esc 取消");
  };
  field.onblur = () => {
    if (missing() <= 0 && field.value.trim() !== f.reason) save(f, field.value.trim());
  };
  field.onkeydown = (e) => {
    if (e.isComposing || e.keyCode === 229) return; // the input method's own keys
    if (e.key === "Escape") field.value = f.reason;
    else if (e.key !== "Enter" || missing() > 0) return;
    e.preventDefault();
    done();
  };
  return el("span", "reason", field, help);
}

/** Opens the box at a cell; `back` returns to the sheet. */
export function askReason(f: Finding, to: Explain, at: { left: number; top: number; bottom: number }, back: () => void): void {
  const field = reasonField(f, to, back);
  const box = el("div", "reason-box", el("p", "", f.text), field);
  const text = field.firstElementChild as HTMLInputElement;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", t("情况说明"));
  document.body.append(box);
  const { style, offsetWidth, offsetHeight } = box;
  style.left = Math.max(8, Math.min(at.left, innerWidth - offsetWidth - 8)) + "px";
  style.top = (at.bottom + offsetHeight < innerHeight ? at.bottom : at.top - offsetHeight) + "px";
  text.focus();
  // What is too short to be kept stays in sight; another window is not the end of it.
  text.addEventListener("blur", () => {
    const n = text.value.trim().length;
    if (document.hasFocus() && (!n || n >= to.least || text.value === f.reason)) box.remove();
  });
}
