package ident

import (
	_ "embed"
	"strings"
)

// Pinyin gives the initials of Chinese text, by which a clerk looks for a unit:
// 辽宁省中医院 is lnszyy. Its zero value is ready. It is safe for use by several
// goroutines.
//
// A character has one letter, that of its commonest reading. The 3 755 everyday
// characters are read as GB 2312-1980 reads them, whose first level stands in the
// order of pinyin (沈 s, 长 c, 单 d, 重 z, 行 x, 会 h, 藏 c); the rest as the pinyin
// collation of CLDR does. In the words of [otherReadings] a character is read
// otherwise.
type Pinyin struct{}

// The characters of the table: the unified ideographs without extensions.
const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
)

// pinyinTable has the letters of these characters in their order, a dot for none, and ends
// each line after pinyinLine of them. A test makes it: the order it follows from weighs
// 1.3 MB in a program and took a start's search index its time.
//
//go:embed pinyin.txt
var pinyinTable string

const pinyinLine = 64

// letterOf returns a character's letter, 0 for none.
func letterOf(r rune) byte {
	if r < firstHan || r > lastHan {
		return 0
	}
	i := int(r - firstHan)
	if l := pinyinTable[i+i/pinyinLine]; l != '.' {
		return l
	}
	return 0
}

// otherReadings are words of unit names with a character that is commonly read
// otherwise.
const otherReadings = "重庆cq 西藏xz 会计kj 银行yh 行业hy 分行fh 支行zh 总行zh 商行sh"

// otherReading returns the letters of two characters that are such a word.
func otherReading(two string) string {
	if i := strings.Index(otherReadings, two); i >= 0 {
		return otherReadings[i+len(two):][:2]
	}
	return ""
}

// Initials returns the initials of s in lower case. ASCII letters and digits stay,
// everything else goes.
func (Pinyin) Initials(s string) string {
	var b strings.Builder
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case r >= firstHan && r <= lastHan:
			if i+1 < len(rs) && rs[i+1] >= firstHan {
				if two := otherReading(string(rs[i : i+2])); two != "" {
					b.WriteString(two)
					i++
					continue
				}
			}
			if l := letterOf(r); l != 0 {
				b.WriteByte(l)
			}
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			b.WriteByte(byte(r))
		case r >= 'A' && r <= 'Z':
			b.WriteByte(byte(r) + 'a' - 'A')
		}
	}
	return b.String()
}
