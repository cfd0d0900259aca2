package compare

import (
	"cmp"
	"hash/maphash"
	"iter"
	"maps"
	"slices"

	"tianbao"
)

// maxGroup is how many lines may share a key that still says something: a phone of forty
// people, or an id of nines, is nobody's.
const maxGroup = 40

// maxLikes is how many names of units are remembered in their like form.
const maxLikes = 100_000

// List is one of the four lists.
type List uint8

// The lists.
const (
	Matched List = iota + 1 // 已匹配
	Missing                 // 新系统缺: in the old list only
	Extra                   // 旧系统无: collected only
	Doubt                   // 存疑
)

// Title returns the list in the users' words.
func (l List) Title() string {
	switch l {
	case Matched:
		return "已匹配"
	case Missing:
		return "新系统缺"
	case Extra:
		return "旧系统无"
	case Doubt:
		return "存疑"
	}
	return ""
}

// Finding is what is said of one line.
type Finding struct {
	Side    Side
	ID      tianbao.ID
	List    List
	Partner tianbao.ID // of a match the other line, of a doubt the one it is mostly about
	Rung    Rung       // on which the two met
	Why     Why        // of a doubt
	// Agree, Like and Differ are the cells of the two lines; a cell that one of them leaves
	// empty is in none.
	Agree, Like, Differ Cells
	Others              int // of a doubt, how many other lines it is about
}

// Decision is what a person said of two lines.
type Decision struct {
	Old, New tianbao.ID
	Same     bool // false: they are two people
}

// ref names a line: its place in the side's slice, and the side in the lowest bit.
type ref uint32

func (r ref) side() Side { return Side(r & 1) }
func (r ref) at() int    { return int(r >> 1) }

// line is a record with what is said of it.
type line struct {
	rec   Record
	said  Finding
	epoch uint32 // of the run that visited it
	dirty bool
	gone  bool
}

// entry is a line under a key.
type entry struct {
	ref  ref
	next int32 // 1 + index of the next entry, 0: none
}

// Engine compares two lists. It is used by one goroutine.
type Engine struct {
	seed    maphash.Seed
	lines   [2][]line
	at      [2]map[tianbao.ID]ref
	heads   map[uint64]int32 // 1 + index of the first entry
	entries []entry
	free    int32 // 1 + index of the first entry that is not used
	dirty   []ref
	epoch   uint32
	same    [2]map[tianbao.ID]tianbao.ID // decided pairs, by either side
	differ  map[[2]tianbao.ID]bool
	keys    []uint64
	judged  int
	likes   map[string]string
}

// NewEngine returns an engine with two empty lists; size is about how many lines they will
// have together.
func NewEngine(size int) *Engine {
	e := &Engine{seed: maphash.MakeSeed(), heads: make(map[uint64]int32, 3*size), entries: make([]entry, 0, 6*size), differ: make(map[[2]tianbao.ID]bool), likes: make(map[string]string)}
	for s := range e.lines {
		e.at[s], e.same[s] = make(map[tianbao.ID]ref, size/2), make(map[tianbao.ID]tianbao.ID)
	}
	return e
}

// Len returns how many lines a list has.
func (e *Engine) Len(s Side) int { return len(e.at[s]) }

// Judged returns how many lines the last [Engine.Judge] judged, changed or not.
func (e *Engine) Judged() int { return e.judged }

// Record returns a line; nil where there is none of the id. Nobody may write to it.
func (e *Engine) Record(s Side, id tianbao.ID) *Record {
	r, ok := e.at[s][id]
	if !ok {
		return nil
	}
	return &e.lines[s][r.at()].rec
}

// Put adds a line or gives one other cells.
func (e *Engine) Put(s Side, rec Record) {
	rec.like = e.likeUnit(rec.UnitName)
	if r, ok := e.at[s][rec.ID]; ok {
		l := &e.lines[s][r.at()]
		if l.rec == rec {
			return
		}
		if l.rec.Place != rec.Place || l.rec.Report != rec.Report {
			l.said = Finding{} // told again, since it is kept elsewhere
		}
		e.leave(r)
		l.rec = rec
		e.join(r)
		return
	}
	r := ref(len(e.lines[s])<<1) | ref(s)
	e.lines[s] = append(e.lines[s], line{rec: rec})
	e.at[s][rec.ID] = r
	e.join(r)
}

