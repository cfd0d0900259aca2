import { t } from "./words";

// The keys that input.ts knows, in words. It is no part of the element: only the card
// of keys (page/later.ts) loads it.

/** Keys of one topic, each with what it does. */
export interface KeyTopic {
  topic: string;
  keys: [string, string][];
}

// One line a topic: its name, then key and meaning by turns.
const table = () => [
  t("移动和选择|方向键|移动一格|Tab、Enter|向右、向下一格；加 Shift 往回|Home、End|到行首、行尾；加 Ctrl 到表首、表尾|PgUp、PgDn|翻页|Ctrl+方向键|到数据的边缘|Shift+以上各键|选择区域|Ctrl+A|全选"),
  t("填写|直接输入|替换内容|F2、双击|修改内容|Esc|取消修改|Alt+↓|打开选项或单位列表|Delete|清除所选内容|Ctrl+Enter|把内容填入所选各格|Ctrl+D、Ctrl+R|向下、向右填充|Ctrl+C、X、V|复制、剪切、粘贴|Ctrl+Z、Ctrl+Y|撤销、重做"),
  t("行|Ctrl+=、Ctrl+-|插入、删除行|Shift+F10、右键|行菜单"),
  t("检查和提交|F8、Shift+F8|下一处、上一处问题|Ctrl+M|说明情况|Ctrl+F|查找|Ctrl+Shift+L|排序和筛选|Ctrl+S|提交|F1、Ctrl+/|快捷键|Esc 再按 Tab|离开表格"),
];

/** The keys of the sheet by topic, for a card of keys. */
export function keyTopics(): KeyTopic[] {
  return table().map((line) => {
    const [topic, ...parts] = line.split("|");
    const keys: [string, string][] = [];
    for (let i = 0; i < parts.length; i += 2) keys.push([parts[i], parts[i + 1]]);
    return { topic, keys };
  });
}
