package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// collectionPage is the data of collection.html.
type collectionPage struct {
	CSRF         string
	C            wireCollection
	Begin, End   time.Time
	Opens        string // as fields take them
	Closes       string
	Runs         bool
	Locks        bool // the viewer may lock and reopen, some units at least
	Scope, Doors []wireRule
	Past         []wireRule // the last that were taken back
	Forms        []formChoice
	Notices      []tianbao.Notice
	Regions      []tianbao.Region
	Message      string
	Levels       tianbao.Levels
	Reviews      bool // the viewer reviews, some units at least
	// Kept: it is a register of people. Sources are those from which it may be prefilled.
	Kept, Accepts bool
	Prefill       tianbao.ID
	Sources       []tianbao.Campaign
}

// AllLevels are the levels of review that there are.
func (p *collectionPage) AllLevels() []tianbao.Level {
	return tianbao.LevelsOf(tianbao.LevelUnit, tianbao.LevelCounty, tianbao.LevelCity, tianbao.LevelProvince).List()
}

// Is reports whether the collection is in a phase.
func (p *collectionPage) Is(phase string) bool { return string(p.C.Phase) == phase }

// ruleTable is a list of rules on the page, with what takes one back.
type ruleTable struct {
	CSRF string // "" for rules that cannot be taken back
	ID   tianbao.ID
	List []wireRule
}

// ScopeTable lists who takes part and when.
func (p *collectionPage) ScopeTable() ruleTable { return ruleTable{p.CSRF, p.C.ID, p.Scope} }

// DoorTable lists locks and reopenings.
func (p *collectionPage) DoorTable() ruleTable { return ruleTable{p.CSRF, p.C.ID, p.Doors} }

// PastTable lists what was taken back.
func (p *collectionPage) PastTable() ruleTable { return ruleTable{"", p.C.ID, p.Past} }

// Form is the collection's form as the list of forms names it.
func (p *collectionPage) Form() string {
	for _, f := range p.Forms {
		if f.Value == p.C.Form+"."+strconv.Itoa(p.C.FormV) {
			return f.Value
		}
	}
	return ""
}

// collection is a collection with its rules, and all that is done with it.
func (s *Server) collection(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.collectionShow(w, r, v, http.StatusOK, "")
}

func (s *Server) collectionShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	ctx, a := r.Context(), v.runner(r)
	c, runs, err := s.Campaigns.Collection(ctx, a, id)
	if err != nil {
		return err
	}
	rules, err := s.wireRules(r, v, id, runs)
	if err != nil {
		return err
	}
	out := s.toCollection(&c, runs)
	out.Rules = rules
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	p := &collectionPage{
		CSRF: v.signed.CSRF, C: out, Runs: runs, Locks: c.Phase() == tianbao.PhaseOpen, Message: message,
		Kept: !c.Kept.IsZero(), Accepts: c.Accepts, Prefill: c.Prefill,
		Levels: c.Levels, Begin: c.Opens, End: c.Closes, Opens: momentField(c.Opens), Closes: momentField(c.Closes),
	}
	for _, rule := range rules {
		switch {
		case !rule.rule.Ended.IsZero():
			if len(p.Past) < 50 {
				p.Past = append(p.Past, rule)
			}
		case rule.Kind == tianbao.RuleLock || rule.Kind == tianbao.RuleReopen:
			p.Doors = append(p.Doors, rule)
		default:
			p.Scope = append(p.Scope, rule)
		}
	}
	if runs && c.Phase() == tianbao.PhasePreparing {
		if p.Sources, err = s.prefillSources(r, a, &c); err != nil {
			return err
		}
	}
	if p.Forms, err = s.formChoices(ctx, &c); err != nil {
		return err
	}
	u := v.user()
	p.Reviews = u.May(tianbao.PowerReview)
	if p.Notices, err = s.noticeChoices(r, v); err != nil {
		return err
	}
	if p.Regions, err = s.Register.Regions(ctx); err != nil {
		return err
	}
	s.page(w, r, v, status, "collection.html", c.Title, p)
	return nil
}

