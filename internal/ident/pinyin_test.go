package ident

import (
	"strings"
	"testing"
)

func TestInitials(t *testing.T) {
	words := map[string]string{
		"辽宁省中医药研究院": "lnszyyyjy", "沈阳市": "sys", "大连市": "dls", "鞍山市": "ass", "抚顺市": "fss",
		"本溪市": "bxs", "丹东市": "dds", "锦州市": "jzs", "营口市": "yks", "阜新蒙古族自治县": "fxmgzzzx",
		"辽阳市": "lys", "盘锦市": "pjs", "铁岭市": "tls", "朝阳市": "cys", "葫芦岛市": "hlds",
		"沈抚改革创新示范区": "sfggcxsfq", "瓦房店市": "wfds", "岫岩满族自治县": "xymzzzx", "鲅鱼圈区": "byqq",
		"弓长岭区": "gclq", "调兵山市": "dbss", "桓仁": "hr", "喀喇沁": "klq", "绥中县": "szx", "盖州市": "gzs",
		"新宾": "xb", "阜新": "fx", "凌源": "ly", "兴城": "xc", "庄河": "zh", "长海县": "chx", "彰武": "zw",
		"主管部门": "zgbm", "行政单位": "xzdw", "事业单位": "sydw", "财政局": "czj", "教育局": "jyj",
		"卫生健康委员会": "wsjkwyh", "人力资源和社会保障局": "rlzyhshbzj", "会计核算中心": "kjhszx",
		"国库支付中心": "gkzfzx", "疾病预防控制中心": "jbyfkzzx", "第一高级中学": "dygjzx", "畜牧": "xm",
		"中国人民银行": "zgrmyh", "重庆市": "cqs", "重点": "zd", "重": "z", "西藏": "xz", "收藏": "sc",
		"厦门": "xm", "长春": "cc", "行": "x", "行业协会": "hyxh", "会": "h", "单": "d", "乐": "l", "曾": "z",
		"解": "j", "区": "q", "校": "x", "档案馆": "dag", "图书馆": "tsg", "审计局": "sjj", "俄罗斯": "els",
		"辽宁省（本级）ABC12": "lnsbjabc12", "": "", "·——": "", "１２": "", "a\xff好": "ah", "𠀀好": "h",
	}
	var p Pinyin
	for in, want := range words {
		if got := p.Initials(in); got != want {
			t.Errorf("Initials(%q) = %q, want %q", in, got, want)
		}
	}
}

// Two sources that know nothing of each other agree on all but polyphones.
func TestInitialsAgree(t *testing.T) {
	gb, order := gbOrder(), collationOrder()
	common, apart, none := 0, 0, 0
	seen := make(map[byte]int)
	for r := rune(firstHan); r <= lastHan; r++ {
		a, b := gb(r), order(r)
		if b == 0 {
			none++
		}
		if a == 0 {
			continue
		}
		common++
		seen[a]++
		if a != b {
			apart++
		}
	}
	if common != 3755 {
		t.Errorf("the first level of GB 2312 has %d characters, want 3755", common)
	}
	if apart > common/100 {
		t.Errorf("%d of %d characters are read otherwise by the collation", apart, common)
	}
	if none > 200 {
		t.Errorf("%d characters have no letter", none)
	}
	for _, l := range pinyinLetters {
		if seen[byte(l)] == 0 {
			t.Errorf("no character begins with %c", l)
		}
	}
}

func FuzzInitials(f *testing.F) {
	f.Add("辽宁省（本级）")
	f.Add("重\xff庆 Ab1")
	p := new(Pinyin)
	f.Fuzz(func(t *testing.T, s string) {
		got := p.Initials(s)
		if strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || len(got) > len(s) {
			t.Errorf("Initials(%q) = %q", s, got)
		}
	})
}

func BenchmarkInitials(b *testing.B) {
	p := new(Pinyin)
	p.Initials("")
	for b.Loop() {
		p.Initials("辽宁省人力资源和社会保障厅会计核算中心")
	}
}

func BenchmarkInitialsTable(b *testing.B) {
	for b.Loop() {
		new(Pinyin).Initials("")
	}
}
