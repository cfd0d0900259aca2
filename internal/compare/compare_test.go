package compare_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tianbao"
	"tianbao/internal/compare"
)

func full(w *world) (*compare.Engine, []compare.Finding) {
	e := compare.NewEngine(len(w.old) + len(w.new))
	for _, r := range w.old {
		e.Put(compare.Old, r)
	}
	for _, r := range w.new {
		e.Put(compare.New, r)
	}
	return e, e.Judge()
}

func TestKnownTruth(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			size := 5_000
			if seed == 1 && !testing.Short() && !raceDetector {
				size = 50_000
			}
			w := seeded(seed).world(size)
			_, found := full(w)
			cells := make(map[tianbao.ID]compare.Record)
			for _, r := range slices.Concat(w.old, w.new) {
				cells[r.ID] = r
			}
			right, wrong, lists := 0, 0, map[compare.List]int{}
			shown := 0
			for _, f := range found {
				lists[f.List]++
				if f.Side != compare.Old || f.List != compare.Matched {
					continue
				}
				if f.Agree&^(compare.CellName|compare.CellUnitName) == 0 && !f.Like.Has(compare.CellPerson) {
					t.Errorf("line %s was paired on its name alone", f.ID)
				}
				if w.truth[f.ID] == f.Partner {
					right++
				} else {
					if wrong++; shown < 5 {
						shown++
						t.Logf("wrong on rung %d, agree %b differ %b", f.Rung, f.Agree, f.Differ)
					}
				}
			}
			precision, recall := float64(right)/float64(right+wrong), float64(right)/float64(len(w.truth))
			t.Logf("%d and %d lines, %d people in both: precision %.5f, recall %.5f, lists %v", len(w.old), len(w.new), len(w.truth), precision, recall, lists)
			if precision < 0.995 || recall < 0.98 {
				t.Errorf("precision %.5f, recall %.5f", precision, recall)
			}
		})
	}
}

// mixed makes lines that collide all the time: few values for each cell.
func mixed(t *rapid.T, id tianbao.ID) compare.Record {
	pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	r := compare.Record{
		ID: id, Unit: tianbao.ID(rapid.IntRange(0, 3).Draw(t, "unit")), OrgCode: pick("org", "", "A", "B"), UnitName: pick("unit name", "", "辽宁省某某委员会", "某某委", "某某局"),
		User: pick("user", "", "a", "b", "c"), Name: pick("name", "", "张伟", "张小伟", "李小明", "李大明"), Phone: pick("phone", "", "1", "2", "3"),
		Person: pick("id", "", "900", "901", "902", "903"), Head: pick("head", "", "h", "i"), Tail: pick("tail", "", "t", "u"),
	}
	r.Sound = r.Person == "900" || r.Person == "901"
	return r
}

func sorted(e *compare.Engine) []compare.Finding {
	out := slices.Collect(e.All())
	slices.SortFunc(out, func(a, b compare.Finding) int { return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Whatever changes, judging what depends on it gives what judging all anew gives.
func TestChangesGiveWhatAFullRunGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := compare.NewEngine(8)
		lists := [2]map[tianbao.ID]compare.Record{{}, {}}
		said := map[[2]int64]compare.Finding{}
		type act struct {
			compare.Decision
			back bool
		}
		var decided []act
		crowd := rapid.Bool().Draw(t, "crowd")
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			changes := rapid.IntRange(1, 12).Draw(t, "changes")
			if crowd {
				changes *= 8 // groups grow over what still says something, and shrink again
			}
			for range changes {
				s := compare.Side(rapid.IntRange(0, 1).Draw(t, "side"))
				id := tianbao.ID(rapid.IntRange(1, 12).Draw(t, "id"))
				if crowd {
					id = tianbao.ID(rapid.IntRange(1, 90).Draw(t, "one of many"))
				}
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0, 1:
					e.Drop(s, id)
					delete(lists[s], id)
					delete(said, [2]int64{int64(s), int64(id)})
				case 2:
					d := compare.Decision{Old: id, New: tianbao.ID(rapid.IntRange(1, 12).Draw(t, "other")), Same: rapid.Bool().Draw(t, "same")}
					e.Decide(d)
					decided = append(decided, act{Decision: d})
				case 3:
					if len(decided) > 0 {
						d := rapid.SampledFrom(decided).Draw(t, "taken back")
						e.Undecide(d.Old, d.New)
						decided = append(decided, act{d.Decision, true})
					}
				default:
					r := mixed(t, id)
					e.Put(s, r)
					lists[s][id] = r
				}
			}
			for _, f := range e.Judge() {
				said[[2]int64{int64(f.Side), int64(f.ID)}] = f
			}
			again := compare.NewEngine(8)
			for s := range lists {
				for _, r := range lists[s] { // in any order
					again.Put(compare.Side(s), r)
				}
			}
			for _, d := range decided {
				if d.back {
					again.Undecide(d.Old, d.New)
				} else {
					again.Decide(d.Decision)
				}
			}
			again.Judge()
			want := sorted(again)
			if diff := gocmp.Diff(want, sorted(e), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("changes gave another result than a full run (-full +changes):\n%s", diff)
			}
			told := make([]compare.Finding, 0, len(said))
			for _, f := range said {
				told = append(told, f)
			}
			slices.SortFunc(told, func(a, b compare.Finding) int { return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.ID, b.ID)) })
			if diff := gocmp.Diff(want, told, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("not every change was told (-full +told):\n%s", diff)
			}
			one := map[tianbao.ID]tianbao.ID{}
			for _, f := range want {
				if f.List == compare.Matched && f.Side == compare.Old {
					if was, met := one[f.Partner]; met {
						t.Fatalf("%s and %s are paired with one line", was, f.ID)
					}
					one[f.Partner] = f.ID
				}
			}
		}
	})
}

