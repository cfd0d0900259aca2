package auth_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"tianbao/internal/auth"
)

// SEC-07: sixty passwords under each profile.
func TestSEC07Profiles(t *testing.T) {
	dengbao := auth.DefaultPolicy()
	asvs := auth.DefaultPolicy()
	asvs.Profile = auth.ProfileASVS
	listed := asvs
	listed.Breached = func(p string) bool { return p == "zwei kleine igel" }
	long := strings.Repeat("Wald Igel 7 ", 10) // 120 characters
	const y, n = true, false
	tests := []struct {
		password              string
		dengbao, asvs, listed bool
	}{
		// length and kinds
		{"", n, n, n},
		{"Ab1", n, n, n},
		{"Hk7-wq", n, n, n},
		{"Hk7-wqz", n, n, n},
		{"Hk7-wqzp", y, n, y},
		{"hk7-wqzp", y, n, y},
		{"HK7-WQZP", y, n, y},
		{"hkwqzpmt", n, n, y},
		{"hk7wqzpm", n, n, y},
		{"HKWQZPMT", n, n, y},
		{"Hkwqzpmt", n, n, y},
		{"Hk7wqzpm", y, n, y},
		{"Hkw-qzpm", y, n, y},
		{"hkwqzpmtvbx", n, n, y},
		{"hkwqzpmtvbxd", n, y, y},
		{"zwei kleine hasen", n, y, y},
		{"zwei kleine igel", n, y, n},
		{"Zwei kleine Igel", y, y, y},
		{"密码密码密码密码", n, n, n},
		{"春眠不觉晓处处闻啼鸟", n, n, y},
		{"春眠不觉晓处处闻啼鸟夜来风雨声", n, y, y},
		{"春眠不觉晓Ab7", y, n, y},
		{"🦔🦔🐿️🐿️Ab7x", y, n, y},
		{"Igel im Wald um 7", y, y, y},
		{"        ", n, n, n},
		// long ones, whole
		{long[:64], y, y, y},
		{long[:65], y, y, y},
		{long[:120], y, y, y},
		{long + "Igel 8ab", y, y, y},
		{long + "Igel 8abc", n, n, n},
		// common ones
		{"password", n, n, n},
		{"Password1", n, n, n},
		{"Password123!", n, n, n},
		{"P@ssw0rd", n, n, n},
		{"P@$$w0rd2024", n, n, n},
		{"Passw0rd!", n, n, n},
		{"Qwerty123456", n, n, n},
		{"Qwertyuiop1!", n, n, n},
		{"1qaz2wsx", n, n, n},
		{"1qaz@WSX", n, n, n},
		{"!QAZ2wsx", n, n, n},
		{"1q2w3e4r5t6y", n, n, n},
		{"Abc123456", n, n, n},
		{"Abcd1234", n, n, n},
		{"Abcdef12", n, n, n},
		{"Aa123456", n, n, n},
		{"Aa123456789012", n, n, n},
		{"Admin@123", n, n, n},
		{"@dm1nistrator", n, n, n},
		{"Woaini1314", n, n, n},
		{"Woaini5201314!", n, n, n},
		{"Zhangwei1988", n, n, n},
		{"Welcome2024!", n, n, n},
		{"Iloveyou520", n, n, n},
		{"LoveDragon99", n, n, n},
		{"Qq123456789", n, n, n},
		{"asdfghjkl123", n, n, n},
		{"abcabcabcabc", n, n, n},
		{"aaaaaaaaaaaaaa", n, n, n},
		{"123456789012", n, n, n},
		{"2022-09-23", n, n, n},
		{"16012345678", n, n, n},
		{"1988010219880102", n, n, n},
		{"Caizheng@2024", n, n, n},
		// the user's name
		{"Clerk-9-hedgehog", n, n, n},
		{"xx-clerk-XX9-yy", n, n, n},
	}
	if len(tests) < 60 {
		t.Errorf("only %d passwords", len(tests))
	}
	for _, tt := range tests {
		for _, p := range []struct {
			name   string
			policy *auth.Policy
			want   bool
		}{{"dengbao", &dengbao, tt.dengbao}, {"asvs", &asvs, tt.asvs}, {"asvs with a list", &listed, tt.listed}} {
			if err := p.policy.Check("clerk", tt.password); (err == nil) != p.want {
				t.Errorf("%s: Check(%q) = %v, want ok %v", p.name, tt.password, err, p.want)
			}
		}
	}
}

// SEC-07: the most common passwords, made of what they are made of, are refused under
// every profile, however they are dressed up to pass its other rules.
func TestSEC07CommonPasswords(t *testing.T) {
	asvs := auth.DefaultPolicy()
	asvs.Profile, asvs.Breached = auth.ProfileASVS, func(string) bool { return false }
	dengbao := auth.DefaultPolicy()
	tails := []string{"1", "12", "123", "1234", "123456", "123!", "!", "@123", "2024", "#2023", "1990", "520", "888", "000"}
	tried := 0
	b, err := os.ReadFile("common.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line[0] == '#' {
			continue
		}
		for w := range strings.FieldsSeq(line) {
			for _, tail := range tails {
				for _, p := range []string{w + tail, strings.ToUpper(w[:1]) + w[1:] + tail} {
					if len(p) < 8 {
						continue
					}
					tried++
					for name, policy := range map[string]*auth.Policy{"asvs": &asvs, "dengbao": &dengbao} {
						if policy.Check("", p) == nil {
							t.Fatalf("%s takes %q", name, p)
						}
					}
				}
			}
		}
	}
	if tried < 3000 {
		t.Errorf("only %d tried", tried)
	}
	// And what people really choose well stays possible.
	for i := range 1000 {
		if p := fmt.Sprintf("Igel-%d-unter-Tannen", i); dengbao.Check("", p) != nil {
			t.Errorf("%q is refused", p)
		}
	}
}

// No password makes the check slow or panic.
func FuzzCheckPassword(f *testing.F) {
	for _, s := range []string{"", "P@ssw0rd", "1qaz@WSX", "\xff\x00", strings.Repeat("abc", 42), "密码1"} {
		f.Add(s)
	}
	p := auth.DefaultPolicy()
	f.Fuzz(func(_ *testing.T, s string) { _ = p.Check("clerk", s) })
}
