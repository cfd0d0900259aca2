package load

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
)

// Province says how large a made-up province is. What it holds follows from it alone.
type Province struct {
	Seed  uint64
	Units int // that fill in, below departments; 1 to 200 000
	// Accounts is how many departments have a clerk; their units are those that are reported
	// for. 0: all of them.
	Accounts int
	// Bureaus is how many cities' bureaus have an account and look at the progress page. 0:
	// all of them.
	Bureaus int
	// Rows are stored beforehand, PerUnit for each unit from the last one on.
	Rows, PerUnit int
	// Old is how many lines the old system's list of the province has.
	Old int
	// Password is that of all accounts.
	Password string
}

// Campaign is the collection of the province.
const Campaign tianbao.ID = 1001

const (
	rootUnit      tianbao.ID = 1_000_001 // ids of equal length, so that paths sort as the tree
	perDepartment int        = 100
)

// unitRegion is where bureaus stand.
type unitRegion struct{ code, name string }

// bureaus are the regions that have one: cities and counties that take part.
func bureaus() (cities, counties []unitRegion) {
	for _, r := range ident.Regions() {
		switch {
		case !r.InScope || r.Code == "" || r.Code == ident.Liaoning:
		case r.Parent == ident.Liaoning:
			cities = append(cities, unitRegion{r.Code, r.Name})
		default:
			counties = append(counties, unitRegion{r.Code, r.Name})
		}
	}
	return cities, counties
}

// departments returns how many there are.
func (p *Province) departments() int { return (p.Units + perDepartment - 1) / perDepartment }

// Clerks returns how many departments have an account.
func (p *Province) Clerks() int {
	if p.Accounts == 0 {
		return p.departments()
	}
	return min(p.Accounts, p.departments())
}

// Cities returns how many cities have an account of their bureau.
func (p *Province) Cities() int {
	cities, _ := bureaus()
	if p.Bureaus == 0 {
		return len(cities)
	}
	return min(p.Bureaus, len(cities))
}

// ClerkLogin is the name of a department's account.
func (p *Province) ClerkLogin(department int) string { return fmt.Sprintf("dept%05d", department) }

// CityLogin is the name of a city bureau's account.
func (p *Province) CityLogin(city int) string { return fmt.Sprintf("city%02d", city) }

// Reach is how many units have a clerk; they are those from 0 on.
func (p *Province) Reach() int { return min(p.Units, p.Clerks()*perDepartment) }

// Department is the department of a unit.
func (p *Province) Department(unit int) int { return unit / perDepartment }

// UnitID returns the id of a unit.
func (p *Province) UnitID(unit int) tianbao.ID {
	cities, counties := bureaus()
	return rootUnit + tianbao.ID(1+len(cities)+len(counties)+p.departments()+unit)
}

