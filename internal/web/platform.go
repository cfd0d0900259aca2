package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/provision"
)

// 新平台账号: whoever runs collections turns what was reported into accounts of the new
// platform. One person makes a plan, another one approves it; the server carries it out.
// Ids and phones are masked on these pages.

// PlatformAccounts reads the accounts of the new platform.
type PlatformAccounts interface {
	// Accounts returns accounts in scope behind an id.
	Accounts(ctx context.Context, scope tianbao.Scope, behind tianbao.ID, limit int) ([]provision.Stored, error)
	// Account returns one in scope, AccountByLogin by its login.
	Account(ctx context.Context, scope tianbao.Scope, id tianbao.ID) (provision.Stored, error)
	AccountByLogin(ctx context.Context, scope tianbao.Scope, login string) (provision.Stored, error)
	// CountAccounts counts those in scope.
	CountAccounts(ctx context.Context, scope tianbao.Scope) (int, error)
	// UnitsNamed returns units by their ids.
	UnitsNamed(ctx context.Context, ids []tianbao.ID) (map[tianbao.ID]tianbao.Unit, error)
}

// How much the pages list at once.
const (
	platformPlans = 50
	platformLines = 100
	platformDrift = 200
)

// platformRoutes lists the routes of the accounts of the new platform.
func (s *Server) platformRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	runs := needing(tianbao.PowerCampaign)
	return []route{
		{get, "/platform", runs, s.platform, "platform", "The plans of accounts of the new platform, the newest first", nil, wirePlatform{}, false, 0},
		{post, "/platform/plans", runs, s.drawPlan, "drawPlan", "Make the plan of accounts of a collection; nothing is done before another person approves it", wireDraw{}, wireAccountPlan{}, false, 4 << 10},
		{get, "/platform/plans/{plan}", runs, s.accountPlan, "accountPlan", "A plan with its steps; query: kind, state, behind; with why those held for a reason", nil, wireAccountPlan{}, false, 0},
		{post, "/platform/plans/{plan}/approve", runs, s.approvePlan, "approvePlan", "Approve a plan that somebody else made; the server carries it out", wireEmpty{}, wireDone{}, false, 4 << 10},
		{post, "/platform/plans/{plan}/drop", runs, s.dropPlan, "dropPlan", "Give a plan up that nobody has approved", wireEmpty{}, wireDone{}, false, 4 << 10},
		{get, "/platform/plans/{plan}/export", runs, s.askPlanExport, "planExportForm", "The page to take a plan away as a file in the platform's field names", nil, nil, false, 0},
		{post, "/platform/plans/{plan}/export", runs, s.exportPlan, "exportPlan", "The steps of a plan as a workbook or CSV in the platform's field names, or those held with the reason, ids and phones masked; whole with the power, a reason and the second factor", wirePlanExport{}, nil, false, 4 << 10},
		{get, "/platform/drift", runs, s.platformDrift, "platformDrift", "What stands at the platform otherwise than here", nil, wireDrifts{}, false, 0},
	}
}

// official is the viewer as who makes plans, for the highest unit of those whose
// collections the viewer runs.
func (v *viewer) official(r *http.Request) provision.Actor {
	u := v.user()
	a := provision.Actor{User: u.ID, From: address(r), Scope: u.Scope(tianbao.PowerCampaign)}
	path := ""
	for _, g := range u.Grants {
		if g.Role.Allows(tianbao.PowerCampaign) && g.UnitPath != "" && (path == "" || len(g.UnitPath) < len(path)) {
			a.Root, path = g.Unit, g.UnitPath
		}
	}
	return a
}

// platformPage is the data of platform.html.
type platformPage struct {
	CSRF, Message string
	Plans         []provision.Head
	Collections   []tianbao.Campaign
	Accounts      int
	In            wireDraw
	Proofs        bool // phones can be verified
	Linked        bool // the platform has an interface
}

type wireDraw struct {
	Campaign tianbao.ID `json:"campaign"`
	Proof    bool       `json:"proof,omitempty"` // only phones that were verified
}

type wirePlatform struct {
	Accounts int               `json:"accounts"`
	Plans    []wireAccountPlan `json:"plans"`
}

