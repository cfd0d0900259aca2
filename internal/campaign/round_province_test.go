package campaign_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"tianbao"
	"tianbao/internal/remind"
)

// province makes a register of about n units by chance: cities with counties, departments
// and units; some of them without account, contact or mail.
func (o *office) province(r *rand.Rand, n int) []*place {
	units := []tianbao.Unit{}
	of := map[tianbao.ID]*place{}
	var list []*place
	know := func(u tianbao.Unit) *place {
		p := &place{id: u.ID, name: u.Name, region: u.Region, up: []tianbao.ID{u.ID}, account: r.IntN(8) > 0, phone: r.IntN(5) > 0, mail: r.IntN(3) == 0}
		if above := of[u.Parent]; above != nil {
			p.up = append(p.up, above.up...)
			p.bureaus = append(p.bureaus, above.bureaus...)
		}
		if u.Kind == "bureau" {
			p.bureaus = append(p.bureaus, u.ID)
		}
		of[u.ID], list = p, append(list, p)
		return p
	}
	there, err := o.store.UnitsAsOf(o.ctx(), everything(), o.now)
	o.ok(err)
	slices.SortFunc(there, func(a, b tianbao.Unit) int { return int(a.ID - b.ID) })
	for i := range there {
		know(there[i])
	}
	next := tianbao.ID(100)
	add := func(parent tianbao.ID, kind, name string) *place {
		next++
		u := tianbao.Unit{ID: next, Parent: parent, Region: of[parent].region, Name: name + next.String(), BudgetCode: "9" + next.String(), Kind: kind}
		units = append(units, u)
		return know(u)
	}
	bureaus := []tianbao.ID{province, city, city, city, other}
	for range max(1, n/40) {
		bureaus = append(bureaus, add(city, "bureau", "县财政局").id)
	}
	var departments []tianbao.ID
	for range max(4, n/12) {
		departments = append(departments, add(pick(r, bureaus), "department", "主管部门").id)
	}
	for len(list) < n {
		if r.IntN(6) == 0 {
			add(pick(r, bureaus), "unit", "直属单位")
		} else {
			add(pick(r, departments), "unit", "基层单位")
		}
	}
	for part := range slices.Chunk(units, 1000) {
		o.ok(o.store.PutUnits(o.ctx(), part...))
	}
	o.equip(list)
	return list
}

// equip gives units accounts, contacts and mail addresses.
func (o *office) equip(list []*place) {
	entries, version, err := o.store.Register(o.ctx(), everything(), false)
	o.ok(err)
	units := map[tianbao.ID]tianbao.Unit{}
	for i := range entries {
		units[entries[i].ID] = entries[i].Unit
	}
	for part := range slices.Chunk(list, 1000) {
		clerk := tianbao.User{ID: part[0].id + 1_000_000, Login: "clerk" + part[0].id.String(), Name: "填报员"}
		rc := &tianbao.RegisterChange{Base: version, Day: o.now, At: o.now}
		for _, p := range part {
			if p.account {
				clerk.Grants = append(clerk.Grants, tianbao.Grant{ID: p.id + 2_000_000, Role: tianbao.RoleFiller, Unit: p.id})
			}
			if p.phone {
				rc.Changes = append(rc.Changes, tianbao.UnitChange{
					Act: tianbao.UnitEdit, Unit: units[p.id], Contact: &tianbao.Contact{Name: "张示例", Phone: fmt.Sprintf("160%08d", p.id)},
					Fields: []tianbao.FieldChange{{Field: "contact_phone"}},
				})
			}
			if p.mail {
				o.ok(o.store.PutUnitMail(o.ctx(), p.id, remind.Mailbox{Address: "unit" + p.id.String() + "@example.gov.cn"}, 8, o.now))
			}
		}
		o.ok(o.store.CreateUser(o.ctx(), clerk, "hash", false))
		o.ok(o.store.ChangeRegister(o.ctx(), rc))
		_, version, err = o.store.Register(o.ctx(), everything(), false)
		o.ok(err)
	}
}
