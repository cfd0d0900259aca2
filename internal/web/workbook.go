package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/report"
)

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// template is the blank workbook of a campaign's form.
func (s *Server) template(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, err := s.Catalog.Campaign(r.Context(), id)
	if err != nil {
		return err
	}
	rules, err := s.Reports.Rules(c.Form, c.FormV)
	if err != nil {
		return err
	}
	return s.sendWorkbook(w, r, v, rules.Form(), nil, 0, "")
}

func (s *Server) sendWorkbook(w http.ResponseWriter, r *http.Request, v *viewer, f *tianbao.Form, rows []tianbao.Row, version int64, reason string) error {
	mark, err := s.markExport(r, v, reason, len(rows))
	if err != nil {
		return err
	}
	name := f.Title
	if v.report.OwnerName != "" {
		name += "-" + v.report.OwnerName
	}
	name += "-" + s.Now().In(clock.Shanghai).Format("20060102-1504") + ".xlsx"
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(name))
	// The rows are in memory already, so what can fail now is the connection; the
	// workbook streams and a broken one is a broken zip that no program opens.
	if v.report.ID == 0 {
		err = s.Workbooks.Write(w, f, slices.Values(rows), s.Now(), 0, 0)
	} else {
		err = s.Workbooks.Export(w, f, slices.Values(rows), s.Now(), v.report.ID, version, mark)
	}
	if err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

// importFile is 导入EXCEL: a preview, or with action save or submit the whole way
// through the same door at once, for programs.
func (s *Server) importFile(w http.ResponseWriter, r *http.Request, v *viewer) error {
	name, data, err := upload(r)
	if err != nil {
		return err
	}
	set := &tianbao.ChangeSet{Report: v.report.ID, Base: v.report.Version}
	if text := r.PostFormValue("screen"); text != "" {
		var in wireChanges
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return badBody(err)
		}
		if set, err = s.changeSet(r, v, &in); err != nil {
			return err
		}
	}
	mode := report.Mode(r.PostFormValue("mode"))
	if mode == "" {
		mode = report.ModeMerge
	}
	action := r.PostFormValue("action")
	if action == "save" || action == "submit" {
		return s.importNow(w, r, v, set, mode, name, data, action == "submit")
	}
	imp, err := s.readBook(r.Context(), v.report.Form, v.report.FormV, data, name, ReadHelp{Password: r.PostFormValue("password"), Sheet: r.PostFormValue("sheet")})
	if err != nil {
		return err
	}
	if action == "annotate" {
		return s.annotate(w, r, v, imp, name)
	}
	if action != "" && action != "preview" {
		return tianbao.Invalid("bad_action", "导入的动作只能是 preview、annotate、save 或 submit。")
	}
	plan, err := s.Reports.Import(r.Context(), v.actor(), set, imp, mode, name, data)
	if err != nil {
		return err
	}
	out, err := s.toPlan(v, plan, name)
	if err != nil {
		return err
	}
	if !wantsJSON(r) {
		return s.planPage(w, r, v, set, &out)
	}
	return s.json(w, http.StatusOK, out)
}

// readBook reads a workbook, few at once: each takes memory for its file and rows.
func (s *Server) readBook(ctx context.Context, form string, version int, data []byte, name string, help ReadHelp) (imp *tianbao.Import, err error) {
	if err := s.hold(ctx, int64(len(data))*perFileByte); err != nil {
		return nil, err
	}
	err = s.oneOfFew(ctx, func() error {
		imp, err = s.Workbooks.Read(ctx, data, name, form, version, help)
		return err
	})
	return imp, err
}

// oneOfFew reads when few others do.
func (s *Server) oneOfFew(ctx context.Context, read func() error) error {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return read()
}

// limitedBook is a workbook that is read when few others are.
type limitedBook struct {
	s *Server
	report.Book
}

// Scan implements report.Book.
func (b limitedBook) Scan(ctx context.Context, fn func(*tianbao.Import, *tianbao.ImportedRow) error) (imp *tianbao.Import, err error) {
	err = b.s.oneOfFew(ctx, func() error {
		imp, err = b.Book.Scan(ctx, fn)
		return err
	})
	return imp, err
}

// Read implements report.Book.
func (b limitedBook) Read(ctx context.Context) (imp *tianbao.Import, err error) {
	err = b.s.oneOfFew(ctx, func() error {
		imp, err = b.Book.Read(ctx)
		return err
	})
	return imp, err
}

