package store

import (
	"context"
	"fmt"

	"tianbao"
	"tianbao/internal/db"
)

// Published forms and drafts of them; what a definition may say is internal/form's matter.

const (
	draftColumns       = `d.id, d.name, d.base, d.definition, d.version, d.updated_at, COALESCE(p.name, '')`
	sqlFormVersions    = `SELECT f.name, f.version, f.published_at, COALESCE(p.name, '') FROM form f LEFT JOIN app_user p ON p.id = f.published_by ORDER BY f.name, f.version`
	sqlNewestForm      = `SELECT COALESCE(MAX(f.version), 0) FROM form f WHERE f.name = $1`
	sqlPublishForm     = `INSERT INTO form (name, version, definition, published_at, published_by) VALUES ($1, $2, $3, $4, $5)`
	sqlFormDrafts      = `SELECT ` + draftColumns + ` FROM form_draft d LEFT JOIN app_user p ON p.id = d.updated_by ORDER BY d.updated_at DESC, d.id DESC`
	sqlFormDraft       = `SELECT ` + draftColumns + ` FROM form_draft d LEFT JOIN app_user p ON p.id = d.updated_by WHERE d.id = $1`
	sqlInsertFormDraft = `INSERT INTO form_draft (id, name, base, definition, version, updated_at, updated_by) VALUES ($1, $2, $3, $4, 1, $5, $6)`
	sqlChangeDraft     = `UPDATE form_draft SET name = $1, definition = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $5 AND version = $6`
	sqlDropFormDraft   = `DELETE FROM form_draft WHERE id = $1 AND version = $2`
)

// FormVersions returns the published versions of all forms, by name and then version.
func (s *Store) FormVersions(ctx context.Context) ([]tianbao.FormVersion, error) {
	return db.Collect(ctx, s.db, func(scan db.Scan) (v tianbao.FormVersion, err error) {
		var at int64
		err = scan(&v.Name, &v.Version, &at, &v.By)
		v.At = when(at)
		return v, err
	}, sqlFormVersions)
}

// FormDefinition returns the definition of a published version, byte for byte.
func (s *Store) FormDefinition(ctx context.Context, name string, version int) (definition []byte, err error) {
	err = one(ctx, s.db, []any{&definition}, sqlFormDefinition, name, version)
	return definition, err
}

func scanFormDraft(scan db.Scan) (d tianbao.FormDraft, err error) {
	var at int64
	err = scan(&d.ID, &d.Name, &d.Base, &d.Definition, &d.Version, &at, &d.By)
	d.At = when(at)
	return d, err
}

// FormDrafts returns all drafts, the last changed first.
func (s *Store) FormDrafts(ctx context.Context) ([]tianbao.FormDraft, error) {
	return db.Collect(ctx, s.db, scanFormDraft, sqlFormDrafts)
}

// FormDraft returns one draft.
func (s *Store) FormDraft(ctx context.Context, id tianbao.ID) (tianbao.FormDraft, error) {
	return first(ctx, s.db, scanFormDraft, sqlFormDraft, id)
}

// MakeFormDraft keeps a new draft, made by the event's actor, and returns its id.
func (s *Store) MakeFormDraft(ctx context.Context, name string, definition []byte, e tianbao.Event) (id tianbao.ID, err error) {
	id = s.id()
	e.At, e.What, e.Object, e.Detail = s.now(), "form.draft", id.String(), "form="+name
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var base int
		if err := tx.One(ctx, []any{&base}, sqlNewestForm, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlInsertFormDraft, id, name, base, definition, ms(e.At), e.Actor); err != nil {
			return err
		}
		return s.trail(ctx, tx, e)
	})
	return id, err
}

// ChangeFormDraft puts another definition in the draft's place; tianbao.ErrConflict if it
// was changed since. Only the draft of a new form may get another name.
func (s *Store) ChangeFormDraft(ctx context.Context, d tianbao.FormDraft, e tianbao.Event) error {
	e.At, e.What, e.Object, e.Detail = s.now(), "form.edit", d.ID.String(), "form="+d.Name
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := tx.One(ctx, []any{new(int64)}, sqlDraftVersion, d.ID); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, sqlChangeDraft, d.Name, d.Definition, ms(e.At), e.Actor, d.ID, d.Version)
		if err != nil {
			return err
		}
		if n != 1 {
			return errDraftChanged()
		}
		return s.trail(ctx, tx, e)
	})
}

const sqlDraftVersion = `SELECT d.version FROM form_draft d WHERE d.id = $1`

func errDraftChanged() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "form_draft_changed", Message: "这份草稿刚刚由别人改过，请重新查看后再改。"}
}

// DropFormDraft forgets a draft that is at the version.
func (s *Store) DropFormDraft(ctx context.Context, id tianbao.ID, version int64, e tianbao.Event) error {
	e.At, e.What, e.Object = s.now(), "form.drop", id.String()
	return s.db.Tx(ctx, func(tx db.Tx) error { return s.endDraft(ctx, tx, id, version, e) })
}

func (s *Store) endDraft(ctx context.Context, tx db.Tx, id tianbao.ID, version int64, e tianbao.Event) error {
	n, err := tx.Exec(ctx, sqlDropFormDraft, id, version)
	if err != nil {
		return err
	}
	if n != 1 {
		return errDraftChanged()
	}
	return s.trail(ctx, tx, e)
}

// PublishForm makes a draft, as d tells it, the version of its form that d.Base is followed
// by. definition says so of itself. It is tianbao.ErrConflict if the draft was changed or
// another version was published since. The event bears the definition's keyed digest.
func (s *Store) PublishForm(ctx context.Context, d tianbao.FormDraft, definition []byte, e tianbao.Event) error {
	version := d.Base + 1
	e.At, e.What, e.Object = s.now(), "form.publish", fmt.Sprintf("%s.%d", d.Name, version)
	e.Detail = "text=" + s.ring.Digest("form", definition)[:32]
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		var newest int
		if err := tx.One(ctx, []any{&newest}, sqlNewestForm, d.Name); err != nil {
			return err
		}
		if newest != d.Base {
			return errFormRaced()
		}
		if _, err := tx.Exec(ctx, sqlPublishForm, d.Name, version, definition, ms(e.At), e.Actor); err != nil {
			return err
		}
		return s.endDraft(ctx, tx, d.ID, d.Version, e)
	})
	if db.IsUnique(err) {
		return errFormRaced()
	}
	return err
}

func errFormRaced() error {
	return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "form_raced", Message: "这张表已经发布了更新的一版，请从新的一版另建草稿，再做一次修改。"}
}
