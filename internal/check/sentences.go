package check

import "strings"

// sentence is a message with places to fill in. {title}, {list}, {min}, {max} and
// {unit} are known from the form; the others come from the value:
//
//	{n}      how many characters it has
//	{i}      the place of the wrong character, from 1
//	{char}   that character, so that it can be read, see [char]
//	{it}     the part of the value that is right so far, or the part in question
//	{check}  the check character of a 15-digit id written with the century {century}
//	{code}   what the register has instead
//	{row}    the number of another row
//
// The sentences stand here once: the server fills them in, and the page is given them
// as data by [Describe].
type sentence string

// fill returns the sentence with its places filled, given as "{place}", text.
func (s sentence) fill(pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(string(s))
}

// Of every kind.
const (
	sayRequired sentence = "“{title}”没有填写，请补填。"
	sayDate     sentence = "这一格是日期，不是“{title}”，请把单元格设为文本格式后重新填写。"
	sayBroken   sentence = "这一格是表格软件的错误值，请改填正确的“{title}”。"
	sayLostTail sentence = "这一格是数字，表格软件只保留前15位、其余都变成了0，请把单元格设为文本格式后重新填写完整的“{title}”。"
	sayReplaced sentence = "第{i}个字符在转换编码时已丢失（显示为�），请重新填写。"
	sayLong     sentence = "“{title}”最多{max}{unit}，现有{n}{unit}，请缩短。"
	sayShort    sentence = "“{title}”至少{min}{unit}，现有{n}{unit}，请填写全称。"
)

// Texts, codes and lists.
const (
	sayTextChar    sentence = "第{i}个字符是{char}，“{title}”中不能有，请删去。"
	sayCodeNumber  sentence = "“{title}”被表格软件当成数字、多出了小数或指数，请把单元格设为文本格式后重新填写。"
	sayCodeZeros   sentence = "“{title}”前面可能少了0，登记的编码是“{code}”，请核对；如需改正，请先把单元格设为文本格式。"
	sayCodeChar    sentence = "第{i}位是{char}，“{title}”只能用数字和字母，请改正。"
	sayChoiceThis  sentence = "“{it}”不在可选的范围内，请从{list}中选一项。"
	sayChoiceOther sentence = "填写的内容不在可选的范围内，请从{list}中选一项。"
)

// What the register of units says otherwise.
const (
	sayUnitUnknown sentence = "登记册中没有这个单位，请核对单位的名称和代码；确是新设的单位，请先联系财政部门登记。"
	sayUnitClosed  sentence = "这个单位在登记册中已经撤销，请改填现在的单位；确未撤销的，请联系财政部门更正登记册。"
	sayUnitOutside sentence = "这个单位不在您负责的范围内，请核对单位的名称和代码；确由您填报的，请联系财政部门调整登记册。"
	sayUnitDiffers sentence = "登记册中是“{it}”，请核对后改正，或说明原因。"
)

// What the old system's list and other units say otherwise.
const (
	sayOldUnknown     sentence = "旧系统用户名单中没有这个用户名，请核对；确实这样使用的，请说明原因。"
	sayOldOther       sentence = "旧系统用户名单中这个用户名属于其他单位，请核对；确实这样使用的，请说明原因。"
	sayElsewhere      sentence = "这个人其他单位已填报，请联系上级；确是兼职的，请说明原因。"
	sayElsewhereHere  sentence = "第{row}行以另一个单位填报了同一个人，请核对两行；确是兼职的，请说明原因。"
	sayElsewhereNamed sentence = "这个人“{it}”也已填报，请核对；确是兼职的，请说明原因。"
)

// Names.
const (
	sayNamePrivate sentence = "第{i}个字是本机自造的字（{char}），别处无法显示，请换成标准汉字。"
	sayNameDot     sentence = "间隔号“·”只能单个用在两个字之间，请删去多余的间隔号。"
	sayNameFormula sentence = "这一格是公式文本，不是姓名，请填写真实姓名。"
	sayNameTwo     sentence = "第{i}个字符是{char}，一格只能填写一个人的姓名，请另起一行填写其他人。"
	sayNameLatin   sentence = "第{i}个字符是字母{char}，持外国人永久居留身份证的人才填写外文姓名，请填写汉字姓名。"
	sayNameChar    sentence = "第{i}个字符是{char}，不能用在姓名中，请按证件改正。"
	sayNameLength  sentence = "姓名应为{min}至{max}个字，现有{n}个字，请按证件填写全名。"
)

