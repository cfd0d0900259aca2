package check

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"tianbao/internal/ident"
)

func creditMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Masked != 0:
		return "代码中有“*”，是隐去了几位的代码，请填写完整的18位统一社会信用代码。"
	case x.fault&ident.Excel != 0:
		return "代码被表格软件当成数字、末尾几位已丢失，请把单元格设为文本格式后重新填写18位统一社会信用代码。"
	case x.fault&ident.Length != 0 && utf8.RuneCountInString(v) >= 2*18:
		return "一格只能填写一个单位的代码，请只留下本单位的18位统一社会信用代码。"
	case x.fault&ident.Length != 0:
		return fmt.Sprintf("应为18位统一社会信用代码，现有%d位，请按证书填写完整。", utf8.RuneCountInString(v))
	case x.fault&ident.Charset != 0:
		return creditCharMessage(v)
	case x.fault&ident.Checksum != 0:
		return "末位校验码与前17位不符，至少有一位填错，请按证书逐位核对。"
	case x.fault&ident.Kind != 0:
		return fmt.Sprintf("前两位“%s”不是已有的登记管理部门和机构类别，请按证书核对。", v[:2])
	case x.fault&ident.Province != 0:
		return fmt.Sprintf("第3、4位“%s”不是省级行政区划代码，请按证书核对。", v[2:4])
	case x.fault&ident.OldForm != 0:
		return "这是9位的旧组织机构代码，请改填18位统一社会信用代码，确实没有的请说明原因。"
	}
	return fmt.Sprintf("代码首位是“%s”，不是机构编制部门登记的单位，请核对，确实无误的请说明原因。", v[:1])
}

// creditCharMessage names the wrong character, and the digit it is mistaken for.
func creditCharMessage(v string) string {
	i := ident.CreditFlaw(v)
	if i >= 2 && i < 8 {
		return fmt.Sprintf("第%d位是%s，第3至8位只能是数字，请改正。", i+1, char(v, i))
	}
	r := runeAt(v, i)
	if k := strings.IndexRune("OISZV", r); k >= 0 {
		return fmt.Sprintf("第%d位是“%c”，统一社会信用代码不用字母I、O、S、V、Z，请核对是不是“%c”。", i+1, r, "0152U"[k])
	}
	return fmt.Sprintf("第%d位是%s，统一社会信用代码只能用数字和大写字母，请改正。", i+1, char(v, i))
}

func residentMessage(v string, x finding) string {
	card := ident.IsForeignCard(v)
	switch {
	case x.fault&ident.Masked != 0:
		return "号码中有“*”，是隐去了几位的号码，请填写完整的身份证号码。"
	case x.fault&ident.Excel != 0:
		return "号码被表格软件当成数字、末尾几位已变成0，请把单元格设为文本格式后按证件重新填写完整的号码。"
	case x.fault&ident.Old15 != 0:
		return old15Message(v)
	case x.fault&ident.Length != 0 && countDigits(v) >= 2*15:
		return "一格只能填写一个人的身份证号码，请另起一行填写其他人。"
	case x.fault&ident.Length != 0:
		return fmt.Sprintf("身份证号码应为18位，现有%d位，请按证件填写完整。", utf8.RuneCountInString(v))
	case x.fault&ident.Charset != 0:
		return residentCharMessage(v)
	case x.fault&ident.Nation != 0:
		return "证件号码中的国籍代码不存在，请按外国人永久居留身份证核对。"
	case x.fault&ident.Province != 0 && v[0] == '8':
		return "港澳台居民居住证的号码应以810000、820000或830000开头，请按证件核对前6位。"
	case x.fault&ident.Province != 0 && card:
		return "证件号码中的受理地代码不存在，请按外国人永久居留身份证核对。"
	case x.fault&ident.Province != 0:
		return fmt.Sprintf("前两位“%s”不是签发身份证的省级代码，请按证件核对。", v[:2])
	case x.fault&ident.Birthdate != 0 && len(v) == 15:
		return "第8至13位不是真实的出生日期，请按证件核对。"
	case x.fault&ident.Birthdate != 0:
		return "第7至14位不是真实的出生日期，请按证件核对。"
	case x.fault&ident.Future != 0:
		return "第7至14位的出生日期晚于今天，请按证件核对。"
	case x.fault&ident.Ancient != 0:
		return "第7至14位的出生日期早于1900年，请按证件核对。"
	case x.fault&ident.Checksum != 0:
		return "末位校验码与前面各位不符，至少有一位填错，请按证件逐位核对。"
	case card:
		return "这是外国人永久居留身份证的号码，请确认填写的是本人证件。"
	}
	return "这是港澳台居民居住证的号码，请确认填写的是本人证件。"
}

