package ident_test

import (
	"strings"
	"testing"

	. "tianbao/internal/ident"
)

func TestPersonName(t *testing.T) {
	tests := []struct {
		name, in string
		latin    bool
		want     Fault
		at       int
	}{
		{"two characters", "夏娜", false, OK, -1},
		{"fifty characters", strings.Repeat("张", 50), false, OK, -1},
		{"with dot", "买买提·阿不都", false, OK, -1},
		{"zero as a character", "张〇", false, OK, -1},
		{"compatibility character", "\uF92C\uFA0C", false, OK, -1},
		{"extension I", "张\U0002EBF0", false, OK, -1},
		{"extension J", "张\U0003347F", false, OK, -1},
		{"one character", "张", false, Length, -1},
		{"fifty-one characters", strings.Repeat("张", 51), false, Length, -1},
		{"empty", "", false, Length, -1},
		{"digit", "张3", false, Charset, 1},
		{"digit, too short", "3", false, Charset | Length, 0},
		{"formula", `=HYPERLINK("http://x")`, false, Charset, 0},
		{"two people", "张三、李四", false, Charset, 2},
		{"two lines", "张三\n李四", false, Charset, 2},
		{"Latin without a card", "JOHN SMITH", false, Charset, 0},
		{"Latin with a card", "JOHN P. O'SMITH-MÜLLER", true, OK, -1},
		{"digit with a card", "JOHN 2", true, Charset, 5},
		{"dot first", "·张三", false, Dot, 0},
		{"dot last", "张三·", false, Dot, 2},
		{"dots doubled", "张··三", false, Dot, 2},
		{"dot alone", "·", false, Dot | Length, 0},
		{"private use", "张\uE000", false, PrivateUse, 1},
		{"private use, plane 15", "张\U000F0000", false, PrivateUse, 1},
		{"replaced", "张\uFFFD", false, Replaced, 1},
		{"invalid UTF-8", "张\xff", false, Replaced, 1},
		{"white square", "张□", false, Charset, 1},
		{"question mark", "张?", false, Charset, 1},
		{"description of a character", "张⿰亻三", false, Charset, 1},
		{"variation selector", "张\U000E0100", false, Charset, 1},
		{"radical", "张⺀", false, Charset, 1},
		{"kana", "张の", false, Charset, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, at := PersonName(tt.in, tt.latin, NameMin, NameMax)
			if got != tt.want || at != tt.at {
				t.Errorf("%v at %d, want %v at %d", got, at, tt.want, tt.at)
			}
		})
	}
	noAllocs(t, "name", func() { PersonName("买买提·阿不都", false, NameMin, NameMax) })
}

// TestHanRanges tries every code point against the list of identifiers.md §7.
func TestHanRanges(t *testing.T) {
	ranges := [][2]rune{
		{0x3007, 0x3007},
		{0x3400, 0x4DBF},
		{0x4E00, 0x9FFF},
		{0xF900, 0xFAFF},
		{0x20000, 0x2A6DF},
		{0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F},
		{0x2B820, 0x2CEAF},
		{0x2CEB0, 0x2EBEF},
		{0x2EBF0, 0x2EE5F},
		{0x2F800, 0x2FA1F},
		{0x30000, 0x3134F},
		{0x31350, 0x323AF},
		{0x323B0, 0x3347F},
	}
	for r := rune(0x80); r <= 0x10FFFF; r++ {
		if r >= 0xD800 && r < 0xE000 { // halves of UTF-16 are no characters
			continue
		}
		want := false
		for _, x := range ranges {
			want = want || r >= x[0] && r <= x[1]
		}
		f, _ := PersonName("张"+string(r), false, 2, 2)
		if got := f == OK; got != want {
			t.Fatalf("U+%04X allowed: %v, want %v", r, got, want)
		}
	}
}

func TestMask(t *testing.T) {
	tests := []struct {
		name     string
		mask     func(string) string
		in, want string
	}{
		{"id", MaskID, "21010319810614429X", "210103********429X"},
		{"old id", MaskID, "610104620927690", "61***********90"},
		{"part of an id", MaskID, "2101", "****"},
		{"no id", MaskID, "", ""},
		{"mobile", MaskPhone, "16012345678", "160****5678"},
		{"landline", MaskPhone, "024-23861234", "024******234"},
		{"short phone", MaskPhone, "123", "***"},
		{"name", MaskName, "张三", "张*"},
		{"long name", MaskName, "欧阳三丰", "欧***"},
		{"name of one", MaskName, "张", "*"},
		{"supplementary plane", MaskName, "\U00020000三", "\U00020000*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.mask(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestRegions(t *testing.T) {
	rs := Regions()
	codes := map[string]Region{}
	cities, counties, out := 0, 0, 0
	for i, r := range rs {
		if r.Code == "" {
			if i != len(rs)-1 || r.Name != "沈抚改革创新示范区" || r.Parent != Liaoning || !r.InScope {
				t.Errorf("%+v has no code", r)
			}
			continue
		}
		if _, twice := codes[r.Code]; twice {
			t.Errorf("%s twice", r.Code)
		}
		if _, above := codes[r.Parent]; !above && r.Code != Liaoning {
			t.Errorf("%s stands before %s", r.Code, r.Parent)
		}
		if r.Code[4:] == "01" {
			t.Errorf("%s is a pseudo code of statistics", r.Code)
		}
		codes[r.Code] = r
		switch r.Parent {
		case "":
		case Liaoning:
			cities++
		default:
			counties++
		}
		if !r.InScope {
			out++
		}
	}
	if cities != 14 || counties != 100 || out != 11 {
		t.Errorf("%d cities, %d counties, %d out of scope; want 14, 100, 11", cities, counties, out)
	}
	for code, name := range map[string]string{
		"210000": "辽宁省", "210112": "浑南区", "210115": "辽中区", "210214": "普兰店区", "211104": "大洼区",
		"210113": "沈北新区", "210782": "北镇市", "211481": "兴城市", "211324": "喀喇沁左翼蒙古族自治县",
	} {
		if codes[code].Name != name {
			t.Errorf("%s is %q, want %q", code, codes[code].Name, name)
		}
	}
	if codes["210283"].InScope || codes["210200"].InScope || !codes["210100"].InScope {
		t.Error("Dalian is out of scope, and only Dalian")
	}
	rs[0].Name = "changed"
	if Regions()[0].Name != "辽宁省" {
		t.Error("callers share the list")
	}
}
