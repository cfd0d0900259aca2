// Requests to the server that the page came from.

import { t } from "../../sheet/words";
import type {} from "../later";

/** An error as the server tells it: one sentence for people. */
export interface Failure {
  code: string;
  message: string;
  request?: string;
  problems?: Problem[];
  /** What the sender may choose from, e.g. the sheets of a workbook. */
  choices?: string[];
}

export interface Problem {
  row: string;
  seq: number;
  field?: string;
  letter?: string;
  code: string;
  severity: "error" | "justify" | "hint";
  message: string;
  reason?: string;
}

/** Answer is what came back; without a network it has status 0. */
export interface Answer<T> {
  status: number;
  data?: T;
  error?: Failure;
}

const csrf = document.querySelector('input[name="csrf"]') as HTMLInputElement | null;
let login = "";

/** Whose page this is, once it is known. */
export const who = () => login;

/** Takes over a session; false when it is somebody else's. */
export function takeSession(s: { login: string; csrf: string }): boolean {
  if (login && s.login !== login) return false;
  login = s.login;
  if (csrf) csrf.value = s.csrf;
  return true;
}

function send(method: string, url: string, body?: unknown, cache: RequestCache = "no-store"): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", "X-CSRF-Token": csrf ? csrf.value : "" };
  let payload: BodyInit | undefined;
  if (body instanceof FormData) payload = body;
  else if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    payload = JSON.stringify(body);
  }
  return fetch(url, { method, headers, body: payload, credentials: "same-origin", cache });
}

/** Sends a request and reads the JSON answer. It never throws. */
export async function call<T>(method: string, url: string, body?: unknown, cache?: RequestCache): Promise<Answer<T>> {
  const res = await once<T>(method, url, body, cache);
  if (!csrf || !res.error || res.error.code !== "forged") return res;
  // The clerk signed in again in another window: this page goes on under the new session,
  // but not under that of another person.
  const session = await once<{ login: string; csrf: string }>("GET", "/session");
  if (!session.data) return { status: session.status, error: session.error };
  if (!takeSession(session.data)) return { status: 403, error: { code: "other_user", message: t("这个浏览器已换成另一个账号登录，请换回原来的账号再继续。") } };
  return once<T>(method, url, body);
}

/** An error in the language of the page. */
function heard(e: Failure): Failure {
  return { ...e, message: t(e.message) };
}

async function once<T>(method: string, url: string, body?: unknown, cache?: RequestCache): Promise<Answer<T>> {
  let res: Response;
  try {
    res = await send(method, url, body, cache);
  } catch {
    return { status: 0, error: { code: "offline", message: t("连不上服务器，您的内容还在表中，请检查网络后再试。") } };
  }
  try {
    const json = await res.json();
    return res.ok ? { status: res.status, data: json as T } : { status: res.status, error: heard(json.error as Failure) };
  } catch {
    return { status: res.ok ? 0 : res.status, error: { code: "unreadable", message: t("服务器的回答不完整，请稍候再试。") } };
  }
}

/** Posts JSON and saves the file that comes back; the message of the failure, or "". */
export async function download(url: string, body: unknown): Promise<string> {
  try {
    const res = await send("POST", url, body);
    if (!res.ok) return heard((await res.json()).error as Failure).message;
    const name = /filename\*=UTF-8''([^;]+)/.exec(res.headers.get("Content-Disposition") || "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await res.blob());
    link.download = name ? decodeURIComponent(name[1]) : "导出.xlsx";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    return "";
  } catch {
    return t("导出没有完成，请检查网络后再试。");
  }
}

/** A random idempotency key. */
export function newKey(): string {
  const b = new Uint8Array(16);
  crypto.getRandomValues(b);
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

/** Fetches a script. Where it did not come once, Chromium asks again only under another address. */
export const bring = (url: string): Promise<unknown> => import(url).catch(() => import(url + "&" + Date.now()));

/** What comes when the page is up, for who needs it earlier or later. */
export async function later(): Promise<Window["tbLater"]> {
  if (!window.tbLater) await bring((document.getElementById("keys") as HTMLElement).dataset.script as string);
  return window.tbLater;
}
