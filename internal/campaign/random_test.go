package campaign_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/org"
	"tianbao/internal/report"
)

// worlds is how many collections a run goes through.
const worlds = 100

// ledger is what a plain observer writes down of a collection: every row as it is stored,
// and which rows of whom were reported since.
type ledger struct {
	*office
	r        *rand.Rand
	c        tianbao.ID
	reports  map[tianbao.ID]tianbao.Report // by owner
	rows     map[tianbao.ID][]tianbao.Row  // by report
	waits    map[[2]tianbao.ID]bool        // by report and unit
	drafts   map[tianbao.ID]bool           // by owner
	declared map[tianbao.ID]tianbao.DeclarationKind
	review   map[tianbao.ID]campaign.Review
	passes   map[tianbao.ID]map[int]bool
	rules    report.Checker
	did      map[string]int
}

// TestRandomWorlds goes through many collections in one register that changes all the
// time. After every day the figures are those of a plain count, and in the end those of
// every past day still are.
func TestRandomWorlds(t *testing.T) {
	engines(t, func(o *office) {
		did, reached := map[string]int{}, map[tianbao.Standing]bool{}
		for n := range worlds {
			l := &ledger{office: o, r: rand.New(rand.NewPCG(6, uint64(n))), c: tianbao.ID(1000 + n), did: did}
			l.world(reached)
			if o.t.Failed() {
				o.t.Fatalf("world %d", n)
			}
		}
		for _, act := range []string{"save", "delete", "edit", "move row", "submit", "draft", "declare", "undeclare", "return", "pass", "withdraw", "rule", "end rule", "unit moved", "unit merged", "unit created", "unit closed", "unit split"} {
			if did[act] == 0 {
				o.t.Errorf("no world saw a %s", act)
			}
		}
		for _, s := range tianbao.Standings() {
			if !reached[s] {
				o.t.Errorf("no unit was ever %q", s)
			}
		}
	})
}

func (l *ledger) world(reached map[tianbao.Standing]bool) {
	l.reports, l.rows, l.waits = map[tianbao.ID]tianbao.Report{}, map[tianbao.ID][]tianbao.Row{}, map[[2]tianbao.ID]bool{}
	l.drafts, l.declared, l.review, l.passes = map[tianbao.ID]bool{}, map[tianbao.ID]tianbao.DeclarationKind{}, map[tianbao.ID]campaign.Review{}, map[tianbao.ID]map[int]bool{}
	var err error
	l.rules, err = l.office.reports.Rules(l.form.Name, l.form.Version)
	l.ok(err)
	l.pass(time.Hour)
	c := tianbao.Campaign{ID: l.c, Title: "采集", Form: l.form.Name, FormV: l.form.Version, Opens: l.now, Closes: l.now.AddDate(0, 0, 2+l.r.IntN(5)), Released: true, Opened: l.now, Owner: province}
	l.ok(l.store.PutCampaign(l.ctx(), c))
	days := map[time.Time]figures{}
	for range 6 {
		for range 1 + l.r.IntN(6) {
			l.act()
			l.pass(time.Duration(1+l.r.IntN(120)) * time.Minute)
		}
		l.compare("now", time.Time{}, l.count(l.now, reached))
		// The end of the day: what the register has changed since its beginning holds.
		l.set(campaign.EndOf(l.now))
		days[l.now] = l.count(l.now, reached)
		l.pass(8 * time.Hour)
	}
	for at, want := range days {
		if l.r.IntN(2) == 0 {
			l.ok(l.store.KeepDay(l.ctx(), l.c, at)) // half of them are read and not counted
		}
		l.compare("as of "+at.Format(time.DateTime), at, want)
	}
	l.certify(l.count(l.now, reached))
	sum, err := l.store.Recount(l.ctx(), l.c, false)
	l.ok(err)
	if sum.Parts != 0 || sum.Standings != 0 {
		l.t.Errorf("a recount differs: %+v", sum)
	}
}

// certify holds a certificate of the province against a plain count.
func (l *ledger) certify(want figures) {
	l.t.Helper()
	c, err := l.Certify(l.ctx(), runner(), l.c, province)
	if tianbao.KindOf(err) == tianbao.ErrInvalid && err != nil {
		c = &campaign.Certificate{Outside: want["total outside"]} // nobody is expected
	} else {
		l.ok(err)
	}
	for _, s := range tianbao.Standings() {
		got := 0
		for _, n := range c.Counts() {
			if n.State == s {
				got = n.Units
			}
		}
		if got != want["total "+string(s)] {
			l.t.Errorf("certified: %d units stand as %q, want %d", got, s, want["total "+string(s)])
		}
	}
	if c.Outside != want["total outside"] {
		l.t.Errorf("certified: %d outside, want %d", c.Outside, want["total outside"])
	}
}

