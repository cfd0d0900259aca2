package auth

import (
	"testing"
	"time"
)

// The test vectors of RFC 6238 appendix B for SHA-1, of which six digits are the last
// of eight, and of RFC 4226 appendix D.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totpAt(secret, stepOf(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totpAt(secret, int64(step)); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
}

// A code is right one step early or late, and for no step that is used up.
func TestTOTPWindow(t *testing.T) {
	secret, now := []byte("12345678901234567890"), time.Unix(1234567890, 0)
	step := stepOf(now)
	for d := int64(-3); d <= 3; d++ {
		got, ok := totpMatch(secret, totpAt(secret, step+d), now, 0)
		if want := d >= -1 && d <= 1; ok != want || ok && got != step+d {
			t.Errorf("%+d steps: %v %d", d, ok, got-step)
		}
		if _, ok := totpMatch(secret, totpAt(secret, step+d), now, step); ok != (d == 1) {
			t.Errorf("%+d steps after the present one is used: %v", d, ok)
		}
	}
	for _, code := range []string{"", "00592", "0059240", "005925", "abcdef"} {
		if _, ok := totpMatch(secret, code, now, 0); ok {
			t.Errorf("takes %q", code)
		}
	}
}

func TestPlainCode(t *testing.T) {
	for in, want := range map[string]string{"005 924": "005924", "００５９２４": "005924", "abcd-EFGH": "ABCDEFGH", "AB－CD　EF": "ABCDEF", "x y": "XY"} {
		if got := PlainCode(in); got != want {
			t.Errorf("PlainCode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNewCode(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		c := newCode(codeLength)
		if len(c) != 19 || seen[c] || len(PlainCode(c)) != codeLength {
			t.Fatalf("code of %d characters, repeated %v", len(c), seen[c])
		}
		for _, r := range "0ODQ1IL2Z5S8BUV" {
			if PlainCode(c) != "" && containsRune(c, r) {
				t.Fatalf("a code has %c, which looks like another", r)
			}
		}
		seen[c] = true
	}
}

func containsRune(s string, r rune) bool {
	for _, c := range s {
		if c == r {
			return true
		}
	}
	return false
}
