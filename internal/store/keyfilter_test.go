package store

import (
	"math/rand/v2"
	"testing"
)

// A key that is there is never denied, whether it was there at the filling, came while that
// went on, or came after, also beyond the room; of others few are said to be there.
func TestKeyFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func(n int) []int64 {
		keys := make([]int64, n)
		for i := range keys {
			keys[i] = int64(r.Uint64()) //nolint:gosec // a digest
		}
		return keys
	}
	for _, n := range []int{0, 1, 1000, 20_000, 70_000} {
		var f keyFilter
		if f.lacks(7) {
			t.Fatal("one that is not filled denies a key")
		}
		f.filling = true
		was, meanwhile := some(n), some(50)
		for _, k := range meanwhile {
			f.add(k)
		}
		if f.lacks(meanwhile[0]) {
			t.Fatal("one that is being filled denies a key")
		}
		f.fill(was)
		if f.filling || f.room < n {
			t.Fatalf("room for %d of %d keys", f.room, n)
		}
		there := append(was, meanwhile...)
		for f.room > 0 {
			if f.keys%997 == 0 || f.keys == f.room {
				wrong := 0
				for _, k := range some(2000) {
					if !f.lacks(k) {
						wrong++
					}
				}
				if wrong > 20 {
					t.Fatalf("%d of 2000 others are said to be there, %d keys of %d", wrong, f.keys, f.room)
				}
			}
			if f.keys == len(was)+len(meanwhile) || f.keys == f.room {
				for _, k := range there {
					if f.lacks(k) {
						t.Fatal("a key is denied")
					}
				}
			}
			more := some(1)
			f.add(more[0])
			there = append(there, more...)
		}
		if f.lacks(7) {
			t.Fatal("one that is to be filled anew denies a key")
		}
	}
}