// Credit codes.
const (
	sayCreditMasked    sentence = "代码中有“*”，是隐去了几位的代码，请填写完整的18位统一社会信用代码。"
	sayCreditNumber    sentence = "代码被表格软件当成数字、末尾几位已丢失，请把单元格设为文本格式后重新填写18位统一社会信用代码。"
	sayCreditTwo       sentence = "一格只能填写一个单位的代码，请只留下本单位的18位统一社会信用代码。"
	sayCreditLength    sentence = "应为18位统一社会信用代码，现有{n}位，请按证书填写完整。"
	sayCreditDigit     sentence = "第{i}位是{char}，第3至8位只能是数字，请改正。"
	sayCreditAlike     sentence = "第{i}位是{char}，统一社会信用代码不用字母I、O、S、V、Z，请核对是不是“{alike}”。"
	sayCreditChar      sentence = "第{i}位是{char}，统一社会信用代码只能用数字和大写字母，请改正。"
	sayCreditCheck     sentence = "末位校验码与前17位不符，至少有一位填错，请按证书逐位核对。"
	sayCreditKind      sentence = "前两位“{it}”不是已有的登记管理部门和机构类别，请按证书核对。"
	sayCreditProvince  sentence = "第3、4位“{it}”不是省级行政区划代码，请按证书核对。"
	sayCreditOld       sentence = "这是9位的旧组织机构代码，请改填18位统一社会信用代码，确实没有的请说明原因。"
	sayCreditNotPublic sentence = "代码首位是“{it}”，不是机构编制部门登记的单位，请核对，确实无误的请说明原因。"
)

// Resident ids.
const (
	sayIDMasked       sentence = "号码中有“*”，是隐去了几位的号码，请填写完整的身份证号码。"
	sayIDNumber       sentence = "号码被表格软件当成数字、末尾几位已变成0，请把单元格设为文本格式后按证件重新填写完整的号码。"
	sayIDOld          sentence = "这是15位的旧号码，请与现在的身份证核对后改为18位：在第6位后加“{century}”，末位加校验码“{check}”。"
	sayIDTwo          sentence = "一格只能填写一个人的身份证号码，请另起一行填写其他人。"
	sayIDLength       sentence = "身份证号码应为18位，现有{n}位，请按证件填写完整。"
	sayIDCard         sentence = "外国人永久居留身份证的15位号码应为3个字母加12位数字，请按证件核对。"
	sayIDLast         sentence = "末位是{char}，应为数字或字母X，请输入字母X。"
	sayIDChar         sentence = "第{i}位是{char}，身份证号码前17位只能是数字，请按证件改正。"
	sayIDNation       sentence = "证件号码中的国籍代码不存在，请按外国人永久居留身份证核对。"
	sayIDPermitStart  sentence = "港澳台居民居住证的号码应以810000、820000或830000开头，请按证件核对前6位。"
	sayIDCardProvince sentence = "证件号码中的受理地代码不存在，请按外国人永久居留身份证核对。"
	sayIDProvince     sentence = "前两位“{it}”不是签发身份证的省级代码，请按证件核对。"
	sayIDCardBirth    sentence = "第8至13位不是真实的出生日期，请按证件核对。"
	sayIDBirth        sentence = "第7至14位不是真实的出生日期，请按证件核对。"
	sayIDFuture       sentence = "第7至14位的出生日期晚于今天，请按证件核对。"
	sayIDAncient      sentence = "第7至14位的出生日期早于1900年，请按证件核对。"
	sayIDCheck        sentence = "末位校验码与前面各位不符，至少有一位填错，请按证件逐位核对。"
	sayIDIsCard       sentence = "这是外国人永久居留身份证的号码，请确认填写的是本人证件。"
	sayIDIsPermit     sentence = "这是港澳台居民居住证的号码，请确认填写的是本人证件。"
)

// Telephone numbers.
const (
	sayPhoneLandline sentence = "座机号不能作为登录账号，建议改填11位手机号。"
	sayPhoneSegment  sentence = "手机号第2位应为3至9，现为“{it}”，请核对。"
	sayPhoneMasked   sentence = "号码中有“*”，是隐去了几位的号码，请填写完整的联系方式。"
	sayPhoneNumber   sentence = "号码被表格软件当成数字、多出了小数或指数，请把单元格设为文本格式后重新填写。"
	sayPhoneNoArea   sentence = "座机号缺少区号，请在前面补上区号，或改填11位手机号。"
	sayPhoneArea     sentence = "区号“{it}”不存在，请核对区号，或改填11位手机号。"
	sayPhoneDigits   sentence = "区号“{it}”后面的座机号位数或首位不对，请核对，或改填11位手机号。"
	sayPhoneTwo      sentence = "一格只能填写一个号码，请只留下本人的11位手机号。"
	sayPhoneLength   sentence = "号码现有{n}位，请填写11位手机号，或带区号的座机号。"
	sayPhoneAbroad   sentence = "只能填写中国内地的号码，请填写11位手机号，或带区号的座机号。"
	sayPhoneChar     sentence = "第{i}个字符是{char}，不是号码的一部分，请填写11位手机号，或带区号的座机号。"
)
