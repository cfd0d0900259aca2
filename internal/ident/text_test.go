package ident_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	. "tianbao/internal/ident"
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		name      string
		normalise func(string) string
		in, want  string
	}{
		{"code: clean", NormalizeCode, "21010319810614429X", "21010319810614429X"},
		{"code: lower case", NormalizeCode, "11210100388853930x", "11210100388853930X"},
		{"code: full width", NormalizeCode, "２１１２０２１９９９１２０４２６８Ｘ", "21120219991204268X"},
		{"code: full-width lower case", NormalizeCode, "ｘ", "X"},
		{"code: blanks of every kind", NormalizeCode, "\t2101 02\u00a01981\u30000614\u2009429\u202fX\r\n", "21010219810614429X"},
		{"code: invisible", NormalizeCode, "\ufeff\u200b2101\u00ad03\u180e\u202a1\u2060\u2069", "2101031"},
		{"code: text marker", NormalizeCode, "'211402198809234866", "211402198809234866"},
		{"code: full-width text marker", NormalizeCode, "＇001", "001"},
		{"code: apostrophe inside stays", NormalizeCode, "1'2", "1'2"},
		{"code: leading zeros stay", NormalizeCode, " 001 ", "001"},
		{"code: Greek and Cyrillic are not raised", NormalizeCode, "1χх", "1χх"},
		{"code: invalid UTF-8", NormalizeCode, "1\xff2", "1\uFFFD2"},
		{"text: clean", NormalizeText, "沈阳市水利局", "沈阳市水利局"},
		{"text: trimmed", NormalizeText, "　沈阳市公路事务中心\r\n", "沈阳市公路事务中心"},
		{"text: full width stays", NormalizeText, "沈阳市（第１）中学", "沈阳市（第１）中学"},
		{"text: inner blank stays", NormalizeText, "A B", "A B"},
		{"text: invisible", NormalizeText, "\u200e沈阳\u202d市\u202c", "沈阳市"},
		{"text: marker", NormalizeText, " '0012", "0012"},
		{"text: compatibility character stays", NormalizeText, "\uF92C", "\uF92C"},
		{"choice", NormalizeChoice, " 事业 单位　", "事业单位"},
		{"choice: marker behind a blank", NormalizeChoice, "' '事业单位", "事业单位"},
		{"name: clean", NormalizeName, "夏娜", "夏娜"},
		{"name: alignment", NormalizeName, "彭　涵涛", "彭涵涛"},
		{"name: every blank", NormalizeName, " 张\u00a0三\t丰 ", "张三丰"},
		{"name: renamed by NFC", NormalizeName, "\uF92C\uFA0C", "\uF92C\uFA0C"},
		{"name: full-width letters stay", NormalizeName, "Ａ三", "Ａ三"},
		{"name: middle dot", NormalizeName, "买买提·阿不都", "买买提·阿不都"},
		{"name: bullet", NormalizeName, "买买提•阿不都", "买买提·阿不都"},
		{"name: every dot", NormalizeName, "一\u2022二\u30fb三\uff65四\u2027五\u2219六\u22c5七\u0387八\u25cf九\u16eb十\u2e31一\u2e33二\uff0e三.四", "一·二·三·四·五·六·七·八·九·十·一·二·三·四"},
		{"name: dot and blanks", NormalizeName, "买买提 · 阿不都", "买买提·阿不都"},
		{"name: full stop and blanks", NormalizeName, "买买提 . 阿不都", "买买提·阿不都"},
		{"name: full stop at the end stays", NormalizeName, "张三.", "张三."},
		{"name: Latin", NormalizeName, "  JOHN   P.\tSMITH ", "JOHN P. SMITH"},
		{"name: blank between two people", NormalizeName, "张伟\u3000 李芳", "张伟 李芳"},
		{"name: blank in a compound surname's name", NormalizeName, "欧阳 建国", "欧阳建国"},
		{"name: alignment", NormalizeName, "李 芳", "李芳"},
		{"name: line break between two people", NormalizeName, "张三\n李四", "张三\n李四"},
		{"name: line break at the end", NormalizeName, "张三\n", "张三"},
		{"name: extension J", NormalizeName, "\U000323B0 \U0003347F", "\U000323B0\U0003347F"},
		{"phone: clean", NormalizePhone, "16012345678", "16012345678"},
		{"phone: hyphens", NormalizePhone, "160-1234-5678", "16012345678"},
		{"phone: brackets and dots", NormalizePhone, "(160)1234.5678", "16012345678"},
		{"phone: +86", NormalizePhone, "+86 16012345678", "16012345678"},
		{"phone: (+86)", NormalizePhone, "（＋８６）１６０ １２３４ ５６７８", "16012345678"},
		{"phone: 0086", NormalizePhone, "0086-160 1234 5678", "16012345678"},
		{"phone: 86", NormalizePhone, "8616012345678", "16012345678"},
		{"phone: 86 that is no prefix", NormalizePhone, "86160123456", "86160123456"},
		{"phone: en dash", NormalizePhone, "160–1234–5678", "16012345678"},
		{"phone: float", NormalizePhone, "16012345678.0", "16012345678.0"},
		{"phone: exponent", NormalizePhone, "1.6012345678e10", "1.6012345678E10"},
		{"phone: landline", NormalizePhone, "024-23861234", "024-23861234"},
		{"phone: landline without separator", NormalizePhone, "02423861234", "024-23861234"},
		{"phone: landline in brackets", NormalizePhone, "（024）23861234", "024-23861234"},
		{"phone: landline with blanks", NormalizePhone, "0411 8363 1234", "0411-83631234"},
		{"phone: extension 转", NormalizePhone, "024-23861234转801", "024-23861234-801"},
		{"phone: extension #", NormalizePhone, "024 23861234 # 801", "024-23861234-801"},
		{"phone: extension *", NormalizePhone, "024-23861234*801", "024-23861234-801"},
		{"phone: extension ,", NormalizePhone, "024-23861234，801", "024-23861234-801"},
		{"phone: extension -", NormalizePhone, "0411-83631234-1", "0411-83631234-1"},
		{"phone: extension too long stays", NormalizePhone, "024-23861234-1234567", "024-23861234-1234567"},
		{"phone: two numbers stay", NormalizePhone, "16012345678/16012345679", "16012345678/16012345679"},
		{"phone: foreign stays", NormalizePhone, "+852 2345 6789", "+85223456789"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.normalise(tt.in)
			if got != tt.want {
				t.Errorf("%+q, want %+q", got, tt.want)
			}
			if again := tt.normalise(got); again != got {
				t.Errorf("again %+q, after %+q", again, got)
			}
		})
	}
}

