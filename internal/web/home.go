package web

import (
	"net/http"
	"slices"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/news"
)

// homePage is the data of home.html.
type homePage struct {
	Filler    bool
	Seer      bool
	Admin     bool
	Auditor   bool
	Grants    bool
	Keeper    bool // opens collections, and keeps what they hold no longer than it may be
	Phones    bool // codes can be sent to phones
	Campaigns []tianbao.Campaign
	Notices   []tianbao.Notice
	Open      int // questions that wait for the viewer
	// Unit is the viewer's own, Standings where it stands in each collection, Ask whom it
	// asks.
	Unit      string
	Standings []homeStanding
	Ask       campaign.Whom
	Reminders []wireReminder // of the viewer's units, not read
	CSRF      string
	Mails     bool // the viewer looks after mails with reports
	Collects  bool // the viewer runs collections, or locks and reopens in them
	Watches   bool // the viewer sees more than what one unit fills in
	Registers []wireRegister
	Stopped   []news.Subscription // 事件订阅 that stopped by themselves, of whoever runs collections
}

// homeStanding is where the viewer's unit stands in a collection.
type homeStanding struct {
	Campaign tianbao.Campaign
	State    campaign.UnitState
	Said     string // by the reviewer who returned it
}

// Declares reports whether 零申报 is to be offered, or something is declared already.
func (h homeStanding) Declares() bool {
	s := h.State.State
	return s == tianbao.StandingNil || s == tianbao.StandingExempt || h.State.Rows == 0 && h.State.Door.Open()
}

// Mark is the look of a standing.
func (h homeStanding) Mark() string {
	switch s := h.State.Shown; {
	case s.Done():
		return "badge-reported"
	case s == tianbao.StandingOverdue || s == tianbao.StandingReturned || s == tianbao.StandingFaulty:
		return "badge-fault"
	}
	return "badge-empty"
}

// home is the portal: what the viewer can do, as cards, and the newest notices.
func (s *Server) home(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u := v.user()
	p := homePage{
		Filler: u.May(tianbao.PowerFill), Seer: u.May(tianbao.PowerSee), Admin: u.May(tianbao.PowerAccounts),
		Auditor: u.May(tianbao.PowerTrail), Grants: u.May(tianbao.PowerGrants), Keeper: u.May(tianbao.PowerCampaign), Collects: u.May(tianbao.PowerLock), Mails: u.May(tianbao.PowerMail),
	}
	p.Watches = p.Seer && slices.ContainsFunc(u.Grants, func(g tianbao.Grant) bool { return g.Role != tianbao.RoleFiller })
	var err error
	if p.Filler || p.Seer {
		if p.Campaigns, err = s.Catalog.Campaigns(r.Context()); err != nil {
			return err
		}
	}
	if err = s.homeStandings(r, v, &p); err != nil {
		return err
	}
	if p.Seer {
		if p.Registers, err = s.registerList(r, v); err != nil {
			return err
		}
	}
	if p.Keeper {
		if p.Stopped, err = s.stoppedWebhooks(r, v); err != nil {
			return err
		}
	}
	p.CSRF, p.Phones = v.signed.CSRF, p.Filler && s.Codes.Sender != nil
	if p.Reminders, err = s.inbox(r.Context(), v); err != nil {
		return err
	}
	if err = s.homeNotices(r, v, &p); err != nil {
		return err
	}
	out := wireHome{Campaigns: []wireCampaign{}, Notices: toNotices(p.Notices), Unread: s.unread(r, v), Open: p.Open}
	for _, c := range p.Campaigns {
		out.Campaigns = append(out.Campaigns, toCampaign(c))
	}
	out.Reminders = p.Reminders
	for _, st := range p.Standings {
		out.Standings = append(out.Standings, wireStanding{
			Campaign: st.Campaign.ID, Unit: st.State.Unit.ID, State: st.State.Shown, StateName: st.State.Shown.Title(),
			Open: st.State.Door.Open(), Until: stamp(st.State.Door.When), Text: st.State.Door.Explain(), Ask: p.Ask.Unit.Name,
		})
	}
	return s.answer(w, r, v, out, "home.html", "首页", &p)
}

// homeNotices are the newest notices, and how many questions wait.
func (s *Server) homeNotices(r *http.Request, v *viewer, p *homePage) error {
	a := v.reader(r)
	list, err := s.Messages.Store.Notices(r.Context(), &a.Reader, 0, 20)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.State == tianbao.NoticePublished && len(p.Notices) < 8 {
			p.Notices = append(p.Notices, n)
		}
	}
	if len(a.Seats) > 0 {
		p.Open, err = s.Messages.Store.OpenQuestions(r.Context(), a.Leads)
	}
	return err
}

// homeStandings tells where the unit that the viewer fills in for stands in each
// collection that runs: of several the first that was granted.
func (s *Server) homeStandings(r *http.Request, v *viewer, p *homePage) error {
	u := v.user()
	i := slices.IndexFunc(u.Grants, func(g tianbao.Grant) bool { return g.Role.Allows(tianbao.PowerFill) })
	if i < 0 {
		return nil
	}
	scope := u.Scope(tianbao.PowerFill)
	for _, c := range p.Campaigns {
		st, err := s.Campaigns.State(r.Context(), scope, c.ID, u.Grants[i].Unit)
		if err != nil {
			return err
		}
		if st.Door.Why == campaign.WhyOutside && st.State == tianbao.StandingNone {
			continue
		}
		p.Unit = st.Unit.Name
		said, err := s.returned(r.Context(), c.ID, &st)
		if err != nil {
			return err
		}
		p.Standings = append(p.Standings, homeStanding{c, st, said})
	}
	if len(p.Standings) == 0 {
		return nil
	}
	var err error
	p.Ask, err = s.Campaigns.Ask(r.Context(), &p.Standings[0].State.Unit)
	return err
}

func toCampaign(c tianbao.Campaign) wireCampaign {
	return wireCampaign{ID: c.ID, Title: c.Title, Form: c.Form, FormV: c.FormV, Closes: stamp(c.Closes)}
}
