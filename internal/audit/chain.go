package audit

import (
	"encoding/binary"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"tianbao"
)

// Lanes is how many chains there are.
const Lanes = 16

// HashSize is the length of a chain hash in bytes.
const HashSize = sm3.Size

// LaneOf returns the lane of an event: that of the unit concerned, else the actor's.
func LaneOf(e *tianbao.Event) int {
	id := e.Owner
	if id == 0 {
		id = e.Actor
	}
	// Ids made by clock.IDs rise with time; the multiplication spreads neighbours.
	return int((uint64(id) * 0x9E3779B97F4A7C15) >> 60)
}

// Record is an event in its place in a chain.
type Record struct {
	tianbao.Event
	Lane int
	Seq  int64 // 1, 2, 3 … in the lane
	ID   tianbao.ID
	// Personal is a keyed digest of what is sealed of the event, "" where nothing is.
	Personal string
	Hash     [HashSize]byte
	MAC      string
}

// Head is the end of a lane.
type Head struct {
	Seq  int64          `json:"seq"`
	Hash [HashSize]byte `json:"-"`
	MAC  string         `json:"-"`
}

// Digest makes keyed digests; internal/seal's rings have it.
type Digest func(label string, data ...[]byte) string

// Link puts a record behind the head of its lane: it sets Seq, Hash and MAC, and
// returns the new head.
func (r *Record) Link(head Head, digest Digest) Head {
	r.Seq = head.Seq + 1
	r.Hash = r.hash(head.Hash)
	r.MAC = mac(r.Lane, r.Seq, r.Hash, digest)
	return Head{Seq: r.Seq, Hash: r.Hash, MAC: HeadMAC(r.Lane, Head{Seq: r.Seq, Hash: r.Hash}, digest)}
}

// hash covers everything of the record that is not sealed, and the hash before it.
func (r *Record) hash(prev [HashSize]byte) [HashSize]byte {
	b := make([]byte, 0, 512)
	b = append(b, "tianbao audit 1"...)
	b = append(b, prev[:]...)
	for _, n := range []int64{int64(r.Lane), r.Seq, int64(r.ID), r.At.UnixMilli(), int64(r.Actor), int64(r.Owner)} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range []string{r.From, r.What, r.Object, string(r.Result), r.Detail, r.Personal} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return sm3.Sum(b)
}

func mac(lane int, seq int64, hash [HashSize]byte, digest Digest) string {
	return place("audit record", lane, seq, hash, digest)
}

// HeadMAC returns the keyed digest that a lane's head carries.
func HeadMAC(lane int, h Head, digest Digest) string {
	return place("audit head", lane, h.Seq, h.Hash, digest)
}

// BaseMAC returns the keyed digest that the beginning of an archived lane carries.
func BaseMAC(lane int, base Head, digest Digest) string {
	return place("audit base", lane, base.Seq, base.Hash, digest)
}

func place(label string, lane int, seq int64, hash [HashSize]byte, digest Digest) string {
	var at [16]byte
	binary.BigEndian.PutUint64(at[:8], uint64(lane))
	binary.BigEndian.PutUint64(at[8:], uint64(seq))
	return digest(label, at[:], hash[:])
}

// Stamp returns the time of a record as exports write it: RFC 3339 with the offset of
// Shanghai, in milliseconds.
func Stamp(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format("2006-01-02T15:04:05.000-07:00")
}
