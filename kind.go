package tianbao

// Faults returns the short names of the faults that values of the kind can have,
// in the order in which they are looked for; nil for a kind that does not exist.
// A form lists those it asks for in [Field.Rules]; it cannot list others.
func (k Kind) Faults() []string {
	switch k {
	case KindText:
		return []string{"required", "charset", "length"}
	case KindCode:
		return []string{"required", "float", "charset", "leading_zeros"}
	case KindCreditCode:
		return []string{"required", "length", "charset", "checksum", "kind", "province", "old_form", "not_public"}
	case KindChoice:
		return []string{"required", "unknown"}
	case KindName:
		return []string{"required", "charset", "length"}
	case KindResidentID:
		return []string{
			"required", "masked", "precision_lost", "old15", "length", "charset",
			"province", "birthdate", "checksum", "permit",
		}
	case KindPhone:
		return []string{"required", "format", "landline"}
	}
	return nil
}

// Kinds returns the kinds in the order in which pages list them.
func Kinds() []Kind {
	return []Kind{KindText, KindCode, KindChoice, KindName, KindPhone, KindResidentID, KindCreditCode}
}

// Title returns the kind in the users' words.
func (k Kind) Title() string {
	switch k {
	case KindText:
		return "文字"
	case KindCode:
		return "编码"
	case KindCreditCode:
		return "统一社会信用代码"
	case KindChoice:
		return "列表选择"
	case KindName:
		return "姓名"
	case KindResidentID:
		return "身份证号码"
	case KindPhone:
		return "电话"
	}
	return ""
}

// Check says in the users' words what a value is held against where a form asks for one of
// the kind's faults; empty for what is none.
func (k Kind) Check(fault string) string {
	if fault == "required" {
		return "不能空着"
	}
	switch k {
	case KindText:
		return map[string]string{"charset": "没有换行和控制字符", "length": "字数在限定以内"}[fault]
	case KindCode:
		return map[string]string{"float": "没有被表格软件当成数字", "charset": "只有数字和字母，位数在限定以内", "leading_zeros": "前面的0没有丢（按单位登记册）"}[fault]
	case KindCreditCode:
		return map[string]string{
			"length": "18位", "charset": "只有数字和规定的字母", "checksum": "末位校验码相符", "kind": "登记管理部门和机构类别存在",
			"province": "省级区划代码存在", "old_form": "不是9位的旧代码", "not_public": "是机构编制部门登记的单位",
		}[fault]
	case KindChoice:
		return map[string]string{"unknown": "是选项之一"}[fault]
	case KindName:
		return map[string]string{"charset": "只有姓名用字", "length": "字数在限定以内"}[fault]
	case KindResidentID:
		return map[string]string{
			"masked": "没有用*隐去", "precision_lost": "末尾没有被表格软件改成0", "old15": "不是15位的旧号码", "length": "18位", "charset": "只有数字和末位的X",
			"province": "签发地的省级代码存在", "birthdate": "出生日期真实", "checksum": "末位校验码相符", "permit": "不是居住证或永久居留身份证",
		}[fault]
	case KindPhone:
		return map[string]string{"format": "手机号，或带区号的座机号", "landline": "不是座机号"}[fault]
	}
	return ""
}

// Masks returns the masks in the order in which pages list them.
func Masks() []Mask { return []Mask{MaskNone, MaskName, MaskPhone, MaskID, MaskMail} }

// Title returns the mask in the users' words.
func (m Mask) Title() string {
	switch m {
	case MaskNone:
		return "不隐去"
	case MaskID:
		return "按身份证号码隐去"
	case MaskPhone:
		return "按电话隐去"
	case MaskName:
		return "按姓名隐去"
	case MaskMail:
		return "按邮箱隐去"
	}
	return ""
}

// Severities returns the severities in the order in which pages list them.
func Severities() []Severity { return []Severity{SeverityError, SeverityJustify, SeverityHint} }

// Title returns the severity in the users' words, empty for none.
func (s Severity) Title() string {
	switch s {
	case SeverityError:
		return "错误，要改正"
	case SeverityJustify:
		return "要说明原因"
	case SeverityHint:
		return "只提示"
	}
	return ""
}
