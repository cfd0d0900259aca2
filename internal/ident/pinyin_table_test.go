package ident

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/language"
)

var update = flag.Bool("update", false, "make pinyin.txt anew")

// The table is what GB 2312 and the collation say.
func TestPinyinTable(t *testing.T) {
	var b strings.Builder
	order, byGB := collationOrder(), gbOrder()
	for r := rune(firstHan); r <= lastHan; r++ {
		l := byGB(r)
		if l == 0 {
			l = order(r)
		}
		if l == 0 {
			l = '.'
		}
		b.WriteByte(l)
		if (r-firstHan)%pinyinLine == pinyinLine-1 {
			b.WriteByte('\n')
		}
	}
	if *update {
		if err := os.WriteFile("pinyin.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if b.String() != pinyinTable {
		t.Error("pinyin.txt is not what it follows from: go test ./internal/ident -run PinyinTable -update")
	}
}

// pinyinLetters are the initials of pinyin: no syllable begins with i, u or v.
const pinyinLetters = "abcdefghjklmnopqrstwxyz"

// gbFirsts are the first characters of each letter in the first level of GB 2312,
// and collationFirsts those in CLDR's order.
const (
	gbFirsts        = "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝"
	collationFirsts = "阿八嚓哒妸发旮哈讥咔垃妈拏噢妑七呥仨它穵夕丫帀"
)

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
		return lastFirst(len(firsts), func(i int) bool { return bytes.Compare(firsts[i], k) <= 0 })
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
		return lastFirst(len(firsts), func(i int) bool { return firsts[i] <= k })
	}
}

// lastFirst returns the letter of the last of n first characters that does not come
// after a character, 0 if all do.
func lastFirst(n int, notAfter func(i int) bool) byte {
	var l byte
	for i := 0; i < n && notAfter(i); i++ {
		l = pinyinLetters[i]
	}
	return l
}
