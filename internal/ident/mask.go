package ident

import (
	"strings"
	"unicode/utf8"
)

// MaskID hides the birth date and sequence of an id: 210102********1234. An id of
// another length, which is a faulty one and still a person's, shows less.
func MaskID(s string) string {
	if utf8.RuneCountInString(s) == 18 {
		return mask(s, 6, 4)
	}
	n := utf8.RuneCountInString(s) / 6
	return mask(s, n, n)
}

// MaskPhone hides the middle of a phone number: 139****1241.
func MaskPhone(s string) string {
	if utf8.RuneCountInString(s) == 11 {
		return mask(s, 3, 4)
	}
	n := utf8.RuneCountInString(s) / 4
	return mask(s, n, n)
}

// MaskName shows the first character of a name: 张*.
func MaskName(s string) string {
	if utf8.RuneCountInString(s) < 2 {
		return mask(s, 0, 0)
	}
	return mask(s, 1, 0)
}

// mask replaces all characters but the given number at each end.
func mask(s string, head, tail int) string {
	n := utf8.RuneCountInString(s)
	var b strings.Builder
	b.Grow(len(s))
	i := 0
	for _, r := range s {
		if i < head || i >= n-tail {
			b.WriteRune(r)
		} else {
			b.WriteByte('*')
		}
		i++
	}
	return b.String()
}
