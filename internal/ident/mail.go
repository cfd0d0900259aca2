package ident

import (
	"net/mail"
	"strings"
)

// maxMail is the most bytes an address may have (RFC 5321, 4.5.3.1.3, without its brackets).
const maxMail = 254

// NormalizeMail returns an address without spaces around it, and with what was typed in
// full width in half width: ａ＠ｂ．ｃｎ is a@b.cn.
func NormalizeMail(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case '！' <= r && r <= '～':
			return r - '！' + '!'
		case r == '　':
			return ' '
		}
		return r
	}, s))
}

// IsMail reports whether s is a mail address and nothing else: without a name, a comment
// or what could end a line of a mail's head.
func IsMail(s string) bool {
	if len(s) > maxMail || strings.ContainsAny(s, "\r\n<>\"() ,;") {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// MaskMail shows the first character of an address and its domain: z***@example.gov.cn.
func MaskMail(s string) string {
	name, domain, ok := strings.Cut(s, "@")
	if !ok {
		return mask(s, 0, 0)
	}
	first := ""
	for _, r := range name {
		first = string(r)
		break
	}
	return first + "***@" + domain
}