// tree makes all units of the register, parents first.
func (p *Province) tree() []tianbao.Unit {
	cities, counties := bureaus()
	out := make([]tianbao.Unit, 0, 1+len(cities)+len(counties)+p.departments()+p.Units)
	add := func(parent tianbao.ID, region, name, kind, typ, budget string) tianbao.ID {
		id := rootUnit + tianbao.ID(len(out))
		u := tianbao.Unit{ID: id, Parent: parent, Region: regionID(region), Name: name, BudgetCode: budget, Kind: kind, Type: typ}
		u.OrgCode = creditCode(typ, region, int(id-rootUnit))
		out = append(out, u)
		return id
	}
	root := add(0, ident.Liaoning, "辽宁省财政厅（压测）", "bureau", "主管部门", "105")
	byCity := make(map[string]tianbao.ID)
	var seats []tianbao.Unit
	for i, c := range cities {
		byCity[c.code[:4]] = add(root, c.code, c.name+"财政局", "bureau", "主管部门", fmt.Sprintf("5%02d", i))
		seats = append(seats, out[len(out)-1])
	}
	for i, c := range counties {
		parent := byCity[c.code[:4]]
		if parent == 0 {
			parent = root
		}
		add(parent, c.code, c.name+"财政局", "bureau", "主管部门", fmt.Sprintf("6%03d", i))
		seats = append(seats, out[len(out)-1])
	}
	var heads []tianbao.Unit
	kinds := []string{"教育局", "卫生健康局", "水利局", "自然资源局", "文化旅游局", "交通运输局", "农业农村局", "民政局"}
	for d := range p.departments() {
		seat := &seats[d%len(seats)]
		code := ident.Liaoning
		if c := seat.Region.String(); c != "" {
			code = c
		}
		add(seat.ID, code, fmt.Sprintf("%s第%d%s", seat.Name[:len(seat.Name)-len("财政局")], d/len(seats)+1, kinds[d%len(kinds)]), "department", "主管部门", fmt.Sprintf("%s%03d", seat.BudgetCode, d/len(seats)+1))
		heads = append(heads, out[len(out)-1])
	}
	tails := []string{"小学", "中学", "幼儿园", "医院", "图书馆", "管理所", "服务中心", "检测站"}
	for i := range p.Units {
		head := &heads[p.Department(i)]
		n := i%perDepartment + 1
		add(head.ID, head.Region.String(), fmt.Sprintf("%s示范%d%s", head.Name, n, tails[i%len(tails)]), "unit", "事业单位", fmt.Sprintf("%s%03d", head.BudgetCode, n))
	}
	return out
}

// regionID is the number of a GB/T 2260 code.
func regionID(code string) tianbao.ID {
	var id tianbao.ID
	for _, c := range code {
		id = id*10 + tianbao.ID(c-'0')
	}
	return id
}

// creditCode makes the code of the n-th unit.
func creditCode(typ, region string, n int) string {
	first := "11"
	if typ == "事业单位" {
		first = "12"
	}
	return ident.CompleteCredit(fmt.Sprintf("%s%sM%07d", first, region, n))
}

// Fields are the keys of a row's cells, in the order of [Row.Cells].
func Fields() [8]string {
	return [8]string{"budget_code", "unit_name", "org_code", "unit_type", "legacy_username", "person_name", "person_id", "phone"}
}

// Row is what somebody types into a sheet's row.
type Row struct{ Cells [8]string }

// People is how many persons there are before they repeat.
const People = 96 * 28 * 12 * 45

// Row makes a row of a unit for the n-th person.
func (p *Province) Row(u *tianbao.Unit, n int) Row {
	id, phone := Person(n)
	return Row{[8]string{u.BudgetCode, u.Name, u.OrgCode, u.Type, "", PersonName(p.Seed, n), id, phone}}
}

// Person returns the id and phone of the n-th invented person.
func Person(n int) (id, phone string) {
	n %= People
	day := n / 96
	b := padded([]byte("210102"), 4, 1955+day/336)
	b = padded(padded(b, 2, 1+day/28%12), 2, 1+day%28)
	s := string(padded(b, 3, 900+n%96))
	return s + string(ident.ResidentCheck(s)), string(padded([]byte("160"), 8, n))
}

// padded appends a number of a width. The generator makes ten persons for a submit, on the
// cores of the server it measures: fmt would take half of the time for that.
func padded(b []byte, width, n int) []byte {
	at := len(b)
	b = append(b, "00000000"[:width]...)
	for i := len(b) - 1; i >= at; i-- {
		b[i] += byte(n % 10)
		n /= 10
	}
	return b
}

// What persons are called by.
var (
	familyNames = strings.Split("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕", "")
	givenNames  = strings.Split("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲芬燕彬洁梅琳素云莲真环雪荣爱妹香月莺媛", "")
)

// PersonName returns the name of the n-th person; as in life, many are called alike.
func PersonName(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // invented persons
	name := familyNames[r.IntN(len(familyNames))] + givenNames[r.IntN(len(givenNames))]
	if r.IntN(3) > 0 {
		name += givenNames[r.IntN(len(givenNames))]
	}
	return name
}
