import { Column } from "./types";

// How long numbers are grouped while they are read. The kinds are those of a
// column's `display`; what is stored, copied, found and edited has no blanks.
const groups: Record<string, RegExp> = {
  // GB 11643: division, birth date, order and check.
  id18: /^(\d{6})(\d{8})(\d{3}[\dXx])$/,
  // GB 32100: kind of body, division, the organisation's own code, check.
  credit: /^([0-9A-Z]{2})(\d{6})([0-9A-Z]{9})([0-9A-Z])$/,
  phone: /^(1\d{2})(\d{4})(\d{4})$/,
};

/** The text of a cell as it is read; what has not the form of its kind stays as it is. */
export function shownText(col: Column, text: string): string {
  const m = col.display && text && groups[col.display] && groups[col.display].exec(text);
  return m ? m.slice(1).join(" ") : text;
}
