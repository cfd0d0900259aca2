package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/compare"
)

// Compared is what the pages show of comparisons; internal/store implements it. Scope is
// applied in the query.
type Compared interface {
	OldLists(ctx context.Context, scope tianbao.Scope) ([]compare.OldList, error)
	OldHeaders(ctx context.Context, owner tianbao.ID) (map[string]string, error)
	Comparison(ctx context.Context, id tianbao.ID) (compare.Comparison, error)
	FindComparison(ctx context.Context, owner, campaign tianbao.ID) (compare.Comparison, error)
	ShownItems(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, q compare.Query) ([]compare.Shown, error)
	EachShown(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, q compare.Query, fn func(*compare.Shown) error) error
	ShownItem(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, line tianbao.ID) (compare.Shown, error)
	CompareCounts(ctx context.Context, scope tianbao.Scope, c *compare.Comparison) ([]compare.Count, error)
	CompareUnits(ctx context.Context, scope tianbao.Scope, c *compare.Comparison, region tianbao.ID, offset, limit int) ([]compare.Count, error)
	ChangedSince(ctx context.Context, scope tianbao.Scope, c *compare.Comparison) (int, error)
	Doubles(ctx context.Context, scope tianbao.Scope, campaign tianbao.ID, key string, offset, limit int) ([]compare.Double, error)
	StrangeUnits(ctx context.Context, scope tianbao.Scope, owner tianbao.ID, version int64) ([]compare.Strange, error)
}

const (
	comparedSize  = 50  // findings of one page
	comparedUnits = 100 // units that are counted one by one
)

// wireCompared is a comparison with a page of findings.
type wireCompared struct {
	ID       tianbao.ID         `json:"id,omitempty"` // "0" where nothing was compared yet
	Campaign tianbao.ID         `json:"campaign"`
	List     *wireOldList       `json:"list,omitempty"` // whose list it is, absent where there is none
	At       string             `json:"at,omitempty"`
	Changed  int                `json:"changed"` // reports in scope saved since
	Counts   wireCompareCount   `json:"counts"`
	Regions  []wireCompareCount `json:"regions"`
	Units    []wireCompareCount `json:"units"` // the first of them
	Lines    []wireComparedLine `json:"lines"`
	Next     int                `json:"next,omitempty"` // offset of the next page
}

type wireCompareCount struct {
	ID      tianbao.ID `json:"id,omitempty"`
	Name    string     `json:"name,omitempty"`
	Matched int        `json:"matched"`
	Missing int        `json:"missing"`
	Extra   int        `json:"extra"`
	Doubt   int        `json:"doubt"`
}

// wireRunCompare names a comparison.
type wireRunCompare struct {
	Campaign tianbao.ID `json:"campaign"`
	Of       tianbao.ID `json:"of"`
}

// wireRun is a run of a comparison.
type wireRun struct {
	ID    string `json:"id"`
	State string `json:"state"` // running, done, failed
	Error string `json:"error,omitempty"`
}

// comparePage is the data of compare.html.
type comparePage struct {
	CSRF      string
	Campaigns []tianbao.Campaign
	Lists     []compare.OldList // newest versions only
	Of        tianbao.ID
	Shows     string // the list that is asked for
	Region    tianbao.ID
	Unit      tianbao.Unit
	Settled   string
	At        time.Time
	Query     string // of this page without the offset
	Own       bool   // the list is the caller's own bureau's
	Reveal    bool
	Min       int
	wireCompared
}

// Link is the page's address with another list.
func (p *comparePage) Link(list string) string {
	v := p.values()
	v.Set("list", list)
	return "/compare?" + v.Encode()
}

// UnitLink is the page's address for the findings of one unit.
func (p *comparePage) UnitLink(unit tianbao.ID) string {
	v := p.values()
	v.Set("unit", unit.String())
	return "/compare?" + v.Encode()
}

// RegionLink is the page's address for the findings of one region.
func (p *comparePage) RegionLink(region tianbao.ID) string {
	v := p.values()
	v.Set("region", region.String())
	return "/compare?" + v.Encode()
}

func (p *comparePage) values() url.Values {
	v := url.Values{"campaign": {p.Campaign.String()}, "of": {p.Of.String()}}
	for key, text := range map[string]string{"list": p.Shows, "settled": p.Settled} {
		if text != "" {
			v.Set(key, text)
		}
	}
	if p.Region != 0 {
		v.Set("region", p.Region.String())
	}
	if p.Unit.ID != 0 {
		v.Set("unit", p.Unit.ID.String())
	}
	return v
}

