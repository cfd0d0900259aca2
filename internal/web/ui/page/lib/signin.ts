// Signing in again in place, when the session ended under an open sheet: the password, and
// the code of the second factor where the account has one.
import { Answer, call, takeSession, who } from "./api";
import { ask, el, toast } from "./dom";
import { t } from "../../sheet/words";

interface Session {
  login: string;
  csrf: string;
  /** What has to be done first: factor, setup or password. */
  pending?: string;
}

let asking: Promise<boolean> | null = null;

/** Asks until the answers are right; false when the clerk gives up. */
export function signIn(): Promise<boolean> {
  if (!asking) asking = attempt().finally(() => (asking = null));
  return asking;
}

async function attempt(): Promise<boolean> {
  let factor = false;
  for (let message = ""; ; ) {
    const text = await question(factor, message);
    if (text === null) return false;
    const res: Answer<Session> = await (factor ? call<Session>("POST", "/account/verify", { code: text.trim() }) : call<Session>("POST", "/signin", { login: who(), password: text }));
    message = res.error ? res.error.message : "";
    if (res.status === 401 && factor) factor = res.error?.code !== "signed_out"; // too late for the code: from the start
    if (!res.data) continue;
    takeSession(res.data);
    const { pending } = res.data;
    if (!pending) return true;
    factor = pending === "factor";
    if (factor) continue;
    toast("warn", t("这个账号要先修改密码或设置第二因素，请在另一个窗口打开首页办好，再回到这里继续；填写的内容都在。"));
    return false;
  }
}

/** Asks for the password or the code; null: the clerk gives up. */
async function question(factor: boolean, message: string): Promise<string | null> {
  const input = el("input", "input") as HTMLInputElement;
  input.type = factor ? "text" : "password";
  input.autocomplete = factor ? "one-time-code" : "current-password";
  input.id = factor ? "again-code" : "again-password";
  const label = el("label", "", factor ? t("动态码，或者一个恢复码") : t("用户 {0} 的密码", who())) as HTMLLabelElement;
  label.htmlFor = input.id;
  const lead = factor ? t("密码正确。这个账号还要验证第二因素。") : t("登录已经超时。填写的内容都在，请重新登录后继续。");
  const body: Node[] = [el("p", "", lead), el("div", "field", label, input)];
  if (message) body.push(el("p", "field-error", message));
  return (await ask(t("重新登录"), body, t("登录"), () => input.value.trim() !== "")) ? input.value : null;
}
