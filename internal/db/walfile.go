package db

import (
	"encoding/binary"
)

// The parts of a write-ahead log of SQLite (sqlite.org/walformat.html): a head, then
// frames, each a head of its own and a page. Every frame's head holds the sum of all
// before it, so a frame belongs where it stands or shows that it does not.
const (
	walHeadSize  = 32
	walFrameHead = 24
	walMagic     = 0x377f0682 // the lowest bit tells the byte order of the sums
	walVersion   = 3007000
	maxPage      = 65536
)

// walSum is the running sum of a log.
type walSum [2]uint32

// walHead is the head of a log.
type walHead struct {
	page  int // size of a page
	salt  [2]uint32
	order binary.ByteOrder // in which sums are made
	sum   walSum
}

// parseWALHead reads the head of a log; false: it is none, or is being written.
func parseWALHead(b []byte) (h walHead, ok bool) {
	if len(b) < walHeadSize {
		return h, false
	}
	magic := binary.BigEndian.Uint32(b)
	if magic&^1 != walMagic || binary.BigEndian.Uint32(b[4:]) != walVersion {
		return h, false
	}
	h.order = binary.LittleEndian
	if magic&1 == 1 {
		h.order = binary.BigEndian
	}
	page := binary.BigEndian.Uint32(b[8:])
	if page < 512 || page > maxPage || page&(page-1) != 0 {
		return h, false
	}
	h.page = int(page)
	h.salt = [2]uint32{binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])}
	h.sum = h.add(walSum{}, b[:24])
	return h, h.sum == walSum{binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[28:])}
}

// same reports whether both are the head of one log, between two beginnings.
func (h *walHead) same(o *walHead) bool { return h.page == o.page && h.salt == o.salt }

// frameSize is the length of a frame with its head, in a log of pages of a size.
func frameSize(page int) int64 { return walFrameHead + int64(page) }

func (h *walHead) frameSize() int64 { return frameSize(h.page) }

// offset is where frame n, counted from 1, stands.
func (h *walHead) offset(n uint32) int64 { return walHeadSize + int64(n-1)*h.frameSize() }

// check returns the sum after a frame, if the frame follows what had the sum before.
func (h *walHead) check(before walSum, frame []byte) (walSum, bool) {
	if frameSalt(frame) != h.salt {
		return before, false
	}
	sum := h.add(h.add(before, frame[:8]), frame[walFrameHead:])
	return sum, sum == storedSum(frame)
}

func frameSalt(frame []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(frame[8:]), binary.BigEndian.Uint32(frame[12:])}
}

// storedSum is the sum that a frame says it has.
func storedSum(frame []byte) walSum {
	return walSum{binary.BigEndian.Uint32(frame[16:]), binary.BigEndian.Uint32(frame[20:])}
}

// framePage is the number of the page in a frame; pages is how many the database has
// after it, where the frame is the last of a commit, else 0.
func framePage(frame []byte) (page, pages uint32) {
	return binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
}

// add adds bytes, a multiple of eight, to a sum.
func (h *walHead) add(s walSum, b []byte) walSum {
	// Two loops, so that the compiler knows the order: this runs over all that is saved.
	if h.order == binary.BigEndian {
		for ; len(b) >= 8; b = b[8:] {
			s[0] += binary.BigEndian.Uint32(b) + s[1]
			s[1] += binary.BigEndian.Uint32(b[4:]) + s[0]
		}
		return s
	}
	for ; len(b) >= 8; b = b[8:] {
		s[0] += binary.LittleEndian.Uint32(b) + s[1]
		s[1] += binary.LittleEndian.Uint32(b[4:]) + s[0]
	}
	return s
}