func TestNormalizeAllocates(t *testing.T) {
	noAllocs(t, "code", func() { NormalizeCode("21010319810614429X") })
	noAllocs(t, "text", func() { NormalizeText("沈阳市水利局") })
	noAllocs(t, "choice", func() { NormalizeChoice("事业单位") })
	noAllocs(t, "name", func() { NormalizeName("买买提·阿不都") })
	noAllocs(t, "phone", func() { NormalizePhone("16012345678") })
}

// normalisers are what strangers' bytes go through first.
var normalisers = map[string]func(string) string{
	"code": NormalizeCode, "text": NormalizeText, "choice": NormalizeChoice,
	"name": NormalizeName, "phone": NormalizePhone,
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{
		"", "'", "''1", "' '", "張　三", "A . B", "张.三", ".张.", "买 · 买", "张\n三", "张·\n三", "+86(160)1234-5678",
		"024-23861234转801", "0242386123-4", "\xff\xfe", "\u200b' x", "１．５", "2.1E+17", "a\u2028b", "\ufeff＇＇0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, normalise := range normalisers {
			once := normalise(s)
			if twice := normalise(once); twice != once {
				t.Errorf("%s: %+q becomes %+q, then %+q", name, s, once, twice)
			}
			if !utf8.ValidString(once) {
				t.Errorf("%s: %+q is no UTF-8", name, once)
			}
			if len(once) > 3*len(s)+2 { // an invalid byte becomes three
				t.Errorf("%s: %d bytes become %d", name, len(s), len(once))
			}
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		"21010319810614429X", "KAZ110090123105", "932682198501010017", "1121010060181590XA", "D2143569-X", "024-23861234-801",
		"16012345678", "2.1E+17", "1.0", "·", "", "X", "\xff", strings.Repeat("9", 40), "０", "8100001994082300２1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// A checker that finds nothing wrong has seen a normal form of bounded length.
		clean := func(name string, fault Fault, normalise func(string) string, longest int) {
			if fault&^(Permit|NotPublic|OldForm|Landline) == OK && (normalise(s) != s && fault != Landline || utf8.RuneCountInString(s) > longest) {
				t.Errorf("%s: %+q passes", name, s)
			}
		}
		clean("resident", ResidentID(s, day), NormalizeCode, 18)
		clean("credit", CreditCode(s), NormalizeCode, 18)
		clean("budget", BudgetCode(s, 21), NormalizeCode, 21)
		clean("phone", Phone(s), NormalizePhone, 24)
		for _, latin := range []bool{false, true} {
			fault, at := PersonName(s, latin, NameMin, NameMax)
			if n := utf8.RuneCountInString(s); at >= n || fault == OK && (n < NameMin || n > NameMax) {
				t.Errorf("name %+q: %v at %d", s, fault, at)
			}
		}
		if (OrgCode(s) == OK) != (CreditCode(s) == OldForm) {
			t.Errorf("%q: two answers about an organisation code", s)
		}
		if at := CreditFlaw(s); at >= utf8.RuneCountInString(s) {
			t.Errorf("%q: flaw at %d", s, at)
		}
		if ResidentID(s, day).Has(Nation) && !IsForeignCard(s) {
			t.Errorf("%q has a nation and is no card", s)
		}
		if t18, ok := Convert15(s); ok && len(t18) != 18 {
			t.Errorf("Convert15(%q) = %q", s, t18)
		}
		for _, mask := range []func(string) string{MaskID, MaskPhone, MaskName} {
			m := mask(s)
			if n := utf8.RuneCountInString(s); utf8.RuneCountInString(m) != n || n > 0 && !strings.Contains(m, "*") {
				t.Errorf("%+q masked: %+q", s, m)
			}
		}
	})
}

// TestInvisible tries every code point against the list N1, between two letters.
func TestInvisible(t *testing.T) {
	ranges := [][2]rune{{0xAD, 0xAD}, {0x180E, 0x180E}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2069}, {0xFEFF, 0xFEFF}}
	for r := rune(' '); r <= 0x10FFFF; r++ {
		if r >= 0xD800 && r < 0xE000 { // halves of UTF-16 are no characters
			continue
		}
		want := false
		for _, x := range ranges {
			want = want || r >= x[0] && r <= x[1]
		}
		in := "A" + string(r) + "B"
		if got := NormalizeText(in) == "AB"; got != want {
			t.Fatalf("U+%04X dropped: %v, want %v", r, got, want)
		}
	}
}