type wireAccountPlan struct {
	ID         tianbao.ID      `json:"id"`
	Campaign   tianbao.ID      `json:"campaign"`
	Title      string          `json:"title"`
	Unit       string          `json:"unit"`
	State      string          `json:"state"`
	Proof      bool            `json:"proof,omitempty"`
	Kept       int             `json:"kept"`
	Made       string          `json:"made"`
	By         string          `json:"by"`
	Approved   string          `json:"approved,omitempty"`
	ApprovedBy string          `json:"approved_by,omitempty"`
	Ended      string          `json:"ended,omitempty"`
	Trouble    string          `json:"trouble,omitempty"`
	Steps      []wireStepCount `json:"steps,omitempty"`
	Held       []wireStepCount `json:"held,omitempty"`
	Lines      []wirePlanLine  `json:"lines,omitempty"`
	Next       int             `json:"next,omitempty"` // pass as behind=
}

type wireStepCount struct {
	What  string `json:"what"`
	State string `json:"state,omitempty"`
	Count int    `json:"count"`
}

// wirePlanLine is a step, or somebody held. Ids and phones are masked.
type wirePlanLine struct {
	N       int        `json:"n"`
	What    string     `json:"what"`
	State   string     `json:"state,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Name    string     `json:"name"`
	Person  string     `json:"person"`
	Login   string     `json:"login"`
	Before  string     `json:"before,omitempty"` // the login before
	Unit    string     `json:"unit"`
	Was     string     `json:"was,omitempty"` // the unit before
	Account tianbao.ID `json:"account,omitempty"`
	Others  []string   `json:"others,omitempty"` // units of the others concerned
}

func toAccountPlan(h *provision.Head) wireAccountPlan {
	out := wireAccountPlan{
		ID: h.ID, Campaign: h.Campaign, Title: h.Title, Unit: h.RootName, State: string(h.State), Proof: h.Proof, Kept: h.Kept,
		Made: stamp(h.Made), By: h.ByName, Approved: stamp(h.Approved), Ended: stamp(h.Ended), Trouble: h.Trouble,
	}
	if h.State != provision.Dropped {
		out.ApprovedBy = h.ApprovedName
	}
	for _, k := range provision.Kinds() {
		for _, st := range stepStates() {
			if n := h.Steps[k][st]; n > 0 {
				out.Steps = append(out.Steps, wireStepCount{string(k), string(st), n})
			}
		}
	}
	for _, why := range provision.Whys() {
		if n := h.Held[why]; n > 0 {
			out.Held = append(out.Held, wireStepCount{What: string(why), Count: n})
		}
	}
	return out
}

func stepStates() []provision.StepState {
	return []provision.StepState{provision.StepPlanned, provision.StepSending, provision.StepApplied, provision.StepFailed, provision.StepSkipped}
}

func (s *Server) platform(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.platformList(w, r, v, http.StatusOK, &platformPage{})
}

func (s *Server) platformList(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *platformPage) error {
	ctx, a := r.Context(), v.official(r)
	var err error
	if p.Plans, err = s.Platform.Store.Plans(ctx, a.Scope, platformPlans); err != nil {
		return err
	}
	if p.Accounts, err = s.PlatformAccounts.CountAccounts(ctx, a.Scope); err != nil {
		return err
	}
	if wantsJSON(r) {
		out := wirePlatform{Accounts: p.Accounts, Plans: []wireAccountPlan{}}
		for i := range p.Plans {
			out.Plans = append(out.Plans, toAccountPlan(&p.Plans[i]))
		}
		return s.json(w, http.StatusOK, out)
	}
	all, err := s.Catalog.Campaigns(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		rules, err := s.Reports.Rules(all[i].Form, all[i].FormV)
		if err != nil {
			return err
		}
		if provision.Fits(rules.Form()) {
			p.Collections = append(p.Collections, all[i])
		}
	}
	p.CSRF, p.Proofs, p.Linked = v.signed.CSRF, s.Platform.Proofs, s.Platform.Target != nil
	s.page(w, r, v, status, "platform.html", "新平台账号", p)
	return nil
}

func (s *Server) drawPlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDraw
	if err := read(r, &in); err != nil {
		return err
	}
	h, err := s.Platform.Draw(r.Context(), v.official(r), in.Campaign, in.Proof)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.platformList(w, r, v, statuses[tianbao.KindOf(err)], &platformPage{Message: asError(err).Message, In: in})
	}
	if h, err = s.Platform.Store.PlanOf(r.Context(), v.official(r).Scope, h.ID); err != nil {
		return err
	}
	return s.done(w, r, toAccountPlan(&h), "/platform/plans/"+h.ID.String())
}

// accountPlanPage is the data of accountplan.html.
type accountPlanPage struct {
	CSRF, Message string
	provision.Head
	Total  int // steps
	Kinds  []planCount
	Whys   []planCount
	Lines  []wirePlanLine
	Kind   provision.Kind
	Why    provision.Why
	Status provision.StepState
	Next   string
	Own    bool // the viewer made it
	Linked bool
	Open   bool // nobody has decided
	Busy   bool
	// Codes can be sent to those held for their phones; Sent: how many just were.
	Codes bool
	Sent  string
}

// planCount is a line of the counts of a plan.
type planCount struct {
	Key, Title, Advice           string
	Count, Applied, Failed, Left int
}

func (s *Server) accountPlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showPlan(w, r, v, http.StatusOK, "")
}

func (s *Server) showPlan(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string) error {
	ctx, a, q := r.Context(), v.official(r), r.URL.Query()
	id, err := pathID(r, "plan")
	if err != nil {
		return err
	}
	p := &accountPlanPage{CSRF: v.signed.CSRF, Message: message, Linked: s.Platform.Target != nil, Codes: s.Codes.Sender != nil}
	if n, err := strconv.Atoi(q.Get("sent")); err == nil && message == "" {
		p.Sent = strconv.Itoa(n)
	}
	if p.Head, err = s.Platform.Store.PlanOf(ctx, a.Scope, id); err != nil {
		return err
	}
	p.Own, p.Open, p.Busy = p.By == a.User, p.State == provision.Planned, p.State == provision.Approved
	p.Kind, p.Why, p.Status = provision.Kind(q.Get("kind")), provision.Why(q.Get("why")), provision.StepState(q.Get("state"))
	behind := -1
	if text := q.Get("behind"); text != "" {
		if behind, err = strconv.Atoi(text); err != nil {
			return tianbao.NotFound()
		}
	}
	for _, k := range provision.Kinds() {
		c := planCount{Key: string(k), Title: k.Title()}
		for st, n := range p.Steps[k] {
			c.Count += n
			switch st {
			case provision.StepApplied:
				c.Applied += n
			case provision.StepFailed, provision.StepSkipped:
				c.Failed += n
			default:
				c.Left += n
			}
		}
		if c.Count > 0 {
			p.Kinds = append(p.Kinds, c)
			p.Total += c.Count
		}
	}
	for _, why := range provision.Whys() {
		if n := p.Held[why]; n > 0 {
			p.Whys = append(p.Whys, planCount{Key: string(why), Title: why.Title(), Advice: why.Advice(), Count: n})
		}
	}
	next, err := s.planLines(ctx, p, behind)
	if err != nil {
		return err
	}
	// Names of people and where they work: who looks is on the trail.
	e := tianbao.Event{Actor: a.User, Owner: p.Root, From: a.From, What: "platform.read", Object: id.String(), Detail: strconv.Itoa(len(p.Lines)) + " lines"}
	if err := s.Auth.Record(ctx, e); err != nil {
		return err
	}
	out := toAccountPlan(&p.Head)
	out.Lines, out.Next = p.Lines, next
	if next > 0 {
		more := url.Values{"behind": {strconv.Itoa(next)}}
		for _, name := range []string{"kind", "why", "state"} {
			if q.Get(name) != "" {
				more.Set(name, q.Get(name))
			}
		}
		p.Next = "/platform/plans/" + id.String() + "?" + more.Encode() + "#lines"
	}
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, out)
	}
	s.page(w, r, v, status, "accountplan.html", "账号方案", p)
	return nil
}

// planLines reads a page of steps, or of those held, and returns behind what the next one
// begins, 0: there is none.
func (s *Server) planLines(ctx context.Context, p *accountPlanPage, behind int) (next int, err error) {
	if p.Why != "" {
		return s.heldLines(ctx, p, behind)
	}
	lines, err := s.Platform.Store.Lines(ctx, p.ID, behind, p.Kind, p.Status, platformLines)
	if err != nil {
		return 0, err
	}
	var ids []tianbao.ID
	for i := range lines {
		if len(lines[i].Before.Units) > 0 {
			ids = append(ids, lines[i].Before.Units[0])
		}
	}
	units, err := s.PlatformAccounts.UnitsNamed(ctx, ids)
	if err != nil {
		return 0, err
	}
	for i := range lines {
		x := &lines[i]
		l := wirePlanLine{
			N: x.N, What: x.Kind.Title(), State: x.State.Title(), Reason: x.Reason, Name: x.After.Name, Person: ident.MaskID(x.After.Person),
			Login: maskLogin(x.After.Login), Unit: x.UnitName, Account: x.After.ID,
		}
		if x.Before.ID != 0 {
			if x.Before.Login != x.After.Login {
				l.Before = maskLogin(x.Before.Login)
			}
			if name := units[x.Before.Units[0]].Name; name != l.Unit {
				l.Was = name
			}
		}
		p.Lines = append(p.Lines, l)
	}
	if len(lines) == platformLines {
		next = lines[len(lines)-1].N
	}
	return next, nil
}

// maskLogin masks a phone; what else is a login names nobody.
func maskLogin(login string) string {
	if provision.Mobile(login) {
		return ident.MaskPhone(login)
	}
	return login
}

func (s *Server) approvePlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.decidePlan(w, r, v, true)
}

func (s *Server) dropPlan(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.decidePlan(w, r, v, false)
}

func (s *Server) decidePlan(w http.ResponseWriter, r *http.Request, v *viewer, approve bool) error {
	id, err := pathID(r, "plan")
	if err != nil {
		return err
	}
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	if approve {
		if err := s.needFactor(v); err != nil {
			return err
		}
	}
	if err := s.Platform.Decide(r.Context(), v.official(r), id, approve); err != nil {
		if !again(r, err, tianbao.ErrConflict) && (wantsJSON(r) || asError(err).Code != "two_people") {
			return err
		}
		return s.showPlan(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireDone{Done: true}, "/platform/plans/"+id.String())
}

// driftPage is the data of platformdrift.html.
type driftPage struct {
	Message string
	Lines   []wireDrift
	More    int
	At      time.Time
}

type wireDrifts struct {
	Drift []wireDrift `json:"drift"`
	More  int         `json:"more,omitempty"` // not listed
}

// wireDrift is one difference. Phones are masked.
type wireDrift struct {
	Kind    string     `json:"kind"`
	Title   string     `json:"title"`
	Account tianbao.ID `json:"account,omitempty"`
	Name    string     `json:"name"`
	Login   string     `json:"login"`
	There   string     `json:"there,omitempty"` // the login there
	Fields  []string   `json:"fields,omitempty"`
}

func (s *Server) platformDrift(w http.ResponseWriter, r *http.Request, v *viewer) error {
	a := v.official(r)
	p := &driftPage{At: s.Now()}
	all, err := s.Platform.Drift(r.Context(), a)
	if err != nil {
		if wantsJSON(r) || tianbao.KindOf(err) != tianbao.ErrInvalid {
			return err
		}
		p.Message = asError(err).Message
	}
	e := tianbao.Event{Actor: a.User, Owner: a.Root, From: a.From, What: "platform.drift", Detail: strconv.Itoa(len(all)) + " differences"}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	for i := range all[:min(len(all), platformDrift)] {
		d := &all[i]
		l := wireDrift{Kind: string(d.Kind), Title: d.Kind.Title(), Account: d.Account.ID, Name: d.Account.Name, Login: maskLogin(d.Account.Login), Fields: d.Fields}
		if d.Kind != provision.Missing {
			l.There = ident.MaskPhone(d.Remote.Login)
		}
		if d.Kind == provision.Foreign {
			l.Name = d.Remote.Name
		}
		p.Lines = append(p.Lines, l)
	}
	p.More = len(all) - len(p.Lines)
	return s.answer(w, r, v, wireDrifts{append([]wireDrift{}, p.Lines...), p.More}, "platformdrift.html", "与平台核对", p)
}
