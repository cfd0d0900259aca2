package provision_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/provision"
)

func TestDefaultProfile(t *testing.T) {
	p, err := provision.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	e := &provision.Entry{
		Kind: provision.Rebind, Before: account(9, "P", a, 1), After: account(9, "P", b, 2, 3),
		Units: []tianbao.Unit{{Name: "第二中学", BudgetCode: "00102", OrgCode: "12210100000000004D", Type: "事业单位"}, {Name: "第三中学"}},
		Was:   tianbao.Unit{Name: "第一中学", BudgetCode: "00101"},
	}
	want := []string{"MOVE", "00102", "第二中学", "12210100000000004D", "事业单位", "某P", person("P"), b, b, a, "00101", "第三中学", "oldP", "1", "9"}
	if diff := cmp.Diff(want, p.Row(e, nil)); diff != "" {
		t.Error(diff)
	}
	masked := p.Row(e, func(id, phone string) (string, string) { return "*", "*" })
	if s := strings.Join(masked, " "); strings.Contains(s, a) || strings.Contains(s, b) || strings.Contains(s, person("P")) {
		t.Error("a masked row tells an id or a phone")
	}
}

func TestReadProfile(t *testing.T) {
	const good = `{"name":"x","title":"表","columns":[{"title":"A","value":"login"},{"title":"B","value":"=固定"}]}`
	p, err := provision.ReadProfile([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Row(&provision.Entry{After: account(1, "P", a, 1)}, nil); !cmp.Equal(got, []string{a, "固定"}) {
		t.Errorf("%d cells", len(got))
	}
	for name, bad := range map[string]string{
		"no JSON":         `{`,
		"more behind":     good + good,
		"an unknown key":  strings.Replace(good, `"name"`, `"nome"`, 1),
		"no columns":      `{"name":"x","title":"表","columns":[]}`,
		"an unknown cell": strings.Replace(good, `"login"`, `"password"`, 1),
		"one title twice": strings.Replace(good, `"B"`, `"A"`, 1),
		"an odd kind":     strings.Replace(good, `"title":"表"`, `"title":"表","codes":{"kill":"1"}`, 1),
		"not UTF-8":       "{\"name\":\"\xff\"}",
		"too long":        good + strings.Repeat(" ", 64<<10),
	} {
		if _, err := provision.ReadProfile([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzReadProfile(f *testing.F) {
	f.Add([]byte(`{"name":"x","title":"表","columns":[{"title":"A","value":"login"}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if p, err := provision.ReadProfile(b); err == nil {
			p.Row(&provision.Entry{}, nil)
		}
	})
}