// listNames are the lists as queries name them.
func listNames() map[string]compare.List {
	return map[string]compare.List{"matched": compare.Matched, "missing": compare.Missing, "extra": compare.Extra, "doubt": compare.Doubt}
}

// keeps is the part of the register that the viewer keeps.
func (v *viewer) keeps() tianbao.Scope {
	u := v.user()
	return u.Scope(tianbao.PowerRegister)
}

// nearer reports whether a list concerns the scope, and how much: that of the bureau itself
// before those above it, these before those below.
func nearer(scope tianbao.Scope, path string) int {
	best := 0
	for _, p := range scope.Paths {
		switch {
		case p == path:
			return 1 << 20
		case strings.HasPrefix(p, path):
			best = max(best, 1<<10+len(path))
		case strings.HasPrefix(path, p):
			best = max(best, 1<<10-min(len(path), 1<<10-1))
		}
	}
	return best
}

// newestLists returns the newest version of each list that concerns the scope, the nearest
// first.
func (s *Server) newestLists(ctx context.Context, scope tianbao.Scope) ([]compare.OldList, error) {
	all, err := s.Compared.OldLists(ctx, scope)
	if err != nil {
		return nil, err
	}
	var out []compare.OldList
	for _, l := range all {
		if !slices.ContainsFunc(out, func(x compare.OldList) bool { return x.Owner == l.Owner }) {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b compare.OldList) int { return nearer(scope, b.OwnerPath) - nearer(scope, a.OwnerPath) })
	return out, nil
}

// queryID reads an id of the query, 0 where there is none.
func queryID(r *http.Request, name string) (tianbao.ID, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	id, err := tianbao.ParseID(text)
	if err != nil {
		return 0, tianbao.NotFound()
	}
	return id, nil
}

// comparing shows a comparison: the four lists of one collection beside one old list.
func (s *Server) comparing(w http.ResponseWriter, r *http.Request, v *viewer) error {
	p, err := s.comparePage(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, p.wireCompared, "compare.html", "名单比对", p)
}

