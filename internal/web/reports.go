package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
	"tianbao/internal/report"
)

// pageSize is how many reports one page of 报表管理 lists.
const pageSize = 50

// folder is one folder of 报表管理 with its campaigns.
type folder struct {
	Name      string
	Campaigns []tianbao.Campaign
}

// reportsPage is the data of reports.html.
type reportsPage struct {
	Folders  []folder
	Current  tianbao.Campaign // zero: none chosen
	Form     string
	Query    string
	Reports  []wireReport
	From, To int
	Prev     string
	Next     string
	CSRF     string
	// Own is the id of the viewer's only unit; the folder tree then opens its
	// sheet at once, as the manual shows it. 0 when the viewer has several.
	Own tianbao.ID
}

// reports is 报表管理: the folder tree, and the reports of the chosen campaign.
func (s *Server) reports(w http.ResponseWriter, r *http.Request, v *viewer) error {
	scope := v.actor().Scope
	campaigns, err := s.Catalog.Campaigns(r.Context())
	if err != nil {
		return err
	}
	p := reportsPage{CSRF: v.signed.CSRF}
	for _, c := range campaigns {
		rules, err := s.Reports.Rules(c.Form, c.FormV)
		if err != nil {
			return err
		}
		p.add(rules.Form().Folder, c)
	}
	units, err := s.Catalog.Units(r.Context(), scope, "", 2)
	if err != nil {
		return err
	}
	if len(units) == 1 {
		p.Own = units[0].ID
	}
	out := wireReports{Reports: []wireReport{}}
	if id, err := tianbao.ParseID(r.URL.Query().Get("campaign")); err == nil {
		if p.Current, err = s.Catalog.Campaign(r.Context(), id); err != nil {
			return err
		}
		p.Query = clip(strings.TrimSpace(r.URL.Query().Get("q")), 100)
		offset := atoi(r.URL.Query().Get("offset"), 0)
		list, err := s.Catalog.Reports(r.Context(), scope, id, p.Query, offset, pageSize+1)
		if err != nil {
			return err
		}
		if len(list) > pageSize {
			list, out.Next = list[:pageSize], offset+pageSize
			p.Next = p.link(out.Next)
		}
		if offset > 0 {
			p.Prev = p.link(max(0, offset-pageSize))
		}
		for _, rep := range list {
			out.Reports = append(out.Reports, toReport(rep))
		}
		p.From, p.To = offset+1, offset+len(list)
		out.Campaign, p.Reports = toCampaign(p.Current), out.Reports
	}
	return s.answer(w, r, v, out, "reports.html", "报表管理", &p)
}

func (p *reportsPage) add(name string, c tianbao.Campaign) {
	for i := range p.Folders {
		if p.Folders[i].Name == name {
			p.Folders[i].Campaigns = append(p.Folders[i].Campaigns, c)
			return
		}
	}
	p.Folders = append(p.Folders, folder{name, []tianbao.Campaign{c}})
}

func (p *reportsPage) link(offset int) string {
	return "/reports?campaign=" + p.Current.ID.String() + "&q=" + queryEscape(p.Query) + "&offset=" + strconv.Itoa(offset)
}

// openReport opens a unit's report, made at the first time.
func (s *Server) openReport(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	var in wireOpen
	if err := read(r, &in); err != nil {
		return err
	}
	if _, err := s.Catalog.Campaign(r.Context(), id); err != nil {
		return err
	}
	rep, err := s.Catalog.OpenReport(r.Context(), v.actor().Scope, id, in.Unit)
	if err != nil {
		return err
	}
	return s.done(w, r, toReport(rep), "/reports/"+rep.ID.String())
}

// sheetPage is the data of sheet.html, the form page.
type sheetPage struct {
	Report wireReport
	Form   *tianbao.Form
	Folder string
	Closes time.Time
	Modes  []struct {
		Mode report.Mode
		Name string
		Help string
	}
	MaxFile   int64
	MinReason int
	Rules     string // digest of the rules, see ruleBook
	Returned  string // what the reviewer said who returned the report's unit
	Asks      bool   // the unit is asked about its people of another round
	Asked     int    // answers that are missing, see living_confirm.go
	Filled    int    // rows of these units that others filled in, see filled.go
	// Door is how it stands with the unit's door, Ask whom to ask where it is not open.
	Door campaign.Door
	Ask  campaign.Whom
	// CSRF and Key serve the way without a script.
	CSRF, Key string
}

