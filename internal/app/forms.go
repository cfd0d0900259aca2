package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/check"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
	"tianbao/internal/form"
	"tianbao/internal/org"
	"tianbao/internal/store"
)

// Forms come with the program and from the database, where officers publish them. What the
// program brings is in the registry from the start; a version from the database comes in when
// somebody asks for it, so that what another server has published needs no word to this one.

// formWait is how long a form may take to come from the database.
const formWait = 10 * time.Second

// internalForm reports whether the form is one of the program's own work, which no
// collection has and no page changes.
func internalForm(name string) bool {
	return name == org.FormName || name == auth.BatchForm || name == compare.FormName
}

// storeForms holds the program's forms against the published ones: it publishes what is
// new. A version never changes, so where the database has another text under the name and
// version of a collection's form, that one counts: an officer was faster than the program.
func (in *installation) storeForms(ctx context.Context, builtin *form.Registry, log *slog.Logger) error {
	for _, f := range builtin.Forms() {
		schema := builtin.Schema(f.Name, f.Version)
		var err error
		if stored, rerr := in.store.FormDefinition(ctx, f.Name, f.Version); rerr != nil || !bytes.Equal(stored, schema) {
			err = in.store.PutForm(ctx, f.Name, f.Version, schema, clock.System())
		}
		if tianbao.KindOf(err) == tianbao.ErrConflict && err != nil && !internalForm(f.Name) {
			log.Warn("a form of the program was published otherwise before; the published one counts", "form", f.Name, "version", f.Version)
			continue // it comes when it is asked for
		}
		if err == nil {
			err = in.forms.Share(builtin, f.Name, f.Version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// form returns a published form.
func (in *installation) form(name string, version int) (*tianbao.Form, error) {
	if f := in.forms.Get(name, version); f != nil {
		return f, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), formWait)
	defer cancel()
	b, err := in.store.FormDefinition(ctx, name, version)
	if err != nil {
		return nil, fmt.Errorf("app: form %q version %d: %w", name, version, err)
	}
	if _, err := in.forms.Add(b); err != nil && in.forms.Get(name, version) == nil { // else another asked at once
		return nil, err
	}
	if f := in.forms.Get(name, version); f != nil {
		return f, nil
	}
	return nil, errors.New("app: a published form bears another name or version than it was published under")
}

// schema returns the definition of a published form, byte for byte.
func (in *installation) schema(name string, version int) ([]byte, error) {
	if _, err := in.form(name, version); err != nil {
		return nil, err
	}
	return in.forms.Schema(name, version), nil
}

// checker returns the rules of a published form.
func (in *installation) checker(name string, version int) (*check.Checker, error) {
	key := fmt.Sprintf("%s\x00%d", name, version)
	if c, ok := in.rules.Load(key); ok {
		return c.(*check.Checker), nil
	}
	f, err := in.form(name, version)
	if err != nil {
		return nil, err
	}
	c, err := check.New(f, clock.System, check.KnownCodes(in.register.lookup))
	if err != nil {
		return nil, err
	}
	in.rules.Store(key, c)
	return c, nil
}

// collected are the forms that a collection may have, the newest version of each.
func (in *installation) collected(ctx context.Context) ([]*tianbao.Form, error) {
	versions, err := in.store.FormVersions(ctx)
	if err != nil {
		return nil, err
	}
	var out []*tianbao.Form
	for i, v := range versions {
		if internalForm(v.Name) || i+1 < len(versions) && versions[i+1].Name == v.Name {
			continue
		}
		f, err := in.form(v.Name, v.Version)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// formBook is the store as 表样管理 needs it.
type formBook struct{ *store.Store }

// Own implements web.FormBook.
func (formBook) Own(name string) bool { return internalForm(name) }