// annotate sends the file back with its faults marked in the cells, for the sender to
// correct; it keeps and changes nothing.
func (s *Server) annotate(w http.ResponseWriter, r *http.Request, v *viewer, imp *tianbao.Import, name string) error {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return err
	}
	problems, err := s.Reports.Imported(r.Context(), &v.report, imp)
	if err != nil {
		return err
	}
	return s.sendAnnotated(w, r, v.event(r, "annotate", ""), rules.Form(), imp, problems, name)
}

// sendAnnotated records under the event that a workbook goes back with its faults in
// their cells, and sends it.
func (s *Server) sendAnnotated(w http.ResponseWriter, r *http.Request, e tianbao.Event, form *tianbao.Form, imp *tianbao.Import, problems []tianbao.Problem, name string) error {
	e.Detail = strconv.Itoa(len(imp.Rows)) + " rows"
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(strings.TrimSuffix(name, path.Ext(name))+"-批注.xlsx"))
	if err := s.Workbooks.Annotate(w, form, imp, problems, s.Now()); err != nil {
		return s.brokeOff(r, err)
	}
	return nil
}

// brokeOff ends a download that cannot be ended well.
func (s *Server) brokeOff(r *http.Request, err error) error {
	if r.Context().Err() == nil && !errors.Is(err, http.ErrHandlerTimeout) {
		s.Log.Warn("a workbook broke off", "route", r.Pattern, "err", err)
	}
	panic(http.ErrAbortHandler)
}

// importNow imports and saves, and with submit also reports upward, without a
// preview; with background=yes as a job that goes on when the client has gone.
func (s *Server) importNow(w http.ResponseWriter, r *http.Request, v *viewer, set *tianbao.ChangeSet, mode report.Mode, name string, data []byte, submit bool) error {
	if len(set.Changes) > 0 {
		return tianbao.Invalid("screen_with_action", "带有未提交的改动时只能预览导入，请先提交改动。")
	}
	set.Source, set.Note, set.Key = tianbao.SourceImport, name, r.PostFormValue("key")
	if h := r.Header.Get("Idempotency-Key"); h != "" {
		set.Key = h
	}
	help := ReadHelp{Password: r.PostFormValue("password"), Sheet: r.PostFormValue("sheet")}
	confirm := r.PostFormValue("confirm") == "yes"
	work := func(ctx context.Context, progress report.Progress) (*wirePlan, error) {
		return s.importWork(ctx, v, set, mode, name, data, help, confirm, submit, progress)
	}
	if r.PostFormValue("background") == "yes" {
		j, err := s.jobs.start(v.user().ID, v.report.ID, work)
		if err != nil {
			return err
		}
		return s.json(w, http.StatusAccepted, j.wire())
	}
	out, err := work(r.Context(), func(string, int, int) {})
	if err != nil {
		return err
	}
	return s.done(w, r, out, receiptPath(v, out.Saved.Receipt.ID))
}

// importWork is the whole way of a workbook: read, merge, check, save, report.
func (s *Server) importWork(ctx context.Context, v *viewer, set *tianbao.ChangeSet, mode report.Mode, name string, data []byte, help ReadHelp, confirm, submit bool, progress report.Progress) (*wirePlan, error) {
	progress("读取", 0, 0)
	book, err := s.Workbooks.Book(data, name, v.report.Form, v.report.FormV, help)
	if err != nil {
		return nil, err
	}
	plan, saved, err := s.Reports.ApplyBook(ctx, v.actor(), set, limitedBook{s, book}, mode, name, data, confirm, progress)
	if err != nil {
		return nil, err
	}
	out := wirePlan{Mode: string(mode), File: name, Changes: []wireChange{}, Items: []wireItem{}, Problems: []wireProblem{}}
	if plan != nil {
		plan.Changes = nil // they are made already
		if out, err = s.toPlan(v, plan, name); err != nil {
			return nil, err
		}
	}
	ws, err := s.toSaved(ctx, v, saved)
	if err != nil {
		return nil, err
	}
	ws.Inserted = map[string]tianbao.ID{} // names that the sender never gave
	out.Saved = &ws
	if submit {
		progress("上报", 0, 0)
		rec, err := s.Reports.Submit(ctx, v.actor(), v.report.ID, clip(set.Key, 90)+".submit")
		if err != nil {
			return nil, err
		}
		wr := toReceipt(rec, v.report.OwnerName, s.formTitle(v))
		out.Receipt = &wr
	}
	return &out, nil
}