// report is the form page, and the sheet as data.
func (s *Server) report(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if !wantsJSON(r) {
		rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
		if err != nil {
			return err
		}
		c, err := s.Catalog.Campaign(r.Context(), v.report.Campaign)
		if err != nil {
			return err
		}
		f := rules.Form()
		d, err := s.describe(f.Name, f.Version)
		if err != nil {
			return err
		}
		filled, err := s.Reports.CountFilled(r.Context(), v.report)
		if err != nil {
			return err
		}
		st, err := s.Campaigns.State(r.Context(), v.actor().Scope, v.report.Campaign, v.report.Owner)
		if err != nil {
			return err
		}
		said, err := s.returned(r.Context(), v.report.Campaign, &st)
		if err != nil {
			return err
		}
		asked, asks, err := s.Living.Asked(r.Context(), &v.report)
		if err != nil {
			return err
		}
		ask, err := s.askAt(r.Context(), &st)
		if err != nil {
			return err
		}
		s.page(w, r, v, http.StatusOK, "sheet.html", f.Title, &sheetPage{
			Asks: asks, Asked: asked.Missing, Filled: filled, Returned: said, Door: st.Door, Ask: ask,
			Report: toReport(v.report), Form: f, Folder: f.Folder,
			Closes: deadline(&c, st.Door), Modes: report.Modes(), MaxFile: maxFile, MinReason: tianbao.MinReason, Rules: d.digest,
			CSRF: v.signed.CSRF, Key: requestID(),
		})
		return nil
	}
	sheet, err := s.sheetRows(r, v)
	if err != nil {
		return err
	}
	if err := s.recordRead(r, v, sheet.Report.Version, strconv.Itoa(len(sheet.Rows))+" rows"); err != nil {
		return err
	}
	filled, err := s.Reports.CountFilled(r.Context(), v.report)
	if err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireSheet{
		Filled: filled,
		Report: toReport(sheet.Report), Title: sheet.Form.Title, Form: sheet.Form.Name,
		FormV: sheet.Form.Version, Columns: toColumns(sheet.Form), Rows: toRows(sheet.Rows),
	})
}

// askAt returns whom a unit asks whose door is not open: the page tells before anything is
// typed.
func (s *Server) askAt(ctx context.Context, st *campaign.UnitState) (campaign.Whom, error) {
	if st.Door.Open() {
		return campaign.Whom{}, nil
	}
	return s.Campaigns.Ask(ctx, &st.Unit)
}

// deadline is until when the unit may report: as its door says, if it tells.
func deadline(c *tianbao.Campaign, d campaign.Door) time.Time {
	switch d.Why {
	case campaign.WhyOpen, campaign.WhyReopened, campaign.WhyClosed:
		return d.When
	}
	return c.Closes
}

// readChanges reads the change set that the request brings.
func (s *Server) readChanges(r *http.Request, v *viewer) (*tianbao.ChangeSet, error) {
	in, err := readWireChanges(r)
	if err != nil {
		return nil, err
	}
	return s.changeSet(r, v, &in)
}

// changeSet makes a change set for the report of the path.
func (s *Server) changeSet(r *http.Request, v *viewer, in *wireChanges) (*tianbao.ChangeSet, error) {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return nil, err
	}
	changes, err := toChanges(rules.Form(), in.Changes)
	if err != nil {
		return nil, err
	}
	set := &tianbao.ChangeSet{
		Report: v.report.ID, Key: in.Key, Base: in.Base, Source: tianbao.SourcePage,
		Note: clip(in.Note, 200), Imports: in.Imports, Changes: changes, Draft: clip(in.Draft, maxDraftName),
	}
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		set.Key = h
	}
	if len(in.Imports) > 0 {
		set.Source = tianbao.SourceImport
	}
	return set, nil
}

