package report

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"

	"tianbao"
)

// hash stands for the text of a row. It has 128 bits under keys of its own, so two
// texts of one hash need not be thought of.
type hash [2]uint64

// hasher makes hashes.
type hasher struct {
	seeds [2]maphash.Seed
	buf   []byte
}

func newHasher() hasher {
	return hasher{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// of returns the hash of a text, zero for the empty one.
func (h *hasher) of(text string) hash {
	if text == "" {
		return hash{}
	}
	return hash{maphash.String(h.seeds[0], text), maphash.String(h.seeds[1], text)}
}

// whole returns the hash of all cells of a row, without those for which the file has
// no column.
func (h *hasher) whole(v tianbao.Values, columns []int) hash {
	h.buf = h.buf[:0]
	for f, text := range v {
		if f >= len(columns) || columns[f] >= 0 {
			h.buf = append(h.buf, text...)
		}
		h.buf = append(h.buf, 0)
	}
	return hash{maphash.Bytes(h.seeds[0], h.buf), maphash.Bytes(h.seeds[1], h.buf)}
}

// fate is what becomes of a row of the file.
type fate uint8

const (
	fateAdd      fate = iota
	fateSame          // it is there already
	fateChange        // its filled cells go into the matched row
	fateReplace       // all its cells do
	fateHome          // merged three ways into the matched row
	fateGoneHere      // its row was deleted here
)

// fileRow is what the first pass keeps of a row of the file.
type fileRow struct {
	whole, person hash // person: zero for none
	seq           int
	sheetRow      int32
	match         int32 // index into stored, -1
	fate          fate
}

// storedRow is what is kept of a row of the report.
type storedRow struct {
	id            tianbao.ID
	whole, person hash
	blank         bool
}

// chains finds rows of one hash, first come first.
type chains struct {
	head map[hash]int32
	next []int32
}

// chain makes the chains of n rows; key leaves out those for which it returns false.
func chain(n int, key func(i int) (hash, bool)) *chains {
	c := &chains{head: make(map[hash]int32, n), next: make([]int32, n)}
	for i := n - 1; i >= 0; i-- {
		k, ok := key(i)
		if !ok {
			continue
		}
		c.next[i] = -1
		if j, more := c.head[k]; more {
			c.next[i] = j
		}
		c.head[k] = int32(i)
	}
	return c
}

// take returns the first row of the hash that is not before from, and forgets it and
// those before; -1 when there is none.
func (c *chains) take(k hash, from int) int {
	i, ok := c.head[k]
	for ok && i >= 0 && int(i) < from {
		i = c.next[i]
	}
	if !ok || i < 0 {
		delete(c.head, k)
		return -1
	}
	if c.head[k] = c.next[i]; c.next[i] < 0 {
		delete(c.head, k)
	}
	return int(i)
}

// match decides the fate of each row of the file and which stored rows go. It asks for
// nothing but what the passes kept.
func (t *stream) match(ctx context.Context) error {
	if t.mode == ModeAppend {
		rep, err := t.s.Store.Report(ctx, t.actor.Scope, t.set.Report)
		t.rep = rep
		return err
	}
	var columns []int
	if t.mode == ModeBySeq {
		columns = t.imp.Columns
	}
	rep, err := t.s.Store.EachRow(ctx, t.actor.Scope, t.set.Report, func(r *tianbao.Row) error {
		st := storedRow{id: r.ID, whole: t.hashes.whole(r.Values, columns), blank: blank(r.Values)}
		if t.mode == ModeMerge {
			st.person = t.hashes.of(identity(t.form, r.Values))
		}
		t.stored = append(t.stored, st)
		return nil
	})
	if err != nil {
		return err
	}
	t.rep = rep
	switch t.mode {
	case ModeMerge:
		return t.matchMerge(ctx)
	case ModeBySeq:
		return t.matchSeq()
	case ModeReplace:
		t.matchReplace()
		return nil
	}
	return errMode()
}

// matchMerge is planner.merge.
func (t *stream) matchMerge(ctx context.Context) error {
	taken := make([]bool, len(t.stored))
	done := make([]bool, len(t.rows))
	if o := t.imp.Origin; isHome(o, &t.rep, t.mode) {
		if err := t.matchHome(ctx, o, taken, done); err != nil {
			return err
		}
	}
	same := chain(len(t.stored), func(i int) (hash, bool) { return t.stored[i].whole, !taken[i] })
	for i := range t.rows {
		if done[i] {
			continue
		}
		if j := same.take(t.rows[i].whole, 0); j >= 0 {
			t.rows[i].match, t.rows[i].fate = int32(j), fateSame
			taken[j], done[i] = true, true
		}
	}
	people := make(map[hash]int32, len(t.stored)) // -1: several rows of one person
	for j := range t.stored {
		k := t.stored[j].person
		if k == (hash{}) || taken[j] {
			continue
		}
		if _, again := people[k]; again {
			people[k] = -1
		} else {
			people[k] = int32(j)
		}
	}
	for i := range t.rows {
		if done[i] {
			continue
		}
		if j, ok := people[t.rows[i].person]; ok && j >= 0 && !taken[j] {
			t.rows[i].match, t.rows[i].fate = j, fateChange
			taken[j] = true
		}
	}
	return nil
}

// matchHome is planner.threeWay, all but the cells.
func (t *stream) matchHome(ctx context.Context, o *tianbao.Origin, taken, done []bool) error {
	var err error
	if t.ways, err = t.s.waysSince(ctx, &t.rep, o); err != nil {
		return err
	}
	at := make(map[tianbao.ID]int32, len(t.stored))
	for j := range t.stored {
		at[t.stored[j].id] = int32(j)
	}
	home := make(map[tianbao.ID]bool, len(o.Home))
	for i, id := range o.Home {
		if id == 0 || !t.ways.held[id] || home[id] {
			continue
		}
		home[id] = true
		r := &t.rows[i]
		if j, here := at[id]; here {
			r.match, r.fate = j, fateHome
			taken[j], done[i] = true, true
		} else if _, known := t.ways.base(id, 0); known {
			r.fate, done[i] = fateGoneHere, true
		}
	}
	var nums []string
	for j := range t.stored {
		id := t.stored[j].id
		if !t.ways.held[id] || home[id] {
			continue
		}
		taken[j] = true
		t.gone = append(t.gone, j)
		nums = append(nums, strconv.Itoa(j+1))
	}
	nums, err = t.withoutEdited(ctx, nums)
	if len(nums) > 0 {
		t.plan.Confirm = askDeleted(nums)
	}
	return err
}

// withoutEdited leaves out the numbers of those rows to go that others edited since
// the file was exported: they are conflicts.
func (t *stream) withoutEdited(ctx context.Context, nums []string) ([]string, error) {
	edited := make(map[tianbao.ID]bool)
	for ref := range t.ways.since.cells {
		edited[ref.row] = true
	}
	kept := nums[:0]
	for k, j := range t.gone {
		id := t.stored[j].id
		if edited[id] {
			rows, err := t.fetch(ctx, []int{j})
			if err != nil {
				return nil, err
			}
			p := t.planner(nil, rows)
			if !p.goneThere(0, id) {
				continue
			}
		}
		kept = append(kept, nums[k])
	}
	return kept, nil
}

// matchSeq is planner.bySeq.
func (t *stream) matchSeq() error {
	target := make(map[int]int32, len(t.rows))
	var nums []string
	for i := range t.rows {
		r := &t.rows[i]
		if r.seq == 0 {
			return errNoSeq(int(r.sheetRow))
		}
		if j, twice := target[r.seq]; twice {
			return errSeqTwice(int(t.rows[j].sheetRow), int(r.sheetRow), r.seq)
		}
		target[r.seq] = int32(i)
		if r.seq > len(t.stored) {
			continue
		}
		r.match, r.fate = int32(r.seq-1), fateSame
		if r.whole != t.stored[r.match].whole {
			r.fate = fateReplace
			nums = append(nums, strconv.Itoa(r.seq))
		}
	}
	if len(nums) > 0 {
		t.plan.Confirm = askReplaced(nums)
	}
	return nil
}

// matchReplace is planner.replace.
func (t *stream) matchReplace() {
	where := chain(len(t.stored), func(i int) (hash, bool) { return t.stored[i].whole, true })
	kept := make([]bool, len(t.stored))
	at, fresh := 0, 0
	for i := range t.rows {
		r := &t.rows[i]
		if j := where.take(r.whole, at); j >= 0 {
			r.match, r.fate, kept[j], at = int32(j), fateSame, true, j+1
			continue
		}
		fresh++
	}
	var nums []string
	var stay []int
	for j := range t.stored {
		if kept[j] || t.stored[j].blank { // no file can tell of a row without content
			stay = append(stay, j)
			continue
		}
		t.gone = append(t.gone, j)
		nums = append(nums, strconv.Itoa(j+1))
	}
	if len(nums) > 0 {
		t.plan.Confirm = askGone(nums)
	}
	if fresh > 0 && len(stay) > 0 {
		t.reorder(stay, kept)
	}
}

// reorder gives all rows their places: each new row behind the one before it in the
// file, the first ones at the top.
func (t *stream) reorder(stay []int, kept []bool) {
	place, i := 0, 0
	news := func() {
		for ; i < len(t.rows) && t.rows[i].match < 0; i++ {
			place++
			t.order = append(t.order, place)
		}
	}
	news()
	for _, j := range stay {
		place++
		t.moves = append(t.moves, Move{Row: t.stored[j].id, Order: place})
		if kept[j] {
			i++ // its own row of the file
			news()
		}
	}
}

// fetch reads rows of the report and finds them as they were when they were matched.
func (t *stream) fetch(ctx context.Context, at []int) ([]tianbao.Row, error) {
	if len(at) == 0 {
		return nil, nil
	}
	ids := make([]tianbao.ID, len(at))
	for k, j := range at {
		ids[k] = t.stored[j].id
	}
	_, found, err := t.s.Store.Touched(ctx, t.actor.Scope, t.rep.ID, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]tianbao.Row, len(at))
	for k, j := range at {
		row, here := found[ids[k]]
		if !here || row.Version > t.rep.Version {
			return nil, errMoved()
		}
		row.Seq = j + 1
		rows[k] = row
	}
	if t.ways != nil {
		clear(t.ways.stored)
		for k := range rows {
			t.ways.stored[rows[k].ID] = &rows[k]
		}
	}
	return slices.Clip(rows), nil
}
