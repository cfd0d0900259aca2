package check

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"tianbao/internal/ident"
)

func creditMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Masked != 0:
		return string(sayCreditMasked)
	case x.fault&ident.Excel != 0:
		return string(sayCreditNumber)
	case x.fault&ident.Length != 0 && utf8.RuneCountInString(v) >= 2*18:
		return string(sayCreditTwo)
	case x.fault&ident.Length != 0:
		return sayCreditLength.fill("{n}", strconv.Itoa(utf8.RuneCountInString(v)))
	case x.fault&ident.Charset != 0:
		return creditCharMessage(v)
	case x.fault&ident.Checksum != 0:
		return string(sayCreditCheck)
	case x.fault&ident.Kind != 0:
		return sayCreditKind.fill("{it}", v[:2])
	case x.fault&ident.Province != 0:
		return sayCreditProvince.fill("{it}", v[2:4])
	case x.fault&ident.OldForm != 0:
		return string(sayCreditOld)
	}
	return sayCreditNotPublic.fill("{it}", v[:1])
}

// creditCharMessage names the wrong character, and the digit it is mistaken for.
func creditCharMessage(v string) string {
	i := ident.CreditFlaw(v)
	if i >= 2 && i < 8 {
		return sayCreditDigit.at(v, i)
	}
	r := runeAt(v, i)
	if k := strings.IndexRune("OISZV", r); k >= 0 {
		return sayCreditAlike.at(v, i, "{alike}", "0152U"[k:k+1])
	}
	return sayCreditChar.at(v, i)
}

func residentMessage(v string, x finding) string {
	card := ident.IsForeignCard(v)
	switch {
	case x.fault&ident.Masked != 0:
		return string(sayIDMasked)
	case x.fault&ident.Excel != 0:
		return string(sayIDNumber)
	case x.fault&ident.Old15 != 0:
		return old15Message(v)
	case x.fault&ident.Length != 0 && countDigits(v) >= 2*15:
		return string(sayIDTwo)
	case x.fault&ident.Length != 0:
		return sayIDLength.fill("{n}", strconv.Itoa(utf8.RuneCountInString(v)))
	case x.fault&ident.Charset != 0:
		return residentCharMessage(v)
	case x.fault&ident.Nation != 0:
		return string(sayIDNation)
	case x.fault&ident.Province != 0 && v[0] == '8':
		return string(sayIDPermitStart)
	case x.fault&ident.Province != 0 && card:
		return string(sayIDCardProvince)
	case x.fault&ident.Province != 0:
		return sayIDProvince.fill("{it}", v[:2])
	case x.fault&ident.Birthdate != 0 && len(v) == 15:
		return string(sayIDCardBirth)
	case x.fault&ident.Birthdate != 0:
		return string(sayIDBirth)
	case x.fault&ident.Future != 0:
		return string(sayIDFuture)
	case x.fault&ident.Ancient != 0:
		return string(sayIDAncient)
	case x.fault&ident.Checksum != 0:
		return string(sayIDCheck)
	case card:
		return string(sayIDIsCard)
	}
	return string(sayIDIsPermit)
}

// old15Message tells how the 18-digit form comes about. It does not write the
// form out, as that would be a full id in a message.
func old15Message(v string) string {
	t, _ := ident.Convert15(v)
	return sayIDOld.fill("{century}", t[6:8], "{check}", t[17:])
}

func residentCharMessage(v string) string {
	if len(v) == 15 && ident.IsForeignCard(v) {
		return string(sayIDCard)
	}
	i := placeOf(v, func(r rune) bool { return !isDigit(r) })
	if i == 17 {
		return sayIDLast.at(v, i)
	}
	return sayIDChar.at(v, i)
}

// betweenPhones are the characters that stand between two numbers in one cell.
const betweenPhones = "/、,;\\|"

func phoneMessage(v string, x finding) string {
	switch {
	case x.fault&ident.Landline != 0:
		return string(sayPhoneLandline)
	case x.fault&ident.Segment != 0:
		return sayPhoneSegment.fill("{it}", v[1:2])
	case x.fault&ident.Masked != 0:
		return string(sayPhoneMasked)
	case x.fault&ident.Excel != 0:
		return string(sayPhoneNumber)
	case x.fault&ident.NoArea != 0:
		return string(sayPhoneNoArea)
	case x.fault&ident.AreaCode != 0:
		area, _, _ := strings.Cut(v, "-")
		return sayPhoneArea.fill("{it}", area)
	case x.fault&ident.Number != 0:
		area, _, _ := strings.Cut(v, "-")
		return sayPhoneDigits.fill("{it}", area)
	case x.fault&(ident.Length|ident.Charset) != 0 && countDigits(v) >= 20:
		return string(sayPhoneTwo)
	case x.fault&ident.Length != 0:
		return sayPhoneLength.fill("{n}", strconv.Itoa(utf8.RuneCountInString(v)))
	}
	if strings.ContainsAny(v, betweenPhones) {
		return string(sayPhoneTwo)
	}
	if strings.HasPrefix(v, "+") || strings.HasPrefix(v, "00") {
		return string(sayPhoneAbroad)
	}
	i := placeOf(v, func(r rune) bool { return !isDigit(r) })
	return sayPhoneChar.at(v, i)
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
