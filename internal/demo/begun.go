package demo

import (
	"context"
	"fmt"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/report"
)

// begin fills half of the department's report: people of its first units, with
// the faults that a first evening brings.
func (w World) begin(ctx context.Context, f *tianbao.Form, us []tianbao.Unit) error {
	var dept tianbao.Unit
	for _, u := range us {
		if u.Name == firstDepartment {
			dept = u
		}
	}
	scope := tianbao.Scope{Paths: []string{dept.Path}}
	rep, err := w.Store.OpenReport(ctx, scope, campaignID, dept.ID)
	if err != nil {
		return fmt.Errorf("demo: open the department's report: %w", err)
	}
	if rep.Version > 0 {
		return nil
	}
	set := &tianbao.ChangeSet{Report: rep.ID, Key: "demo", Source: tianbao.SourceDemo, Note: "演示数据"}
	people := []string{"王示例", "李示例", "赵示例", "钱示例", "孙示例", "周示例"}
	n := 0
	for _, u := range us {
		if u.Parent != dept.ID || n == len(people) {
			continue
		}
		cells := map[string]string{
			"budget_code": u.BudgetCode, "unit_name": u.Name, "org_code": u.OrgCode, "unit_type": u.Type,
			"legacy_username": fmt.Sprintf("jz%05d", 100+n), "person_name": people[n],
			"person_id": residentID("210702", fmt.Sprintf("19%02d0%d1%d", 70+n*3, n+1, n), 900+n), "phone": fmt.Sprintf("160%08d", 41900+n*7),
		}
		switch n { // what the sheet shows at once: a wrong check digit, a missing phone, an old id
		case 2:
			cells["person_id"] = wrongCheck(cells["person_id"])
		case 4:
			cells["phone"] = ""
		case 5:
			cells["org_code"] = cells["org_code"][:17]
		}
		c := tianbao.Change{Op: tianbao.OpInsert, Temp: fmt.Sprint("demo-", n), After: tianbao.AtEnd}
		for i := range f.Fields {
			if v := cells[f.Fields[i].Key]; v != "" {
				c.Cells = append(c.Cells, tianbao.CellEdit{Field: i, Value: v})
			}
		}
		set.Changes = append(set.Changes, c)
		n++
	}
	users, err := w.Auth.Users(ctx)
	if err != nil {
		return err
	}
	actor := report.Actor{Scope: scope}
	for _, u := range users {
		if u.Login == "dept" {
			actor.User, actor.Login, actor.Name = u.ID, u.Login, u.Name
		}
	}
	if _, err := w.Reports.Save(ctx, actor, set); err != nil {
		return fmt.Errorf("demo: fill the department's report: %w", err)
	}
	return nil
}

// residentID makes an invented resident id: address, birth, a sequence of 900 to
// 995, and the check character.
func residentID(area, birth string, seq int) string {
	s := fmt.Sprintf("%s%s%03d", area, birth, seq)
	return s + string(ident.ResidentCheck(s))
}

// wrongCheck replaces the check character by another digit.
func wrongCheck(id string) string {
	c := "1"
	if strings.HasSuffix(id, c) {
		c = "2"
	}
	return id[:17] + c
}