// maxFields is how many parts a form with a file may have.
const maxFields = 100

// upload returns the file of a multipart request, whose fields stand in PostForm then. It is
// read into memory, never into a temporary file: what offices send is personal data; and
// once, into as much as its sender says.
func upload(r *http.Request) (name string, data []byte, err error) {
	if err := r.ParseForm(); err != nil { // of the address
		return "", nil, badBody(err)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, badBody(err)
	}
	found, left := false, int64(maxChangeBody)
	for range maxFields {
		p, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF) && !found:
			return "", nil, tianbao.Invalid("no_file", "请选择要导入的文件。")
		case errors.Is(err, io.EOF):
			return fileName(name), data, nil
		case err != nil:
			return "", nil, badBody(err)
		case p.FileName() == "":
			value, err := io.ReadAll(io.LimitReader(p, left+1))
			if err != nil {
				return "", nil, badBody(err)
			}
			if left -= int64(len(value) + len(p.FormName())); left < 0 {
				return "", nil, badBody(errors.New("web: too many fields"))
			}
			r.PostForm.Add(p.FormName(), string(value))
			r.Form.Add(p.FormName(), string(value))
		case p.FormName() == "file" && !found:
			found, name = true, p.FileName()
			if data, err = wholeFile(p, r.ContentLength); err != nil {
				return "", nil, err
			}
		}
	}
	return "", nil, badBody(errors.New("web: too many parts"))
}

// wholeFile reads a file of at most maxFile bytes; length is that of the request, -1: it
// does not say.
func wholeFile(p io.Reader, length int64) ([]byte, error) {
	data := make([]byte, 0, min(max(length, 64<<10), maxFile)+1) // at once: growing would copy a long file again and again
	for {
		n, err := p.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > maxFile:
			return nil, &tianbao.Error{Kind: tianbao.ErrTooLarge, Code: "too_large", Message: "文件超过 20 MB，请删去无关的工作表和图片，或分成几份再导入。"}
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, badBody(err)
		case len(data) == cap(data):
			data = slices.Grow(data, len(data))
		}
	}
}

// fileName is what somebody calls a file, as it can be shown.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, strings.ToValidUTF8(name, "_"))
	return clip(name, 200)
}

// maxPlan is how many changes of a preview are sent to be applied on the screen.
const maxPlan = 20_000

// maxItems bounds how many lines of a preview are sent; the counts tell of all.
const maxItems = 500

func (s *Server) toPlan(v *viewer, p *report.Plan, name string) (wirePlan, error) {
	rules, err := s.Reports.Rules(v.report.Form, v.report.FormV)
	if err != nil {
		return wirePlan{}, err
	}
	f := rules.Form()
	out := wirePlan{
		Import: p.Import, Mode: string(p.Mode), File: name, Sheet: p.Sheet, Changes: fromChanges(f, p.Changes[:min(len(p.Changes), maxPlan)]),
		Counts: wirePlanCount{Rows: p.Rows, Add: p.Added, Change: p.Changed, Delete: p.Deleted, Same: p.Same, Conflict: len(p.Conflicts), Error: p.Errors},
		Items:  []wireItem{}, Problems: []wireProblem{}, Remarks: p.Remarks, Confirm: p.Confirm,
	}
	if p.Again != nil {
		out.Again = fmt.Sprintf("这个文件已经由 %s 在%s导入过，请确认没有重复。", p.Again.ByName,
			timeOf(p.Again.At).Format("1月2日 15:04"))
	}
	if len(p.Changes) > maxPlan {
		out.Changes, out.Large = []wireChange{}, true
	}
	for _, pc := range p.Conflicts {
		out.Conflicts = append(out.Conflicts, wirePlanConflict{
			wireConflict: toConflict(pc.Conflict), SheetRow: pc.SheetRow, Seq: pc.Seq,
			Take: fromChanges(f, []tianbao.Change{pc.Take})[0],
		})
	}
	for _, pr := range p.Problems {
		if len(out.Problems) < maxItems {
			out.Problems = append(out.Problems, toProblem(f, pr.Row+1, &pr))
		}
	}
	for _, it := range p.Items {
		if len(out.Items) == maxItems {
			break
		}
		if it.Kind == report.ItemSame {
			continue
		}
		out.Items = append(out.Items, wireItem{
			Kind: string(it.Kind), SheetRow: it.SheetRow, Seq: it.Seq, Cells: toCells(f, it.Cells, plain), Errors: it.Errors,
		})
	}
	return out, nil
}
