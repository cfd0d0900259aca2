package auth_test

import (
	"encoding/base64"
	"math/bits"
	"testing"
)

// SEC-02: a thousand sign-ins get a thousand tokens of 256 bits; none comes twice, no
// two look alike, and their bits are even.
func TestSEC02ThousandTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		const n = 1000
		seen, ones := map[string]bool{}, 0
		var last []byte
		for range n {
			token := d.signIn(t)
			b, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil || len(b) < 32 || seen[token] {
				t.Fatalf("a token of %d bytes, seen before: %v, %v", len(b), seen[token], err)
			}
			seen[token] = true
			apart := 0
			for i := range b {
				ones += bits.OnesCount8(b[i])
				if last != nil {
					apart += bits.OnesCount8(b[i] ^ last[i])
				}
			}
			if last != nil && (apart < 70 || apart > 186) { // seven deviations from 128
				t.Errorf("two tokens in a row differ in %d of 256 bits", apart)
			}
			last = b
		}
		if share := float64(ones) / (n * 256); share < 0.49 || share > 0.51 {
			t.Errorf("%.3f of the bits are ones", share)
		}
	})
}
