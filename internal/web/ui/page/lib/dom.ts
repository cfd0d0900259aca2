// Small helpers for building elements without markup in strings (Trusted Types).

export function byId<T extends HTMLElement>(id: string): T {
  const el = document.getElementById(id);
  if (!el) throw new Error("no element " + id);
  return el as T;
}

/** Makes an element with a class, attributes and children. */
export function el(tag: string, className = "", ...children: (Node | string)[]): HTMLElement {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

/** Replaces what a node holds. */
export function fill(node: HTMLElement, ...children: (Node | string)[]): void {
  node.textContent = "";
  node.append(...children);
}

/**
 * Shows a message that goes away; an error stays longer and is read out at once. It
 * may offer a way on, or an act such as taking back. The function it returns removes
 * it, when its offer does not hold any more.
 */
export function toast(kind: "ok" | "warn" | "error", message: string, action?: { text: string; href?: string; act?: () => void }): () => void {
  const box = byId("toasts");
  const t = el("div", "toast toast-" + kind, message);
  if (action) {
    const { href, act } = action;
    const a = el(href ? "a" : "button", "toast-action", action.text);
    if (href) (a as HTMLAnchorElement).href = href;
    else {
      a.addEventListener("click", () => {
        t.remove();
        if (act) act();
      });
    }
    t.append(a);
  }
  if (kind === "error") t.setAttribute("role", "alert");
  box.append(t);
  setTimeout(() => t.remove(), kind === "ok" ? 8000 : 15000);
  while (box.children.length > 3) box.firstElementChild?.remove();
  return () => t.remove();
}

/**
 * Asks a question in the page's dialog. Resolves to true on yes. `body` may hold
 * inputs; `ready` tells whether yes may be pressed.
 */
export function ask(title: string, body: (Node | string)[], yes: string, ready?: () => boolean): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("ask-dialog");
  const button = byId<HTMLButtonElement>("ask-yes");
  byId("ask-title").textContent = title;
  const box = byId("ask-body");
  fill(box, ...body);
  button.textContent = yes;
  const update = () => {
    button.disabled = !!ready && !ready();
  };
  update();
  box.oninput = update;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
