package web

import (
	"net/http"
	"testing"
)

func TestLanguage(t *testing.T) {
	tests := []struct{ name, accept, cookie, want string }{
		{"nothing said", "", "", langChinese},
		{"a program", "*", "", langChinese},
		{"a Chinese browser", "zh-CN,zh;q=0.9,en;q=0.8", "", langChinese},
		{"English before Chinese: Chinese is acceptable", "en-US,en;q=0.9,zh;q=0.1", "", langChinese},
		{"English only", "en-US,en;q=0.9", "", langEnglish},
		{"Chinese refused", "en, zh;q=0", "", langEnglish},
		{"neither", "fr", "", langChinese},
		{"chosen before the browser's", "zh-CN", "en", langEnglish},
		{"chosen back", "en", "zh-CN", langChinese},
		{"nonsense chosen", "en", "x", langChinese},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, "/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.accept != "" {
				r.Header.Set("Accept-Language", tt.accept)
			}
			if tt.cookie != "" {
				r.AddCookie(&http.Cookie{Name: langCookie, Value: tt.cookie})
			}
			if got := language(r); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	w, err := loadWords(langEnglish)
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"登录":   "Sign in",
		"示例单位": "示例单位",
		"“联系方式”没有填写，请补填。":                           "“联系方式” is missing; fill it in.",
		"还不能上报：有 3 处错误要改正（第3行G列、第5行H列），请处理并提交后再上报。": "Cannot be reported yet: 3 errors to correct (第3行G列、第5行H列). Settle them and save, then report.",
		"第2个字符是换行，不能用在姓名中，请按证件改正。":                  "Character 2 is a line break, which no name has; correct it from the card.",
		"": "",
	} {
		if got := w.text(from); got != want {
			t.Errorf("%s\n got %s\nwant %s", from, got, want)
		}
	}
	var chinese *words
	if got := chinese.text("登录"); got != "登录" {
		t.Errorf("Chinese became %q", got)
	}
}

// What people type in passes through the catalogue with the sentences around it.
func FuzzWords(f *testing.F) {
	w, err := loadWords(langEnglish)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("“x”没有填写，请补填。")
	f.Fuzz(func(t *testing.T, s string) {
		_ = w.text("“" + s + "”不在可选的范围内，请从" + s + "中选一项。")
		_ = w.text(s)
	})
}
