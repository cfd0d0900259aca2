package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
)

// The feed for other systems: read only, with a service token, page by page, in the shape of
// OData 4 (value, @odata.nextLink), so that Excel and others read it as it is. Scope is that
// of the token and its verb. Ids and phones are masked but at clear_rows, which asks for a
// verb of its own; whoever reads rows is on the trail, page by page.

// FeedStore reads what only the feed asks for.
type FeedStore interface {
	// FeedUnits returns units in scope that are there now, behind an id, in the order of ids.
	FeedUnits(ctx context.Context, scope tianbao.Scope, behind tianbao.ID, limit int) ([]tianbao.PlacedUnit, error)
}

const (
	feedBase = "/api/v1"
	// feedMost is how many things one page has.
	feedMost = 500
)

// feedRoutes lists the routes of the feed.
func (s *Server) feedRoutes() []route {
	const get = http.MethodGet
	progress := serving(auth.VerbProgress)
	return []route{
		{get, feedBase + "/{$}", anyService, s.feedIndex, "feedIndex", "The feed: which sets there are", nil, wireFeedIndex{}, false, 0},
		{get, feedBase + "/$metadata", anyService, s.feedMetadata, "feedMetadata", "The feed: its sets and their properties as OData 4 metadata (XML)", nil, nil, false, 0},
		{get, feedBase + "/collections", progress, s.feedCollections, "feedCollections", "The feed: the collections that are released", nil, wireFeedCollections{}, false, 0},
		{get, feedBase + "/units", serving(auth.VerbUnits), s.feedUnits, "feedUnits", "The feed: the units of the token's subtree", nil, wireFeedUnits{}, false, 0},
		{get, feedBase + "/progress", progress, s.feedProgress, "feedProgress", "The feed: where each unit stands in a collection", nil, wireFeedProgress{}, false, 0},
		{get, feedBase + "/events", progress, s.feedEvents, "feedEvents", "The feed: what happened, as webhooks tell it, behind a cursor", nil, wireFeedEvents{}, false, 0},
		{get, feedBase + "/rows", serving(auth.VerbRows), s.feedRows, "feedRows", "The feed: the rows of a collection, ids and phones masked", nil, wireFeedRows{}, false, 0},
		{get, feedBase + "/clear_rows", serving(auth.VerbClear), s.feedClearRows, "feedClearRows", "The feed: the rows of a collection, whole; each page is on the trail", nil, wireFeedRows{}, false, 0},
	}
}

// wireParam is a parameter of a query.
type wireParam struct{ Name, What string }

// queryOf lists the parameters of the feed's routes, for the API document.
func queryOf(id string) []wireParam {
	page := []wireParam{{"$top", "how many at most, in all"}, {"$skiptoken", "where to go on; part of @odata.nextLink"}, {"$format", "json, or csv for a whole list that spreadsheets open"}}
	switch id {
	case "feedCollections":
		return page[:1]
	case "feedUnits":
		return page
	case "feedProgress":
		return append(page, wireParam{"collection", "id of the collection"})
	case "feedRows":
		return append(page, wireParam{"collection", "id of the collection"}, wireParam{"report", "only the rows of this report"})
	case "feedClearRows":
		return append(page[:2:2], wireParam{"collection", "id of the collection"}, wireParam{"report", "only the rows of this report"})
	case "feedEvents":
		return append(page[:1:1], wireParam{"since", "the cursor of the last event that is known; none: from the oldest that is kept"})
	}
	return nil
}

type wireFeedIndex struct {
	Context string        `json:"@odata.context"`
	Value   []wireFeedSet `json:"value"`
}

type wireFeedSet struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	URL  string `json:"url"`
}

type wireFeedCollections struct {
	Context string               `json:"@odata.context"`
	Value   []wireFeedCollection `json:"value"`
}

type wireFeedCollection struct {
	ID      tianbao.ID `json:"id"`
	Title   string     `json:"title"`
	Form    string     `json:"form"`
	FormV   int        `json:"form_version"`
	Phase   string     `json:"phase"`
	Opens   string     `json:"opens,omitempty" edm:"time"`
	Closes  string     `json:"closes,omitempty" edm:"time"`
	Reviews bool       `json:"reviews"` // what is reported is reviewed
}