func (s *Server) comparePage(r *http.Request, v *viewer) (*comparePage, error) {
	ctx, scope := r.Context(), v.keeps()
	p := &comparePage{CSRF: v.signed.CSRF, Reveal: mayReveal(v), Min: minPurpose, Settled: r.URL.Query().Get("settled"), Shows: r.URL.Query().Get("list")}
	p.Regions, p.Units, p.Lines = []wireCompareCount{}, []wireCompareCount{}, []wireComparedLine{}
	var err error
	if p.Campaigns, err = s.Catalog.Campaigns(ctx); err != nil {
		return nil, err
	}
	if p.Lists, err = s.newestLists(ctx, scope); err != nil {
		return nil, err
	}
	if p.Campaign, err = queryID(r, "campaign"); err == nil && p.Campaign != 0 {
		_, err = s.Catalog.Campaign(ctx, p.Campaign)
	}
	if err != nil {
		return nil, err
	}
	if p.Campaign == 0 && len(p.Campaigns) > 0 {
		p.Campaign = p.Campaigns[0].ID
	}
	if p.Of, err = queryID(r, "of"); err != nil {
		return nil, err
	}
	if p.Of == 0 && len(p.Lists) > 0 {
		p.Of = p.Lists[0].Owner
	}
	at := slices.IndexFunc(p.Lists, func(l compare.OldList) bool { return l.Owner == p.Of })
	if at < 0 {
		if p.Of != 0 {
			return nil, tianbao.NotFound()
		}
		return p, nil
	}
	list := toOldList(&p.Lists[at], scope)
	p.List, p.Own = &list, scope.Covers(p.Lists[at].OwnerPath)
	c, err := s.Compared.FindComparison(ctx, p.Of, p.Campaign)
	if tianbao.KindOf(err) == tianbao.ErrNotFound && err != nil || err == nil && c.List == 0 {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.ID, p.At, p.wireCompared.At = c.ID, c.At, stamp(c.At)
	return p, s.fillCompared(r, v, p, &c)
}

// fillCompared reads counts and a page of findings.
func (s *Server) fillCompared(r *http.Request, v *viewer, p *comparePage, c *compare.Comparison) error {
	ctx, scope := r.Context(), v.keeps()
	regions, err := s.regionNames(r)
	if err != nil {
		return err
	}
	if p.Changed, err = s.Compared.ChangedSince(ctx, scope, c); err != nil {
		return err
	}
	unit, err := queryID(r, "unit")
	if err != nil {
		return err
	}
	if unit != 0 {
		if p.Unit, err = s.Catalog.Unit(ctx, scope, unit); err != nil {
			return err
		}
		scope = tianbao.Scope{Paths: []string{p.Unit.Path}}
	}
	counts, err := s.Compared.CompareCounts(ctx, scope, c)
	if err != nil {
		return err
	}
	for _, n := range counts {
		n.Name = regions[n.ID]
		p.Regions = append(p.Regions, toCompareCount(n))
	}
	p.Counts = sumCounts(p.Regions)
	if p.Region, err = queryID(r, "region"); err != nil {
		return err
	}
	units, err := s.Compared.CompareUnits(ctx, scope, c, p.Region, 0, comparedUnits)
	if err != nil {
		return err
	}
	for _, n := range units {
		p.Units = append(p.Units, toCompareCount(n))
	}
	q := compare.Query{List: listNames()[p.Shows], Region: p.Region, Offset: max(atoi(r.URL.Query().Get("offset"), 0), 0), Limit: comparedSize + 1}
	switch p.Settled {
	case "yes":
		q.Settled = 1
	case "no":
		q.Settled = 2
	}
	shown, err := s.Compared.ShownItems(ctx, scope, c, q)
	if err != nil {
		return err
	}
	if len(shown) > comparedSize {
		shown = shown[:comparedSize]
		p.Next = q.Offset + comparedSize
		next := p.values()
		next.Set("offset", strconv.Itoa(p.Next))
		p.Query = "/compare?" + next.Encode()
	}
	for i := range shown {
		line, err := s.toComparedLine(&shown[i])
		if err != nil {
			return err
		}
		p.Lines = append(p.Lines, line)
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "compare.read", Object: c.ID.String(), Detail: strconv.Itoa(len(p.Lines)) + " lines, masked"}
	return s.Auth.Record(ctx, e)
}

func toCompareCount(n compare.Count) wireCompareCount {
	return wireCompareCount{ID: n.ID, Name: n.Name, Matched: n.N[0], Missing: n.N[1], Extra: n.N[2], Doubt: n.N[3]}
}

func sumCounts(list []wireCompareCount) (sum wireCompareCount) {
	for _, n := range list {
		sum.Matched += n.Matched
		sum.Missing += n.Missing
		sum.Extra += n.Extra
		sum.Doubt += n.Doubt
	}
	return sum
}

// compareWait is the data of comparewait.html.
type compareWait struct {
	wireRun
	Back string
}

// runCompare brings a comparison up to date, in the background where it takes long.
func (s *Server) runCompare(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireRunCompare
	if err := read(r, &in); err != nil {
		return err
	}
	ctx, scope := r.Context(), v.keeps()
	if _, err := s.Catalog.Campaign(ctx, in.Campaign); err != nil {
		return err
	}
	lists, err := s.newestLists(ctx, scope)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(lists, func(l compare.OldList) bool { return l.Owner == in.Of }) {
		return tianbao.NotFound()
	}
	a := s.comparer(r, v)
	l, err := s.runs.begin(a.User, scope.Paths, "/compare?campaign="+in.Campaign.String()+"&of="+in.Of.String(), func(ctx context.Context) (*tianbao.Import, *compare.Comparison, error) {
		c, err := s.Compare.Run(ctx, a, in.Of, in.Campaign)
		return nil, &c, err
	})
	if err != nil {
		return err
	}
	return s.runAnswer(w, r, v, l, true)
}

func (s *Server) comparer(r *http.Request, v *viewer) compare.Actor {
	return compare.Actor{User: v.user().ID, From: address(r), Scope: v.keeps()}
}

func (s *Server) compareRun(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.runs.find(r.PathValue("run"), v.user().ID)
	if err != nil {
		return err
	}
	return s.runAnswer(w, r, v, l, false)
}

func (s *Server) runAnswer(w http.ResponseWriter, r *http.Request, v *viewer, l *load[compare.Comparison], redirect bool) error {
	now, ready := s.runs.wait(r.Context(), l)
	out := wireRun{ID: l.id, State: "running"}
	switch {
	case ready && now.err != nil:
		out.State, out.Error = "failed", asError(now.err).Message
	case ready:
		out.State = "done"
	}
	if !wantsJSON(r) {
		switch {
		case out.State == "done":
			http.Redirect(w, r, l.file, http.StatusSeeOther)
			return nil
		case redirect:
			http.Redirect(w, r, "/compare/runs/"+l.id, http.StatusSeeOther)
			return nil
		case out.State == "running":
			w.Header().Set("Refresh", "2")
		}
	}
	return s.answer(w, r, v, out, "comparewait.html", "名单比对", &compareWait{wireRun: out, Back: l.file})
}
