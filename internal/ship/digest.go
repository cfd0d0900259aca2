package ship

import (
	"crypto/sha256"
	"encoding/binary"
)

// sums are the digest of a database and of its pages.
type sums struct {
	pages []uint64 // of page i+1; 0: never written, or nothing but zeros
	all   uint64
	// what stood there before, since mark
	kept  bool
	old   []oldSum
	first uint64
	size  int
}

type oldSum struct {
	i   uint32
	sum uint64
}

// sumOf is the sum of a page. A page that was never written reads as zeros in a copy, so
// zeros count as nothing.
func sumOf(page uint32, data []byte) uint64 {
	zero := true
	for _, b := range data {
		if b != 0 {
			zero = false
			break
		}
	}
	if zero {
		return 0
	}
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], page)
	h := sha256.New()
	_, _ = h.Write(number[:]) // never fails (hash.Hash)
	_, _ = h.Write(data)
	var room [sha256.Size]byte
	return binary.BigEndian.Uint64(h.Sum(room[:0]))
}

// set puts a page in the place of what was there.
func (s *sums) set(page uint32, data []byte) {
	i := page - 1
	for uint32(len(s.pages)) <= i { //nolint:gosec // SQLite counts pages in 32 bits
		s.pages = append(s.pages, 0)
	}
	s.put(i, sumOf(page, data))
}

func (s *sums) put(i uint32, sum uint64) {
	if s.kept {
		s.old = append(s.old, oldSum{i, s.pages[i]})
	}
	s.all ^= s.pages[i] ^ sum
	s.pages[i] = sum
}

// cut forgets the pages above a number.
func (s *sums) cut(pages uint32) {
	for i := pages; i < uint32(len(s.pages)); i++ { //nolint:gosec // as above
		if s.pages[i] != 0 {
			s.put(i, 0)
		}
	}
}

// mark begins what back undoes.
func (s *sums) mark() { s.kept, s.old, s.first, s.size = true, s.old[:0], s.all, len(s.pages) }

// back undoes what was done since mark.
func (s *sums) back() {
	for i := len(s.old) - 1; i >= 0; i-- {
		s.pages[s.old[i].i] = s.old[i].sum
	}
	s.pages, s.all, s.kept = s.pages[:s.size], s.first, false
}
