package ident

import (
	"bytes"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/language"
)

// Pinyin gives the initials of Chinese text, by which a clerk looks for a unit:
// 辽宁省中医院 is lnszyy. Its zero value is ready; the table of one letter a
// character is made once, when it is first asked for. It is safe for use by several
// goroutines.
//
// A character has one letter, that of its commonest reading. The 3 755 everyday
// characters are read as GB 2312-1980 reads them, whose first level stands in the
// order of pinyin (沈 s, 长 c, 单 d, 重 z, 行 x, 会 h, 藏 c); the rest as the pinyin
// collation of CLDR does. In the words of [otherReadings] a character is read
// otherwise.
type Pinyin struct {
	once    sync.Once
	letters [lastHan - firstHan + 1]byte
	words   map[[2]rune]string
}

// The characters of the table: the unified ideographs without extensions.
const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
)

// pinyinLetters are the initials of pinyin: no syllable begins with i, u or v.
const pinyinLetters = "abcdefghjklmnopqrstwxyz"

// gbFirsts are the first characters of each letter in the first level of GB 2312,
// and collationFirsts those in CLDR's order.
const (
	gbFirsts        = "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝"
	collationFirsts = "阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨它穵夕丫帀"
)

// otherReadings are words of unit names with a character that is commonly read
// otherwise.
const otherReadings = "重庆cq 西藏xz 会计kj 银行yh 行业hy 分行fh 支行zh 总行zh 商行sh"

// Initials returns the initials of s in lower case. ASCII letters and digits stay,
// everything else goes.
func (p *Pinyin) Initials(s string) string {
	p.once.Do(p.build)
	var b strings.Builder
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case r >= firstHan && r <= lastHan:
			if i+1 < len(rs) {
				if two, ok := p.words[[2]rune{r, rs[i+1]}]; ok {
					b.WriteString(two)
					i++
					continue
				}
			}
			if l := p.letters[r-firstHan]; l != 0 {
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

func (p *Pinyin) build() {
	p.words = make(map[[2]rune]string)
	for w := range strings.FieldsSeq(otherReadings) {
		rs := []rune(w)
		p.words[[2]rune{rs[0], rs[1]}] = string(rs[2:])
	}
	order, byGB := collationOrder(), gbOrder()
	for i := range p.letters {
		r := rune(firstHan + i)
		if p.letters[i] = byGB(r); p.letters[i] == 0 {
			p.letters[i] = order(r)
		}
	}
}

// collationOrder returns a function that finds a character's letter in the pinyin
// collation, 0 where CLDR has no reading.
func collationOrder() func(rune) byte {
	c := collate.New(language.MustParse("zh-u-co-pinyin"))
	buf := new(collate.Buffer)
	key := func(r rune) []byte {
		buf.Reset()
		return c.KeyFromString(buf, string(r))
	}
	var firsts [][]byte
	for _, r := range collationFirsts {
		firsts = append(firsts, bytes.Clone(key(r)))
	}
	return func(r rune) byte {
		k := key(r) // before all of them for a character without a reading
		return letterOf(len(firsts), func(i int) bool { return bytes.Compare(firsts[i], k) <= 0 })
	}
}

// gbOrder returns a function that finds a character's letter in the first level of
// GB 2312 (rows 16 to 55), 0 for other characters.
func gbOrder() func(rune) byte {
	enc := simplifiedchinese.GBK.NewEncoder()
	code := func(r rune) string {
		s, err := enc.String(string(r))
		if err != nil || len(s) != 2 || s[0] < 0xB0 || s[0] > 0xD7 || s[1] < 0xA1 {
			return ""
		}
		return s
	}
	var firsts []string
	for _, r := range gbFirsts {
		firsts = append(firsts, code(r))
	}
	return func(r rune) byte {
		k := code(r)
		if k == "" {
			return 0
		}
		return letterOf(len(firsts), func(i int) bool { return firsts[i] <= k })
	}
}

// letterOf returns the letter of the last of n first characters that does not come
// after a character, 0 if all do.
func letterOf(n int, notAfter func(i int) bool) byte {
	var l byte
	for i := 0; i < n && notAfter(i); i++ {
		l = pinyinLetters[i]
	}
	return l
}
