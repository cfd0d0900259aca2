// The demo's glue: what a page does with the element. The people are invented, their
// phone numbers begin with 160 and the order numbers of their ids are 900 and above.
"use strict";
const sheet = document.querySelector("tb-sheet");
const said = document.getElementById("said");
const types = ["主管部门", "行政单位", "事业单位"];
const units = ["财政局", "教育局", "第一中学", "图书馆", "水务局", "中心医院", "档案馆", "民政局", "司法局", "文化馆"];
const names = ["王小明", "李文静", "张国强", "刘丽华", "陈思远", "杨雪梅", "赵志刚", "黄晓燕", "周立新", "吴海涛"];

const checksum = (id) => "10X98765432"[[...id].reduce((sum, d, i) => sum + d * (2 ** (17 - i) % 11), 0) % 11];
function row(i) {
  const id = `21010219${70 + (i % 30)}0${1 + (i % 9)}1990${i % 10}`.slice(0, 17);
  return {
    id: "r" + i,
    values: [String(i + 1).padStart(6, "0"), "示例市" + units[i % 10], types[i % 3], names[(i * 7) % 10], id + checksum(id), "160" + String(10002000 + i)],
  };
}

sheet.columns = [
  { key: "code", letter: "A", title: "编码", width: 100, narrow: true, readonly: true, frozen: true },
  { key: "unit", letter: "B", title: "单位名称", width: 190, required: true, frozen: true },
  { key: "type", letter: "C", title: "单位类型", width: 110, required: true, choices: types },
  { key: "name", letter: "D", title: "姓名", width: 100, required: true },
  { key: "id", letter: "E", title: "身份证号码", width: 190, required: true, narrow: true, display: "id18" },
  { key: "phone", letter: "F", title: "联系方式", width: 130, narrow: true, display: "phone" },
];
sheet.setRows(Array.from({ length: 60 }, (_, i) => row(i)));

// A page checks the rows in its own way and hands the verdicts over.
function check() {
  sheet.setFaults(
    sheet.rows().flatMap(({ id, values }) => {
      const faults = [];
      if (values.some((v) => v) && !values[3]) faults.push({ row: id, key: "name", severity: "error", code: "required", message: "请填写姓名。" });
      if (values[4] && !/^\d{17}[\dX]$/.test(values[4])) faults.push({ row: id, key: "id", severity: "error", code: "id", message: "身份证号码应是18位。" });
      return faults;
    }),
  );
}

let timer = 0;
sheet.addEventListener("tb-change", (e) => {
  said.textContent = e.detail.dirty ? `有 ${e.detail.count} 行改动没有保存` : "";
  document.getElementById("changes").textContent = JSON.stringify(sheet.changes(), null, 1);
  clearTimeout(timer);
  timer = setTimeout(check, 300);
});
sheet.addEventListener("tb-notice", (e) => (said.textContent = e.detail.message));
const save = () => {
  const changes = sheet.changes();
  const ids = {};
  for (const c of changes) if (c.op === "insert") ids[c.temp] = "saved-" + c.temp;
  sheet.committed(ids, changes);
  said.textContent = `已保存 ${changes.length} 项`;
};
sheet.addEventListener("tb-submit", save);

const on = (id, fn) => document.getElementById(id).addEventListener("click", fn);
on("save", save);
on("undo", () => sheet.undo());
on("theirs", () => {
  const r = sheet.rows().find((x) => sheet.saved(x.id));
  if (r) sheet.merge({ rows: [{ id: r.id, values: r.values.map((v, c) => (c === 3 ? "他人改的名" : v)) }], by: { [r.id]: "李会计" } });
});
on("long", () => sheet.setSource({ count: 100000, load: async (from, n) => Array.from({ length: Math.min(n, 100000 - from) }, (_, i) => row(from + i)) }));
on("plum", () => document.body.classList.toggle("plum"));
