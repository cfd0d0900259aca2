package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"tianbao"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/form"
)

// wireFormDraft is a definition that is worked on.
type wireFormDraft struct {
	ID         tianbao.ID      `json:"id"`
	Name       string          `json:"name"` // of the form
	Title      string          `json:"title"`
	Base       int             `json:"base"`    // the form's newest version when it was begun, 0: none
	Version    int64           `json:"version"` // counts changes; a change names the one it was made on
	Changed    string          `json:"changed"`
	By         string          `json:"by,omitempty"`
	Faults     []wireFormFault `json:"faults"`
	Definition json.RawMessage `json:"definition,omitempty"`

	at time.Time
}

// At is when it was changed, for the page.
func (d wireFormDraft) At() time.Time { return d.at }

// wireSetDraft puts another definition in a draft's place. A browser sends the fields of the
// page instead.
type wireSetDraft struct {
	Version    int64           `json:"version"`
	Definition json.RawMessage `json:"definition"`
}

// wireOfDraft names the state of a draft that something is done with.
type wireOfDraft struct {
	Version int64 `json:"version"`
}

type wireFormPublished struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

func toFormDraft(d *tianbao.FormDraft) wireFormDraft {
	out := wireFormDraft{ID: d.ID, Name: d.Name, Base: d.Base, Version: d.Version, Changed: stamp(d.At), By: d.By, at: d.At}
	f, faults := form.Read(d.Definition)
	out.Faults = toFormFaults(faults, false)
	if f != nil {
		out.Title = f.Title
	}
	return out
}

// draftOf returns the draft of the path for those who may see it.
func (s *Server) draftOf(r *http.Request, v *viewer) (tianbao.FormDraft, error) {
	if err := provincial(v); err != nil {
		return tianbao.FormDraft{}, err
	}
	id, err := pathID(r, "draft")
	if err != nil {
		return tianbao.FormDraft{}, err
	}
	return s.FormBook.FormDraft(r.Context(), id)
}

// formDraft is the page where a draft is edited.
func (s *Server) formDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	f, _ := form.Read(d.Definition)
	return s.draftShow(w, r, v, http.StatusOK, &d, f, "")
}

// draftShow shows a draft as f has it.
func (s *Server) draftShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, d *tianbao.FormDraft, f *tianbao.Form, message string) error {
	out := toFormDraft(d)
	if wantsJSON(r) {
		out.Definition = d.Definition
		return s.json(w, status, out)
	}
	if f == nil {
		return errors.New("web: a stored draft cannot be read")
	}
	s.page(w, r, v, status, "formdraft.html", f.Title, editorOf(v.signed.CSRF, out, f, message))
	return nil
}

// setDraft saves a draft, also with faults: they keep it from being published only.
func (s *Server) setDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	if ct, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); ct == "application/json" {
		var in wireSetDraft
		if err := read(r, &in); err != nil {
			return err
		}
		f, faults := form.Read(in.Definition)
		if f == nil {
			return tianbao.Invalid("bad_definition", faults[0].Message)
		}
		if err := s.changeDraft(r, v, &d, in.Version, f, in.Definition); err != nil {
			return err
		}
	} else {
		if err := r.ParseForm(); err != nil {
			return badBody(err)
		}
		before, _ := form.Read(d.Definition)
		if before == nil {
			return errors.New("web: a stored draft cannot be read")
		}
		f, version, err := edited(r.PostForm, before)
		if err != nil {
			return err
		}
		if d.Base > 0 {
			f.Name = d.Name
		}
		form.Settle(f, before)
		definition, err := form.Write(f, d.Definition)
		if err == nil {
			err = s.changeDraft(r, v, &d, version, f, definition)
		}
		if kind := tianbao.KindOf(err); err != nil && (kind == tianbao.ErrConflict || kind == tianbao.ErrInvalid) {
			return s.draftShow(w, r, v, statuses[kind], &d, f, asError(err).Message)
		}
		if err != nil {
			return err
		}
	}
	if wantsJSON(r) {
		if d, err = s.FormBook.FormDraft(r.Context(), d.ID); err != nil {
			return err
		}
		return s.draftShow(w, r, v, http.StatusOK, &d, nil, "")
	}
	http.Redirect(w, r, draftPath(d.ID), http.StatusSeeOther)
	return nil
}

