// What the status bar says of the view and the selection, and its two buttons.
import { TbSheet, ViewState } from "../../sheet/element";
import { byId } from "./dom";
import { t } from "../../sheet/words";

export function viewBar(sheet: TbSheet): void {
  const on = <T>(type: string, fn: (detail: T) => void) => sheet.addEventListener(type, (e) => fn((e as CustomEvent<T>).detail));
  const button = (id: string, fn: () => void) => {
    const b = byId(id);
    // The mouse leaves the keyboard in the sheet.
    b.addEventListener("mousedown", (e) => e.preventDefault());
    b.addEventListener("click", fn);
    return b;
  };
  const all = button("view-all", () => sheet.setView({}));
  const faulty = button("view-faulty", () => sheet.showFaulty(!sheet.view.faulty));
  on<ViewState>("tb-view", (v) => {
    const hidden = v.allFaults - v.faults;
    faulty.hidden = !v.faulty && !v.allFaults;
    faulty.setAttribute("aria-pressed", String(!!v.faulty));
    all.hidden = !v.sort && v.shown === v.total;
    byId("view-text").textContent = all.hidden
      ? ""
      : (v.shown < v.total ? t("已筛选：显示 {0} / {1} 行", v.shown, v.total) : t("已排序")) + (hidden ? t("，另有 {0} 处问题没有显示", hidden) : "");
  });
  on<{ cells: number; filled: number }>("tb-select", (s) => {
    byId("count-selected").textContent = s.cells > 1 ? t("已选 {0} 格，{1} 格有内容", s.cells, s.filled) : "";
  });
}
