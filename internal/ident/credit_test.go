package ident_test

import (
	"strings"
	"testing"

	. "tianbao/internal/ident"
)

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// withCheck replaces the last character of a code by the one that fits. It works
// the definition out anew: the weighted sum of all 18 must be 1·0 modulo 31.
func withCheck(code string) string {
	sum, w := 0, 1
	for i := range 17 {
		sum += strings.IndexByte(alphabet, code[i]) * w
		w = w * 3 % 31
	}
	for v := range 31 {
		if (sum+v)%31 == 0 {
			return code[:17] + alphabet[v:v+1]
		}
	}
	panic("no check character")
}

func TestCreditCode(t *testing.T) {
	tests := []struct {
		name, code string
		want       Fault
	}{
		{"government organ", "1121010060181590XA", OK},
		{"institution", "122101002001826383", OK},
		{"check character 0", "112101001684934008"[:17] + "8", OK},
		{"national", withCheck("11100000000013127?"), OK},
		{"company", withCheck("91210100MA0TEST00?"), Charset},
		{"company, right letters", withCheck("91210100MA0TEXT00?"), NotPublic},
		{"old village committee", withCheck("54210100MA0TEXT00?"), NotPublic},
		{"Dalian", withCheck("11210202MA0TEXT00?"), OK},
		{"Taiwan region", withCheck("91710000MA0TEXT00?"), NotPublic},
		{"Macao region", withCheck("91820000MA0TEXT00?"), NotPublic},
		{"region 83 does not register", withCheck("91830000MA0TEXT00?"), Province},
		{"100001 is no region", withCheck("11100001MA0TEXT00?"), Province},
		{"no such department", withCheck("B1210100MA0TEXT00?"), Kind},
		{"department without that kind", withCheck("14210100MA0TEXT00?"), Kind},
		{"check wrong", "1121010060181590XB", Checksum},
		{"all at once", "B4990000MA0TEXT00?"[:17] + "0", Kind | Province | Checksum},
		{"placeholder of the manual", "111", Length},
		{"another", "000001", Length},
		{"empty", "", Length},
		{"letter O", "11210100601815OOXA", Charset},
		{"letters in the region", "11A10100601815900A", Charset},
		{"lower case is not normal", "1121010060181590xa", Charset},
		{"masked", "112101**********XA", Charset | Masked},
		{"exponent", "1.22101002001826E+17", Length | Charset | Excel},
		{"lost character", "1121010060181590X\uFFFD", Charset | Replaced},
		{"organisation code, wrong", "601815909", Length},
		{"right organisation code", "D2143569X", OldForm},
		{"with hyphen", "D2143569-X", OldForm},
		{"Han", "一二三四五六七八九十一二三四五六七八", Charset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CreditCode(tt.code); got != tt.want {
				t.Errorf("CreditCode(%q) = %v, want %v", tt.code, got, tt.want)
			}
		})
	}
}

func TestCompleteCredit(t *testing.T) {
	for _, first := range []string{"12210700MB900103", "11210000M0000001", "1221010084153776"} {
		got := CompleteCredit(first)
		if got[:16] != first || got != withCheck(got[:17]) || OrgCode(got[8:17]) != OK {
			t.Errorf("%s becomes %s", first, got)
		}
	}
}

func TestCreditKinds(t *testing.T) {
	kinds := map[byte]string{
		'1': "1239", '2': "19", '3': "123459", '4': "19", '5': "123459", '6': "129", '7': "129",
		'8': "19", '9': "123", 'A': "19", 'N': "1239", 'Y': "1",
	}
	for i := range 31 {
		for j := range 31 {
			code := withCheck(alphabet[i:i+1] + alphabet[j:j+1] + "210100000000000?")
			want := strings.IndexByte(kinds[alphabet[i]], alphabet[j]) < 0
			if got := CreditCode(code).Has(Kind); got != want {
				t.Errorf("%s: kind refused: %v, want %v", code[:2], got, want)
			}
		}
	}
}

