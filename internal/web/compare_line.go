package web

import (
	"net/http"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/compare"
)

// elsewhereText stands for what lies in a unit that the viewer does not see.
const elsewhereText = "其他单位已填报，请联系上级"

// wireComparedLine is what was found of a line.
type wireComparedLine struct {
	ID       tianbao.ID         `json:"id"`
	Side     string             `json:"side"` // old, new
	List     string             `json:"list"` // matched, missing, extra, doubt
	ListName string             `json:"list_name"`
	Unit     string             `json:"unit"`
	Line     int                `json:"line,omitempty"` // of the old list's workbook
	Evidence string             `json:"evidence,omitempty"`
	Why      string             `json:"why,omitempty"`
	Others   int                `json:"others,omitempty"`  // of a doubt, how many other lines it is about
	Partner  string             `json:"partner,omitempty"` // unit of the other line, or that it lies elsewhere
	Hidden   bool               `json:"hidden,omitempty"`  // the other line lies elsewhere
	Cells    []wireComparedCell `json:"cells"`
	Decision *wireLineDecision  `json:"decision,omitempty"`
}

// wireComparedCell is a cell of both lines, masked.
type wireComparedCell struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Old   string `json:"old"`
	New   string `json:"new"`
	State string `json:"state,omitempty"` // same, like, differ
}

type wireLineDecision struct {
	ID     tianbao.ID `json:"id"`
	Kind   string     `json:"kind"`
	Name   string     `json:"name"`
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	At     string     `json:"at"`
	when   time.Time
}

// When is the time of the decision, for pages.
func (d *wireLineDecision) When() time.Time { return d.when }

// Cell returns a cell by its key, for pages.
func (l *wireComparedLine) Cell(key string) wireComparedCell {
	for _, c := range l.Cells {
		if c.Key == key {
			return c
		}
	}
	return wireComparedCell{}
}

// Differing lists the titles of the cells that differ.
func (l *wireComparedLine) Differing() []string {
	var out []string
	for _, c := range l.Cells {
		if c.State == "differ" || c.State == "like" {
			out = append(out, c.Title)
		}
	}
	return out
}

// Mark is the look of the line's list.
func (l *wireComparedLine) Mark() string {
	switch l.List {
	case "matched":
		return "badge-reported"
	case "doubt":
		return "badge-fault"
	}
	return "badge-draft"
}

// comparedKeys are the cells that are shown, with their titles.
func comparedKeys() [7][2]string {
	return [...][2]string{
		{compare.KeyUser, "用户名"},
		{compare.KeyName, "姓名"},
		{compare.KeyPerson, "身份证号码"},
		{compare.KeyPhone, "联系电话"},
		{compare.KeyUnitName, "单位名称"},
		{compare.KeyOrg, "组织机构代码"},
		{compare.KeyBudget, "单位编码"},
	}
}

func (s *Server) toComparedLine(x *compare.Shown) (wireComparedLine, error) {
	return s.comparedLine(x, false)
}

// comparedLine writes a finding, its cells masked or whole.
func (s *Server) comparedLine(x *compare.Shown, whole bool) (wireComparedLine, error) {
	out := wireComparedLine{ID: x.ID, Side: "old", ListName: x.List.Title(), Unit: x.UnitName, Evidence: x.Rung.Title(), Why: x.Why.Title(), Others: x.Others}
	for name, l := range listNames() {
		if l == x.List {
			out.List = name
		}
	}
	old, fresh := x.Mine, x.Other
	if x.Side == compare.New {
		out.Side = "new"
		old, fresh = x.Other, x.Mine
	}
	if old != nil {
		out.Line = old.Line
	}
	if x.Partner != 0 {
		if out.Partner = x.PartnerUnit; x.Other == nil {
			out.Partner, out.Hidden, out.Others = elsewhereText, true, 0
		}
	}
	var err error
	for _, k := range comparedKeys() {
		c := wireComparedCell{Key: k[0], Title: k[1]}
		if c.Old, err = s.shownCell(old, k[0], whole); err != nil {
			return out, err
		}
		if c.New, err = s.shownCell(fresh, k[0], whole); err != nil {
			return out, err
		}
		if cell := compare.CellOf(k[0]); !out.Hidden && cell != 0 {
			switch {
			case x.Differ.Has(cell):
				c.State = "differ"
			case x.Like.Has(cell):
				c.State = "like"
			case x.Agree.Has(cell):
				c.State = "same"
			}
		}
		out.Cells = append(out.Cells, c)
	}
	if d := x.Verdict; d != nil {
		out.Decision = &wireLineDecision{ID: d.ID, Kind: string(d.Kind), Name: d.Kind.Title(), Reason: d.Reason, By: d.ByName, At: stamp(d.At), when: d.At}
	}
	return out, nil
}

