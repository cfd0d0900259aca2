package sheet

import (
	"fmt"
	"strings"

	"tianbao"
)

// sentenceOf says what a fault is and how to put it right. internal/check can quote
// the value; a formula has one sentence for all of them.
func (f *fieldFormulas) sentenceOf(rule string) string {
	if rule == "required" {
		return "“" + f.Title + "”没有填写，请补填。"
	}
	const asText = "请把单元格设为文本格式后重新填写"
	switch string(f.Kind) + "." + rule {
	case "text.charset":
		return "“" + f.Title + "”中有换行等不能显示的字符，请删去。"
	case "text.length":
		return "“" + f.Title + "”" + f.span() + "且没有换行，请改正。"
	case "code.float":
		return "“" + f.Title + "”被表格软件当成数字、多出了小数或指数，" + asText + "。"
	case "code.charset":
		return "“" + f.Title + "”只能用数字和字母，" + f.span() + "，请改正。"
	case "credit_code.length":
		return "应为18位统一社会信用代码，请按证书填写完整。"
	case "credit_code.charset":
		return "统一社会信用代码只能用数字和大写字母（没有I、O、S、V、Z），第3至8位只能是数字，请改正。"
	case "credit_code.checksum":
		return "末位校验码与前17位不符，至少有一位填错，请按证书逐位核对。"
	case "credit_code.kind":
		return "前两位不是已有的登记管理部门和机构类别，请按证书核对。"
	case "credit_code.province":
		return "第3、4位不是省级行政区划代码，请按证书核对。"
	case "credit_code.old_form":
		return "这是9位的旧组织机构代码，请改填18位统一社会信用代码，确实没有的请说明原因。"
	case "credit_code.not_public":
		return "代码首位不是1，不是机构编制部门登记的单位，请核对，确实无误的请说明原因。"
	case "choice.unknown":
		return "填写的内容不在可选的范围内，请从“" + strings.Join(f.Enum, "”“") + "”中选一项。"
	case "name.charset":
		return "姓名只能用汉字和间隔号“·”，一格只填一个人的姓名，请按证件改正。"
	case "name.length":
		return "姓名" + f.span() + "，请按证件填写全名。"
	case "resident_id.masked":
		return "号码中有“*”，是隐去了几位的号码，请填写完整的身份证号码。"
	case "resident_id.precision_lost":
		return "号码被表格软件当成数字、末尾几位已变成0，" + asText + "完整的号码。"
	case "resident_id.old15":
		return "这是15位的旧号码，请按现在的身份证改为18位。"
	case "resident_id.length":
		return "身份证号码应为18位，请按证件填写完整。"
	case "resident_id.charset":
		return "身份证号码前17位只能是数字，末位是数字或字母X，请按证件改正。"
	case "resident_id.province":
		return "号码开头不是签发证件的地区，或国籍代码不存在，请按证件核对。"
	case "resident_id.birthdate":
		return "号码中的出生日期不是1900年以来、今天以前的真实日期，请按证件核对。"
	case "resident_id.checksum":
		return "末位校验码与前面各位不符，至少有一位填错，请按证件逐位核对。"
	case "resident_id.permit":
		return "这是居住证或外国人永久居留身份证的号码，请确认填写的是本人证件。"
	case "phone.format":
		return "请填写11位手机号，或带区号的座机号。"
	case "phone.landline":
		return "座机号不能作为登录账号，建议改填11位手机号。"
	}
	return "“" + f.Title + "”填写有误，请改正。"
}

// span tells how long a value may be.
func (f *fieldFormulas) span() string {
	shortest, longest := f.MinLength, f.MaxLength
	unit := "个字"
	if f.Kind == tianbao.KindCode {
		unit = "位"
	}
	if f.Kind == tianbao.KindName {
		shortest, longest = nameSpan(shortest, longest)
	}
	switch {
	case longest == 0:
		return fmt.Sprintf("至少%d%s", shortest, unit)
	case shortest == 0:
		return fmt.Sprintf("最多%d%s", longest, unit)
	}
	return fmt.Sprintf("应为%d至%d%s", shortest, longest, unit)
}
