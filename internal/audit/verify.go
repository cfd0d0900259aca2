package audit

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tianbao"
)

// Fault is one place at which the trail is not what was written.
type Fault struct {
	Lane int
	Seq  int64
	// Message says in Chinese what is wrong there.
	Message string
}

// Findings are what a verification found.
type Findings struct {
	Records  int64
	Archived int64       // records before those, which are in archives
	Heads    [Lanes]Head // as recomputed
	Faults   []Fault     // the first maxFaults
	More     int         // further faults that were only counted

	Rights  int64    // accounts and grants
	Altered []string // those whose rows are not as the program wrote them
}

// OK reports whether nothing is wrong.
func (f *Findings) OK() bool { return len(f.Faults)+len(f.Altered) == 0 }

const maxFaults = 100

func (f *Findings) fault(lane int, seq int64, format string, args ...any) {
	if len(f.Faults) == maxFaults {
		f.More++
		return
	}
	f.Faults = append(f.Faults, Fault{lane, seq, fmt.Sprintf(format, args...)})
}

// Verify walks all records, ordered by lane and number, and compares them with each
// other, with the keyed digests, with the stored heads and with checkpoints, which
// must have been opened with the right key. The lanes begin behind the bases, where
// older records were archived. An error of the sequence (the database cannot be read)
// is returned as it is.
func Verify(records iter.Seq2[Record, error], bases, heads [Lanes]Head, checkpoints []Checkpoint, digest Digest) (*Findings, error) {
	f := new(Findings)
	marks, err := marksOf(checkpoints)
	if err != nil {
		return nil, err
	}
	for lane, base := range bases {
		if base.Seq == 0 && base.MAC == "" {
			continue
		}
		if !equal(BaseMAC(lane, base, digest), base.MAC) {
			f.fault(lane, base.Seq, "归档位置的记载不是本系统写入的")
		}
		f.Archived += base.Seq
		f.Heads[lane] = Head{Seq: base.Seq, Hash: base.Hash}
		marks.archived(f, lane, base)
	}
	var ids map[tianbao.ID]bool // of the lane, to name doubles
	lane := -1
	for r, err := range records {
		if err != nil {
			return nil, err
		}
		if r.Lane < 0 || r.Lane >= Lanes {
			f.fault(r.Lane, r.Seq, "记录在不存在的链 %d 上", r.Lane)
			continue
		}
		if r.Lane != lane {
			lane, ids = r.Lane, make(map[tianbao.ID]bool)
		}
		f.Records++
		head := &f.Heads[r.Lane]
		if r.Seq != head.Seq+1 {
			f.fault(r.Lane, r.Seq, "第 %d 条之后应是第 %d 条，而不是第 %d 条：中间有记录被删除或移动", head.Seq, head.Seq+1, r.Seq)
		}
		if ids[r.ID] {
			f.fault(r.Lane, r.Seq, "记录 %s 出现了两次", r.ID)
		}
		ids[r.ID] = true
		if r.hash(head.Hash) != r.Hash {
			f.fault(r.Lane, r.Seq, "内容与写入时不同，或与前一条接不上")
		}
		if !equal(mac(r.Lane, r.Seq, r.Hash, digest), r.MAC) {
			f.fault(r.Lane, r.Seq, "不是本系统写入的记录")
		}
		head.Seq, head.Hash = r.Seq, r.Hash
		marks.pass(f, r)
	}
	marks.missed(f)
	for lane, want := range heads {
		got := f.Heads[lane]
		switch {
		case want.Seq == 0 && want.MAC == "" && got.Seq == 0:
		case !equal(HeadMAC(lane, want, digest), want.MAC):
			f.fault(lane, want.Seq, "链尾的记载不是本系统写入的")
		case got.Seq != want.Seq || got.Hash != want.Hash:
			f.fault(lane, want.Seq, "应有 %d 条记录，实有 %d 条或末条不同：末尾被删除、增加或改动", want.Seq, got.Seq)
		}
	}
	return f, nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// mark is a head that a checkpoint holds.
type mark struct {
	at   string
	hash string
}

// marks are the heads of checkpoints by lane and number.
type marks [Lanes]map[int64][]mark

func marksOf(cs []Checkpoint) (*marks, error) {
	m := new(marks)
	for lane := range m {
		m[lane] = make(map[int64][]mark)
	}
	for _, c := range cs {
		for lane, h := range c.Heads {
			n, hash, ok := strings.Cut(h, ":")
			seq, err := strconv.ParseInt(n, 10, 64)
			if !ok || err != nil || lane >= Lanes {
				return nil, ErrSignature
			}
			if seq > 0 {
				m[lane][seq] = append(m[lane][seq], mark{c.At, hash})
			}
		}
	}
	return m, nil
}

// pass compares a record with the checkpoints whose head it was.
func (m *marks) pass(f *Findings, r Record) {
	for _, k := range m[r.Lane][r.Seq] {
		if hex.EncodeToString(r.Hash[:]) != k.hash {
			f.fault(r.Lane, r.Seq, "与 %s 的检查点不同：此前的记录被整体替换", k.at)
		}
	}
	delete(m[r.Lane], r.Seq)
}

// archived compares the last archived record of a lane with its checkpoints, and passes
// over those of records before it: they are in the archive, which bears a signature.
func (m *marks) archived(f *Findings, lane int, base Head) {
	m.pass(f, Record{Lane: lane, Seq: base.Seq, Hash: base.Hash})
	maps.DeleteFunc(m[lane], func(seq int64, _ []mark) bool { return seq < base.Seq })
}

// missed tells of the checkpoints that hold records which are not there any more.
func (m *marks) missed(f *Findings) {
	for lane := range m {
		for _, seq := range slices.Sorted(maps.Keys(m[lane])) {
			f.fault(lane, seq, "%s 的检查点有这条记录，现在没有了：末尾被删除，或数据库被换成了旧的", m[lane][seq][0].at)
		}
	}
}
