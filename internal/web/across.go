package web

import (
	"fmt"
	"net/http"

	"tianbao"
	"tianbao/internal/report"
)

// The city view: all rows of all reports of a campaign in the viewer's scope as one
// sheet, to be looked at. Ids and phones are masked; the report itself shows them.

// wireAcross is the head of the city view.
type wireAcross struct {
	Campaign wireCampaign `json:"campaign"`
	Title    string       `json:"title"`
	Columns  []wireColumn `json:"columns"`
	Rows     int          `json:"rows"`
	// Reports are in the order of the unit tree, those with rows only. Their rows stand
	// one behind the other.
	Reports []wireFiled `json:"reports"`
}

type wireFiled struct {
	ID      tianbao.ID `json:"id"`
	Owner   string     `json:"owner"` // name of the unit
	Version int64      `json:"version"`
	Rows    int        `json:"rows"`
}

// wireParts is a window of the city view.
type wireParts struct {
	Parts []wirePart `json:"parts"`
}

// wirePart is a stretch of rows of one report, all of one version.
type wirePart struct {
	wireFiled
	From int             `json:"from"` // where they begin in the report
	List []wireMaskedRow `json:"list"`
}

type wireMaskedRow struct {
	ID     string   `json:"id"`
	Values []string `json:"values"`           // ids and phones masked
	Faults int      `json:"faults,omitempty"` // errors that the row has by itself
}

func toFiled(r tianbao.Report) wireFiled {
	return wireFiled{ID: r.ID, Owner: r.OwnerName, Version: r.Version, Rows: r.Rows}
}

// acrossPage is the data of across.html.
type acrossPage struct {
	Campaign tianbao.Campaign
	Folder   string
	Unit     tianbao.Unit // zero: all that the viewer sees
	Reveal   bool         // the viewer may ask for full values
}

// across finds the campaign of the path, its form, and the part of the tree that is
// asked for: the viewer's, or with ?unit= what of it lies below that unit.
func (s *Server) across(r *http.Request, v *viewer) (c tianbao.Campaign, f *tianbao.Form, scope tianbao.Scope, unit tianbao.Unit, err error) {
	id, err := pathID(r, "campaign")
	if err != nil {
		return c, nil, scope, unit, err
	}
	if c, err = s.Catalog.Campaign(r.Context(), id); err != nil {
		return c, nil, scope, unit, err
	}
	rules, err := s.Reports.Rules(c.Form, c.FormV)
	if err != nil {
		return c, nil, scope, unit, err
	}
	scope = v.actor().Scope
	if text := r.URL.Query().Get("unit"); text != "" {
		below, err := tianbao.ParseID(text)
		if err != nil {
			return c, nil, scope, unit, tianbao.NotFound()
		}
		if unit, err = s.Catalog.Unit(r.Context(), scope, below); err != nil {
			return c, nil, scope, unit, err
		}
		scope = tianbao.Scope{Paths: []string{unit.Path}}
	}
	return c, rules.Form(), scope, unit, nil
}

// acrossSheet is the page of the city view, and its head as data.
func (s *Server) acrossSheet(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, f, scope, unit, err := s.across(r, v)
	if err != nil {
		return err
	}
	if !wantsJSON(r) {
		s.page(w, r, v, http.StatusOK, "across.html", f.Title, &acrossPage{c, f.Folder, unit, mayReveal(v)})
		return nil
	}
	list, err := s.Reports.Store.Filed(r.Context(), scope, c.ID)
	if err != nil {
		return err
	}
	out := wireAcross{Campaign: toCampaign(c), Title: f.Title, Columns: toColumns(f), Reports: make([]wireFiled, len(list))}
	for i := range list {
		out.Reports[i] = toFiled(list[i])
		out.Rows += list[i].Rows
	}
	return s.json(w, http.StatusOK, out)
}

// acrossRows answers a window of the city view: ?from=&count=, counted from the first
// row of the report ?report= or from the very first.
func (s *Server) acrossRows(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, f, scope, _, err := s.across(r, v)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	var start tianbao.ID
	if text := q.Get("report"); text != "" {
		if start, err = tianbao.ParseID(text); err != nil {
			return tianbao.NotFound()
		}
	}
	from, count := atoi(q.Get("from"), 0), min(atoi(q.Get("count"), headRows), maxWindow)
	parts, err := s.Reports.Store.Across(r.Context(), scope, c.ID, start, from, count)
	if err != nil {
		return err
	}
	out := wireParts{Parts: make([]wirePart, len(parts))}
	rows := 0
	for i := range parts {
		if out.Parts[i], err = s.toPart(f, &parts[i]); err != nil {
			return err
		}
		rows += len(parts[i].Rows)
	}
	e := v.event(r, "campaign.read", fmt.Sprintf("%d rows of %d reports, masked", rows, len(parts)))
	e.Object = c.ID.String()
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	return s.json(w, http.StatusOK, out)
}

// toPart masks the rows and brings them into the columns of the campaign's form: a
// report keeps the version of the form that it was opened with.
func (s *Server) toPart(f *tianbao.Form, p *report.Part) (wirePart, error) {
	out := wirePart{wireFiled: toFiled(p.Report), From: p.From, List: make([]wireMaskedRow, len(p.Rows))}
	rules, err := s.Reports.Rules(p.Report.Form, p.Report.FormV)
	if err != nil {
		return out, err
	}
	mask, err := s.Mask(p.Report.Form, p.Report.FormV)
	if err != nil {
		return out, err
	}
	own := rules.Form()
	at := make([]int, len(f.Fields))
	for i := range f.Fields {
		at[i] = own.Index(f.Fields[i].Key)
	}
	for i := range p.Rows {
		row := wireMaskedRow{ID: p.Rows[i].ID.String(), Values: make([]string, len(at)), Faults: p.Faults[i]}
		for k, n := range at {
			if n >= 0 {
				row.Values[k] = mask.Mask(n, p.Rows[i].Values[n])
			}
		}
		out.List[i] = row
	}
	return out, nil
}
