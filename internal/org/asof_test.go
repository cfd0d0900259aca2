package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/org"
)

// story is what happens to the small province in two years.
func (o *office) story() {
	o.load("2022-01-01", province()...)
	o.do("第二中学", org.Act{Act: tianbao.UnitEdit, Day: day("2022-03-01"), Values: map[string]string{"unit_name": "实验中学"}})
	o.do("锦州教育局", org.Act{Act: tianbao.UnitCreate, Day: day("2022-05-01"), Values: map[string]string{"unit_name": "第三中学", "budget_code": "201001003"}})
	o.do("铁西中学", org.Act{Act: tianbao.UnitMove, Day: day("2022-07-01"), Other: o.unit("鞍山财政局").ID})
	o.do("第一中学", org.Act{Act: tianbao.UnitMerge, Day: day("2022-09-01"), Other: o.unit("实验中学").ID})
	o.do("实验中学", org.Act{Act: tianbao.UnitSplit, Day: day("2023-01-01"), Values: map[string]string{"unit_name": "实验小学", "budget_code": "201001009", "region": "凌河区"}})
	o.do("锦州教育局", org.Act{Act: tianbao.UnitMove, Day: day("2023-04-01"), Other: o.unit("鞍山财政局").ID})
	o.do("第三中学", org.Act{Act: tianbao.UnitClose, Day: day("2023-06-01")})
	o.do("锦州教育局", org.Act{Act: tianbao.UnitMove, Day: day("2023-09-01"), Other: o.unit("锦州财政局").ID})
	o.do("铁西中学", org.Act{Act: tianbao.UnitEdit, Day: day("2024-01-01"), Values: map[string]string{"region": "鞍山市铁东区", "unit_name": "铁东中学"}})
}

