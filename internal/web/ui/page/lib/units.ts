// The columns that name a unit take their suggestions from the register.
import { Column, Suggestion } from "../../sheet/element";
import { call } from "./api";

interface Unit {
  name: string;
  note?: string;
  cells: Record<string, string>;
}

/**
 * Lets the columns that the form calls keys of a unit suggest units. Choosing one fills
 * all of them; what else the register knows goes into empty cells only.
 */
export function withUnits(columns: (Column & { pick?: string })[]): Column[] {
  const keys = columns.filter((c) => c.pick === "unit").map((c) => c.key);
  const suggest = async (q: string): Promise<Suggestion[]> => {
    const res = await call<{ units: Unit[] }>("POST", "/units/search", { q });
    return (res.data ? res.data.units : []).map((u) => {
      const out = { text: u.name, note: u.note, cells: {} as Record<string, string>, blanks: {} as Record<string, string> };
      for (const key of Object.keys(u.cells)) (keys.includes(key) ? out.cells : out.blanks)[key] = u.cells[key];
      return out;
    });
  };
  return columns.map((c) => (c.pick === "unit" ? { ...c, suggest } : c));
}