func TestCreditCodeCatchesSlips(t *testing.T) {
	r := newRand()
	zero := 0
	for range 1000 {
		b := []byte("11210100?????????0")
		for i := 8; i < 17; i++ {
			b[i] = alphabet[r.IntN(31)]
		}
		code := withCheck(string(b))
		if code[17] == '0' {
			zero++
		}
		if f := CreditCode(code); f != OK {
			t.Fatalf("CreditCode(%q) = %v", code, f)
		}
		i := r.IntN(18)
		for v := range 31 {
			if m := code[:i] + alphabet[v:v+1] + code[i+1:]; m != code && CreditCode(m)&^NotPublic == OK {
				t.Fatalf("%q passes for %q", m, code)
			}
		}
		if i < 17 && code[i] != code[i+1] {
			if m := code[:i] + code[i+1:i+2] + code[i:i+1] + code[i+2:]; CreditCode(m)&^NotPublic == OK {
				t.Fatalf("swapped %q passes for %q", m, code)
			}
		}
	}
	// The outer modulo matters for these only; without it they are refused.
	if zero < 10 {
		t.Errorf("%d codes with check character 0, want more", zero)
	}
}

func TestCreditFlaw(t *testing.T) {
	for code, want := range map[string]int{
		"1121010060181590XA": -1, "I121010060181590XA": 0, "11A1010060181590XA": 2, "1121010060181590XZ": 17, "": -1, "一": 0,
	} {
		if got := CreditFlaw(code); got != want {
			t.Errorf("CreditFlaw(%q) = %d, want %d", code, got, want)
		}
	}
}

func TestOrgCode(t *testing.T) {
	tests := []struct {
		name, code string
		want       Fault
	}{
		{"right", "D2143569X", OK},
		{"with hyphen", "D2143569-X", OK},
		{"check wrong", "D21435690", Checksum},
		{"hyphen elsewhere", "D214356-9X", Length},
		{"hyphen for a digit", "D214356-X", Charset},
		{"letter as check", "D2143569A", Charset},
		{"lower case", "d2143569X", Charset},
		{"short", "D2143569", Length},
		{"long", "D2143569XX", Length},
		{"empty", "", Length},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := OrgCode(tt.code); got != tt.want {
				t.Errorf("OrgCode(%q) = %v, want %v", tt.code, got, tt.want)
			}
		})
	}
}

func TestBudgetCode(t *testing.T) {
	tests := []struct {
		name, code string
		want       Fault
	}{
		{"digits", "101001", OK},
		{"leading zeros", "001", OK},
		{"letters", "1A2B", OK},
		{"longest", strings.Repeat("1", 21), OK},
		{"too long", strings.Repeat("1", 22), Length},
		{"empty", "", Length},
		{"float", "105001.0", Charset | Excel},
		{"float, more zeros", "105001.000", Charset | Excel},
		{"no float", "105001.10", Charset},
		{"dot only", "105001.", Charset},
		{"exponent", "1.05E+10", Charset | Excel},
		{"two digits before the exponent", "10.5E+10", Charset},
		{"hyphen", "105-001", Charset},
		{"lost", "105\uFFFD", Charset | Replaced},
		{"lower case is not normal", "1a", Charset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := BudgetCode(tt.code, 21); got != tt.want {
				t.Errorf("BudgetCode(%q) = %v, want %v", tt.code, got, tt.want)
			}
		})
	}
	noAllocs(t, "budget code", func() { BudgetCode("101001", 21) })
	noAllocs(t, "credit code", func() { CreditCode("1121010060181590XA") })
	noAllocs(t, "organisation code", func() { CreditCode("D2143569X") })
}

func TestFaultString(t *testing.T) {
	for f, want := range map[Fault]string{OK: "ok", Length: "length", Landline: "landline", Length | Old15: "length+old15"} {
		if got := f.String(); got != want {
			t.Errorf("%d: %q, want %q", f, got, want)
		}
	}
}