// shownCell is a cell of a line by its key, empty where there is none.
func (s *Server) shownCell(x *compare.Cellular, key string, whole bool) (string, error) {
	if x == nil {
		return "", nil
	}
	rules, err := s.Reports.Rules(x.Form, x.FormV)
	if err != nil {
		return "", err
	}
	i := rules.Form().Index(key)
	if i < 0 || i >= len(x.Values) {
		return "", nil
	}
	if whole {
		return x.Values[i], nil
	}
	mask, err := s.Mask(x.Form, x.FormV)
	if err != nil {
		return "", err
	}
	return mask.Mask(i, x.Values[i]), nil
}

// compared is the comparison of the path, if its list concerns the viewer.
func (s *Server) compared(r *http.Request, v *viewer) (compare.Comparison, error) {
	id, err := pathID(r, "comparison")
	if err != nil {
		return compare.Comparison{}, err
	}
	c, err := s.Compared.Comparison(r.Context(), id)
	if err != nil {
		return c, err
	}
	lists, err := s.newestLists(r.Context(), v.keeps())
	if err != nil {
		return c, err
	}
	for i := range lists {
		if lists[i].Owner == c.Owner {
			return c, nil
		}
	}
	return compare.Comparison{}, tianbao.NotFound()
}

// comparedPlace is the comparison and line of the path.
func (s *Server) comparedPlace(r *http.Request, v *viewer) (compare.Comparison, compare.Shown, error) {
	c, err := s.compared(r, v)
	if err != nil {
		return c, compare.Shown{}, err
	}
	line, err := pathID(r, "line")
	if err != nil {
		return c, compare.Shown{}, err
	}
	x, err := s.Compared.ShownItem(r.Context(), v.keeps(), &c, line)
	return c, x, err
}

// linePage is the data of compareline.html.
type linePage struct {
	CSRF, Message, Reason string
	Back                  string
	Comparison            tianbao.ID
	Kinds                 []compare.Kind
	wireComparedLine
}

func (s *Server) linePage(r *http.Request, v *viewer) (*linePage, error) {
	c, x, err := s.comparedPlace(r, v)
	if err != nil {
		return nil, err
	}
	p := &linePage{CSRF: v.signed.CSRF, Comparison: c.ID, Back: "/compare?campaign=" + c.Campaign.String() + "&of=" + c.Owner.String()}
	if p.wireComparedLine, err = s.toComparedLine(&x); err != nil {
		return nil, err
	}
	if x.Partner != 0 && x.Other != nil {
		p.Kinds = append(p.Kinds, compare.KindSame, compare.KindApart)
	}
	p.Kinds = append(p.Kinds, compare.KindIgnore, compare.KindCorrect)
	return p, s.Auth.Record(r.Context(), tianbao.Event{Actor: v.user().ID, From: address(r), What: "compare.read", Object: c.ID.String(), Detail: "line=" + x.ID.String() + ", masked"})
}

func (s *Server) compareLine(w http.ResponseWriter, r *http.Request, v *viewer) error {
	p, err := s.linePage(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, p.wireComparedLine, "compareline.html", "比对结果", p)
}

// wireDecideLine says something of a line.
type wireDecideLine struct {
	Kind   compare.Kind `json:"kind"`
	Reason string       `json:"reason"`
}

// decideLine keeps a decision about the line of the path.
func (s *Server) decideLine(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDecideLine
	if err := read(r, &in); err != nil {
		return err
	}
	c, x, err := s.comparedPlace(r, v)
	if err != nil {
		return err
	}
	err = s.Compare.Decide(r.Context(), s.comparer(r, v), &c, compare.Line{Side: x.Side, ID: x.ID}, in.Kind, in.Reason)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		p, perr := s.linePage(r, v)
		if perr != nil {
			return perr
		}
		p.Message, p.Reason = asError(err).Message, clip(strings.TrimSpace(in.Reason), maxPurpose)
		s.page(w, r, v, http.StatusBadRequest, "compareline.html", "比对结果", p)
		return nil
	}
	return s.done(w, r, wireDone{true}, "/comparisons/"+c.ID.String()+"/lines/"+x.ID.String())
}

// undoDecision takes a decision back.
func (s *Server) undoDecision(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	c, err := s.compared(r, v)
	if err != nil {
		return err
	}
	id, err := pathID(r, "decision")
	if err != nil {
		return err
	}
	if err := s.Compare.Undo(r.Context(), s.comparer(r, v), &c, id); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/compare?campaign="+c.Campaign.String()+"&of="+c.Owner.String())
}
