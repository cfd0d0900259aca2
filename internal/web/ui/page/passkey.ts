// Passkeys on the pages of sign-in: the browser is asked for one, and its answer travels in
// the form that the button stands in. Without this script the other ways in are there.
import { t } from "../sheet/words";

type Buffers = { [key: string]: unknown };

function toBytes(text: string): ArrayBuffer {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out.buffer;
}

function toText(b: ArrayBuffer | null | undefined): string | undefined {
  if (!b) return undefined;
  let raw = "";
  new Uint8Array(b).forEach((c) => (raw += String.fromCharCode(c)));
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The W3C's …OptionsJSON as its older brother with bytes, for browsers from before 2024. */
function withBytes(json: string): Buffers {
  const o = JSON.parse(json) as Buffers;
  o.challenge = toBytes(o.challenge as string);
  const user = o.user as Buffers | undefined;
  if (user) user.id = toBytes(user.id as string);
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    for (const c of (o[list] || []) as Buffers[]) c.id = toBytes(c.id as string);
  }
  return o;
}

/** The browser's answer as the W3C's …ResponseJSON. */
function asJSON(c: PublicKeyCredential): string {
  const r = c.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  return JSON.stringify({
    id: c.id,
    rawId: toText(c.rawId),
    type: c.type,
    clientExtensionResults: c.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(r.clientDataJSON),
      attestationObject: toText(r.attestationObject),
      transports: r.getTransports ? r.getTransports() : undefined,
      authenticatorData: r.signature ? toText(r.authenticatorData) : undefined,
      signature: toText(r.signature),
      userHandle: toText(r.userHandle),
    },
  });
}

/** What went wrong, as a sentence that says what to do. */
function sentence(e: unknown): string {
  switch (e instanceof DOMException ? e.name : "") {
    case "NotAllowedError":
      return t("没有完成：可能点了取消、等得太久，或者这台设备上没有可用的通行密钥。请再试一次，或者用其他方式。");
    case "InvalidStateError":
      return t("这台设备上已经有这个账号的通行密钥了，不用再添加。");
    case "SecurityError":
      return t("浏览器认为这个地址不能使用通行密钥，请核对地址栏中的地址。");
    case "NotSupportedError":
    case "ConstraintError":
      return t("这台设备不支持需要验证本人（指纹、面容或 PIN）的通行密钥，请换一台设备，或者用其他方式。");
  }
  return t("没有完成，请再试一次，或者用其他方式。");
}

class Refused extends Error {}

/** Asks the server what to ask the browser. */
async function options(url: string, csrf: string): Promise<string> {
  let res: Response;
  try {
    res = await fetch(url, { method: "POST", headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: "{}" });
  } catch {
    throw new Refused(t("连不上服务器，请检查网络后再试。"));
  }
  const body = (await res.json()) as { options?: string; error?: { message: string } };
  if (body.options) return body.options;
  throw new Refused(body.error ? t(body.error.message) : t("没有完成，请再试一次，或者用其他方式。"));
}

function arm(form: HTMLFormElement): void {
  const note = form.querySelector("[role=alert]") as HTMLElement;
  const button = form.querySelector("button") as HTMLButtonElement;
  const tell = (text: string) => {
    note.textContent = text;
    note.hidden = text === "";
  };
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement | null;
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (button.disabled) return;
    const origin = form.dataset.origin as string;
    // Of another address no browser may be asked: it would only say that it may not.
    if (location.origin !== origin) return tell(t("通行密钥只在 {0} 上有效，请从那个地址打开本系统。", origin));
    if (!window.PublicKeyCredential || !navigator.credentials) return tell(t("这个浏览器不支持通行密钥，请换用新版的浏览器，或者用其他方式。"));
    button.disabled = true;
    tell("");
    const csrf = field("csrf");
    options(form.dataset.options as string, csrf ? csrf.value : "")
      .then((json) => {
        const publicKey = withBytes(json);
        return form.dataset.passkey === "create"
          ? navigator.credentials.create({ publicKey: publicKey as unknown as PublicKeyCredentialCreationOptions })
          : navigator.credentials.get({ publicKey: publicKey as unknown as PublicKeyCredentialRequestOptions });
      })
      .then((made) => {
        (field("response") as HTMLInputElement).value = asJSON(made as PublicKeyCredential);
        form.submit();
      })
      .catch((err: unknown) => {
        button.disabled = false;
        tell(err instanceof Refused ? err.message : sentence(err));
        button.focus();
      });
  });
}

document.querySelectorAll<HTMLFormElement>("form[data-passkey]").forEach(arm);