func TestLadder(t *testing.T) {
	a := compare.Record{ID: 1, Unit: 5, OrgCode: "O", UnitName: "某某局", User: "zc01", Name: "张建国", Person: "p1", Head: "h1", Tail: "t1", Sound: true, Phone: "f1"}
	with := func(f func(*compare.Record)) compare.Record {
		r := a
		r.ID = 2
		f(&r)
		return r
	}
	other := func(r *compare.Record) { r.Person, r.Head, r.Tail = "p2", "h2", "t2" }
	none := func(r *compare.Record) { r.Person, r.Head, r.Tail, r.Sound = "", "", "", false }
	for _, c := range []struct {
		name string
		new  compare.Record
		list compare.List
		rung compare.Rung
		why  compare.Why
	}{
		{"all alike", with(func(*compare.Record) {}), compare.Matched, compare.RungUser, compare.NoWhy},
		{"user and id, another name", with(func(r *compare.Record) { r.Name = "李强" }), compare.Matched, compare.RungUser, compare.NoWhy},
		{"the account was handed on", with(func(r *compare.Record) { r.Name, r.Phone = "李强", "f2"; other(r) }), compare.Doubt, compare.RungUser, compare.WhyOtherPerson},
		{"no ids, another name", with(func(r *compare.Record) { r.Name, r.Phone = "李强", "f2"; none(r) }), compare.Doubt, compare.RungUser, compare.WhyOtherName},
		{"id in the unit", with(func(r *compare.Record) { r.User, r.Phone = "", "f2" }), compare.Matched, compare.RungUnitPerson, compare.NoWhy},
		{"id in another unit", with(func(r *compare.Record) { r.User, r.Unit, r.OrgCode, r.UnitName = "", 6, "P", "另局" }), compare.Matched, compare.RungPerson, compare.NoWhy},
		{"id under another name", with(func(r *compare.Record) { r.User, r.Phone, r.Name = "", "f2", "李强" }), compare.Doubt, compare.RungUnitPerson, compare.WhyOtherName},
		{"phone and misspelt name", with(func(r *compare.Record) { r.User, r.Name = "", "张建果"; none(r) }), compare.Matched, compare.RungPhone, compare.NoWhy},
		{"phone of a colleague", with(func(r *compare.Record) { r.User, r.Name = "", "李强"; other(r) }), compare.Extra, compare.NoRung, compare.NoWhy},
		{"phone, another name, no id", with(func(r *compare.Record) { r.User, r.Name = "", "李强"; none(r) }), compare.Doubt, compare.RungPhone, compare.WhyOtherName},
		{"name in the unit, damaged id", with(func(r *compare.Record) { r.User, r.Phone, r.Person, r.Tail, r.Sound = "", "f2", "p9", "t9", false }), compare.Matched, compare.RungName, compare.NoWhy},
		{"name in the unit, unclear id", with(func(r *compare.Record) { r.User, r.Phone = "", "f2"; other(r); r.Sound = false }), compare.Doubt, compare.RungName, compare.WhyUnclear},
		{"twins", with(func(r *compare.Record) { r.User, r.Phone = "", "f2"; other(r) }), compare.Doubt, compare.RungName, compare.WhyOtherPerson},
		{"name alone, something contradicts", with(func(r *compare.Record) { r.User, r.Phone = "", "f2"; none(r) }), compare.Doubt, compare.RungName, compare.WhyWeak},
		{"name in another unit", with(func(r *compare.Record) {
			r.User, r.Phone, r.Unit, r.OrgCode, r.UnitName = "", "", 6, "P", "另局"
			none(r)
		}), compare.Extra, compare.NoRung, compare.NoWhy},
		{"user and name in another unit", with(func(r *compare.Record) { r.Phone, r.Unit, r.OrgCode, r.UnitName = "", 6, "P", "另局"; none(r) }), compare.Doubt, compare.RungWeak, compare.WhyWeak},
		{"renamed unit, user name", with(func(r *compare.Record) { r.Unit, r.OrgCode, r.UnitName = 0, "", "辽宁省某某局"; none(r) }), compare.Matched, compare.RungUser, compare.NoWhy},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := full(&world{old: []compare.Record{a}, new: []compare.Record{c.new}})
			f := found[len(found)-1]
			if f.List != c.list || f.Rung != c.rung || f.Why != c.why {
				t.Errorf("list %s rung %d (%s) why %d, want %s %d (%s) %d", f.List.Title(), f.Rung, f.Rung.Title(), f.Why, c.list.Title(), c.rung, c.rung.Title(), c.why)
			}
		})
	}
}

