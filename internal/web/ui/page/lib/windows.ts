// Long sheets come by windows: what the page asks of the server while one is read.
import { Row, TbSheet } from "../../sheet/element";
import { byId } from "./dom";
import { t } from "../../sheet/words";

/** Asks for a window; rejects when it does not come, with the server's code where there is one. */
export async function getWindow<T>(url: string, signal: AbortSignal): Promise<T> {
  const res = await fetch(url, { signal, headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" });
  const json = await res.json();
  if (!res.ok) throw new Error(json.error.code);
  return json as T;
}

/** Tells in the status bar how far the rows have come, in tens of percent: it is read out. */
export function tellProgress(sheet: TbSheet): void {
  sheet.addEventListener("tb-progress", (e) => {
    const { loaded, count } = (e as CustomEvent<{ loaded: number; count: number }>).detail;
    const text = loaded < count ? t("正在读取其余的行 {0}%", Math.floor((loaded / count) * 10) * 10) : "";
    const status = byId("status");
    if (status.textContent !== text) status.textContent = text;
  });
}

/**
 * Shows the rows of an answer, and fetches the others of a long sheet. `moved` hears
 * that somebody saved before the last had come, whereupon no more of this version will.
 */
export function showRows(sheet: TbSheet, url: string, s: { report: { rows: number; version: number }; rows: Row[] }, moved: () => void): void {
  const { rows, version } = s.report;
  if (s.rows.length >= rows) return sheet.setRows(s.rows);
  sheet.setSource({
    count: rows,
    rows: s.rows,
    load: async (from, count, signal, after) => {
      try {
        return (await getWindow<{ rows: Row[] }>(`${url}/rows?version=${version}&from=${from}&count=${count}&after=${after}`, signal)).rows;
      } catch (e) {
        if (e instanceof Error && e.message === "moved") moved();
        throw e;
      }
    },
  });
}
