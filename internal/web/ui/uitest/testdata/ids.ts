// Rows found by their ids: every one, also where two ids make one number, under its new
// id after a change, and no longer under the old one.
import { Ids } from "../../sheet/ids";
import { Line } from "../../sheet/model";

const line = (id: string): Line => ({ id, v: [], base: null, live: true, i: 0 });

(window as unknown as Record<string, unknown>).ids = (): string => {
  const ids = new Ids();
  // As many as have some twenty pairs of one number, of thirty bits.
  const lines = Array.from({ length: 200_000 }, (_, i) => line("r" + i * 7919));
  lines.forEach((l) => ids.set(l));
  const lost = () => lines.filter((l) => ids.get(l.id) !== l).length;
  if (lost()) return lost() + " rows are not found";
  if (ids.get("r1") || ids.get("")) return "a row is found that is not there";
  const some = lines.filter((_, i) => i % 3 === 0);
  const old = some.map((l) => l.id);
  for (const l of some) {
    l.id = "again-" + l.id;
    ids.set(l);
  }
  if (lost()) return lost() + " rows are not found after another id";
  if (old.some((id) => ids.get(id))) return "a row is found under an id that it had";
  some.forEach((l, i) => {
    l.id = old[i];
    ids.set(l);
  });
  if (lost()) return lost() + " rows are not found under the id they had first";
  const seen = new Set<Line>();
  ids.forEach((l) => seen.add(l));
  if (seen.size !== lines.length) return "not every row comes by";
  const later = line(lines[0].id);
  ids.set(later);
  if (ids.get(later.id) !== later) return "the later row of an id does not count";
  ids.clear();
  if (ids.get(later.id)) return "a row is found in an empty list";
  return "";
};
