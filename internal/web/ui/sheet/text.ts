// Small text helpers of the sheet.

/** Full-width digits, letters and hyphen become half-width. */
export function narrow(s: string): string {
  return s.replace(/[０-９Ａ-Ｚａ-ｚ－]/g, (ch) => String.fromCharCode(ch.charCodeAt(0) - 0xfee0));
}

/** No field takes several lines: line breaks and tabs become one blank. */
export function oneLine(s: string): string {
  return /[\r\n\t]/.test(s) ? s.replace(/[ ]*(\r\n|[\r\n\t])+[ ]*/g, " ") : s;
}

// The first character of each initial in pinyin order; a character belongs to the
// last letter whose first character does not come after it.
const firsts = "阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀";
const letters = "abcdefghjklmnopqrstwxyz";

let collator: Intl.Collator | null | undefined;

/** Pinyin initials, e.g. 行政单位 → xzdw; other characters stay, in lower case. */
export function initials(s: string): string {
  if (collator === undefined) {
    const c = new Intl.Collator("zh-Hans-CN-u-co-pinyin");
    // Without Chinese collation the comparison would give nonsense.
    collator = c.compare("阿", "帀") < 0 && c.compare("中", "一") > 0 ? c : null;
  }
  let out = "";
  for (const ch of s) {
    let letter = ch.toLowerCase();
    if (collator && ch >= "\u4e00" && ch <= "\u9fff") {
      for (let i = 0; i < firsts.length && collator.compare(firsts[i], ch) <= 0; i++) letter = letters[i];
    }
    out += letter;
  }
  return out;
}

type Child = Node | string;

/** Makes an element; attributes only, so no style and no script can get in. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attrs: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  e.append(...children);
  return e;
}
