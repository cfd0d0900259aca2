// Package clock gives the time and new ids as values that a test can replace.
// Nothing in the product calls time.Now for a decision; it asks the Clock it was
// given, so a whole campaign can run in virtual time.
package clock

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// Clock tells the time.
type Clock func() time.Time

// System is the machine's clock.
func System() time.Time { return time.Now() }

// Shanghai is the zone in which deadlines are written and times are shown.
// Mainland China has had one zone and no daylight saving time since 1991, so a
// fixed zone is exact for every date this product shows and needs no zone files.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// epoch is the zero of the time part of ids, 2020-01-01T00:00:00Z, in ms.
const epoch = 1577836800000

// IDs makes ids: 41 bits of milliseconds since 2020, 10 bits that tell processes
// apart, 12 bits that count within a millisecond. They rise within a process, and
// two processes collide only if they drew the same 10 bits and made the same
// count in the same millisecond; every table's primary key would refuse that.
type IDs struct {
	Clock Clock

	mu   sync.Mutex
	last int64 // ms<<12 | count
	node int64 // drawn at first use, always odd bits above 1
}

// TimeOf returns when an id was made, by the clock of its maker.
func TimeOf(id int64) time.Time { return time.UnixMilli(id>>22 + epoch) }

// Past lets all ids to come be greater than one that another maker made, perhaps by a clock
// that ran ahead. One from more than a year ahead is no such id.
func (g *IDs) Past(id int64) {
	now := time.Now
	if g.Clock != nil {
		now = g.Clock
	}
	if TimeOf(id).After(now().AddDate(1, 0, 0)) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = max(g.last, id>>22<<12|0xfff)
}

// Next returns a new id, greater than all before it from this maker.
func (g *IDs) Next() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.node == 0 {
		var b [2]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		g.node = int64(binary.BigEndian.Uint16(b[:])%1023) + 1
	}
	now := time.Now
	if g.Clock != nil {
		now = g.Clock
	}
	t := (now().UnixMilli() - epoch) << 12
	if t <= g.last {
		t = g.last + 1 // the count runs on into the next millisecond when one is full
	}
	g.last = t
	ms, count := t>>12, t&0xfff
	return ms<<22 | g.node<<12 | count
}