// check is 数据校验: it tells every problem and writes nothing.
func (s *Server) check(w http.ResponseWriter, r *http.Request, v *viewer) error {
	set, err := s.readChanges(r, v)
	if err != nil {
		return err
	}
	f, err := s.Reports.Faults(r.Context(), v.actor(), set)
	if err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireProblems{
		Problems: s.wireProblems(v.report.Form, v.report.FormV, f.Problems, f),
		Counts:   wireCounts{Rows: f.Rows, Error: f.Error, Justify: f.Justify, Hint: f.Hint},
		Left:     f.Left,
	})
}

// save is 提交.
func (s *Server) save(w http.ResponseWriter, r *http.Request, v *viewer) error {
	set, err := s.readChanges(r, v)
	if err != nil {
		return err
	}
	saved, err := s.Reports.SaveIn(r.Context(), v.actor(), &v.report, set)
	if err != nil {
		return err
	}
	out, err := s.toSaved(r.Context(), v, saved)
	if err != nil {
		return err
	}
	return s.done(w, r, out, receiptPath(v, out.Receipt.ID))
}

// receiptPath is where a browser without a script goes after a save.
func receiptPath(v *viewer, id tianbao.ID) string {
	return "/reports/" + v.report.ID.String() + "/receipts/" + id.String()
}

func (s *Server) toSaved(ctx context.Context, v *viewer, saved *report.Saved) (wireSaved, error) {
	rep := saved.Report
	if rep.ID == 0 {
		var err error
		if rep, err = s.Reports.Store.Report(ctx, v.actor().Scope, v.report.ID); err != nil {
			return wireSaved{}, err
		}
	}
	out := wireSaved{Report: toReport(rep), Receipt: toReceipt(saved.Receipt, rep.OwnerName, s.formTitle(v)), Inserted: saved.Inserted, Again: saved.Again}
	if out.Inserted == nil {
		out.Inserted = map[string]tianbao.ID{}
	}
	return out, nil
}

func (s *Server) formTitle(v *viewer) string {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return ""
	}
	return rules.Form().Title
}

// submit is 上报.
func (s *Server) submit(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireSubmit
	if err := read(r, &in); err != nil {
		return err
	}
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		in.Key = h
	}
	rec, err := s.Reports.Submit(r.Context(), v.actor(), v.report.ID, in.Key)
	if err != nil {
		return err
	}
	return s.done(w, r, toReceipt(rec, v.report.OwnerName, s.formTitle(v)), receiptPath(v, rec.ID))
}

// receiptPage is the data of receipt.html.
type receiptPage struct {
	Receipt tianbao.Receipt
	Owner   string
	Title   string
	Report  tianbao.ID
}

func (s *Server) receipt(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "receipt")
	if err != nil {
		return err
	}
	rec, err := s.Reports.Receipt(r.Context(), v.actor(), v.report.ID, id)
	if err != nil {
		return err
	}
	title := "提交回执"
	if rec.Kind == "report" {
		title = "上报回执"
	}
	return s.answer(w, r, v, toReceipt(rec, v.report.OwnerName, s.formTitle(v)), "receipt.html", title,
		&receiptPage{rec, v.report.OwnerName, s.formTitle(v), v.report.ID})
}

// receiptsPage is the data of receipts.html.
type receiptsPage struct {
	Receipts []tianbao.Receipt
	Report   tianbao.ID
	Owner    string
}

func (s *Server) receipts(w http.ResponseWriter, r *http.Request, v *viewer) error {
	list, err := s.Reports.Store.Receipts(r.Context(), v.actor().Scope, v.report.ID, 100)
	if err != nil {
		return err
	}
	out := wireReceipts{Receipts: []wireReceipt{}}
	for _, rec := range list {
		out.Receipts = append(out.Receipts, toReceipt(rec, v.report.OwnerName, s.formTitle(v)))
	}
	return s.answer(w, r, v, out, "receipts.html", "回执", &receiptsPage{list, v.report.ID, v.report.OwnerName})
}
