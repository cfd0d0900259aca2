package demo

import (
	"fmt"

	"tianbao"
	"tianbao/internal/ident"
)

const (
	rootID          tianbao.ID = 100
	cityCode                   = "210700"
	cityBureau                 = "锦州市财政局"
	firstDepartment            = "锦州市教育局"
	firstUnit                  = "锦州市第一示范小学"
)

// regionID is the number of a GB/T 2260 code.
func regionID(code string) tianbao.ID {
	var id tianbao.ID
	for _, c := range code {
		id = id*10 + tianbao.ID(c-'0')
	}
	return id
}

// branch is a department with the units below it.
type branch struct {
	name  string
	units []string
}

// cityBranches are the departments of the city, 36 units below them.
func cityBranches() []branch {
	return []branch{
		{firstDepartment, []string{firstUnit, "锦州市第二示范小学", "锦州市第三示范小学", "锦州市第一示范中学", "锦州市第二示范中学", "锦州市示范幼儿园", "锦州市教师进修示范学校", "锦州市招生考试示范中心"}},
		{"锦州市卫生健康委员会", []string{"锦州市示范医院", "锦州市示范中医院", "锦州市示范疾病预防控制中心", "锦州市示范急救中心", "锦州市示范血站", "锦州市示范妇幼保健院"}},
		{"锦州市水利局", []string{"锦州市示范水库管理处", "锦州市示范河道管理处", "锦州市示范水文站", "锦州市示范灌区管理所"}},
		{"锦州市自然资源局", []string{"锦州市示范不动产登记中心", "锦州市示范林业站", "锦州市示范测绘院", "锦州市示范地质监测站"}},
		{"锦州市文化旅游局", []string{"锦州市示范图书馆", "锦州市示范博物馆", "锦州市示范文化馆", "锦州市示范美术馆"}},
		{"锦州市市场监督管理局", []string{"锦州市示范检验检测中心", "锦州市示范计量所", "锦州市示范质量协会秘书处"}},
		{"锦州市交通运输局", []string{"锦州市示范公路事务中心", "锦州市示范港航中心", "锦州市示范运输服务中心", "锦州市示范公路养护段"}},
		{"锦州市民政局", []string{"锦州市示范福利院", "锦州市示范救助站", "锦州市示范殡葬管理所"}},
	}
}

// countyBranches are the departments of a county, 12 units below them.
func countyBranches(county string) []branch {
	return []branch{
		{county + "教育局", []string{county + "第一示范小学", county + "第二示范小学", county + "示范中学", county + "示范幼儿园", county + "示范职业学校"}},
		{county + "卫生健康局", []string{county + "示范医院", county + "示范中医院", county + "示范疾病预防控制中心", county + "示范卫生院"}},
		{county + "农业农村局", []string{county + "示范农技推广站", county + "示范畜牧站", county + "示范农机站"}},
	}
}

// units is the tree: the province's bureau, the city's, two counties', their
// departments, and 60 units.
func units() []tianbao.Unit {
	var t tree
	t.add(tianbao.Unit{ID: rootID, Region: regionID(ident.Liaoning), Path: "/100/", Name: "辽宁省财政厅", BudgetCode: "105", Type: "主管部门", Kind: "bureau"}, ident.Liaoning)
	city := t.below(t.all[0], cityBureau, cityCode, "bureau", "主管部门", "501")
	t.branches(city, cityCode, "501", cityBranches())
	for i, c := range []struct{ code, name string }{{"210726", "黑山县"}, {"210727", "义县"}} {
		budget := fmt.Sprintf("51%d", i+1)
		bureau := t.below(city, c.name+"财政局", c.code, "bureau", "主管部门", budget)
		t.branches(bureau, c.code, budget, countyBranches(c.name))
	}
	return t.all
}

// tree gathers units and gives them ids, paths and codes.
type tree struct {
	all []tianbao.Unit
}

func (t *tree) branches(under tianbao.Unit, region, budget string, bs []branch) {
	for i, b := range bs {
		code := fmt.Sprintf("%s%03d", budget, i+1)
		d := t.below(under, b.name, region, "department", "主管部门", code)
		for j, name := range b.units {
			t.below(d, name, region, "unit", "事业单位", fmt.Sprintf("%s%03d", code, j+1))
		}
	}
}

func (t *tree) below(parent tianbao.Unit, name, region, kind, typ, budget string) tianbao.Unit {
	id := rootID + tianbao.ID(len(t.all)) // of equal length, so that paths sort as the tree
	return t.add(tianbao.Unit{
		ID: id, Parent: parent.ID, Region: regionID(region), Path: parent.Path + id.String() + "/",
		Name: name, BudgetCode: budget, Type: typ, Kind: kind,
	}, region)
}

func (t *tree) add(u tianbao.Unit, region string) tianbao.Unit {
	first := "11"
	if u.Type == "事业单位" {
		first = "12"
	}
	u.OrgCode = ident.CompleteCredit(fmt.Sprintf("%s%sMB%06d", first, region, 900000+int(u.ID)))
	t.all = append(t.all, u)
	return u
}
