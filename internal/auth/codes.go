package auth

import (
	"crypto/rand"
	"strings"
)

// codeAlphabet has no two characters that look alike, on paper or on a screen, and
// none that an input method changes (0 O D Q, 1 I L, 2 Z, 5 S, 8 B, U V).
const codeAlphabet = "34679ACEFGHJKMNPRTWXY"

// newCode makes n random characters of codeAlphabet in groups of four.
func newCode(n int) string {
	const limit = 256 / len(codeAlphabet) * len(codeAlphabet)
	var b strings.Builder
	for made := 0; made < n; {
		var r [1]byte
		_, _ = rand.Read(r[:]) // never fails (crypto/rand)
		if int(r[0]) >= limit {
			continue
		}
		if made > 0 && made%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(codeAlphabet[int(r[0])%len(codeAlphabet)])
		made++
	}
	return b.String()
}
