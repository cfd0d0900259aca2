package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/compare"
)

// listPlan is an old list on its way: the file, its columns, and what has become of it. The
// file is kept until a person has said what the columns are.
type listPlan struct {
	owner tianbao.Unit
	data  []byte
	help  ReadHelp
	head  SheetHead
	list  compare.OldList
}

type wireOldList struct {
	Owner     tianbao.ID `json:"owner"`
	OwnerName string     `json:"owner_name"`
	Version   int64      `json:"version"`
	At        string     `json:"at"`
	By        string     `json:"by"`
	File      string     `json:"file"`
	Rows      int        `json:"rows"`
	Fresh     int        `json:"fresh"`
	Gone      int        `json:"gone"`
	Strange   int        `json:"strange"`
	when      time.Time
}

// When is the time of the import, for pages.
func (l wireOldList) When() time.Time { return l.when }

type wireOldLists struct {
	Lists []wireOldList `json:"lists"`
}

// wireListFile is the upload of an old list.
type wireListFile struct {
	Sheet    string `json:"sheet,omitempty"`
	Password string `json:"password,omitempty"`
}

// wireListLoad is an old list on its way.
type wireListLoad struct {
	ID      string           `json:"id"`
	File    string           `json:"file"`
	State   string           `json:"state"` // reading, ready, applying, applied, failed
	Error   string           `json:"error,omitempty"`
	Code    string           `json:"code,omitempty"`
	Choices []string         `json:"choices,omitempty"`
	Sheet   string           `json:"sheet,omitempty"`
	Headers []string         `json:"headers,omitempty"`
	Columns *wireListColumns `json:"columns,omitempty"` // as they are known
	List    *wireOldList     `json:"list,omitempty"`    // when it is applied
}

// wireListColumns says which column is what: numbers of headers from 1, empty for none.
type wireListColumns struct {
	User   string `json:"legacy_username"`
	Name   string `json:"person_name"`
	Person string `json:"person_id"`
	Phone  string `json:"phone"`
	Unit   string `json:"unit_name"`
	Org    string `json:"org_code"`
	Budget string `json:"budget_code"`
}

// column is a column as the page asks for it.
type column struct {
	Key, Title, Hint string
	at               func(*wireListColumns) *string
}

func columns() []column {
	return []column{
		{compare.KeyUser, "用户名", "登录旧系统用的名称", func(c *wireListColumns) *string { return &c.User }},
		{compare.KeyName, "姓名", "", func(c *wireListColumns) *string { return &c.Name }},
		{compare.KeyPerson, "身份证号码", "", func(c *wireListColumns) *string { return &c.Person }},
		{compare.KeyPhone, "联系电话", "", func(c *wireListColumns) *string { return &c.Phone }},
		{compare.KeyUnitName, "单位名称", "", func(c *wireListColumns) *string { return &c.Unit }},
		{compare.KeyOrg, "组织机构代码", "或统一社会信用代码", func(c *wireListColumns) *string { return &c.Org }},
		{compare.KeyBudget, "单位编码", "", func(c *wireListColumns) *string { return &c.Budget }},
	}
}

// listsPage is the data of comparelists.html.
type listsPage struct {
	CSRF    string
	Owner   tianbao.Unit
	Load    *wireListLoad // nil: the versions are shown
	Wait    bool
	Asked   []askedColumn
	Message string
	Own     bool // the viewer's bureau has a list
	wireOldLists
}

// askedColumn is a column with the header that is chosen for it.
type askedColumn struct {
	column
	Chosen string
}

// Number counts headers from 1, for pages.
func (listsPage) Number(i int) string { return strconv.Itoa(i + 1) }

// toOldList tells of a list. Of one that lies above the scope no more is told than whose it
// is, of when, and which version.
func toOldList(l *compare.OldList, scope tianbao.Scope) wireOldList {
	if !scope.Covers(l.OwnerPath) {
		return wireOldList{Owner: l.Owner, OwnerName: l.OwnerName, Version: l.Version, At: stamp(l.At), when: l.At}
	}
	return wireOldList{l.Owner, l.OwnerName, l.Version, stamp(l.At), l.By, l.File, l.Rows, l.Fresh, l.Gone, l.Strange, l.At}
}

