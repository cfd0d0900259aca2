package auth

import "testing"

// A damaged stored hash is an error, never a panic or an endless computation.
func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAA$AAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, sum, err := parsePHC(s)
		if err == nil && (p.MemoryKiB > 1<<20 || p.Passes == 0 || p.Threads == 0 || len(salt) < 8 || len(sum) != hashLen) {
			t.Errorf("accepted %q", s)
		}
	})
}

func BenchmarkSignInHash(b *testing.B) {
	h := newHasher(DefaultParams())
	for b.Loop() {
		if _, err := h.hash(b.Context(), "Right-Word-1"); err != nil {
			b.Fatal(err)
		}
	}
}
