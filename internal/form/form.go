// Package form reads the definitions of report forms and keeps the published ones.
//
// A form is data: a Table Schema descriptor (fields with name, title, type and
// constraints, which any Table Schema tool understands) with keys of our own
// beside them, all of which start with "tianbao:". One file serves the page, the
// check, the workbooks, the storage and whoever downloads the schema, so no other
// package knows the columns by heart.
//
// Rules. A published version never changes: a new list of unit types is a new
// version, and reports of the old one go on being shown and checked by it.
// Reading is strict. A key, kind, rule or severity that this package does not
// know is refused, because a misspelt rule that is silently dropped is a check
// that silently does not happen.
//
// A definition is edited as a form: [Read] gives it with all that is wrong with it, [Write]
// writes it again, and [Diff] tells two versions apart.
//
// Danger: the forms handed out are shared. Nobody may write to them.
package form

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"tianbao"
)

//go:embed account-batch.v1.json asset-role.v1.json contacts.v1.json legacy-list.v1.json unit-register.v1.json unit-register.v2.json
var published embed.FS

//go:embed blank.json
var blank string

// Blank returns the name and the definition that a new form begins with: the columns that
// name the unit.
func Blank() (name string, definition []byte) { return "new-form", []byte(blank) }

// Registry holds forms by name and version. Forms may come in, none changes or goes; it
// may be used from many goroutines.
type Registry struct {
	mu    sync.RWMutex
	forms []entry // by name, then version
}

type entry struct {
	form   *tianbao.Form
	schema []byte
}

// Builtin returns the forms that are published with the program.
func Builtin() (*Registry, error) { return Load(published) }

// Load reads every .json file at the root of fsys. Two files with the same name
// and version are refused: a published version is one text.
func Load(fsys fs.FS) (*Registry, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, fmt.Errorf("form: list: %w", err)
	}
	r := &Registry{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("form: %w", err)
		}
		if _, err := r.Add(b); err != nil {
			return nil, fmt.Errorf("form: %s: %w", path.Base(name), err)
		}
	}
	return r, nil
}

// Add takes a definition in. A version that is there already is refused.
func (r *Registry) Add(b []byte) (*tianbao.Form, error) {
	f, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if err := r.put(entry{f, slices.Clone(b)}); err != nil {
		return nil, err
	}
	return f, nil
}

// Share takes a form in that another registry holds, without reading it again.
func (r *Registry) Share(from *Registry, name string, version int) error {
	var shared entry
	from.mu.RLock()
	if e := from.find(name, version); e != nil {
		shared = *e
	}
	from.mu.RUnlock()
	if shared.form == nil {
		return fmt.Errorf("form: there is no %s version %d to share", name, version)
	}
	return r.put(shared)
}

func (r *Registry) put(e entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.find(e.form.Name, e.form.Version) != nil {
		return fmt.Errorf("form: %s version %d is defined twice", e.form.Name, e.form.Version)
	}
	r.forms = append(r.forms, e)
	slices.SortFunc(r.forms, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.form.Name, b.form.Name), a.form.Version-b.form.Version)
	})
	return nil
}

// Get returns the form of the given name and version, or nil.
func (r *Registry) Get(name string, version int) *tianbao.Form {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.find(name, version); e != nil {
		return e.form
	}
	return nil
}

// Latest returns the newest version of the form of the given name, or nil.
func (r *Registry) Latest(name string) *tianbao.Form {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var f *tianbao.Form
	for i := range r.forms {
		if r.forms[i].form.Name == name {
			f = r.forms[i].form
		}
	}
	return f
}

// Forms returns all forms, by name and then version.
func (r *Registry) Forms() []*tianbao.Form {
	r.mu.RLock()
	defer r.mu.RUnlock()
	fs := make([]*tianbao.Form, len(r.forms))
	for i := range r.forms {
		fs[i] = r.forms[i].form
	}
	return fs
}

// Schema returns the Table Schema of a form as it was published, byte for byte,
// or nil. The caller owns the copy.
func (r *Registry) Schema(name string, version int) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.find(name, version); e != nil {
		return slices.Clone(e.schema)
	}
	return nil
}

func (r *Registry) find(name string, version int) *entry {
	for i := range r.forms {
		if e := &r.forms[i]; e.form.Name == name && e.form.Version == version {
			return e
		}
	}
	return nil
}
