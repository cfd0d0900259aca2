// What the driver calls on the page. An adapter is an object
//   { mount(host, rows) → { data(), cell(r, c), destroy() } }
// data returns all rows as lists of values exactly as the grid holds them (a number
// stays a number), cell the middle of a cell in view, as a point of the viewport.
import adapter from "adapter";
import { rows } from "./form.js";

let grid = null;
const host = () => document.getElementById("host");
const frame = () => new Promise((ok) => requestAnimationFrame(() => setTimeout(ok)));

window.bench = {
  rows,
  frame,
  async mount(list) {
    grid = await adapter.mount(host(), typeof list === "number" ? rows(list) : list);
    await frame();
    return true;
  },
  async destroy() {
    await grid.destroy();
    host().textContent = "";
    grid = null;
    return true;
  },
  data: async () => await grid.data(),
  cell: (r, c) => grid.cell(r, c),
  /** The time from mount to the second frame in which something is drawn. */
  async time(n) {
    const list = rows(n);
    await frame();
    const t0 = performance.now();
    await window.bench.mount(list);
    await frame();
    return performance.now() - t0;
  },
};
