package ident

import (
	"strings"
	"unicode/utf8"
)

// GB 32100-2015 with amendment 1 of 2016: the 31 characters (no I O S V Z) and
// the weights 3^(i-1) mod 31 of the first 17.
const (
	creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	creditWeights  = "\x01\x03\x09\x1b\x13\x1a\x10\x11\x14\x1d\x19\x0d\x08\x18\x0a\x1e\x1c"

	// creditValues gives the value of the characters '0' to 'Z'; '!' marks those
	// outside the alphabet. It is creditAlphabet turned round.
	creditValues = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09!!!!!!!" +
		"\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11!\x12\x13\x14\x15\x16!\x17\x18\x19!\x1a\x1b!\x1c\x1d\x1e!"
)

// creditValue returns the value of a character, or -1.
func creditValue(c byte) int {
	if c < '0' || c > 'Z' {
		return -1
	}
	if v := creditValues[c-'0']; v < 31 {
		return int(v)
	}
	return -1
}

// CreditCode checks the normal form of a unified social credit code. The set of a
// right one is [OK], [NotPublic] when the body is not a public one, or [OldForm]
// when it is a nine-character organisation code instead.
func CreditCode(s string) Fault {
	if len(s) != 18 {
		return otherCode(s)
	}
	sum := 0
	for i := 0; i < 17; i++ {
		v := creditValue(s[i])
		if v < 0 || i >= 2 && i < 8 && v > 9 { // 3 to 8 are digits of GB/T 2260
			return otherCode(s)
		}
		sum += v * int(creditWeights[i])
	}
	last := creditValue(s[17])
	if last < 0 {
		return otherCode(s)
	}
	var f Fault
	if last != (31-sum%31)%31 { // the outer modulo: 31 stands for 0
		f |= Checksum
	}
	if strings.IndexByte(creditKinds(s[0]), s[1]) < 0 {
		f |= Kind
	}
	if !creditRegion(s[2:8]) {
		f |= Province
	}
	if f == OK && s[0] != '1' {
		return NotPublic
	}
	return f
}

// CompleteCredit completes the first sixteen characters of a public body's code: the check
// character of the organisation code within it (GB 11714-1997), then its own. What they are
// of must be right, or it panics.
func CompleteCredit(s string) string {
	for _, inner := range "0123456789X" {
		if OrgCode(s[8:]+string(inner)) != OK {
			continue
		}
		for _, c := range creditAlphabet {
			if full := s + string(inner) + string(c); CreditCode(full) == OK {
				return full
			}
		}
	}
	panic("ident: no check character fits " + s)
}

// otherCode tells what a code of another length or with foreign characters is.
func otherCode(s string) Fault {
	if OrgCode(s) == OK {
		return OldForm
	}
	var f Fault
	if utf8.RuneCountInString(s) != 18 {
		f |= Length
	}
	if CreditFlaw(s) >= 0 {
		f |= Charset
	}
	if strings.IndexByte(s, '*') >= 0 {
		f |= Masked
	}
	if excelDamage(s) {
		f |= Excel
	}
	if replaced(s) {
		f |= Replaced
	}
	return f
}

// CreditFlaw returns the place, counted from 0, of the first character that a
// credit code cannot have there, or -1.
func CreditFlaw(s string) int {
	n := 0
	for _, r := range s {
		v := -1
		if r < 0x80 {
			v = creditValue(byte(r))
		}
		if v < 0 || n >= 2 && n < 8 && v > 9 {
			return n
		}
		n++
	}
	return -1
}

// creditKinds returns the second characters that may follow the first: the kinds
// of body that each registering department knows.
func creditKinds(first byte) string {
	switch first {
	case '1': // 机构编制: 机关, 事业单位, 群众团体, 其他
		return "1239"
	case '2', '4', '8', 'A': // 外交, 文化, 工会, 军委改革编制办
		return "19"
	case '3': // 司法行政
		return "123459"
	case '5': // 民政; 4 and 5 are the older village and residents committees
		return "123459"
	case '6', '7': // 旅游, 宗教
		return "129"
	case '9': // 工商: 企业, 个体, 农民专业合作社
		return "123"
	case 'N': // 农业
		return "1239"
	case 'Y': // 其他
		return "1"
	}
	return ""
}

// creditRegion reports whether the six digits of the registering department's
// region can be: the nation as a whole, or a province, of which there are three
// more here than on resident ids.
func creditRegion(s string) bool {
	switch s[:2] {
	case "10":
		return s == "100000"
	case "71", "81", "82":
		return true
	}
	return hasProvince(s)
}

// OrgCode checks an organisation code of GB 11714-1997, with or without its
// hyphen. Its check is weak on letters (values 11 apart collide), so it is never
// the only proof of a code.
func OrgCode(s string) Fault {
	body, check := 8, 8
	if len(s) == 10 && s[8] == '-' {
		check = 9
	}
	if len(s) != check+1 {
		return Length
	}
	sum := 0
	for i := 0; i < body; i++ {
		v := int(s[i]) - '0'
		if capital(s[i]) {
			v = int(s[i]-'A') + 10
		} else if v < 0 || v > 9 {
			return Charset
		}
		sum += v * int("\x03\x07\x09\x0a\x05\x08\x04\x02"[i])
	}
	if c := s[check]; c != 'X' && c-'0' > 9 {
		return Charset
	}
	if "0123456789X"[(11-sum%11)%11] != s[check] {
		return Checksum
	}
	return OK
}

// BudgetCode checks the normal form of a budget unit code: digits and capital
// letters, leading zeros included, longest of them at most (0: any number;
// agency_code is VARCHAR2(21) in the integrated platform).
func BudgetCode(s string, longest int) Fault {
	n := 0
	for n < len(s) && (s[n]-'0' <= 9 || capital(s[n])) {
		n++
	}
	var f Fault
	if n < len(s) {
		f |= Charset
		if replaced(s) {
			f |= Replaced
		}
	}
	if s == "" || longest > 0 && utf8.RuneCountInString(s) > longest {
		f |= Length
	}
	if excelDamage(s) {
		f |= Excel
	}
	return f
}
