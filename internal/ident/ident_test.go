package ident_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// day is the day against which the tests hold birth dates.
var day = time.Date(2022, 9, 23, 12, 0, 0, 0, time.FixedZone("", 8*60*60))

// newRand returns the same numbers in every run, so that a failure comes again.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(2022, 923)) }

// noAllocs fails when f allocates.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations, want none", what, n)
	}
}
