// Where this sheet and what others saved differ, the clerk decides. Nothing is
// overwritten without asking, on either side.
import { Clash, Column } from "../../sheet/element";
import { ask, el } from "./dom";
import { t } from "../../sheet/words";

/** Asks about each clash: true keeps mine. Null: the clerk decides later. */
export async function decide(columns: Column[], found: Clash[], number: (row: string) => number): Promise<boolean[] | null> {
  const table = el("div", "stack", ...found.map((c, i) => question(columns, c, i, number(c.row))));
  const ok = await ask(
    t("有 {0} 处与他人保存的内容不一致", found.length),
    [el("p", "", t("在您填写期间，有人保存了同样的单元格。请逐处选择保留哪一个：")), table],
    t("按选择合并"),
  );
  if (!ok) return null;
  return found.map((_, i) => (document.querySelector(`input[name="clash-${i}"]:checked`) as HTMLInputElement).value === "mine");
}

function question(columns: Column[], c: Clash, i: number, number: number): HTMLElement {
  const who = c.by || t("他人");
  const text = {
    edited: [t("我填写的：{0}", c.mine || t("（空）")), t("{0}保存的：{1}", who, c.theirs || t("（空）"))],
    deleted: [t("保留我的改动，这一行重新加入：{0}", c.mine), t("{0}已删除这一行，放弃我的改动", who)],
    "delete-edited": [t("仍然删除这一行"), t("不删除，保留{0}保存的内容：{1}", who, c.theirs)],
  }[c.kind];
  const col = columns.find((x) => x.key === c.key);
  const place = (number ? t("第{0}行 ", number) : t("已删除的行 ")) + (col ? col.title : t("整行"));
  const field = el("fieldset", "choices", el("legend", "", place));
  ["mine", "theirs"].forEach((value, j) => {
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "clash-" + i;
    input.value = value;
    // The other's value is preselected: it is saved already, and keeping it harms nobody.
    input.checked = value === "theirs";
    field.append(el("label", "choice", input, el("span", "", text[j])));
  });
  return field;
}
