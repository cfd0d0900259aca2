// What nobody needs to begin with: the row menu and the fill handle, printing, the card of
// keys, made from the sheet's own table, and the questions that a merge or the end of a
// session asks. The form page fetches this script when it is up.
import type { Part, TbSheet } from "../sheet/element";
import { extras } from "../sheet/extras";
import { keyTopics } from "../sheet/keys";
import { t } from "../sheet/words";
import { el } from "./lib/dom";
import { decide } from "./lib/merge";
import { printing } from "./lib/print";
import { rowMenu } from "./lib/rowmenu";
import { signIn } from "./lib/signin";

function show(): void {
  if (document.querySelector("dialog[open]")) return;
  const lists = keyTopics().map(({ topic, keys }) =>
    el("section", "", el("h3", "", topic), el("dl", "", ...keys.map(([key, what]) => el("div", "", el("dt", "", el("kbd", "", key)), el("dd", "", what))))),
  );
  const button = (text: string, act: () => void) => {
    const b = el("button", "button", text);
    b.addEventListener("click", act);
    return b;
  };
  const card = el("dialog", "dialog dialog-wide keys",
    el("div", "dialog-head", el("h2", "dialog-title", t("快捷键"))),
    el("div", "dialog-body", ...lists),
    el("div", "dialog-foot", button(t("打印"), () => print()), button(t("关闭"), () => card.close())),
  ) as HTMLDialogElement;
  card.setAttribute("aria-label", t("快捷键"));
  // The browser gives the focus back to where it was.
  card.addEventListener("close", () => card.remove());
  document.body.append(card);
  card.showModal();
  (card.querySelector(".dialog-foot > :last-child") as HTMLElement).focus();
}

const button = document.getElementById("keys");
const sheet = document.querySelector("tb-sheet") as TbSheet;
if (button) {
  const style = el("link") as HTMLLinkElement;
  style.rel = "stylesheet";
  style.href = button.dataset.css as string;
  document.head.append(style);
  // From the sheet (Ctrl+/, F1), by the button, and by ? outside of a field.
  sheet.addEventListener("tb-keys", show);
  button.addEventListener("click", show);
  document.addEventListener("keydown", (e) => {
    const field = e.target instanceof Element && e.target.closest("input, textarea, select, dialog");
    if (e.key === "?" && !field) show();
  });
  printing(sheet);
  rowMenu(sheet);
  sheet.add(extras);
}
// For pages that make sheets of their own.
(window as { tbExtras?: Part }).tbExtras = extras;

const asks = { decide, signIn };

declare global {
  interface Window {
    tbLater: typeof asks;
  }
}

window.tbLater = asks;