// The tree of ten days, worked out by hand from the story.
func TestAsOfTenDays(t *testing.T) {
	const (
		p    = "省财政厅"
		j, a = p + "/锦州财政局", p + "/鞍山财政局"
	)
	days := []struct {
		day  string
		want []string
	}{
		{"2021-12-31", nil},
		{"2022-01-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第一中学", j + "/锦州教育局/第二中学", a, a + "/鞍山教育局", a + "/鞍山教育局/铁西中学"}},
		{"2022-03-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第一中学", j + "/锦州教育局/实验中学", a, a + "/鞍山教育局", a + "/鞍山教育局/铁西中学"}},
		{"2022-06-30", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第一中学", j + "/锦州教育局/第三中学", j + "/锦州教育局/实验中学", a, a + "/鞍山教育局", a + "/鞍山教育局/铁西中学"}},
		{"2022-07-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第一中学", j + "/锦州教育局/第三中学", j + "/锦州教育局/实验中学", a, a + "/铁西中学", a + "/鞍山教育局"}},
		{"2022-09-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第三中学", j + "/锦州教育局/实验中学", a, a + "/铁西中学", a + "/鞍山教育局"}},
		{"2023-01-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/第三中学", j + "/锦州教育局/实验中学", j + "/锦州教育局/实验小学", a, a + "/铁西中学", a + "/鞍山教育局"}},
		{"2023-04-01", []string{p, j, a, a + "/铁西中学", a + "/锦州教育局", a + "/锦州教育局/第三中学", a + "/锦州教育局/实验中学", a + "/锦州教育局/实验小学", a + "/鞍山教育局"}},
		{"2023-06-01", []string{p, j, a, a + "/铁西中学", a + "/锦州教育局", a + "/锦州教育局/实验中学", a + "/锦州教育局/实验小学", a + "/鞍山教育局"}},
		{"2024-06-01", []string{p, j, j + "/锦州教育局", j + "/锦州教育局/实验中学", j + "/锦州教育局/实验小学", a, a + "/铁东中学", a + "/鞍山教育局"}},
	}
	// Counts: of each region, and what the two cities see as their own.
	figures := map[string]struct {
		regions map[tianbao.ID]int
		cities  [2]int
	}{
		"2021-12-31": {map[tianbao.ID]int{}, [2]int{0, 0}},
		"2022-01-01": {map[tianbao.ID]int{210000: 1, 210700: 4, 210300: 2, 210303: 1}, [2]int{4, 3}},
		"2022-03-01": {map[tianbao.ID]int{210000: 1, 210700: 4, 210300: 2, 210303: 1}, [2]int{4, 3}},
		"2022-06-30": {map[tianbao.ID]int{210000: 1, 210700: 5, 210300: 2, 210303: 1}, [2]int{5, 3}},
		"2022-07-01": {map[tianbao.ID]int{210000: 1, 210700: 5, 210300: 2, 210303: 1}, [2]int{5, 3}},
		"2022-09-01": {map[tianbao.ID]int{210000: 1, 210700: 4, 210300: 2, 210303: 1}, [2]int{4, 3}},
		"2023-01-01": {map[tianbao.ID]int{210000: 1, 210700: 4, 210703: 1, 210300: 2, 210303: 1}, [2]int{5, 3}},
		"2023-04-01": {map[tianbao.ID]int{210000: 1, 210700: 4, 210703: 1, 210300: 2, 210303: 1}, [2]int{1, 7}},
		"2023-06-01": {map[tianbao.ID]int{210000: 1, 210700: 3, 210703: 1, 210300: 2, 210303: 1}, [2]int{1, 6}},
		"2024-06-01": {map[tianbao.ID]int{210000: 1, 210700: 3, 210703: 1, 210300: 2, 210302: 1}, [2]int{4, 3}},
	}
	each(t, func(o *office) {
		o.story()
		ctx := t.Context()
		cities := [2]tianbao.Scope{{Paths: []string{o.unit("锦州财政局").Path}}, {Paths: []string{o.unit("鞍山财政局").Path}}}
		// What the department sees as its own, wherever it stood.
		department := tianbao.Scope{Paths: []string{o.unit("锦州教育局").Path}}
		for on, want := range map[string]int{"2021-12-31": 0, "2022-01-01": 3, "2022-06-30": 4, "2023-04-01": 4, "2023-06-01": 3, "2024-06-01": 3} {
			if units, err := o.store.UnitsAsOf(ctx, department, day(on)); err != nil || len(units) != want {
				t.Errorf("%s: the department sees %d units, want %d: %v", on, len(units), want, err)
			}
		}
		for _, d := range days {
			units, err := o.store.UnitsAsOf(ctx, all(), day(d.day))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sorted(d.want), tree(units)); diff != "" {
				t.Errorf("%s: %s", d.day, diff)
			}
			want := figures[d.day]
			counts, err := o.store.CountByRegion(ctx, all(), day(d.day))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.regions, sums(counts)); diff != "" {
				t.Errorf("%s, regions: %s", d.day, diff)
			}
			byParent, err := o.store.CountByParent(ctx, all(), day(d.day))
			if err != nil {
				t.Fatal(err)
			}
			below := map[tianbao.ID]int{}
			for _, u := range units {
				below[u.Parent]++
			}
			if diff := cmp.Diff(below, sums(byParent)); diff != "" {
				t.Errorf("%s, parents: %s", d.day, diff)
			}
			for i, scope := range cities {
				units, err := o.store.UnitsAsOf(ctx, scope, day(d.day))
				if err != nil || len(units) != want.cities[i] {
					t.Errorf("%s: city %d sees %d units, want %d: %v", d.day, i, len(units), want.cities[i], err)
				}
			}
		}
	})
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

// tree writes units with the names above them.
func tree(units []tianbao.Unit) (out []string) {
	names := map[string]string{}
	for _, u := range units {
		names[u.ID.String()] = u.Name
	}
	for _, u := range units {
		var way []string
		for id := range strings.SplitSeq(strings.Trim(u.Path, "/"), "/") {
			way = append(way, names[id])
		}
		out = append(out, strings.Join(way, "/"))
	}
	slices.Sort(out)
	return out
}

func sums(counts []tianbao.UnitCount) map[tianbao.ID]int {
	out := map[tianbao.ID]int{}
	for _, c := range counts {
		out[c.Key] += c.Count
	}
	return out
}