// likeUnit is LikeUnit for names of which most come again.
func (e *Engine) likeUnit(name string) string {
	like, met := e.likes[name]
	if !met {
		if len(e.likes) >= maxLikes {
			clear(e.likes)
		}
		like = LikeUnit(name)
		e.likes[name] = like
	}
	return like
}

// Drop takes a line out.
func (e *Engine) Drop(s Side, id tianbao.ID) {
	r, ok := e.at[s][id]
	if !ok {
		return
	}
	e.leave(r)
	delete(e.at[s], id)
	e.lines[s][r.at()] = line{gone: true}
}

// Decide takes a decision; Undecide takes it back. A line is decided to be the same as one
// other only: the newest decision counts.
func (e *Engine) Decide(d Decision) {
	if !d.Same {
		e.differ[[2]tianbao.ID{d.Old, d.New}] = true
		e.touch(d.Old, d.New)
		return
	}
	e.part(Old, d.Old)
	e.part(New, d.New)
	e.same[Old][d.Old], e.same[New][d.New] = d.New, d.Old
	e.touch(d.Old, d.New)
}

// Undecide forgets what was decided of two lines.
func (e *Engine) Undecide(o, n tianbao.ID) {
	delete(e.differ, [2]tianbao.ID{o, n})
	if e.same[Old][o] == n {
		e.part(Old, o)
	}
	e.touch(o, n)
}

// DecideAll makes these the decisions that hold.
func (e *Engine) DecideAll(hold []Decision) {
	same, apart := make(map[[2]tianbao.ID]bool), make(map[[2]tianbao.ID]bool)
	for _, d := range hold {
		at := [2]tianbao.ID{d.Old, d.New}
		same[at], apart[at] = d.Same, !d.Same
	}
	for o, n := range maps.Clone(e.same[Old]) {
		if !same[[2]tianbao.ID{o, n}] {
			e.Undecide(o, n)
		}
	}
	for at := range maps.Clone(e.differ) {
		if !apart[at] {
			e.Undecide(at[0], at[1])
		}
	}
	for _, d := range hold {
		if at := [2]tianbao.ID{d.Old, d.New}; d.Same && e.same[Old][d.Old] != d.New || !d.Same && !e.differ[at] {
			e.Decide(d)
		}
	}
}

// part forgets which line one is the same as.
func (e *Engine) part(s Side, id tianbao.ID) {
	other, ok := e.same[s][id]
	if !ok {
		return
	}
	delete(e.same[s], id)
	delete(e.same[1-s], other)
	if s == Old {
		e.touch(id, other)
	} else {
		e.touch(other, id)
	}
}

func (e *Engine) touch(o, n tianbao.ID) {
	if r, ok := e.at[Old][o]; ok {
		e.mark(r)
	}
	if r, ok := e.at[New][n]; ok {
		e.mark(r)
	}
}

// mark notes that a line is to be judged again.
func (e *Engine) mark(r ref) {
	if l := &e.lines[r.side()][r.at()]; !l.dirty {
		l.dirty = true
		e.dirty = append(e.dirty, r)
	}
}

// join puts a line under its keys; those that it meets there, and those whom it makes too
// many, are judged again.
func (e *Engine) join(r ref) {
	l := &e.lines[r.side()][r.at()]
	e.mark(r)
	for _, k := range e.keysOf(&l.rec) {
		e.markGroup(k)
		at := e.free
		if at == 0 {
			e.entries = append(e.entries, entry{})
			at = int32(len(e.entries)) //nolint:gosec // some millions
		} else {
			e.free = e.entries[at-1].next
		}
		e.entries[at-1] = entry{ref: r, next: e.heads[k]}
		e.heads[k] = at
	}
	e.markPartner(r, l)
}