func TestSeveralAnswersAreADoubt(t *testing.T) {
	o := compare.Record{ID: 1, Unit: 5, Name: "张伟"}
	n := func(id tianbao.ID) compare.Record { return compare.Record{ID: id, Unit: 5, Name: "张伟"} }
	_, found := full(&world{old: []compare.Record{o}, new: []compare.Record{n(2), n(3)}})
	for _, f := range found {
		if f.List != compare.Doubt || f.Why != compare.WhySeveral {
			t.Errorf("line %s: %s, %s", f.ID, f.List.Title(), f.Why.Title())
		}
	}
	if found[0].Others != 2 {
		t.Errorf("the old line may be %d others, want 2", found[0].Others)
	}
}

func TestDecisions(t *testing.T) {
	o := compare.Record{ID: 1, Unit: 5, User: "a", Name: "张伟", Phone: "1"}
	n := compare.Record{ID: 2, Unit: 6, Name: "李小明"}
	e, _ := full(&world{old: []compare.Record{o}, new: []compare.Record{n}})
	e.Decide(compare.Decision{Old: 1, New: 2, Same: true})
	if f := e.Judge(); len(f) != 2 || f[0].List != compare.Matched || f[0].Rung != compare.RungDecided || f[1].Partner != 1 {
		t.Errorf("decided to be the same: %+v", f)
	}
	n.Name = "李大明"
	e.Put(compare.New, n)
	e.Judge()
	if f := sorted(e); f[0].List != compare.Matched {
		t.Error("a decision did not outlast another name")
	}
	e.Undecide(1, 2)
	if f := e.Judge(); len(f) != 2 || f[0].List != compare.Missing || f[1].List != compare.Extra {
		t.Errorf("taken back: %+v", f)
	}
	n.Unit, n.User = 5, "a"
	n.Name = "张伟"
	e.Put(compare.New, n)
	e.Judge()
	e.Decide(compare.Decision{Old: 1, New: 2})
	if f := e.Judge(); len(f) != 2 || f[0].List != compare.Missing {
		t.Errorf("decided to be two: %+v", f)
	}
}

func TestRecordsPrintNothing(t *testing.T) {
	r := compare.Record{ID: 7, Name: "张伟", Person: "210102199001019001"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(format, r); got != "record 7" {
			t.Errorf("%s printed %q", format, got)
		}
	}
}

func TestLikeUnit(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"辽宁省财政厅", "财政厅"}, {"辽宁省发展和改革委员会", "发展和改革委"}, {"某县人民政府办公室（本级）", "某县政府办"}, {"中国共产党某县委员会", "中共某县委"},
	} {
		if compare.LikeUnit(c.a) != compare.LikeUnit(c.b) {
			t.Errorf("%s and %s are not alike: %s, %s", c.a, c.b, compare.LikeUnit(c.a), compare.LikeUnit(c.b))
		}
	}
	for _, c := range []struct{ a, b string }{{"沈河区财政局", "和平区财政局"}, {"省委", "省政府"}, {"沈阳市财政局", "鞍山市财政局"}} {
		if compare.LikeUnit(c.a) == compare.LikeUnit(c.b) {
			t.Errorf("%s and %s are alike", c.a, c.b)
		}
	}
}

// The cost of a full run: go test ./internal/compare -run XXX -bench . -benchtime 1x.
func BenchmarkFull(b *testing.B) {
	for _, size := range []int{50_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := seeded(3).world(size)
			for b.Loop() {
				full(w)
			}
		})
	}
}

// One line in a hundred has another phone, name or user name.
func BenchmarkAfterChanges(b *testing.B) {
	m := seeded(4)
	w := m.world(50_000)
	e, _ := full(w)
	judged := 0
	for b.Loop() {
		for range len(w.new) / 100 {
			r := &w.new[m.IntN(len(w.new))]
			switch m.IntN(3) {
			case 0:
				r.Phone = m.phone()
			case 1:
				r.Name = m.misspell(r.Name)
			default:
				r.User = ""
			}
			e.Put(compare.New, *r)
		}
		e.Judge()
		judged = e.Judged()
	}
	b.ReportMetric(float64(judged), "judged")
}
