package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/compare"
	"tianbao/internal/ident"
	"tianbao/internal/report"
	"tianbao/internal/storetest"
)

// What is planted in the matrix's world: a person of each unit with an id and a phone of
// their own, one person who is reported by two units that do not see each other, and an old
// list of the province that names everybody. Whatever a route answers, who does not see a
// unit finds nothing of it.

// shared is the person whom units 150 and 190 both report.
const shared = 999

// plant is the person of a unit, as cells of a form.
func plant(f *tianbao.Form, unit tianbao.ID) []tianbao.CellEdit {
	id, phone := storetest.Person(int(unit))
	return cells(f, map[string]string{
		compare.KeyName: "记号" + unit.String() + "人员", compare.KeyPerson: id, compare.KeyPhone: phone,
		compare.KeyUser: "u" + unit.String(), compare.KeyUnitName: "记号" + unit.String() + "单位", compare.KeyBudget: "9" + unit.String(),
	})
}

func cells(f *tianbao.Form, values map[string]string) (out []tianbao.CellEdit) {
	for i := range f.Fields {
		if v := values[f.Fields[i].Key]; v != "" {
			out = append(out, tianbao.CellEdit{Field: i, Value: v})
		}
	}
	return out
}

// plantBeside makes what stands beside the reports, and compares.
func (m *matrix) plantBeside() {
	m.t.Helper()
	ctx := m.t.Context()
	id, phone := storetest.Person(shared)
	for i := range m.spots {
		s := &m.spots[i]
		if s.ID != 150 && s.ID != 190 {
			continue
		}
		both := cells(m.in.forms.Latest("asset-role"), map[string]string{compare.KeyUnitName: s.Name, compare.KeyName: "兼职人员", compare.KeyPerson: id, compare.KeyPhone: phone})
		_, err := m.in.reports.Save(ctx, report.Actor{Name: "甲", Scope: tianbao.Scope{Paths: []string{s.Path}}}, &tianbao.ChangeSet{
			Report: s.reports[0], Key: "shared", Base: 1, Source: tianbao.SourceAPI,
			Changes: []tianbao.Change{{Op: tianbao.OpInsert, Temp: "t", After: tianbao.AtEnd, Cells: both}},
		})
		m.must(err)
	}
	top := m.spots[0].Unit
	f := m.in.compare.Form
	imp := &tianbao.Import{}
	for i := range m.spots {
		values := make(tianbao.Values, len(f.Fields))
		for _, c := range plant(f, m.spots[i].ID) {
			values[c.Field] = c.Value
		}
		imp.Rows = append(imp.Rows, tianbao.ImportedRow{SheetRow: i + 2, Row: tianbao.Row{Values: values}})
	}
	a := compare.Actor{Scope: tianbao.Scope{Paths: []string{top.Path}}}
	_, err := m.in.compare.Import(ctx, a, &top, imp, "记号110名单.xlsx", "d", nil)
	m.must(err)
	c, err := m.in.compare.Run(ctx, a, top.ID, 7001)
	m.must(err)
	m.comparison = c.ID
}

// secrets are the values of a unit's person that nobody else may find in an answer: whole,
// and as masks leave them.
func secrets(unit tianbao.ID) []string {
	id, phone := storetest.Person(int(unit))
	return []string{id, phone, ident.MaskID(id), ident.MaskPhone(phone)}
}

// planted fails when an answer holds an id or a phone of a unit outside what somebody sees.
func (m *matrix) planted(where string, p *person, body []byte) {
	for i := range m.spots {
		s := &m.spots[i]
		if p.office == "" && p.covers(tianbao.PowerSee, s.Path) {
			continue
		}
		for n, secret := range secrets(s.ID) {
			if bytes.Contains(body, []byte(secret)) {
				m.fail("%s: holds number %d of unit %d", where, n, s.ID)
			}
		}
	}
}

// elsewhereSaid asks the sheet of a unit whose person another unit reports too: it is told
// so, and not by whom, unless the other unit is below.
func (m *matrix) elsewhereSaid(post func(p *person, path, body string) (int, []byte)) {
	for _, p := range m.people {
		for i := range m.spots {
			s := &m.spots[i]
			if s.ID != 150 || !p.covers(tianbao.PowerFill, s.Path) || p.office != "" {
				continue
			}
			code, body := post(p, "/reports/"+s.reports[0].String()+"/check", `{"key":"k","base":2,"changes":[]}`)
			var out struct {
				Problems []struct{ Code, Message string }
			}
			if err := json.Unmarshal(body, &out); err != nil || code != http.StatusOK {
				m.fail("check as %s: %d %s", p.name, code, body)
				continue
			}
			said := fmt.Sprint(out)
			if !strings.Contains(said, "person.elsewhere") || !strings.Contains(said, "其他单位已填报，请联系上级") {
				m.fail("check as %s does not tell of the other unit: %s", p.name, said)
			}
			m.seen("check as "+p.name, p, body)
			m.planted("check as "+p.name, p, body)
		}
	}
}
