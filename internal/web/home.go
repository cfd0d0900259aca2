package web

import (
	"net/http"

	"tianbao"
)

// homePage is the data of home.html.
type homePage struct {
	Filler    bool
	Seer      bool
	Admin     bool
	Auditor   bool
	Grants    bool
	Keeper    bool // opens collections, and keeps what they hold no longer than it may be
	Campaigns []tianbao.Campaign
	Notices   []tianbao.Notice
}

// home is the portal: what the viewer can do, as cards, and the newest notices.
func (s *Server) home(w http.ResponseWriter, r *http.Request, v *viewer) error {
	u := v.user()
	p := homePage{
		Filler: u.May(tianbao.PowerFill), Seer: u.May(tianbao.PowerSee), Admin: u.May(tianbao.PowerAccounts),
		Auditor: u.May(tianbao.PowerTrail), Grants: u.May(tianbao.PowerGrants), Keeper: u.May(tianbao.PowerCampaign),
	}
	var err error
	if p.Filler {
		if p.Campaigns, err = s.Catalog.Campaigns(r.Context()); err != nil {
			return err
		}
	}
	if p.Notices, err = s.Catalog.Notices(r.Context()); err != nil {
		return err
	}
	if len(p.Notices) > 8 {
		p.Notices = p.Notices[:8]
	}
	out := wireHome{Campaigns: []wireCampaign{}, Notices: toNotices(p.Notices)}
	for _, c := range p.Campaigns {
		out.Campaigns = append(out.Campaigns, toCampaign(c))
	}
	return s.answer(w, r, v, out, "home.html", "首页", &p)
}

func toCampaign(c tianbao.Campaign) wireCampaign {
	return wireCampaign{ID: c.ID, Title: c.Title, Form: c.Form, FormV: c.FormV, Closes: stamp(c.Closes)}
}

func toNotices(ns []tianbao.Notice) []wireNotice {
	out := make([]wireNotice, len(ns))
	for i, n := range ns {
		out[i] = wireNotice{ID: n.ID, Title: n.Title, Issuer: n.Issuer, At: stamp(n.At)}
	}
	return out
}