// wireRules are the rules of a collection, the last made first: all for who runs it, else
// those about units where the viewer may lock.
func (s *Server) wireRules(r *http.Request, v *viewer, id tianbao.ID, runs bool) ([]wireRule, error) {
	ctx, a := r.Context(), v.runner(r)
	rules, err := s.Campaigns.Store.Rules(ctx, id)
	if err != nil {
		return nil, err
	}
	regions, err := s.Register.Regions(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[tianbao.ID]string, len(regions))
	for _, g := range regions {
		names[g.ID] = g.Name
	}
	var ids []tianbao.ID
	for i := range rules {
		ids = append(ids, rules[i].Unit)
	}
	slices.Sort(ids)
	units, err := s.Campaigns.Store.UnitsNamed(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	out := []wireRule{}
	for _, rule := range rules {
		u := units[rule.Unit]
		if !runs && (rule.Unit == 0 || !a.Locks.Covers(u.Path)) {
			continue
		}
		out = append(out, wireRule{
			ID: rule.ID, Kind: rule.Kind, KindName: rule.Kind.Title(), Unit: rule.Unit, UnitName: u.Name, Region: rule.Region, RegionName: names[rule.Region],
			Opens: stamp(rule.Opens), Closes: stamp(rule.Closes), Reason: rule.Reason, Made: stamp(rule.Made), Ended: stamp(rule.Ended), rule: rule,
		})
	}
	return out, nil
}

// onCollection carries an act on the collection of the path out; what is wrong with it is
// told on the collection's page.
func (s *Server) onCollection(w http.ResponseWriter, r *http.Request, v *viewer, act func(id tianbao.ID) (tianbao.ID, error)) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	made, err := act(id)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		return s.collectionShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message)
	}
	return s.done(w, r, wireMade{made}, collectionPath(made))
}

func (s *Server) editCollection(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSetCollection
	if err := read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		d, err := in.draft()
		if err == nil {
			err = s.notOwn(d.Form)
		}
		if err == nil {
			err = s.Campaigns.Edit(r.Context(), v.runner(r), id, d)
		}
		return id, err
	})
}

func (s *Server) copyCollection(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		return s.Campaigns.Copy(r.Context(), v.runner(r), id)
	})
}

func (s *Server) setPhase(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wirePhase
	if err := read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		return id, s.Campaigns.SetPhase(r.Context(), v.runner(r), id, in.Phase)
	})
}

func (s *Server) addRule(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAddRule
	if err := read(r, &in); err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		rule := tianbao.CampaignRule{Kind: in.Kind, Unit: in.Unit, Region: in.Region, Reason: in.Reason}
		var err error
		if rule.Opens, err = parseMoment(in.Opens); err != nil {
			return id, err
		}
		if rule.Closes, err = parseMoment(in.Closes); err != nil {
			return id, err
		}
		a := v.runner(r)
		if rule.Unit == 0 && in.UnitCode != "" {
			scope := tianbao.Scope{Paths: append(slices.Clone(a.Runs.Paths), a.Locks.Paths...)}
			if rule.Unit, err = s.unitByCode(r, scope, in.UnitCode); err != nil {
				return id, err
			}
		}
		return id, s.Campaigns.SetRule(r.Context(), a, id, rule)
	})
}

func (s *Server) endRule(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	rule, err := pathID(r, "rule")
	if err != nil {
		return err
	}
	return s.onCollection(w, r, v, func(id tianbao.ID) (tianbao.ID, error) {
		return id, s.Campaigns.EndRule(r.Context(), v.runner(r), id, rule)
	})
}

// wireRehearsal is what a dry run found.
type wireRehearsal struct {
	Expected  int        `json:"expected"`
	Outside   int        `json:"outside"` // units of the register that take no part
	NoAccount int        `json:"no_account"`
	NoContact int        `json:"no_contact"`
	NoCode    int        `json:"no_code"` // without budget code or organisation code
	Lacks     []wireLack `json:"lacks"`   // the first of them
}

type wireLack struct {
	Unit    tianbao.ID `json:"unit"`
	Name    string     `json:"name"`
	Code    string     `json:"budget_code,omitempty"`
	Account bool       `json:"account,omitempty"` // it has none
	Contact bool       `json:"contact,omitempty"`
	NoCode  bool       `json:"code,omitempty"`
}

// rehearsalPage is the data of rehearsal.html.
type rehearsalPage struct {
	ID    tianbao.ID
	Title string
	wireRehearsal
	More bool
}

// rehearse counts who would be expected, and what they lack.
func (s *Server) rehearse(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	a := v.runner(r)
	c, _, err := s.Campaigns.Collection(r.Context(), a, id)
	if err != nil {
		return err
	}
	d, err := s.Campaigns.DryRun(r.Context(), a, id)
	if err != nil {
		return err
	}
	out := wireRehearsal{Expected: d.Expected, Outside: d.Outside, NoAccount: d.NoAccount, NoContact: d.NoContact, NoCode: d.NoCode, Lacks: []wireLack{}}
	for _, l := range d.Lacks {
		out.Lacks = append(out.Lacks, wireLack{l.Unit.ID, l.Unit.Name, l.Unit.BudgetCode, l.Account, l.Contact, l.Code})
	}
	return s.answer(w, r, v, out, "rehearsal.html", "试算", &rehearsalPage{id, c.Title, out, len(d.Lacks) == campaign.MaxLacks})
}
