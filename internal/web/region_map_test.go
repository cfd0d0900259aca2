package web

import (
	"testing"

	"tianbao"
)

func TestApproval(t *testing.T) {
	for text, want := range map[string]string{
		"辽S(2020)118号":       "辽S(2020)118号",
		"审图号：辽Ｓ（2020）118号":   "辽S(2020)118号",
		" GS (2024) 0650 号 ": "GS(2024)0650号",
		"gs京〔2023〕1061号":     "GS京(2023)1061号",
		"粤AS[2019]001号":      "粤AS(2019)001号",
		"":                   "", "辽S(2020)": "", "118号": "", "辽T(2020)118号": "", "S(2020)118号": "", "辽S(1820)118号": "", "辽S(2020)118号<b>": "", "辽S(2020)1234567号": "",
	} {
		got, err := approval(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q: %v", text, got, err)
		}
	}
}

func TestRegionKey(t *testing.T) {
	regions := []tianbao.Region{{ID: 1, Code: "210100", Name: "沈阳市"}, {ID: 2, Code: "210200", Name: "大连市"}, {ID: 3, Name: "沈抚改革创新示范区"}}
	for _, c := range []struct{ name, code, title, want string }{
		{"a city", "210100", "沈阳市", "1"},
		{"a county", "210202", "中山区", "2"},
		{"another province's", "220100", "长春市", ""},
		{"another province's of our name", "220100", "沈阳市", ""},
		{"without code", "", "沈阳", "1"},
		{"a zone by its short name", "219900", "沈抚示范区", "3"},
		{"the province", "210000", "辽宁省", ""},
		{"nothing", "", "", ""},
	} {
		if got := regionKey(regions, c.code, c.title); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
