package check

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"tianbao"
	"tianbao/internal/ident"
)

// message returns the sentence for a finding: what is wrong with this value, and
// how to put it right. See the danger in the package comment.
func (f *field) message(v string, x finding) string {
	switch {
	case x.rule == "required":
		return "“" + f.Title + "”没有填写，请补填。"
	case x.fault&wrongType != 0 && x.mark == tianbao.MarkDate:
		return "这一格是日期，不是“" + f.Title + "”，请把单元格设为文本格式后重新填写。"
	case x.fault&wrongType != 0:
		return "这一格是表格软件的错误值，请改填正确的“" + f.Title + "”。"
	case x.fault&lostTail != 0:
		return "这一格是数字，表格软件只保留前15位、其余都变成了0，请把单元格设为文本格式后重新填写完整的“" + f.Title + "”。"
	case x.fault&ident.Replaced != 0:
		return fmt.Sprintf("第%d个字符在转换编码时已丢失（显示为�），请重新填写。", placeOf(v, isReplaced)+1)
	}
	switch f.Kind {
	case tianbao.KindCode:
		return f.codeMessage(v, x)
	case tianbao.KindCreditCode:
		return creditMessage(v, x)
	case tianbao.KindChoice:
		return f.choiceMessage(v)
	case tianbao.KindName:
		return f.nameMessage(v, x)
	case tianbao.KindResidentID:
		return residentMessage(v, x)
	case tianbao.KindPhone:
		return phoneMessage(v, x)
	}
	return f.textMessage(v, x)
}

func (f *field) textMessage(v string, x finding) string {
	if x.fault&ident.Length != 0 {
		return f.lengthMessage(v, "个字")
	}
	return fmt.Sprintf("第%d个字符是%s，“%s”中不能有，请删去。", x.at+1, char(v, x.at), f.Title)
}

// lengthMessage tells how long the value is and how long it may be.
func (f *field) lengthMessage(v, unit string) string {
	n := utf8.RuneCountInString(v)
	if f.longest > 0 && n > f.longest {
		return fmt.Sprintf("“%s”最多%d%s，现有%d%s，请缩短。", f.Title, f.longest, unit, n, unit)
	}
	return fmt.Sprintf("“%s”至少%d%s，现有%d%s，请填写全称。", f.Title, f.shortest, unit, n, unit)
}

func (f *field) codeMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Excel != 0:
		return "“" + f.Title + "”被表格软件当成数字、多出了小数或指数，请把单元格设为文本格式后重新填写。"
	case x.fault&noZeros != 0:
		return "“" + f.Title + "”前面可能少了0，登记的编码是“" + x.right + "”，请核对；如需改正，请先把单元格设为文本格式。"
	case x.fault&ident.Charset != 0:
		i := placeOf(v, func(r rune) bool { return !isDigit(r) && !isCapital(r) })
		return fmt.Sprintf("第%d位是%s，“%s”只能用数字和字母，请改正。", i+1, char(v, i), f.Title)
	}
	return f.lengthMessage(v, "位")
}

func (f *field) choiceMessage(v string) string {
	list := "“" + strings.Join(f.Enum, "”“") + "”"
	// A slip or a kindred word (企业) is worth quoting; what has no character in
	// common with the list may be a value of another column, a person's even.
	kindred := strings.ContainsAny(v, strings.Join(f.Enum, ""))
	if kindred && utf8.RuneCountInString(v) <= 8 && placeOf(v, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 {
		return "“" + v + "”不在可选的范围内，请从" + list + "中选一项。"
	}
	return "填写的内容不在可选的范围内，请从" + list + "中选一项。"
}

func (f *field) nameMessage(v string, x finding) string {
	at := char(v, x.at)
	switch {
	case x.fault&ident.PrivateUse != 0:
		return fmt.Sprintf("第%d个字是本机自造的字（%s），别处无法显示，请换成标准汉字。", x.at+1, at)
	case x.fault&ident.Dot != 0:
		return "间隔号“·”只能单个用在两个字之间，请删去多余的间隔号。"
	case x.fault&ident.Charset != 0:
		r := runeAt(v, x.at)
		switch {
		case strings.HasPrefix(v, "="):
			return "这一格是公式文本，不是姓名，请填写真实姓名。"
		case strings.ContainsRune("\n 、,，;；/／\\|&+和", r):
			return fmt.Sprintf("第%d个字符是%s，一格只能填写一个人的姓名，请另起一行填写其他人。", x.at+1, at)
		case unicode.Is(unicode.Latin, r):
			return fmt.Sprintf("第%d个字符是字母%s，持外国人永久居留身份证的人才填写外文姓名，请填写汉字姓名。", x.at+1, at)
		}
		return fmt.Sprintf("第%d个字符是%s，不能用在姓名中，请按证件改正。", x.at+1, at)
	}
	n := utf8.RuneCountInString(v)
	return fmt.Sprintf("姓名应为%d至%d个字，现有%d个字，请按证件填写全名。", f.shortest, f.longest, n)
}

// char names the character at a place, so that it can be found and read: itself,
// or its code point where the reader's font may not have it.
func char(v string, at int) string {
	r := runeAt(v, at)
	switch {
	case r == '\n', r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
		return "换行"
	case r == '\t':
		return "制表符"
	case unicode.IsSpace(r):
		return "空格"
	case unicode.IsPrint(r) && r < 0x20000:
		return "“" + string(r) + "”"
	}
	return fmt.Sprintf("U+%04X", r)
}

// runeAt returns the character at a place, counted from 0, or U+FFFD.
func runeAt(v string, at int) rune {
	n := 0
	for _, r := range v {
		if n == at {
			return r
		}
		n++
	}
	return utf8.RuneError
}

// placeOf returns the place of the first character that f holds of, or -1.
func placeOf(v string, f func(rune) bool) int {
	n := 0
	for _, r := range v {
		if f(r) {
			return n
		}
		n++
	}
	return -1
}

func isReplaced(r rune) bool { return r == utf8.RuneError }
func isDigit(r rune) bool    { return r >= '0' && r <= '9' }
func isCapital(r rune) bool  { return r >= 'A' && r <= 'Z' }