// leave takes a line from under its keys; those that it met there, and those who are few
// enough without it, are judged again.
func (e *Engine) leave(r ref) {
	l := &e.lines[r.side()][r.at()]
	e.mark(r)
	for _, k := range e.keysOf(&l.rec) {
		e.markGroup(k)
		before := int32(0)
		for at := e.heads[k]; at != 0; at = e.entries[at-1].next {
			if e.entries[at-1].ref != r {
				before = at
				continue
			}
			next := e.entries[at-1].next
			switch {
			case before != 0:
				e.entries[before-1].next = next
			case next != 0:
				e.heads[k] = next
			default:
				delete(e.heads, k)
			}
			e.entries[at-1] = entry{next: e.free}
			e.free = at
			break
		}
		e.markGroup(k)
	}
	e.markPartner(r, l)
}

// markPartner marks the line that is decided to be the same.
func (e *Engine) markPartner(r ref, l *line) {
	if other, ok := e.same[r.side()][l.rec.ID]; ok {
		if x, ok := e.at[1-r.side()][other]; ok {
			e.mark(x)
		}
	}
}

func (e *Engine) markGroup(k uint64) {
	for _, r := range e.group(k) {
		e.mark(r)
	}
}

// group returns the lines under a key, none if they are too many to say something.
func (e *Engine) group(k uint64) []ref {
	var room [maxGroup]ref
	out := room[:0]
	for at := e.heads[k]; at != 0; at = e.entries[at-1].next {
		if len(out) == maxGroup {
			return nil
		}
		out = append(out, e.entries[at-1].ref)
	}
	return out
}

// keysOf returns the keys under which a line meets others; the slice is used again.
func (e *Engine) keysOf(r *Record) []uint64 {
	out := e.keys[:0]
	var h maphash.Hash
	h.SetSeed(e.seed)
	add := func(kind byte, parts ...string) {
		h.Reset()
		_ = h.WriteByte(kind)
		for _, p := range parts {
			_, _ = h.WriteString(p)
			_ = h.WriteByte(0)
		}
		out = append(out, h.Sum64())
	}
	if r.Person != "" {
		add('p', r.Person)
	}
	if r.Phone != "" {
		add('f', r.Phone)
	}
	if r.User != "" && r.Name != "" {
		add('x', r.User, r.Name)
	}
	for _, x := range [...]struct {
		kind byte
		text string
	}{{'u', r.User}, {'n', r.Name}} {
		if x.text == "" {
			continue
		}
		if r.Unit != 0 {
			add(x.kind, "r", r.Unit.String(), x.text)
		}
		if r.OrgCode != "" {
			add(x.kind, "o", r.OrgCode, x.text)
		}
		if r.like != "" {
			add(x.kind, "n", r.like, x.text)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	e.keys = out
	return out
}

// Judge judges what depends on the changes since the last time and returns the findings
// that are others than before, by side and id.
func (e *Engine) Judge() []Finding {
	e.epoch++
	e.judged = 0
	var out []Finding
	var j judge
	for _, start := range e.dirty {
		l := &e.lines[start.side()][start.at()]
		l.dirty = false
		if l.gone || l.epoch == e.epoch {
			continue
		}
		cluster := e.cluster(start)
		e.judged += len(cluster)
		for _, f := range j.run(e, cluster) {
			x := &e.lines[f.Side][e.at[f.Side][f.ID].at()]
			if x.said != f {
				x.said = f
				out = append(out, f)
			}
		}
	}
	e.dirty = e.dirty[:0]
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.ID, b.ID)) })
	return out
}

// cluster returns the lines that are connected by keys and decisions with one.
func (e *Engine) cluster(start ref) []ref {
	out := []ref{start}
	e.lines[start.side()][start.at()].epoch = e.epoch
	visit := func(r ref) {
		if l := &e.lines[r.side()][r.at()]; l.epoch != e.epoch {
			l.epoch = e.epoch
			out = append(out, r)
		}
	}
	for i := 0; i < len(out); i++ {
		r := out[i]
		l := &e.lines[r.side()][r.at()]
		for _, k := range slices.Clone(e.keysOf(&l.rec)) {
			for _, other := range e.group(k) {
				visit(other)
			}
		}
		if other, ok := e.same[r.side()][l.rec.ID]; ok {
			if x, ok := e.at[1-r.side()][other]; ok {
				visit(x)
			}
		}
	}
	return out
}

// All gives what is said of every line.
func (e *Engine) All() iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for s := range e.lines {
			for i := range e.lines[s] {
				if l := &e.lines[s][i]; !l.gone && !yield(l.said) {
					return
				}
			}
		}
	}
}
