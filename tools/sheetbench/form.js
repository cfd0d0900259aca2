// The form that every grid shows: eight columns, A read-only, A and B frozen, D a
// drop-down. A cell says where it is: "B2" is column B of row 2; D is empty.
export const columns = [
  { key: "a", title: "单位预算编码", width: 100, readonly: true },
  { key: "b", title: "单位名称", width: 190 },
  { key: "c", title: "组织机构代码", width: 168 },
  { key: "d", title: "单位类型", width: 100, choices: ["主管部门", "行政单位", "事业单位"] },
  { key: "e", title: "原用户名", width: 136 },
  { key: "f", title: "姓名", width: 88 },
  { key: "g", title: "身份证号码", width: 168 },
  { key: "h", title: "联系方式", width: 116 },
];
export const frozen = 2;

/** n rows as lists of values. */
export const rows = (n) =>
  Array.from({ length: n }, (_, r) => columns.map((c) => (c.choices ? "" : c.key.toUpperCase() + (r + 1))));

/** A row as an object by key, as most grids want it, and back. */
export const record = (values) => Object.fromEntries(columns.map((c, i) => [c.key, values[i]]));
export const values = (rec) => columns.map((c) => rec[c.key]);

/** The middle of an element in the viewport. */
export function middle(el) {
  if (!el) return null;
  const r = el.getBoundingClientRect();
  return [r.x + r.width / 2, r.y + r.height / 2];
}
