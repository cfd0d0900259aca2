package campaign_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/campaign"
)

// Who may lock: the bureaus of the province, a city and a county, nobody else.
func TestWhoMayLock(t *testing.T) {
	var may []tianbao.Role
	for _, r := range tianbao.Roles() {
		if r.Allows(tianbao.PowerLock) {
			may = append(may, r)
		}
	}
	if want := []tianbao.Role{tianbao.RoleCounty, tianbao.RoleCity, tianbao.RoleProvince}; !slices.Equal(may, want) {
		t.Errorf("%v may lock, want %v", may, want)
	}
}

// What an officer of a city may lock and reopen: units below the own bureau, not the bureau
// itself, nobody beside it; a lock that was set above stays.
func TestLocksOfACity(t *testing.T) {
	engines(t, func(o *office) {
		o.collect()
		o.at("2022-09-10 09:00:00")
		cityOfficer := campaign.Actor{User: 1002, Locks: tianbao.Scope{Paths: []string{"/1/2/"}}}
		colleague := campaign.Actor{User: 1003, Locks: cityOfficer.Locks}
		filler := campaign.Actor{User: 1004}
		until := shanghai("2022-09-20 00:00:00")
		rule := func(kind tianbao.RuleKind, unit tianbao.ID) tianbao.CampaignRule {
			return tianbao.CampaignRule{Kind: kind, Unit: unit, Closes: until, Reason: "正在核对"}
		}
		for _, tt := range []struct {
			name string
			by   campaign.Actor
			rule tianbao.CampaignRule
			want string // of the error, empty: it is done
		}{
			{"a department below", cityOfficer, rule(tianbao.RuleLock, department), ""},
			{"a unit below", cityOfficer, rule(tianbao.RuleReopen, second), ""},
			{"the own bureau", cityOfficer, rule(tianbao.RuleLock, city), "not_below"},
			{"another city", cityOfficer, rule(tianbao.RuleLock, other), "not found"},
			{"the province", cityOfficer, rule(tianbao.RuleLock, province), "not found"},
			{"a region", cityOfficer, tianbao.CampaignRule{Kind: tianbao.RuleLock, Region: 2107, Reason: "正在核对"}, "not found"},
			{"a window", cityOfficer, tianbao.CampaignRule{Kind: tianbao.RuleWindow, Unit: school, Opens: o.now, Closes: until}, "not found"},
			{"without a reason", cityOfficer, tianbao.CampaignRule{Kind: tianbao.RuleLock, Unit: school}, "no_reason"},
			{"a reopening without end", cityOfficer, tianbao.CampaignRule{Kind: tianbao.RuleReopen, Unit: school, Reason: "补报"}, "no_expiry"},
			{"nobody's scope", filler, rule(tianbao.RuleLock, school), "not found"},
		} {
			err := o.SetRule(o.ctx(), tt.by, collection, tt.rule)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%s: %v", tt.name, err)
			case tt.want == "not found" && tianbao.KindOf(err) != tianbao.ErrNotFound, tt.want != "" && err == nil:
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			case tt.want != "" && tt.want != "not found" && codeOf(err) != tt.want:
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		}
		if why := o.why(school); why != campaign.WhyLocked {
			t.Errorf("below the locked department: %s", why)
		}
		if why := o.why(second); why != campaign.WhyReopened {
			t.Errorf("the unit that was opened again: %s", why)
		}
		// Only who set a lock takes it back, or who runs the collection.
		rules, err := o.store.Rules(o.ctx(), collection)
		o.ok(err)
		i := slices.IndexFunc(rules, func(r tianbao.CampaignRule) bool { return r.Kind == tianbao.RuleLock })
		if err := o.EndRule(o.ctx(), colleague, collection, rules[i].ID); codeOf(err) != "not_yours" {
			t.Errorf("a colleague takes it back: %v", err)
		}
		o.ok(o.EndRule(o.ctx(), cityOfficer, collection, rules[i].ID))
		if why := o.why(school); why != campaign.WhyOpen {
			t.Errorf("after it was taken back: %s", why)
		}
		// A lock of the province over the city holds against the city's reopening.
		o.at("2022-09-11 09:00:00")
		o.rule(tianbao.CampaignRule{Kind: tianbao.RuleLock, Unit: city, Reason: "全市核对"})
		err = o.SetRule(o.ctx(), cityOfficer, collection, rule(tianbao.RuleReopen, school))
		var e *tianbao.Error
		if !errors.As(err, &e) || e.Code != "locked_above" || !strings.Contains(e.Message, "全市核对") {
			t.Errorf("a reopening against the province's lock: %v", err)
		}
	})
}

func codeOf(err error) string {
	var e *tianbao.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// why is how it stands with the door of a unit.
func (o *office) why(unit tianbao.ID) campaign.Why {
	o.t.Helper()
	st, err := o.State(o.ctx(), everything(), collection, unit)
	o.ok(err)
	return st.Door.Why
}