// old15Message tells how the 18-digit form comes about. It does not write the
// form out, as that would be a full id in a message.
func old15Message(v string) string {
	t, _ := ident.Convert15(v)
	return fmt.Sprintf("这是15位的旧号码，请与现在的身份证核对后改为18位：在第6位后加“%s”，末位加校验码“%s”。", t[6:8], t[17:])
}

func residentCharMessage(v string) string {
	if len(v) == 15 && ident.IsForeignCard(v) {
		return "外国人永久居留身份证的15位号码应为3个字母加12位数字，请按证件核对。"
	}
	i := placeOf(v, func(r rune) bool { return !isDigit(r) })
	if i == 17 {
		return fmt.Sprintf("末位是%s，应为数字或字母X，请输入字母X。", char(v, i))
	}
	return fmt.Sprintf("第%d位是%s，身份证号码前17位只能是数字，请按证件改正。", i+1, char(v, i))
}

func phoneMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Landline != 0:
		return "座机号不能作为登录账号，建议改填11位手机号。"
	case x.fault&ident.Segment != 0:
		return fmt.Sprintf("手机号第2位应为3至9，现为“%s”，请核对。", v[1:2])
	case x.fault&ident.Masked != 0:
		return "号码中有“*”，是隐去了几位的号码，请填写完整的联系方式。"
	case x.fault&ident.Excel != 0:
		return "号码被表格软件当成数字、多出了小数或指数，请把单元格设为文本格式后重新填写。"
	case x.fault&ident.NoArea != 0:
		return "座机号缺少区号，请在前面补上区号，或改填11位手机号。"
	case x.fault&ident.AreaCode != 0:
		area, _, _ := strings.Cut(v, "-")
		return fmt.Sprintf("区号“%s”不存在，请核对区号，或改填11位手机号。", area)
	case x.fault&ident.Number != 0:
		area, _, _ := strings.Cut(v, "-")
		return fmt.Sprintf("区号“%s”后面的座机号位数或首位不对，请核对，或改填11位手机号。", area)
	case x.fault&(ident.Length|ident.Charset) != 0 && countDigits(v) >= 20:
		return "一格只能填写一个号码，请只留下本人的11位手机号。"
	case x.fault&ident.Length != 0:
		return fmt.Sprintf("号码现有%d位，请填写11位手机号，或带区号的座机号。", utf8.RuneCountInString(v))
	}
	if strings.ContainsAny(v, "/、,;\\|") {
		return "一格只能填写一个号码，请只留下本人的11位手机号。"
	}
	if strings.HasPrefix(v, "+") || strings.HasPrefix(v, "00") {
		return "只能填写中国内地的号码，请填写11位手机号，或带区号的座机号。"
	}
	i := placeOf(v, func(r rune) bool { return !isDigit(r) })
	return fmt.Sprintf("第%d个字符是%s，不是号码的一部分，请填写11位手机号，或带区号的座机号。", i+1, char(v, i))
}

// countDigits tells two numbers in one cell: the blank between them is gone by now.
func countDigits(v string) int {
	n := 0
	for i := range len(v) {
		if v[i]-'0' <= 9 {
			n++
		}
	}
	return n
}
