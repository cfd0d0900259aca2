// The demo's data and glue. Everything here is invented: phone numbers begin with 160,
// the order numbers of the ids are 900 and above.
"use strict";
const values = [
  ["001001", "示例市财政局", "11210100900100000B", "主管部门", "", "王小明", "210102197201019007", "16010002000"],
  ["101143", "示例市教育局", "11210100900100137R", "主管部门", "zc_jy01", "李文静", "210202197302029031", "16010009531"],
  ["101286", "示例市第一中学", "122101009001002747", "事业单位", "zc_sw02", "张国强", "210302197403039061", "16010017062"],
  ["101429", "示例市实验小学", "122101009001004113", "事业单位", "", "刘丽华", "210102197504049094", "16010024593"],
  ["101572", "示例市图书馆", "12210100900100548H", "事业单位", "zc_cz04", "陈思远", "210202197605059123", "16010032124"],
  ["001006", "示例市自然资源局", "112101009001006855", "主管部门", "zc_jy05", "杨雪梅", "210302197706069158", "16010039655"],
  ["101858", "示例市不动产登记中心", "12210100900100822X", "主要部门", "", "赵志刚", "210102197807079186", "16010047186"],
  ["102001", "示例市水务局", "11210100900100959F", "行政单位", "zc_ws07", "黄晓燕", "210202197908089215", "16010054717"],
  ["102143", "示例市卫生健康委员会", "11210100900101096E", "主管部门", "zc_cz08", "周立新", "210302198009099241", "024-23456789"],
  ["102286", "示例市中心医院", "122101009001012337", "事业单位", "", "吴海涛", "210102198110109271", "16010069779"],
  ["001011", "示例市疾病预防控制中心", "12210100900101370P", "事业单位", "zc_sw10", "徐桂芳", "210202198211119300", "16010077310"],
  ["102572", "示例县财政局", "11210100900101507L", "行政单位", "zc_ws11", "孙德胜", "", "16010084841"],
  ["102715", "示例县农业农村局", "112101009001016445", "行政单位", "", "马春燕", "210102198401139366", "16010092372"],
  ["102858", "示例县农业技术推广中心", "12210100900101781J", "事业单位", "zc_jy13", "朱永刚", "210202198502149390", "16010099903"],
  ["103001", "示例县档案馆", "122101009", "事业单位", "zc_sw14", "胡敏", "21030219860315942X", "16010107434"],
  ["001016", "示例县第二高级中学", "12210100900102055B", "事业单位", "", "郭建平", "210102198704169458", "16010114965"],
  ["103286", "示例区民政局", "11210100900102192Y", "行政单位", "zc_cz16", "何秀英", "210202198805179482", "16010122496"],
  ["103429", "示例区社会福利院", "12210100900102329M", "事业单位", "zc_jy17", "高翔", "210302198906189511", "16010130027"],
  ["103572", "示例区司法局", "112101009001024669", "行政单位", "", "林淑芬", "210102199007199541", "16010137558"],
  ["103715", "示例区文化馆", "122101009001026032", "事业单位", "zc_ws19", "罗成", "210202199108209572", "16010145089"],
];
const columns = [
  { key: "budget_code", letter: "A", title: "单位预算编码", width: 100, narrow: true, note: "填写一体化单位编码" },
  { key: "unit_name", letter: "B", title: "单位名称", width: 190, required: true, frozen: true, note: "填写一体化单位名称" },
  { key: "org_code", letter: "C", title: "组织机构代码", width: 168, required: true, narrow: true, display: "credit", note: "18位组织机构代码" },
  { key: "unit_type", letter: "D", title: "单位类型", width: 100, required: true, choices: ["主管部门", "行政单位", "事业单位"] },
  { key: "legacy_username", letter: "E", title: "对应行政事业单位资产管理信息系统用户名", width: 136 },
  { key: "person_name", letter: "F", title: "资产管理人姓名", width: 88, required: true, frozen: true },
  { key: "person_id", letter: "G", title: "资产管理人身份证号码", width: 168, required: true, narrow: true, display: "id18" },
  { key: "phone", letter: "H", title: "联系方式", width: 116, required: true, narrow: true, display: "phone" },
];
const faults = [
  { row: "3", key: "person_id", severity: "error", code: "person_id.checksum", message: "最后一位校验码不对，请对照身份证逐位核对。" },
  { row: "7", key: "unit_type", severity: "error", code: "unit_type.unknown", message: "“主要部门”不在列表中，请改选主管部门、行政单位或事业单位。" },
  { row: "9", key: "phone", severity: "hint", code: "phone.landline", message: "座机不能作为登录账号，建议改填手机号码。" },
  { row: "12", key: "person_id", severity: "error", code: "required", message: "请填写身份证号码。" },
  { row: "15", key: "org_code", severity: "justify", code: "org_code.old_form", message: "这是9位的旧代码，请换成18位代码，或说明原因。" },
];
addEventListener("DOMContentLoaded", () => {
  const sheet = document.querySelector("tb-sheet");
  if (!sheet || !sheet.setRows) return;
  sheet.columns = columns;
  sheet.setRows(values.map((v, i) => ({ id: String(i + 1), values: v })));
  sheet.setFaults(faults);
  const words = { error: "强制性", justify: "核实性", hint: "提示性" };
  const list = document.querySelector(".faults-list");
  for (const f of list ? faults : []) {
    const b = document.createElement("button");
    b.className = "fault fault-" + f.severity;
    const part = (cls, text) => {
      const s = document.createElement("span");
      s.className = cls;
      s.textContent = text;
      b.append(s);
    };
    part("badge badge-" + f.severity, words[f.severity]);
    part("fault-place", `第${f.row}行 ${columns.find((c) => c.key === f.key).letter}列`);
    part("fault-text", f.message);
    b.addEventListener("click", () => sheet.goTo(f.row, f.key));
    const li = document.createElement("li");
    li.append(b);
    list.append(li);
  }
  const dirty = document.querySelector(".statusbar-dirty");
  sheet.addEventListener("tb-change", (e) => {
    if (dirty) dirty.textContent = e.detail.dirty ? `有 ${e.detail.count} 行改动未提交` : "";
  });
  sheet.addEventListener("tb-notice", (e) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.textContent = e.detail.message;
    document.querySelector(".toasts").append(toast);
    setTimeout(() => toast.remove(), 5000);
  });
  const panel = document.querySelector(".faults");
  document.getElementById("check").addEventListener("click", () => (panel.hidden = !panel.hidden));
  document.getElementById("close").addEventListener("click", () => (panel.hidden = true));
});
