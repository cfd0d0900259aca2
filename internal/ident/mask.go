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

// MaskDigits hides within a text whatever may be a number of a person: the middle of each
// row of seven digits or more, blanks and hyphens between them allowed.
func MaskDigits(s string) string {
	const least, head, tail = 7, 3, 2
	out := []rune(s)
	for i := 0; i < len(out); {
		if !digit(out[i]) {
			i++
			continue
		}
		n, end := 0, i
		for j := i; j < len(out) && (digit(out[j]) || n > 0 && (out[j] == ' ' || out[j] == '-')); j++ {
			if digit(out[j]) {
				n, end = n+1, j+1
			}
		}
		if n >= least {
			seen := 0
			for j := i; j < end; j++ {
				if digit(out[j]) {
					if seen++; seen > head && seen <= n-tail {
						out[j] = '*'
					}
				}
			}
		}
		i = end
	}
	return string(out)
}

// digit reports whether a character is a digit, also a full-width one.
func digit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

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
