package ident_test

import (
	"strings"
	"testing"

	"tianbao/internal/ident"
)

func TestNormalizeMail(t *testing.T) {
	for in, want := range map[string]string{
		" zhang@example.gov.cn\n": "zhang@example.gov.cn", "ａ＠ｂ．ｃｎ": "a@b.cn", "　a@b.cn": "a@b.cn", "张三@b.cn": "张三@b.cn",
	} {
		if got := ident.NormalizeMail(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestMail(t *testing.T) {
	for _, c := range []struct {
		text, masked string
		ok           bool
	}{
		{"zhang@example.gov.cn", "z***@example.gov.cn", true},
		{"a@b", "a***@b", true},
		{"张三@example.cn", "张***@example.cn", true},
		{"示例 <a@example.cn>", "示***@example.cn>", false},
		{"a@example.cn, b@example.cn", "a***@example.cn, b@example.cn", false},
		{"a@example.cn\r\nBcc: b@example.cn", "a***@example.cn\r\nBcc: b@example.cn", false},
		{"a(x)@example.cn", "a***@example.cn", false},
		{"example.cn", "**********", false},
		{"@example.cn", "***@example.cn", false},
		{"", "", false},
		{strings.Repeat("a", 250) + "@b.cn", "a***@b.cn", false},
	} {
		if got := ident.IsMail(c.text); got != c.ok {
			t.Errorf("IsMail(%q) = %t", c.text, got)
		}
		if got := ident.MaskMail(c.text); got != c.masked {
			t.Errorf("MaskMail(%q) = %q, want %q", c.text, got, c.masked)
		}
	}
}

func TestMaskDigits(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "",
		"填报 2025 年，共 123456 行": "填报 2025 年，共 123456 行",
		"张三 16012345678":       "张三 160******78",
		"电话0416-2345678转1":     "电话041*-*****78转1",
		"２１０７０２１９９００１０１９００Ｘ":          "２１０************００Ｘ",
		"1601234 5678 与 160-12345678": "160**** **78 与 160-******78",
	} {
		if got := ident.MaskDigits(text); got != want {
			t.Errorf("MaskDigits(%q) = %q, want %q", text, got, want)
		}
	}
}
