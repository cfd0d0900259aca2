// Signing in again in place, when the session ended under an open sheet.
import { call, takeSession, who } from "./api";
import { ask, el } from "./dom";
import { t } from "../../sheet/words";

let asking: Promise<boolean> | null = null;

/** Asks for the password until it is right; false when the clerk gives up. */
export function signIn(): Promise<boolean> {
  if (!asking) asking = attempt().finally(() => (asking = null));
  return asking;
}

async function attempt(): Promise<boolean> {
  for (let message = ""; ; ) {
    const input = el("input", "input") as HTMLInputElement;
    input.type = "password";
    input.autocomplete = "current-password";
    input.id = "again-password";
    const label = el("label", "", t("用户 {0} 的密码", who())) as HTMLLabelElement;
    label.htmlFor = input.id;
    const body: Node[] = [el("p", "", t("登录已经超时。填写的内容都在，请重新登录后继续。")), el("div", "field", label, input)];
    if (message) body.push(el("p", "field-error", message));
    if (!(await ask(t("重新登录"), body, t("登录"), () => input.value !== ""))) return false;
    const res = await call<{ login: string; csrf: string }>("POST", "/signin", { login: who(), password: input.value });
    if (res.data) {
      takeSession(res.data);
      return true;
    }
    message = res.error ? res.error.message : "";
  }
}
