package store

import (
	"context"

	"tianbao/internal/compare"
	"tianbao/internal/db"
)

// keyFilter tells of most persons that nobody in row_key has them, without a look into it:
// each new person of a sheet is asked for, nearly all are new, and each look reads a page at
// a random place. It is a Bloom filter (Bloom 1970) of the keys of persons that row_key had
// when it was filled and that came since: it may say yes for one key in some hundreds that
// is not there, and never says no for one that is. Keys that went away stay in it until it
// is filled anew.
//
// Only on SQLite, where one process writes. It is guarded by the lock of the [keyLog], so that
// a key is always in memory or in the filter on its way.
type keyFilter struct {
	bits    []uint64
	keys    int     // in it
	room    int     // how many it is for; 0: it is not filled
	filling bool    // somebody reads row_key for it
	came    []int64 // while that goes on
}

const (
	filterBits = 16 // a key: with four places of each, one wrong answer in 400 when it is full
	filterHash = 4
	filterRoom = 1 << 14 // keys, at least
)

// fill begins with some keys, and has room for as many again.
func (f *keyFilter) fill(keys []int64) {
	keys = append(keys, f.came...)
	room := filterRoom
	for room < 2*len(keys) {
		room *= 2
	}
	*f = keyFilter{bits: make([]uint64, room*filterBits/64), room: room}
	for _, k := range keys {
		f.set(k)
	}
}

// add takes a key that comes to row_key.
func (f *keyFilter) add(k int64) {
	if f.filling {
		f.came = append(f.came, k)
	}
	if f.room == 0 {
		return
	}
	if f.keys == f.room {
		f.bits, f.room, f.keys = nil, 0, 0 // to be filled anew
		return
	}
	f.set(k)
}

func (f *keyFilter) set(k int64) {
	f.keys++
	f.each(k, func(word *uint64, bit uint64) bool {
		*word |= bit
		return true
	})
}

// lacks reports whether a key is not in row_key, for certain.
func (f *keyFilter) lacks(k int64) bool {
	if f.room == 0 {
		return false
	}
	all := f.each(k, func(word *uint64, bit uint64) bool { return *word&bit != 0 })
	return !all
}

// each goes to the places of a key, as long as fn says so. A key is a keyed digest, so its
// own halves serve as the two hashes that the places are made of.
func (f *keyFilter) each(k int64, fn func(word *uint64, bit uint64) bool) bool {
	at, step := uint64(k), uint64(k)>>32|1 //nolint:gosec // bits
	for range filterHash {
		place := at % uint64(len(f.bits)*64) //nolint:gosec // a length
		if !fn(&f.bits[place/64], 1<<(place%64)) {
			return false
		}
		at += step
	}
	return true
}

const sqlFilterKeys = `SELECT k.k FROM row_key k WHERE k.kind = $1`

// fillFilter reads all keys of persons, in the background.
func (s *Store) fillFilter(ctx context.Context) {
	l := &s.keyLog
	var keys []int64
	err := s.eachKey(ctx, func(k int64) { keys = append(keys, k) }, sqlFilterKeys, keyKind(compare.KeyPerson))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.filter = keyFilter{} // the next who asks begins again
		return
	}
	l.filter.fill(keys)
}

// sieve tells of some keys of persons which are in the log, and returns those that have to be
// looked for in row_key.
func (s *Store) sieve(ctx context.Context, some []int64, found func(k int64)) ([]int64, error) {
	if err := s.readyKeys(ctx); err != nil {
		return nil, err
	}
	kind := keyKind(compare.KeyPerson)
	l := &s.keyLog
	l.mu.RLock()
	defer l.mu.RUnlock()
	left := make([]int64, 0, len(some))
	for _, k := range some {
		switch {
		case len(l.keys[lookKey{kind, k}]) > 0:
			found(k)
		case !l.filter.lacks(k):
			left = append(left, k)
		}
	}
	return left, nil
}

// wantFilter begins to fill the filter where that is to be done.
func (s *Store) wantFilter(ctx context.Context) {
	if s.db.Kind() != db.SQLite {
		return
	}
	l := &s.keyLog
	l.mu.Lock()
	begin := l.filter.room == 0 && !l.filter.filling
	l.filter.filling = l.filter.filling || begin
	l.mu.Unlock()
	if begin {
		go s.fillFilter(db.Apart(ctx))
	}
}