type wireFeedUnits struct {
	Context string         `json:"@odata.context"`
	Value   []wireFeedUnit `json:"value"`
	Next    string         `json:"@odata.nextLink,omitempty"`
}

type wireFeedUnit struct {
	ID         tianbao.ID `json:"id"`
	Parent     tianbao.ID `json:"parent,omitempty"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	Type       string     `json:"type,omitempty"`
	BudgetCode string     `json:"budget_code,omitempty"`
	OrgCode    string     `json:"org_code,omitempty"`
	RegionCode string     `json:"region_code,omitempty"`
	RegionName string     `json:"region_name,omitempty"`
}

type wireFeedProgress struct {
	Context string             `json:"@odata.context"`
	Value   []wireFeedStanding `json:"value"`
	Next    string             `json:"@odata.nextLink,omitempty"`
}

type wireFeedStanding struct {
	ID         tianbao.ID `json:"id"` // of the unit
	Name       string     `json:"name"`
	BudgetCode string     `json:"budget_code,omitempty"`
	OrgCode    string     `json:"org_code,omitempty"`
	State      string     `json:"state"`
	StateName  string     `json:"state_name"`
	Done       bool       `json:"done"`
	Rows       int        `json:"rows"`
	Faulty     int        `json:"faulty"` // rows with errors
	Since      string     `json:"since,omitempty" edm:"time"`
	Open       bool       `json:"open"` // may fill in now
	Until      string     `json:"until,omitempty" edm:"time"`
}

type wireFeedEvents struct {
	Context string          `json:"@odata.context"`
	Value   []wireFeedEvent `json:"value"`
	Next    string          `json:"@odata.nextLink,omitempty"`
	Delta   string          `json:"@odata.deltaLink,omitempty"` // at the end: to ask again later
}

type wireFeedEvent struct {
	ID         tianbao.ID `json:"id"`
	Cursor     string     `json:"cursor"`
	Type       string     `json:"type"`
	At         string     `json:"at" edm:"time"`
	Unit       tianbao.ID `json:"unit"`
	BudgetCode string     `json:"budget_code,omitempty"`
	OrgCode    string     `json:"org_code,omitempty"`
	Collection tianbao.ID `json:"collection,omitempty"`
	Report     tianbao.ID `json:"report,omitempty"`
	Version    int64      `json:"version,omitempty"`
	Rows       int        `json:"rows,omitempty"`
	Put        int        `json:"put,omitempty"`
	Deleted    int        `json:"deleted,omitempty"`
}

type wireFeedRows struct {
	Context string        `json:"@odata.context"`
	Value   []wireFeedRow `json:"value"`
	Next    string        `json:"@odata.nextLink,omitempty"`
}

type wireFeedRow struct {
	ID            tianbao.ID        `json:"id"`
	Report        tianbao.ID        `json:"report"`
	ReportVersion int64             `json:"report_version"`
	State         string            `json:"state"` // of the report
	Owner         tianbao.ID        `json:"owner"` // whose report it is
	OwnerName     string            `json:"owner_name"`
	Unit          tianbao.ID        `json:"unit"` // whose row it is
	Version       int64             `json:"version"`
	Faults        int               `json:"faults"`
	Values        map[string]string `json:"values"` // by the form's keys
}

// feedAsk is what a request asks of a set.
type feedAsk struct {
	set   string
	top   int // 0: all
	token string
	csv   bool
	keep  url.Values // parameters that the next page has too
}

// size is how many things this page has at most.
func (a *feedAsk) size(most int) int {
	if a.top > 0 {
		return min(a.top, most)
	}
	return most
}

// feedAsked reads the parameters that all sets share and refuses those of OData that are not there.
func (s *Server) feedAsked(r *http.Request, set string, own ...string) (feedAsk, error) {
	a := feedAsk{set: set, keep: make(url.Values)}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return a, tianbao.Invalid("bad_query", "地址中的参数无法识别，请检查后重试。")
	}
	for name, values := range q {
		value := values[0]
		switch {
		case slices.Contains(own, name):
			a.keep.Set(name, value)
		case name == "$top":
			if a.top, err = strconv.Atoi(value); err != nil || a.top < 1 {
				return a, tianbao.Invalid("bad_top", "$top 要是正整数。")
			}
		case name == "$skiptoken":
			a.token = value
		case name == "$format" && (value == "json" || value == "csv"):
			a.csv = value == "csv"
		case name == "$format", strings.HasPrefix(name, "$"):
			return a, tianbao.Invalid("not_supported", "接口只支持 $top、$skiptoken 和 $format（json 或 csv），筛选和排序请在读取以后做。")
		}
	}
	return a, nil
}

// badToken refuses a place to go on from that no answer gave.
func badToken() error {
	return tianbao.Invalid("bad_token", "$skiptoken 不是上一页给出的，请从第一页重新读取。")
}

// feedAt is the address of the feed, or of something in it.
func (s *Server) feedAt(r *http.Request, path string) string { return s.siteOf(r) + feedBase + path }

func (s *Server) feedContext(r *http.Request, set string) string {
	return s.feedAt(r, "/$metadata#"+set)
}

// next is the address of the page behind one with n things.
func (s *Server) next(r *http.Request, a *feedAsk, n int, token string) string {
	if token == "" || a.top > 0 && n >= a.top {
		return ""
	}
	a.keep.Set("$skiptoken", token)
	if a.top > 0 {
		a.keep.Set("$top", strconv.Itoa(a.top-n))
	}
	return s.feedAt(r, "/"+a.set+"?"+a.keep.Encode())
}

// feed answers a page.
func (s *Server) feed(w http.ResponseWriter, out any) error {
	w.Header().Set("OData-Version", "4.0")
	return s.json(w, http.StatusOK, out)
}

// feedSets are the names of the sets.
func feedSets() []string {
	return []string{"collections", "units", "progress", "events", "rows", "clear_rows"}
}

func (s *Server) feedIndex(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	out := wireFeedIndex{Context: s.feedAt(r, "/$metadata"), Value: []wireFeedSet{}}
	for _, name := range feedSets() {
		out.Value = append(out.Value, wireFeedSet{name, "EntitySet", name})
	}
	return s.feed(w, out)
}

func (s *Server) feedCollections(w http.ResponseWriter, r *http.Request, _ *viewer) error {
	a, err := s.feedAsked(r, "collections")
	if err != nil {
		return err
	}
	all, err := s.Catalog.Campaigns(r.Context())
	if err != nil {
		return err
	}
	out := wireFeedCollections{Context: s.feedContext(r, a.set), Value: []wireFeedCollection{}}
	for i := range all[:a.size(len(all))] {
		c := &all[i]
		out.Value = append(out.Value, wireFeedCollection{
			ID: c.ID, Title: c.Title, Form: c.Form, FormV: c.FormV, Phase: string(c.Phase()), Opens: stamp(c.Opens), Closes: stamp(c.Closes), Reviews: c.Levels != 0,
		})
	}
	return s.feed(w, out)
}

func (s *Server) feedUnits(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, err := s.feedAsked(r, "units")
	if err != nil {
		return err
	}
	scope := v.service.Scope(auth.VerbUnits)
	if a.csv {
		return s.feedUnitsCSV(w, r, scope)
	}
	var behind tianbao.ID
	if a.token != "" {
		if behind, err = tianbao.ParseID(a.token); err != nil {
			return badToken()
		}
	}
	limit := a.size(feedMost)
	list, err := s.FeedStore.FeedUnits(r.Context(), scope, behind, limit)
	if err != nil {
		return err
	}
	out := wireFeedUnits{Context: s.feedContext(r, a.set), Value: []wireFeedUnit{}}
	for i := range list {
		u := &list[i]
		out.Value = append(out.Value, wireFeedUnit{u.ID, u.Parent, u.Name, u.Kind, u.Type, u.BudgetCode, u.OrgCode, u.RegionCode, u.RegionName})
	}
	if len(list) == limit {
		out.Next = s.next(r, &a, len(list), list[limit-1].ID.String())
	}
	return s.feed(w, out)
}

// feedCollection is the collection that a request names.
func (s *Server) feedCollection(r *http.Request) (c tianbao.Campaign, err error) {
	id, err := tianbao.ParseID(r.URL.Query().Get("collection"))
	if err != nil {
		return c, tianbao.Invalid("no_collection", "请用 collection= 给出采集的编号，编号见 "+feedBase+"/collections。")
	}
	return s.Catalog.Campaign(r.Context(), id)
}

func (s *Server) feedProgress(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, err := s.feedAsked(r, "progress", "collection")
	if err != nil {
		return err
	}
	c, err := s.feedCollection(r)
	if err != nil {
		return err
	}
	scope := v.service.Scope(auth.VerbProgress)
	if a.csv {
		return s.feedProgressCSV(w, r, scope, &c)
	}
	if strings.Trim(a.token, "/0123456789") != "" {
		return badToken()
	}
	list, next, err := s.Campaigns.Units(r.Context(), scope, c.ID, time.Time{}, campaign.Filter{}, a.token, a.size(campaign.PageSize))
	if err != nil {
		return err
	}
	out := wireFeedProgress{Context: s.feedContext(r, a.set), Value: []wireFeedStanding{}}
	for i := range list {
		u := &list[i]
		out.Value = append(out.Value, wireFeedStanding{
			ID: u.Unit.ID, Name: u.Unit.Name, BudgetCode: u.Unit.BudgetCode, OrgCode: u.Unit.OrgCode, State: stateKey(u.Shown), StateName: u.Shown.Title(),
			Done: u.Shown.Done(), Rows: u.Rows, Faulty: u.Faulty, Since: stamp(u.Since), Open: u.Door.Open(), Until: stamp(u.Door.When),
		})
	}
	out.Next = s.next(r, &a, len(list), next)
	return s.feed(w, out)
}

func (s *Server) feedEvents(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, err := s.feedAsked(r, "events", "since")
	if err != nil {
		return err
	}
	var since int64
	if text := a.keep.Get("since"); text != "" {
		if since, err = strconv.ParseInt(text, 10, 64); err != nil || since < 0 {
			return tianbao.Invalid("bad_since", "since 要是上次读到的事件的 cursor。")
		}
	}
	limit := a.size(feedMost)
	list, last, err := s.News.Store.News(r.Context(), v.service.Scope(auth.VerbProgress), since, limit)
	if err != nil {
		return err
	}
	out := wireFeedEvents{Context: s.feedContext(r, a.set), Value: []wireFeedEvent{}}
	for i := range list {
		n := &list[i]
		out.Value = append(out.Value, wireFeedEvent{
			ID: n.ID, Cursor: strconv.FormatInt(n.N, 10), Type: string(n.Kind), At: stamp(n.At), Unit: n.Unit, BudgetCode: n.BudgetCode, OrgCode: n.OrgCode,
			Collection: n.Campaign, Report: n.Report, Version: n.Version, Rows: n.Rows, Put: n.Put, Deleted: n.Deleted,
		})
	}
	at := s.feedAt(r, "/events?since="+strconv.FormatInt(last, 10))
	switch {
	case len(list) < limit:
		out.Delta = at
	case a.top == 0:
		out.Next = at
	case a.top > len(list):
		out.Next = at + "&%24top=" + strconv.Itoa(a.top-len(list))
	}
	return s.feed(w, out)
}

func (s *Server) feedRows(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, err := s.feedAsked(r, "rows", "collection", "report")
	if err != nil {
		return err
	}
	return s.rowsOf(w, r, v, &a, v.service.Scope(auth.VerbRows), false)
}

func (s *Server) feedClearRows(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a, err := s.feedAsked(r, "clear_rows", "collection", "report")
	if err == nil && a.csv {
		err = tianbao.Invalid("no_mark", "完整信息只能按页读取（JSON），CSV 文件里留不下导出标记。")
	}
	if err != nil {
		return err
	}
	return s.rowsOf(w, r, v, &a, v.service.Scope(auth.VerbClear), true)
}

// rowPlace is where a page of rows goes on: in a report of a version, behind some rows.
type rowPlace struct {
	report  tianbao.ID
	from    int
	version int64
}

func (p rowPlace) String() string { return fmt.Sprintf("%s.%d.%d", p.report, p.from, p.version) }

func parsePlace(text string) (p rowPlace, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return p, badToken()
	}
	if p.report, err = tianbao.ParseID(parts[0]); err == nil {
		if p.from, err = strconv.Atoi(parts[1]); err == nil {
			p.version, err = strconv.ParseInt(parts[2], 10, 64)
		}
	}
	if err != nil || p.from < 0 {
		return p, badToken()
	}
	return p, nil
}

// rowsOf answers a page of rows. A report that was saved between two of its pages begins
// anew, so that no row of it is left out.
func (s *Server) rowsOf(w http.ResponseWriter, r *http.Request, v *viewer, a *feedAsk, scope tianbao.Scope, clear bool) error {
	ctx := r.Context()
	c, err := s.feedCollection(r)
	if err != nil {
		return err
	}
	var only tianbao.ID
	if text := a.keep.Get("report"); text != "" {
		if only, err = tianbao.ParseID(text); err != nil {
			return tianbao.NotFound()
		}
	}
	if a.csv {
		return s.feedRowsCSV(w, r, v, scope, &c, only)
	}
	at := rowPlace{report: only}
	if a.token != "" {
		if at, err = parsePlace(a.token); err != nil || only != 0 && at.report != only {
			return badToken()
		}
		rep, err := s.Reports.Store.Report(ctx, scope, at.report)
		if err != nil {
			return err
		}
		if rep.Version != at.version {
			at.from = 0
		}
	}
	limit := a.size(feedMost)
	parts, err := s.Reports.Store.Across(ctx, scope, c.ID, at.report, at.from, limit)
	if err != nil {
		return err
	}
	out := wireFeedRows{Context: s.feedContext(r, a.set), Value: []wireFeedRow{}}
	last := ""
	reports := 0
	for i := range parts {
		p := &parts[i]
		if only != 0 && p.Report.ID != only {
			break
		}
		rows, err := s.toFeedRows(&p.Report, p.Rows, p.Faults, clear)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, rows...)
		last = rowPlace{p.Report.ID, p.From + len(p.Rows), p.Report.Version}.String()
		reports++
	}
	if len(out.Value) == limit {
		out.Next = s.next(r, a, limit, last)
	}
	if err := s.feedTrail(r, v, c.ID, fmt.Sprintf("%d rows of %d reports", len(out.Value), reports), clear); err != nil {
		return err
	}
	return s.feed(w, out)
}

// toFeedRows writes rows of a report by the keys of its form.
func (s *Server) toFeedRows(rep *tianbao.Report, rows []tianbao.Row, faults []int, clear bool) ([]wireFeedRow, error) {
	rules, err := s.Reports.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	mask, err := s.Mask(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	fields := rules.Form().Fields
	out := make([]wireFeedRow, len(rows))
	for i := range rows {
		row := wireFeedRow{
			ID: rows[i].ID, Report: rep.ID, ReportVersion: rep.Version, State: string(rep.State), Owner: rep.Owner, OwnerName: rep.OwnerName,
			Unit: rows[i].Unit, Version: rows[i].Version, Faults: faults[i], Values: make(map[string]string, len(fields)),
		}
		for k := range fields {
			value := rows[i].Values[k]
			if !clear {
				value = mask.Mask(k, value)
			}
			row.Values[fields[k].Key] = value
		}
		out[i] = row
	}
	return out, nil
}

// feedTrail writes on the trail what a token read.
func (s *Server) feedTrail(r *http.Request, v *viewer, collection tianbao.ID, what string, clear bool) error {
	if !clear {
		what += ", masked"
	}
	return s.Auth.Record(r.Context(), tianbao.Event{
		Owner: v.service.Unit, From: address(r), What: "feed.read", Object: collection.String(), Detail: what + ", token=" + v.service.ID.String(),
	})
}
