package ident

import (
	"strings"
	"time"
	"unicode/utf8"
)

// GB 11643-1999: weights of the 17 digits, and the check character for the sum
// modulo 11 (ISO 7064 MOD 11-2). Strings, so that they are constants.
const (
	residentWeights = "\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02"
	residentChecks  = "10X98765432"
)

// provinces has bit p-11 for each two-digit province code that issues resident
// ids: 11-15 21-23 31-37 41-46 50-54 61-65. 71 is in GB/T 2260, but no such
// number is issued; people from Taiwan hold permits that start with 83.
const provinces uint64 = 0b11111 | 0b111<<(21-11) | 0b1111111<<(31-11) |
	0b111111<<(41-11) | 0b11111<<(50-11) | 0b11111<<(61-11)

// hasProvince reports whether s starts with a province code.
func hasProvince(s string) bool {
	p := number(s[:2])
	return p >= 11 && provinces>>(p-11)&1 == 1
}

// ResidentID checks the normal form of a resident id (GB 11643), a residence
// permit (81, 82, 83) or a permanent-resident card (2023 and 2017 form). today is
// the day after which nobody is born yet. The set of a right one is [OK], or
// [Permit] when it is no resident id.
func ResidentID(s string, today time.Time) Fault {
	if len(s) == 18 && digits(s, 0) >= 17 && (s[17]-'0' <= 9 || s[17] == 'X') {
		return eighteen(s, today)
	}
	if isCard2017(s) {
		return card2017(s)
	}
	var f Fault
	if utf8.RuneCountInString(s) != 18 {
		f |= Length
	}
	n := digits(s, 0)
	if n < len(s) {
		f |= Charset
	}
	if n == 15 && len(s) == 15 {
		f |= Old15
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

// eighteen checks a number of the right length and characters.
func eighteen(s string, today time.Time) Fault {
	var f Fault
	if ResidentCheck(s) != s[17] {
		f = Checksum
		// A double keeps 15 digits: a wrong check digit behind a zeroed tail is the
		// spreadsheet's doing, not the clerk's (identifiers.md §0).
		if s[15:] == "000" {
			f |= Excel
		}
	}
	f |= birth(number(s[6:10]), number(s[10:12]), number(s[12:14]), today)
	switch s[0] {
	case '8':
		if p := s[:6]; p != "810000" && p != "820000" && p != "830000" {
			f |= Province
		}
	case '9':
		if !hasProvince(s[1:]) {
			f |= Province
		}
		if !isNumericCountry(s[3:6]) {
			f |= Nation
		}
	default:
		if !hasProvince(s) {
			f |= Province
		}
		return f
	}
	if f == OK {
		return Permit
	}
	return f
}

// ResidentCheck returns the check character for the first 17 digits of s, which
// must be there.
func ResidentCheck(s string) byte {
	sum := 0
	for i := 0; i < len(residentWeights); i++ {
		sum += int(s[i]-'0') * int(residentWeights[i])
	}
	return residentChecks[sum%11]
}

// birth checks a date of birth.
func birth(year, month, day int, today time.Time) Fault {
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Birthdate
	}
	if year < 1900 {
		return Ancient
	}
	y, m, d := today.Date()
	if year > y || year == y && (month > int(m) || month == int(m) && day > d) {
		return Future
	}
	return OK
}

// daysIn returns the number of days of a Gregorian month.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Convert15 returns the 18-character form of a 15-digit number of GB 11643-1989,
// which was withdrawn on 2013-01-01: the century is inserted before the year (18
// for the sequences 996 to 999 of centenarians, else 19) and the check character
// appended. It reports false if s is not 15 digits.
func Convert15(s string) (string, bool) {
	if len(s) != 15 || digits(s, 0) != 15 {
		return "", false
	}
	century := "19"
	if s[12:] >= "996" {
		century = "18"
	}
	t := s[:6] + century + s[6:]
	return t + string(ResidentCheck(t)), true
}

// IsForeignCard reports whether s has the form of a foreigner's permanent-resident
// card, right or not. Only its holders may bear a name in Latin letters.
func IsForeignCard(s string) bool {
	return len(s) == 18 && s[0] == '9' && ascii(s) || isCard2017(s)
}

// isCard2017 reports whether s looks like a card of 2017: three letters, and 15
// characters in all.
func isCard2017(s string) bool {
	return len(s) == 15 && capital(s[0]) && capital(s[1]) && capital(s[2]) && ascii(s)
}

// ascii reports whether bytes are characters: a length in bytes is one of characters.
func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// card2017 checks a card of 2017: nationality (ISO 3166-1 alpha-3), four digits of
// area, yymmdd, one digit of sequence, and the check digit of ICAO 9303.
func card2017(s string) Fault {
	if digits(s, 3) != 15 {
		if strings.IndexByte(s, '*') >= 0 {
			return Charset | Masked
		}
		return Charset
	}
	var f Fault
	if !hasProvince(s[3:]) {
		f |= Province
	}
	if !isAlphaCountry(s[:3]) {
		f |= Nation
	}
	// The century is not written. 2000 stands for it: a leap year, as is every
	// year of the last century that 4 divides, but 1900.
	if m, d := number(s[9:11]), number(s[11:13]); m < 1 || m > 12 || d < 1 || d > daysIn(2000+number(s[7:9]), m) {
		f |= Birthdate
	}
	sum := 0
	for i := 0; i < 14; i++ {
		v := int(s[i] - '0')
		if capital(s[i]) {
			v = int(s[i]-'A') + 10
		}
		sum += v * int("\x07\x03\x01"[i%3])
	}
	if byte(sum%10)+'0' != s[14] {
		f |= Checksum
	}
	if f == OK {
		return Permit
	}
	return f
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }
