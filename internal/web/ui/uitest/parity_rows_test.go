package uitest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"tianbao/internal/ident"
)

// odd are characters that come in by input methods, workbooks and web pages.
var odd = []string{
	" ", "  ", "　", "\u00a0", "\u200b", "\ufeff", "\u2009", "\u0085", "\u2028", "\u3000\n", "\n", "\t", "\r\n", "\x00", "\x7f", "'", "’", "‘", "\"", "`",
	"０", "９", "Ａ", "ｚ", "Ｘ", "＊", "（", "－", "＇", ".", "．", "·", "•", "・", "‧", "-", "—", "–", "−", "ー", "﹣", "(", ")", "【", "】", "[", "{", "+", "#", "转", "*",
	"/", "\\", "|", ",", "，", "、", ";", "；", "&", "=", "@", "_", "和", "与", "〇", "郎", "﨎", "龘", "㐀", "𠀀", "𪚥", "𫜴", "𮯰", "𲎯", "\uE000", "\U000F0001", "\uFFFD",
	"A", "a", "x", "X", "×", "Х", "Χ", "I", "O", "S", "V", "Z", "é", "ß", "Æ", "ſ", "İ", "ı", "K", "Å", "ﬁ", "Ⅳ", "①", "㊣", "㎡", "½", "²", "E", "e", "E+", ".0", "😀", "👨‍👩‍👧", "e\u0301", "\u0301", "\u202e", "\u2066", "\u180e", "ㄅ", "あ", "가", "١", "०", "䷀", "\U0001f9ff", "\U0001fae8", "\u0870", "ꟊ", "$", "$1", "$&", "{n}", "{i}", "constructor", "__proto__", "王小 李明", "86", "0086", "+86", "024", "0411", "0420", "024-",
}

// wholes are cells that hold something else altogether, by column.
var wholes = [8][]string{
	{"", "0", "001", "105001.0", "1.05E+10", "1E5", "1050010000000000", "A-1", strings.Repeat("7", 22), strings.Repeat("7", 21), "101 001", "ａｂ１"},
	{"", "局", "某局", strings.Repeat("局", 100), strings.Repeat("局", 101), "沈阳市\n水利局", "＃ＲＥＦ", "'某单位", "' 某 单 位 '"},
	{"", "000001", "111", "D2143569X", "D2143569-X", "601815909", "123456789", "1E1234567", "112101006O181590XA", "11A10100601815900A", "112101**********XA", "1.12101006018159E+17", "B1210100600000000C", "11990100600000000N", "91210100600000000E", "1121010060181590XA1121010060181590XB", "12345678901234567.0", "1E0000000000000000", "112101006018", "1121010060181590X我"},
	{"", "主管部门", "行政单位", "事业单位", "主要部门", "'主要 部门", "行 政 单 位", "企业", "企业单位", "Company", "行政单位（", "行政A", "行政１", "夏娜", "16012345678", "行政事业单位主管部门", "constructor", "主管部门、行政单位"},
	{"", "admin", strings.Repeat("a", 64), strings.Repeat("a", 65), "a\tb", "a\x00", "用户 名", "\u2028a"},
	{"", "张", "张三", "张 三", "张\n李", "张三\n李四", "张三、李四", "王小 李明", "欧阳 建国", "王 小明 李", "张·", "·张", "阿·不·都", "阿··不", "阿•不", "阿.不.都", "A.不", "john smith", "JOHN SMITH", "O'Neil", "李Anna", "=1+1", "=HYPERLINK(\"http://x\")", "张\uE000", "张\uFFFD", strings.Repeat("张", 50), strings.Repeat("张", 51), "张 · 三", "张\n·三", "3", "张3", ".", "..", "张.", ".张"},
	{"", "210102198001019015", "21010219800101901x", "21010219800101901Ｘ", "21010219800101901×", "21010219800101901Х", "810000199408230021", "830000199201300022", "820000199408230020", "810001199408230021", "932682198501010017", "932000198501010017", "999682198501010017", "KAZ110090123105", "KAZ110090123106", "XXX110090123105", "KAZ990090123105", "KAZ110090133105", "KAZ11009012310*", "KAZ1100901231一", "abc甲乙丙丁", "9甲乙丙丁戊丁", "610104620927690", "610104200927997", "2.10102198001E+17", "210102198001019000", "210102********9015", "210102198001019015210102198001019015", "990102198001019015", "210102198002309015", "210102190002299010", "210102203001019017", "210102189901019018", "210102198013019015", "21010219800101901", "2101021980010190155", "210102000001019015", "12345678901234567A", "012345198001019015"},
	{"", "16012345678", "13812345678", "12012345678", "+86 160-1234-5678", "008616012345678", "8616012345678", "0861601234567", "16012345678.0", "1.6012345678E+10", "024-23861234", "(024)23861234", "02423861234", "024-23861234转801", "0411-23861234", "0411-2386123", "0410-2386123", "0420-2386123", "0310-2386123", "0310-23861234", "0310-12345678", "03102386123-1234567", "2386123", "23861234", "13861234", "238612345", "160123456789", "160****5678", "16012345678/16012345679", "16012345678或16012345679", "1601234567816012345679", "+852 12345678", "00852-12345678", "abc", "160\uFFFD", "--160-1234-5678--", "１６０１２３４５６７８"},
}

// fuzzedRows makes rows of which most are nearly right: valid ones, one wrong cell in
// them, characters put in and taken away, and cells of other rows.
func fuzzedRows(r *rand.Rand, n int) [][]string {
	pick := func(in []string) string { return in[r.IntN(len(in))] }
	rows := make([][]string, 0, n)
	for i := range n {
		row := []string{
			fmt.Sprintf("%06d", r.IntN(999999)), "示例市第" + fmt.Sprint(r.IntN(90)) + "局", creditCode(r), pick(wholes[3][1:4]),
			"user" + fmt.Sprint(i), pick([]string{"王", "李", "张", "欧阳", "阿卜杜·"}) + pick([]string{"娜", "建国", "小明", "𬌗", "〇"}), residentID(r), fmt.Sprintf("160%08d", r.IntN(99999999)),
		}
		for range []int{0, 0, 1, 1, 1, 2, 4}[r.IntN(7)] {
			c := r.IntN(8)
			switch r.IntN(4) {
			case 0:
				row[c] = pick(wholes[c])
			case 1:
				row[c] = splice(r, row[c], pick(odd))
			case 2:
				row[c] = splice(r, row[c], string(rune(r.IntN([]int{0x80, 0x800, 0x3000, 0xD800, 0x20000}[r.IntN(5)]))))
			case 3:
				if i > 0 {
					row[c] = rows[max(0, i-1-r.IntN(200))][c]
				}
			}
		}
		if i > 0 && r.IntN(12) == 0 { // the same person again, in parts
			from := rows[max(0, i-1-r.IntN(50))]
			for _, c := range [][]int{{2, 6}, {1, 2, 6}, {6}, {7}, {6, 7}, {5, 6, 7}}[r.IntN(6)] {
				row[c] = from[c]
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// splice puts text into s, over nothing or over some characters.
func splice(r *rand.Rand, s, text string) string {
	rs := []rune(s)
	from := r.IntN(len(rs) + 1)
	to := min(len(rs), from+[]int{0, 0, 1, 1, 3}[r.IntN(5)])
	return string(rs[:from]) + text + string(rs[to:])
}

func residentID(r *rand.Rand) string {
	area := []string{"210102", "110101", "310115", "653101", "810000", "830000", "932682"}[min(6, r.IntN(40))%7]
	if r.IntN(10) > 0 {
		area = "210102"
	}
	s := fmt.Sprintf("%s%04d%02d%02d%03d", area, 1940+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28), 900+r.IntN(96))
	return s + string(ident.ResidentCheck(s))
}

// creditCode tries the 31 check characters.
func creditCode(r *rand.Rand) string {
	const chars = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	s := []string{"11", "12", "13", "11", "12", "91", "54"}[r.IntN(7)] + "210100" + fmt.Sprintf("%09d", r.IntN(999999999))
	for _, c := range chars {
		if !ident.CreditCode(s + string(c)).Has(ident.Checksum) {
			return s + string(c)
		}
	}
	return s
}