// listOwner is the bureau whose list the viewer imports: the top of what the viewer keeps.
func (s *Server) listOwner(r *http.Request, v *viewer) (tianbao.Unit, error) {
	scope := v.keeps()
	paths := slices.Sorted(slices.Values(scope.Paths))
	if len(paths) == 0 {
		return tianbao.Unit{}, tianbao.NotFound()
	}
	e, err := s.Catalog.Units(r.Context(), tianbao.Scope{Paths: paths[:1]}, "", 1)
	if err != nil || len(e) == 0 {
		return tianbao.Unit{}, orNotFound(err)
	}
	return e[0], nil
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return tianbao.NotFound()
}

// oldLists lists the versions of the lists that concern the viewer.
func (s *Server) oldLists(w http.ResponseWriter, r *http.Request, v *viewer) error {
	p, err := s.listsPage(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, p.wireOldLists, "comparelists.html", "旧系统用户名单", p)
}

func (s *Server) listsPage(r *http.Request, v *viewer) (*listsPage, error) {
	p := &listsPage{CSRF: v.signed.CSRF}
	p.Lists = []wireOldList{}
	var err error
	if p.Owner, err = s.listOwner(r, v); err != nil {
		return nil, err
	}
	lists, err := s.Compared.OldLists(r.Context(), v.keeps())
	if err != nil {
		return nil, err
	}
	for i := range lists {
		p.Lists = append(p.Lists, toOldList(&lists[i], v.keeps()))
		p.Own = p.Own || lists[i].Owner == p.Owner.ID
	}
	return p, nil
}

