package ident

import "unicode"

// Surnames begin the names of four people in five; see [NormalizeName].
const Surnames = surnames

// Classes returns the classes of characters that the normal forms and the checks of
// this package tell apart, by name. They are for whoever states the same rules in
// another language, as the page has to: derived from here, they are not written twice.
func Classes() map[string]func(rune) bool {
	return map[string]func(rune) bool{
		"blank":     unicode.IsSpace,
		"break":     isBreak,
		"dot":       isDot,
		"han":       isHan,
		"hyphen":    isHyphen,
		"invisible": invisible,
		"latin":     isLatinName,
		"private":   isPrivate,
		"separator": isSeparator,
	}
}