func (o *office) set(t time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = t
}

func (l *ledger) pass(d time.Duration) { l.set(l.now.Add(d).In(clock.Shanghai)) }

func (l *ledger) units() []tianbao.Unit {
	units, err := l.store.UnitsAsOf(l.ctx(), everything(), l.now)
	l.ok(err)
	return units
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// act does one thing at random, which may be refused.
func (l *ledger) act() {
	units := l.units()
	u := pick(l.r, units)
	name, err := "", error(nil)
	switch n := l.r.IntN(20); {
	case n < 7:
		name, err = l.write(units)
	case n < 11:
		name, err = l.submit()
	case n < 12:
		name, err = l.draft(u)
	case n < 13:
		name, err = l.declare(u)
	case n < 17:
		name, err = l.judge(units)
	case n < 19:
		name, err = l.arrange(units)
	default:
		name, err = l.reorganise(units)
	}
	switch {
	case err == nil:
		l.did[name]++
	case tianbao.KindOf(err) == tianbao.ErrInternal:
		l.t.Fatalf("%s: %v", name, err)
	}
}

// look reads a report's rows and notes what has changed.
func (l *ledger) look(rep tianbao.ID) {
	_, rows, err := l.store.Snapshot(l.ctx(), everything(), rep)
	l.ok(err)
	was := map[tianbao.ID]tianbao.Row{}
	for _, r := range l.rows[rep] {
		was[r.ID] = r
	}
	for _, r := range rows {
		if old, ok := was[r.ID]; !ok || old.Version != r.Version {
			l.waits[[2]tianbao.ID{rep, r.Unit}] = true
			if ok {
				l.waits[[2]tianbao.ID{rep, old.Unit}] = true
			}
		}
		delete(was, r.ID)
	}
	for _, r := range was {
		l.waits[[2]tianbao.ID{rep, r.Unit}] = true
	}
	l.rows[rep] = rows
}

// report returns the report of a unit.
func (l *ledger) report(u tianbao.ID) tianbao.Report {
	rep, err := l.store.OpenReport(l.ctx(), everything(), l.c, u)
	l.ok(err)
	l.reports[u] = rep
	return rep
}

func (l *ledger) write(units []tianbao.Unit) (string, error) {
	u := pick(l.r, units)
	above := strings.Split(strings.Trim(u.Path, "/"), "/")
	owner, err := tianbao.ParseID(pick(l.r, above))
	l.ok(err)
	rep := l.report(owner)
	rows, name := l.rows[rep.ID], "save"
	var cs []tianbao.Change
	if n := l.r.IntN(4); n == 0 || len(rows) == 0 {
		for range 1 + l.r.IntN(2) {
			cs = append(cs, l.person(l.r.IntN(10_000), u.Name, l.r.IntN(4) == 0))
			cs[len(cs)-1].Temp = fmt.Sprint(len(cs))
		}
	} else {
		cell := tianbao.CellEdit{Field: l.form.Index("phone"), Value: pick(l.r, []string{"12", "16012345678", "16012345679"})}
		switch row := pick(l.r, rows).ID; n {
		case 1:
			name, cs = "delete", []tianbao.Change{{Op: tianbao.OpDelete, Row: row}}
		case 2:
			name = "move row"
			cell = tianbao.CellEdit{Field: l.form.Index("unit_name"), Value: pick(l.r, units).Name}
			fallthrough
		default:
			if n == 3 {
				name = "edit"
			}
			cs = []tianbao.Change{{Op: tianbao.OpEdit, Row: row, Cells: []tianbao.CellEdit{cell}}}
		}
	}
	_, err = l.save(owner, rep, cs...)
	l.look(rep.ID)
	return name, err
}

func (l *ledger) submit() (string, error) {
	if len(l.reports) == 0 {
		return "submit", tianbao.NotFound()
	}
	var owners []tianbao.ID
	for u := range l.reports {
		owners = append(owners, u)
	}
	slices.Sort(owners)
	rep := l.reports[pick(l.r, owners)]
	_, err := l.office.reports.Submit(l.ctx(), report.Actor{Login: "u", Name: "甲", Scope: everything()}, rep.ID, l.key())
	if err == nil {
		for k := range l.waits {
			if k[0] == rep.ID {
				delete(l.waits, k)
			}
		}
		l.settle()
	}
	return "submit", err
}

// settle ends returns that were answered.
func (l *ledger) settle() {
	for u, rv := range l.review {
		if n, _, waits := l.sum(u); rv == campaign.ReviewReturned && n > 0 && !waits {
			delete(l.review, u)
		}
	}
}

func (l *ledger) draft(u tianbao.Unit) (string, error) {
	rep := l.report(u.ID)
	if l.drafts[u.ID] {
		delete(l.drafts, u.ID)
		return "draft", l.store.DropDraft(l.ctx(), rep.ID, 77)
	}
	l.drafts[u.ID] = true
	return "draft", l.store.PutDraft(l.ctx(), tianbao.Draft{Report: rep.ID, User: 77, Name: "d", At: l.now, Body: []byte("{}")})
}

func (l *ledger) declare(u tianbao.Unit) (string, error) {
	if l.declared[u.ID] != "" && l.r.IntN(2) == 0 {
		delete(l.declared, u.ID)
		return "undeclare", l.store.EndDeclaration(l.ctx(), l.c, u.ID, 1, true)
	}
	k := pick(l.r, []tianbao.DeclarationKind{tianbao.DeclareNil, tianbao.DeclareExempt})
	err := l.store.Declare(l.ctx(), []tianbao.Declaration{{ID: l.fresh(), Campaign: l.c, Unit: u.ID, Kind: k, Reason: "没有", At: l.now}}, l.r.IntN(2) == 0)
	if err == nil {
		l.declared[u.ID] = k
	}
	return "declare", err
}

func (o *office) fresh() tianbao.ID { return tianbao.ID(o.reports.IDs.Next()) }

func (l *ledger) judge(units []tianbao.Unit) (string, error) {
	// One that has something to be judged, if there is one.
	u := pick(l.r, units)
	for range 20 {
		if s := l.stands(u.ID); s == tianbao.StandingReported || s == tianbao.StandingPassed {
			break
		}
		u = pick(l.r, units)
	}
	v := tianbao.Verdict{ID: l.fresh(), Campaign: l.c, Unit: u.ID, Kind: pick(l.r, []tianbao.VerdictKind{tianbao.VerdictPass, tianbao.VerdictReturn, tianbao.VerdictReturn, tianbao.VerdictWithdraw}), Level: 2 + l.r.IntN(3), At: l.now}
	v.Last = v.Kind == tianbao.VerdictPass && v.Level == 4
	for level := range 5 {
		if v.Kind == tianbao.VerdictWithdraw && l.passes[u.ID][level] && l.r.IntN(4) > 0 {
			v.Level = level
		}
	}
	err := l.store.Judge(l.ctx(), []tianbao.Verdict{v})
	if err != nil {
		return string(v.Kind), err
	}
	if l.passes[u.ID] == nil {
		l.passes[u.ID] = map[int]bool{}
	}
	delete(l.review, u.ID)
	switch v.Kind {
	case tianbao.VerdictPass:
		l.passes[u.ID][v.Level] = true
		if v.Last {
			l.review[u.ID] = campaign.ReviewPassed
		}
	case tianbao.VerdictReturn:
		l.review[u.ID] = campaign.ReviewReturned
		for rep, rows := range l.rows {
			if slices.ContainsFunc(rows, func(r tianbao.Row) bool { return r.Unit == u.ID }) {
				l.waits[[2]tianbao.ID{rep, u.ID}] = true
			}
		}
	case tianbao.VerdictWithdraw:
		delete(l.passes[u.ID], v.Level)
	}
	return string(v.Kind), nil
}

func (l *ledger) arrange(units []tianbao.Unit) (string, error) {
	rules, err := l.store.Rules(l.ctx(), l.c)
	l.ok(err)
	if len(rules) > 0 && l.r.IntN(3) == 0 {
		return "end rule", l.EndRule(l.ctx(), runner(), l.c, pick(l.r, rules).ID)
	}
	r := tianbao.CampaignRule{Kind: pick(l.r, []tianbao.RuleKind{tianbao.RuleExclude, tianbao.RuleInclude, tianbao.RuleWindow, tianbao.RuleLock, tianbao.RuleReopen, tianbao.RuleReopen}), Reason: "安排"}
	if r.Unit = pick(l.r, units).ID; l.r.IntN(4) == 0 {
		r.Unit, r.Region = 0, pick(l.r, []tianbao.ID{21, 2107, 2102})
	}
	r.Opens, r.Closes = l.now.Add(-time.Hour), l.now.Add(time.Duration(1+l.r.IntN(72))*time.Hour)
	return "rule", l.SetRule(l.ctx(), runner(), l.c, r)
}

func (l *ledger) reorganise(units []tianbao.Unit) (string, error) {
	u, to := pick(l.r, units[1:]), pick(l.r, units)
	day := l.org.Today()
	act, name := org.Act{Act: tianbao.UnitMove, Day: day, Other: to.ID}, "unit moved"
	switch n := l.r.IntN(8); {
	case n < 3 && len(units) < 30:
		act, name = org.Act{Act: tianbao.UnitCreate, Day: day, Values: map[string]string{"unit_name": fmt.Sprint("新设单位", l.fresh()), "budget_code": l.fresh().String()}}, "unit created"
	case n == 3:
		act, name = org.Act{Act: tianbao.UnitMerge, Day: day, Other: to.ID}, "unit merged"
	case n == 4 && len(units) > 5:
		act, name = org.Act{Act: tianbao.UnitClose, Day: day}, "unit closed"
	case n == 5:
		act, name = org.Act{Act: tianbao.UnitSplit, Day: day, Values: map[string]string{"unit_name": fmt.Sprint("分设单位", l.fresh()), "budget_code": l.fresh().String()}}, "unit split"
	}
	if u.ID == city || u.ID == other || u.ID == department {
		return name, tianbao.NotFound() // keep some of the tree
	}
	_, err := l.org.Change(l.ctx(), org.Actor{Scope: everything()}, u.ID, act)
	return name, err
}

// sum counts the rows of a unit.
func (l *ledger) sum(u tianbao.ID) (rows, faulty int, waits bool) {
	for rep, list := range l.rows {
		for i := range list {
			if list[i].Unit != u {
				continue
			}
			rows++
			ps := l.rules.Row(nil, 0, &list[i])
			if slices.ContainsFunc(ps, func(p tianbao.Problem) bool { return p.Severity == tianbao.SeverityError }) {
				faulty++
			}
			waits = waits || l.waits[[2]tianbao.ID{rep, u}]
		}
	}
	return rows, faulty, waits
}

// stands tells where a unit stands, from what was written down.
func (l *ledger) stands(u tianbao.ID) tianbao.Standing {
	rows, faulty, waits := l.sum(u)
	switch {
	case rows > 0 && !waits && l.review[u] == campaign.ReviewPassed:
		return "passed"
	case rows > 0 && !waits:
		return "reported"
	case l.review[u] == campaign.ReviewReturned && (rows > 0 || l.declared[u] == ""):
		return "returned"
	case faulty > 0:
		return "faulty"
	case rows > 0:
		return "saved"
	case l.declared[u] != "":
		return tianbao.Standing(l.declared[u])
	case l.drafts[u]:
		return "draft"
	}
	return ""
}

// figures are counts by what they are of, a unit of the tree or a region, and standing.
type figures map[string]int

// Counts of rows, which are known of now only.
const rowsOf, faultyOf = "#rows", "#faulty rows"

// count counts all units of the register one by one.
func (l *ledger) count(at time.Time, reached map[tianbao.Standing]bool) figures {
	out := figures{}
	units := l.units()
	parents := map[tianbao.ID]bool{}
	for _, u := range units {
		parents[u.Parent] = true
	}
	kinds := map[string]bool{}
	for _, u := range units {
		kinds[u.ID.String()] = u.Kind != "unit" || parents[u.ID]
	}
	rules, err := l.store.Rules(l.ctx(), l.c)
	l.ok(err)
	c, err := l.store.Collection(l.ctx(), l.c)
	l.ok(err)
	for _, u := range units {
		s := l.stands(u.ID)
		takes, late := naive(&c, rules, u, at)
		switch {
		case !takes:
			s = "outside"
		case late && !s.Done():
			s = "overdue"
		}
		if takes {
			reached[s] = true
		}
		of := []string{"total ", "region " + u.Region.String() + " "}
		for id := range strings.SplitSeq(strings.Trim(u.Path, "/"), "/") {
			if kinds[id] {
				of = append(of, "unit "+id+" ")
			}
		}
		rows, faulty, _ := l.sum(u.ID)
		for _, of := range of {
			out[of+string(s)]++
			if takes && rows > 0 {
				out[of+rowsOf] += rows
			}
			if takes && faulty > 0 {
				out[of+faultyOf] += faulty
			}
		}
	}
	return out
}

// naive goes through all rules for whether a unit takes part and is late.
func naive(c *tianbao.Campaign, rules []tianbao.CampaignRule, u tianbao.Unit, at time.Time) (takes, late bool) {
	var targets []string // the nearest first
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	slices.Reverse(parts)
	for _, p := range parts {
		targets = append(targets, "unit "+p)
	}
	for _, r := range map[tianbao.ID][]tianbao.ID{21: {21}, 2107: {2107, 21}, 2102: {2102, 21}}[u.Region] {
		targets = append(targets, "region "+r.String())
	}
	target := func(r *tianbao.CampaignRule) string {
		if r.Unit != 0 {
			return "unit " + r.Unit.String()
		}
		return "region " + r.Region.String()
	}
	nearest := func(kinds string) *tianbao.CampaignRule {
		for _, t := range targets {
			for i := range rules { // the last made first
				r := &rules[i]
				if target(r) == t && strings.Contains(kinds, string(r.Kind)) && r.Stands(at) {
					return r
				}
			}
		}
		return nil
	}
	takes = true
	if r := nearest("include exclude"); r != nil {
		takes = r.Kind == tianbao.RuleInclude
	} else if slices.ContainsFunc(rules, func(r tianbao.CampaignRule) bool { return r.Kind == tianbao.RuleInclude && r.Stands(at) }) {
		takes = false
	}
	closes := c.Closes
	if r := nearest("window"); r != nil {
		closes = r.Closes
	}
	late = !at.Before(closes)
	for i := range rules {
		r := &rules[i]
		if (r.Kind == tianbao.RuleLock || r.Kind == tianbao.RuleReopen) && r.Stands(at) && slices.Contains(targets, target(r)) && !at.Before(r.Opens) && at.Before(r.Closes) {
			return takes, late && r.Kind == tianbao.RuleLock
		}
	}
	return takes, late
}

// compare holds the figures of a time against a plain count.
func (l *ledger) compare(what string, at time.Time, want figures) {
	l.t.Helper()
	p, err := l.Progress(l.ctx(), tianbao.Scope{Paths: []string{"/1/"}}, l.c, at)
	l.ok(err)
	if !at.IsZero() {
		want = maps.Clone(want)
		maps.DeleteFunc(want, func(k string, _ int) bool { return strings.Contains(k, "#") })
	}
	got := figures{}
	note := func(of string, f *campaign.Figures) {
		sum := 0
		for _, s := range tianbao.Standings() {
			if n := f.By(s); n > 0 {
				got[of+string(s)] = n
			}
			sum += f.By(s)
		}
		if f.Outside > 0 {
			got[of+"outside"] = f.Outside
		}
		if f.Rows > 0 {
			got[of+rowsOf] = f.Rows
		}
		if f.Faulty > 0 {
			got[of+faultyOf] = f.Faulty
		}
		if sum != f.Expected {
			l.t.Errorf("%s: %s: %d units stand somehow, %d are expected", what, of, sum, f.Expected)
		}
	}
	note("total ", &p.Total)
	for i := range p.Nodes {
		note("unit "+p.Nodes[i].Unit.ID.String()+" ", &p.Nodes[i].Figures)
	}
	for r, f := range p.Regions {
		note("region "+r.String()+" ", f)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("%s: %s", what, diff)
	}
	// Who sees but a branch, the smallest or the largest, sees of it what the province sees:
	// small scopes are counted another way.
	if len(p.Nodes) < 2 {
		return
	}
	units := func(a, b campaign.Node) int { return a.Expected + a.Outside - b.Expected - b.Outside }
	for _, n := range []campaign.Node{slices.MinFunc(p.Nodes[1:], units), slices.MaxFunc(p.Nodes[1:], units)} {
		u, err := l.store.Unit(l.ctx(), everything(), n.Unit.ID)
		l.ok(err)
		own, err := l.Progress(l.ctx(), tianbao.Scope{Paths: []string{u.Path}}, l.c, at)
		l.ok(err)
		if own.Total != n.Figures {
			l.t.Errorf("%s: who sees unit %s alone counts %+v, the province %+v", what, n.Unit.ID, own.Total, n.Figures)
		}
	}
}