// loadOldList takes a list and tells its columns.
func (s *Server) loadOldList(w http.ResponseWriter, r *http.Request, v *viewer) error {
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	plan := &listPlan{data: data, help: ReadHelp{Password: r.PostFormValue("password"), Sheet: r.PostFormValue("sheet")}}
	if plan.owner, err = s.listOwner(r, v); err != nil {
		return err
	}
	if plan.help.Headers, err = s.Compared.OldHeaders(r.Context(), plan.owner.ID); err != nil {
		return err
	}
	l, err := s.lists.begin(v.user().ID, v.keeps().Paths, name, func(ctx context.Context) (*tianbao.Import, *listPlan, error) {
		var heads []SheetHead
		err := s.oneOfFew(ctx, func() (err error) {
			heads, err = s.Workbooks.Heads(ctx, data, name, compare.FormName, 1, plan.help)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		// The sheet of which the most columns are known is meant.
		known := func(h SheetHead) int {
			return len(h.Fields) - len(slices.DeleteFunc(slices.Clone(h.Fields), func(f string) bool { return f != "" }))
		}
		plan.head = slices.MaxFunc(heads, func(a, b SheetHead) int { return known(a) - known(b) })
		return nil, plan, nil
	})
	if err != nil {
		return err
	}
	return s.listAnswer(w, r, v, l, true)
}

func (s *Server) oldListLoad(w http.ResponseWriter, r *http.Request, v *viewer) error {
	l, err := s.lists.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	return s.listAnswer(w, r, v, l, false)
}

func (s *Server) listAnswer(w http.ResponseWriter, r *http.Request, v *viewer, l *load[listPlan], redirect bool) error {
	now, ready := s.lists.wait(r.Context(), l)
	if !wantsJSON(r) && redirect {
		http.Redirect(w, r, "/compare/lists/"+l.id, http.StatusSeeOther)
		return nil
	}
	p := &listsPage{CSRF: v.signed.CSRF, Wait: !ready}
	p.Lists = []wireOldList{}
	out := &wireListLoad{ID: l.id, File: l.file, State: "running"}
	p.Load = out
	if ready {
		out.State = now.state
		if now.err != nil {
			e := asError(now.err)
			out.Error, out.Code, out.Choices = e.Message, e.Code, e.Choices
		}
	} else if !wantsJSON(r) {
		w.Header().Set("Refresh", "2")
	}
	if ready && now.plan != nil {
		p.Owner = now.plan.owner
		p.fill(out, now.plan)
	}
	return s.answer(w, r, v, out, "comparelists.html", "导入旧系统用户名单", p)
}

// fill writes the columns of a list, or what has become of it.
func (p *listsPage) fill(out *wireListLoad, plan *listPlan) {
	out.Sheet, out.Headers, out.Columns = plan.head.Sheet, plan.head.Texts, &wireListColumns{}
	for _, c := range columns() {
		a := askedColumn{column: c}
		if i := slices.Index(plan.head.Fields, c.Key); i >= 0 {
			a.Chosen = strconv.Itoa(i + 1)
			*c.at(out.Columns) = a.Chosen
		}
		p.Asked = append(p.Asked, a)
	}
	if out.State == "applied" {
		plan.list.OwnerName, plan.list.OwnerPath = plan.owner.Name, plan.owner.Path
		list := toOldList(&plan.list, tianbao.Scope{Paths: []string{plan.owner.Path}})
		out.List = &list
	}
}

// headersOf turns what a person chose into what each header means.
func (in *wireListColumns) headersOf(h *SheetHead) (map[string]string, error) {
	out := make(map[string]string, len(h.Names))
	for _, name := range h.Names {
		out[name] = ""
	}
	named := 0
	for _, c := range columns() {
		text := *c.at(in)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(h.Names) {
			return nil, tianbao.Invalid("bad_column", "选择的列不在文件里，请重新选择。")
		}
		if out[h.Names[n-1]] != "" {
			return nil, tianbao.Invalid("column_twice", "同一列被选了两次，请检查每一项对应的列。")
		}
		out[h.Names[n-1]] = c.Key
		named++
	}
	if in.User == "" && in.Name == "" || named < 2 {
		return nil, tianbao.Invalid("columns", "至少要选出用户名或姓名，以及另外一列，才能比对。")
	}
	return out, nil
}

// applyOldList reads the list by its columns and stores it.
func (s *Server) applyOldList(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireListColumns
	if err := read(r, &in); err != nil {
		return err
	}
	l, err := s.lists.find(r.PathValue("load"), v.user().ID)
	if err != nil {
		return err
	}
	now, ready := s.lists.wait(r.Context(), l)
	if !ready || now.plan == nil || now.state != "ready" {
		return notReady()
	}
	a := s.comparer(r, v)
	if !slices.Equal(a.Scope.Paths, l.scope) {
		return tianbao.Invalid("scope_changed", "您的权限在预览之后有变化，请重新上传文件。")
	}
	headers, err := in.headersOf(&now.plan.head)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		p := &listsPage{CSRF: v.signed.CSRF, Owner: now.plan.owner, Message: asError(err).Message, Load: &wireListLoad{ID: l.id, File: l.file, State: "ready"}}
		p.fill(p.Load, now.plan)
		for i := range p.Asked {
			p.Asked[i].Chosen = *p.Asked[i].at(&in)
		}
		s.page(w, r, v, http.StatusBadRequest, "comparelists.html", "导入旧系统用户名单", p)
		return nil
	}
	err = s.lists.apply(l, func(ctx context.Context, plan *listPlan) error {
		help := plan.help
		help.Headers, help.Sheet = headers, plan.head.Sheet
		imp, err := s.readBook(ctx, compare.FormName, 1, plan.data, l.file, help)
		if err != nil {
			return err
		}
		plan.list, err = s.Compare.Import(ctx, a, &plan.owner, imp, l.file, s.Reports.Digest("legacy.file", plan.data), headers)
		if err == nil {
			plan.data = nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.listAnswer(w, r, v, l, true)
}

type wireDropList struct {
	Confirm bool `json:"confirm"` // that it cannot be taken back is understood
}

type wireDropped struct {
	Lines int64 `json:"lines"` // of all versions
}

// dropOldList deletes the list of the viewer's bureau.
func (s *Server) dropOldList(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDropList
	if err := read(r, &in); err != nil {
		return err
	}
	owner, err := s.listOwner(r, v)
	if err != nil {
		return err
	}
	var n int64
	if !in.Confirm {
		err = tianbao.Invalid("confirm", "删除以后不能恢复，请勾选确认后再删除。")
	} else {
		n, err = s.Compare.Drop(r.Context(), s.comparer(r, v), &owner)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		p, perr := s.listsPage(r, v)
		if perr != nil {
			return perr
		}
		p.Message = asError(err).Message
		s.page(w, r, v, statuses[tianbao.KindOf(err)], "comparelists.html", "旧系统用户名单", p)
		return nil
	}
	return s.done(w, r, wireDropped{n}, "/compare/lists")
}
