package report

import (
	"context"
	"strings"

	"tianbao"
)

// known is what the register knows of the units that the rows of one report name: the
// rules ask it, and the merge whose a row is. Each unit is looked up once. An error of
// the store is kept, since rules give none, until after is called.
type known struct {
	form  *tianbao.Form
	owner tianbao.ID
	look  tianbao.UnitFinder
	units map[string]tianbao.UnitMatch
	err   error
}

// maxKnown is how many units are remembered at a time: a long file may name another one
// in every row.
const maxKnown = 10_000

// held returns the rules for rows of the report, which are held against the register
// within the reach of its owner, and what they ask. persons are the resident ids that will
// be asked for, nil where they are many or not known.
func (s *Service) held(ctx context.Context, rules Checker, rep *tianbao.Report, lookups int, persons []string) (Checker, *known, error) {
	look, err := s.Store.UnitFinder(ctx, tianbao.Scope{Paths: []string{rep.OwnerPath}}, lookups)
	if err != nil {
		return nil, nil, err
	}
	k := &known{form: rules.Form(), owner: rep.Owner, look: look, units: make(map[string]tianbao.UnitMatch)}
	if s.Held == nil {
		return rules, k, nil
	}
	beside, err := s.Store.Beside(ctx, rep)
	if err != nil {
		return nil, nil, err
	}
	if beside.Expect != nil && len(persons) > 0 {
		if err := beside.Expect(persons); err != nil {
			return nil, nil, err
		}
	}
	rules, err = s.Held(rep.Form, rep.FormV, k.find, beside, func(err error) {
		if k.err == nil {
			k.err = err
		}
	})
	return rules, k, err
}

// heldRows checks rows of a report.
func (s *Service) heldRows(ctx context.Context, rules Checker, rep *tianbao.Report, rows []tianbao.Row) ([]tianbao.Problem, error) {
	held, known, err := s.held(ctx, rules, rep, unitsIn(rules.Form(), rows), personsOf(rules.Form(), rows))
	if err != nil {
		return nil, err
	}
	problems := held.Rows(rows)
	return problems, known.err
}

// Imported returns the problems of what a workbook gave for a report.
func (s *Service) Imported(ctx context.Context, rep *tianbao.Report, imp *tianbao.Import) ([]tianbao.Problem, error) {
	rules, err := s.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	held, known, err := s.held(ctx, rules, rep, len(imp.Rows), nil)
	if err != nil {
		return nil, err
	}
	problems := held.Imported(imp)
	return problems, known.err
}

// find looks up what the values name.
func (k *known) find(keys map[string]string) tianbao.UnitMatch {
	var b strings.Builder
	for _, key := range k.form.UnitKeys {
		if f := k.form.Field(key); f != nil {
			b.WriteString(keys[f.RegisterKey()])
		}
		b.WriteByte(0)
	}
	name := b.String()
	if m, met := k.units[name]; met {
		return m
	}
	if k.err != nil {
		return tianbao.UnitMatch{}
	}
	m, err := k.look(keys)
	if err != nil {
		k.err = err
		return m
	}
	if len(k.units) == maxKnown {
		clear(k.units)
	}
	k.units[name] = m
	return m
}

// unit returns whose a row is: the unit's that it names, if that is the owner or below
// it, otherwise the owner's, who filled it in.
func (k *known) unit(v tianbao.Values) (tianbao.ID, error) {
	names := make(map[string]string, len(k.form.UnitKeys))
	for _, key := range k.form.UnitKeys {
		if i := k.form.Index(key); i >= 0 && v[i] != "" {
			names[k.form.Fields[i].RegisterKey()] = v[i]
		}
	}
	m := k.find(names)
	if id := m.ID(); id != 0 {
		return id, k.err
	}
	return k.owner, k.err
}

// after returns the error of what was done with the rules, or that of the register.
func (k *known) after(err error) error {
	if err == nil {
		err = k.err
	}
	return err
}

// unitsIn counts the units that rows name, up to some hundred.
func unitsIn(f *tianbao.Form, rows []tianbao.Row) int {
	const enough = 100
	met := make(map[string]bool)
	for i := range rows {
		if met[unitKey(f, rows[i].Values)] = true; len(met) == enough {
			break
		}
	}
	return len(met)
}

// mostExpected is up to how many resident ids are looked up together.
const mostExpected = 200

// personField returns the field with the resident id, -1 without one.
func personField(f *tianbao.Form) int {
	for i := range f.Fields {
		if f.Fields[i].Kind == tianbao.KindResidentID {
			return i
		}
	}
	return -1
}

// personsOf returns the resident ids of rows, nil of too many.
func personsOf(f *tianbao.Form, rows []tianbao.Row) (out []string) {
	at := personField(f)
	if at < 0 || len(rows) > mostExpected {
		return nil
	}
	for i := range rows {
		if v := rows[i].Values[at]; v != "" {
			out = append(out, v)
		}
	}
	return out
}

// personsIn returns the resident ids that changes bring and those of the rows that they
// touch, nil of too many.
func personsIn(f *tianbao.Form, changes []tianbao.Change, rows map[tianbao.ID]tianbao.Row) (out []string) {
	at := personField(f)
	if at < 0 || len(changes) > mostExpected {
		return nil
	}
	for i := range changes {
		if row, ok := rows[changes[i].Row]; ok && row.Values[at] != "" {
			out = append(out, row.Values[at])
		}
		for _, c := range changes[i].Cells {
			if c.Field == at && c.Value != "" {
				out = append(out, c.Value)
			}
		}
	}
	return out
}