func (s *Server) changeDraft(r *http.Request, v *viewer, d *tianbao.FormDraft, version int64, f *tianbao.Form, definition []byte) error {
	if f.Name != d.Name && d.Base > 0 {
		return tianbao.Invalid("form_name", "已经发布过的表不能改代号，请改回原来的代号，或另建一张新表。")
	}
	if s.FormBook.Own(f.Name) {
		return tianbao.Invalid("form_name", ownForm)
	}
	next := *d
	next.Name, next.Version, next.Definition = f.Name, version, definition
	return s.FormBook.ChangeFormDraft(r.Context(), next, formEvent(r, v))
}

// dropFormDraft forgets a draft.
func (s *Server) dropFormDraft(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireOfDraft
	if err := read(r, &in); err != nil {
		return err
	}
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	if err := s.FormBook.DropFormDraft(r.Context(), d.ID, in.Version, formEvent(r, v)); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/form-definitions")
}

// draftPreview shows a draft as those will meet it who fill it in, with what differs from
// the version it follows, and publishes it from there.
func (s *Server) draftPreview(w http.ResponseWriter, r *http.Request, v *viewer) error {
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	return s.previewShow(w, r, v, http.StatusOK, &d, "")
}

func (s *Server) previewShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, d *tianbao.FormDraft, message string) error {
	f, _ := form.Read(d.Definition)
	if f == nil {
		return errors.New("web: a stored draft cannot be read")
	}
	draft := toFormDraft(d)
	p := &formPage{CSRF: v.signed.CSRF, Form: f, Draft: &draft, Next: d.Base + 1, With: d.Base, Message: message}
	out := wireFormView{Name: d.Name, Version: d.Base + 1, Title: f.Title, With: d.Base, Difference: []wireFormDifference{}}
	if d.Base > 0 {
		was, err := s.readForm(d.Name, d.Base)
		if err != nil {
			return err
		}
		out.Difference = toDifference(was, f)
		p.Difference = out.Difference
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "form.html", f.Title, p)
	return nil
}

// draftTemplate sends the blank workbook of a draft.
func (s *Server) draftTemplate(w http.ResponseWriter, r *http.Request, v *viewer) error {
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	f, faults := form.Read(d.Definition)
	if len(faults) > 0 {
		return errDraftFaults(len(faults))
	}
	var b bytes.Buffer
	if err := s.blank(&b, f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", xlsxType)
	w.Header().Set("Content-Disposition", disposition(f.Title+".xlsx"))
	_, err = b.WriteTo(w)
	return err
}

func (s *Server) blank(w io.Writer, f *tianbao.Form) error {
	return s.Workbooks.Write(w, f, slices.Values([]tianbao.Row(nil)), s.Now().In(clock.Shanghai), 0, 0)
}

func errDraftFaults(n int) error {
	return tianbao.Invalid("form_faults", fmt.Sprintf("草稿还有 %d 处错误，请改正后再做。", n))
}

// publishForm makes a draft the next version of its form, which never changes.
func (s *Server) publishForm(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireOfDraft
	if err := read(r, &in); err != nil {
		return err
	}
	d, err := s.draftOf(r, v)
	if err != nil {
		return err
	}
	draft := d
	draft.Version = in.Version
	err = s.publishDraft(r, v, &draft)
	if again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
		return s.previewShow(w, r, v, statuses[tianbao.KindOf(err)], &d, asError(err).Message)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, wireFormPublished{d.Name, d.Base + 1}, formPath(d.Name, d.Base+1))
}

func (s *Server) publishDraft(r *http.Request, v *viewer, d *tianbao.FormDraft) error {
	f, faults := form.Read(d.Definition)
	if len(faults) > 0 {
		return errDraftFaults(len(faults))
	}
	if f.Name != d.Name || s.FormBook.Own(f.Name) {
		return tianbao.Invalid("form_name", ownForm)
	}
	if d.Base > 0 {
		was, err := s.readForm(d.Name, d.Base)
		if err != nil {
			return err
		}
		if len(form.Diff(was, f)) == 0 {
			return tianbao.Invalid("form_same", "草稿与现行的一版相同，没有发布。")
		}
	}
	definition := d.Definition
	if f.Version != d.Base+1 {
		f.Version = d.Base + 1
		var err error
		if definition, err = form.Write(f, d.Definition); err != nil {
			return err
		}
	}
	// What reads forms later must be able to: the rules, the page, the workbooks.
	if _, err := check.New(f, s.Now); err != nil {
		return err
	}
	if _, err := check.Describe(f); err != nil {
		return err
	}
	if err := s.blank(io.Discard, f); err != nil {
		return err
	}
	return s.FormBook.PublishForm(r.Context(), *d, definition, formEvent(r, v))
}