// What names a unit still finds it when it was renamed, or its heir when it was merged;
// a unit that has closed is found only where nobody else bears its code.
func TestNamesAfterChanges(t *testing.T) {
	each(t, func(o *office) {
		o.story()
		heir := o.unit("实验中学").ID
		for _, tt := range []struct {
			field, value string
			want         tianbao.ID
		}{
			{"unit_name", "第二中学", heir},
			{"unit_name", "第一中学", heir},
			{"budget_code", "201001002", heir},
			{"unit_name", "铁西中学", o.unit("铁东中学").ID},
		} {
			for _, lookups := range []int{1, 1_000_000} {
				find, err := o.store.UnitFinder(t.Context(), all(), lookups)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := find(map[string]string{tt.field: tt.value}); err != nil || got.ID() != tt.want {
					t.Errorf("%s %s: unit %d, want %d: %v", tt.field, tt.value, got.ID(), tt.want, err)
				}
			}
		}
		entries, _, err := o.store.Register(t.Context(), all(), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name == "第一中学" {
				c := tianbao.Campaign{ID: 70, Title: "采集", Form: "asset-role", FormV: 1, Opens: now(), Released: true}
				if err := o.store.PutCampaign(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				_, err := o.store.OpenReport(t.Context(), all(), c.ID, e.ID)
				refused(t, "a report of a unit that was merged", err, "unit_closed")
			}
			if e.Name == "第一中学" && (e.Heir != heir || !e.To.Equal(day("2022-09-01")) || len(e.Aliases) != 0) {
				t.Errorf("the merged unit: %+v", e)
			}
		}
	})
}

func TestActsAreRefused(t *testing.T) {
	each(t, func(o *office) {
		o.story()
		ctx := t.Context()
		city := org.Actor{User: 7, Scope: tianbao.Scope{Paths: []string{o.unit("锦州财政局").Path}}}
		id := func(name string) tianbao.ID { return o.unit(name).ID }
		closed := tianbao.ID(0)
		entries, _, err := o.store.Register(ctx, all(), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name == "第三中学" {
				closed = e.ID
			}
		}
		today := day("2024-06-01")
		for _, tt := range []struct {
			name string
			who  org.Actor
			unit tianbao.ID
			act  org.Act
			code string
		}{
			{"a unit outside", city, id("鞍山教育局"), org.Act{Act: tianbao.UnitClose, Day: today}, "not_found"},
			{"no unit", whole(), 5, org.Act{Act: tianbao.UnitClose, Day: today}, "not_found"},
			{"under a unit outside", city, id("实验中学"), org.Act{Act: tianbao.UnitMove, Day: today, Other: id("鞍山教育局")}, "unknown_parent"},
			{"into a unit outside", city, id("实验中学"), org.Act{Act: tianbao.UnitMerge, Day: today, Other: id("鞍山教育局")}, "unknown_parent"},
			{"below itself", whole(), id("锦州财政局"), org.Act{Act: tianbao.UnitMove, Day: today, Other: id("实验中学")}, "unit_cycle"},
			{"into what is below", whole(), id("锦州财政局"), org.Act{Act: tianbao.UnitMerge, Day: today, Other: id("锦州教育局")}, "unit_cycle"},
			{"the own bureau", city, id("锦州财政局"), org.Act{Act: tianbao.UnitMove, Day: today, Other: id("锦州教育局")}, "unit_cycle"},
			{"closing with units below", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitClose, Day: today}, "state.below"},
			{"what has closed", whole(), closed, org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"unit_name": "新名"}}, "unit_closed"},
			{"before the last change", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitMove, Day: day("2023-08-01"), Other: id("省财政厅")}, "day_early"},
			{"tomorrow", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitMove, Day: day("2024-06-02"), Other: id("省财政厅")}, "day_to_come"},
			{"a code of the neighbour", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"budget_code": "201001002"}}, "budget_code.taken"},
			{"a wrong code", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"org_code": "12210700MB9000001A"}}, "org_code.checksum"},
			{"an unknown region", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"region": "铁西区"}}, "region.unknown"},
			{"no change", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"unit_name": "锦州教育局"}}, "no_change"},
			{"a place by the edit", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitEdit, Day: today, Values: map[string]string{"parent_code": "101"}}, "bad_field"},
			{"no act", whole(), id("锦州教育局"), org.Act{Act: "burn", Day: today}, "bad_act"},
			{"a new one without a name", whole(), id("锦州教育局"), org.Act{Act: tianbao.UnitCreate, Day: today, Values: map[string]string{"budget_code": "5"}}, "required"},
		} {
			_, err := o.Change(ctx, tt.who, tt.unit, tt.act)
			refused(t, tt.name, err, tt.code)
		}
	})
}

