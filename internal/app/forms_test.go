package app

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tianbao/internal/clock"
	"tianbao/internal/form"
)

// A version that an officer published stays what it is when a newer program brings another
// text under the same number; a form of the program's own that changed is refused.
func TestPublishedFormStays(t *testing.T) {
	ctx, log := t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))
	dir := t.TempDir()
	p := place{data: dir, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	in, err := p.open(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close(log)
	version := func(name string, v, title string) []byte {
		b := in.forms.Schema(name, 1)
		b = bytes.Replace(b, []byte(`"tianbao:version": 1`), []byte(`"tianbao:version": `+v), 1)
		return bytes.Replace(b, []byte(in.forms.Get(name, 1).Title), []byte(title), 1)
	}
	if err := in.store.PutForm(ctx, "contacts", 2, version("contacts", "2", "财政厅的表"), clock.System()); err != nil {
		t.Fatal(err)
	}
	program := func(files fstest.MapFS) *form.Registry {
		r, err := form.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if err := in.storeForms(ctx, program(fstest.MapFS{"a.json": {Data: version("contacts", "2", "程序的表")}}), log); err != nil {
		t.Fatal(err)
	}
	f, err := in.form("contacts", 2)
	if err != nil || f.Title != "财政厅的表" {
		t.Errorf("version 2 is %v, %v", f, err)
	}
	list, err := in.collected(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, f := range list {
		titles = append(titles, f.Title)
	}
	if got := strings.Join(titles, " "); !strings.Contains(got, "财政厅的表") || strings.Contains(got, "值班") || strings.Contains(got, "登记册") {
		t.Errorf("collections may have %s", got)
	}
	if err := in.storeForms(ctx, program(fstest.MapFS{"a.json": {Data: version("unit-register", "1", "另一张表")}}), log); err == nil {
		t.Error("the program's own form changed in silence")
	}
	if _, err := in.checker("none", 1); err == nil {
		t.Error("there are rules of a form that nobody published")
	}
}