// Requests are decided by who keeps the register, once, and change it with the decision.
func TestRequests(t *testing.T) {
	each(t, func(o *office) {
		o.load("2022-01-01", province()...)
		ctx := t.Context()
		school := o.unit("第一中学")
		clerk := org.Actor{User: 8, Scope: tianbao.Scope{Paths: []string{school.Path}}}
		city := org.Actor{User: 7, Scope: tianbao.Scope{Paths: []string{o.unit("锦州财政局").Path}}}
		other := org.Actor{User: 9, Scope: tianbao.Scope{Paths: []string{o.unit("鞍山财政局").Path}}}
		ask := func(field, value string) (*tianbao.UnitRequest, error) {
			return o.Ask(ctx, clerk, school.ID, field, value, "原来登记有误")
		}
		for _, tt := range []struct{ field, value, code string }{
			{"parent_code", "101", "bad_field"},
			{"unit_name", "", "required"},
			{"unit_name", "第一中学", "no_change"},
			{"contact_phone", "12345", "contact_phone.format"},
			{"region", "铁西区", "region.unknown"},
		} {
			_, err := ask(tt.field, tt.value)
			refused(t, tt.field, err, tt.code)
		}
		_, err := o.Ask(ctx, clerk, o.unit("第二中学").ID, "unit_name", "某某中学", "原来登记有误")
		refused(t, "for the neighbour", err, "not_found")
		_, err = o.Ask(ctx, clerk, school.ID, "unit_name", "某某中学", "错")
		refused(t, "without a reason", err, "why")

		name, err := ask("unit_name", "锦州市第一中学")
		if err != nil {
			t.Fatal(err)
		}
		phone, err := ask("contact_phone", "16000000002")
		if err != nil {
			t.Fatal(err)
		}
		list, err := o.store.Requests(ctx, city.Scope, tianbao.RequestOpen, 0, 10)
		if err != nil || len(list) != 2 || list[0].Value != "16000000002" || list[1].UnitName != "第一中学" || list[1].Why != "原来登记有误" {
			t.Errorf("the list: %+v %v", list, err)
		}
		if list, err := o.store.Requests(ctx, other.Scope, "", 0, 10); err != nil || len(list) != 0 {
			t.Errorf("another bureau sees %d requests", len(list))
		}
		refused(t, "another bureau", o.Accept(ctx, other, name.ID, ""), "not_found")
		if err := o.Accept(ctx, city, name.ID, "已核对"); err != nil {
			t.Fatal(err)
		}
		refused(t, "twice", o.Accept(ctx, city, name.ID, ""), "decided")
		refused(t, "accepted, then refused", o.Refuse(ctx, city, name.ID, "不是这样的"), "decided")
		refused(t, "refused without a word", o.Refuse(ctx, city, phone.ID, ""), "remark")
		if err := o.Refuse(ctx, city, phone.ID, "电话打不通，请核对"); err != nil {
			t.Fatal(err)
		}
		e := o.unit("锦州市第一中学")
		if e.ID != school.ID || e.Contact.Phone != "16012345678" || !e.Since.Equal(day("2024-06-01")) {
			t.Errorf("the entry: %+v", e)
		}
		list, err = o.store.Requests(ctx, clerk.Scope, "", 0, 10)
		if err != nil || len(list) != 2 || list[0].State != tianbao.RequestRefused || list[0].Remark != "电话打不通，请核对" || list[1].State != tianbao.RequestAccepted {
			t.Errorf("what the unit sees: %+v %v", list, err)
		}
		var dump strings.Builder
		err = o.store.DB().Each(ctx, func(scan db.Scan) error {
			var wish, remark []byte
			err := scan(&wish, &remark)
			fmt.Fprintf(&dump, "%s%s", wish, remark)
			return err
		}, `SELECT wish, remark FROM unit_request`)
		if err != nil || strings.Contains(dump.String(), "16000000002") || strings.Contains(dump.String(), "打不通") {
			t.Errorf("requests lie open: %v", err)
		}
		for range 30 {
			if _, err = ask("unit_name", "又一个名字"); err != nil {
				break
			}
		}
		refused(t, "many requests", err, "many_requests")
	})
}
