package org_test

import (
	"slices"
	"strings"
	"testing"

	"tianbao"
	"tianbao/internal/org"
	"tianbao/internal/remind"
)

// Addresses come with the register's workbook and with changes by hand; what is none is a
// fault of its cell, a blank changes nothing, and the history does not tell them.
func TestMailOfUnits(t *testing.T) {
	each(t, func(o *office) {
		o.load("2022-01-01", append(province(),
			"budget_code=201001009 unit_name=第九中学 parent_code=201001 region=210700 contact_mail=nine@example.gov.cn")...)
		if got := o.unit("第九中学").Contact.Mail; got != "nine@example.gov.cn" {
			t.Errorf("a new unit has %q", got)
		}
		s, ok := o.Store.(remind.Store)
		if !ok {
			t.Fatal("the store reminds nobody")
		}
		quiet := o.unit("第一中学").ID
		if err := s.PutUnitMail(t.Context(), quiet, remind.Mailbox{Address: "old@example.gov.cn"}, 7, now()); err != nil {
			t.Fatal(err)
		}
		bad := "budget_code=201001009 unit_name=第九中学 contact_mail=nine"
		p := o.preview(all(), "2022-03-01", bad, "budget_code=201001002 unit_name=第二中学 contact_mail=ｔｗｏ＠example.gov.cn", "budget_code=201001001 unit_name=第一中学 region=210700 contact_mail=new@example.gov.cn")
		if p.Faulty != 1 || p.Changed != 2 || len(p.Problems) != 1 || p.Problems[0].Field != "contact_mail" || p.Problems[0].Code != "contact_mail.format" {
			t.Errorf("the preview: %+v", p)
		}
		for _, it := range p.Items {
			if len(it.Fields) != 1 || it.Fields[0] != (tianbao.FieldChange{Field: "contact_mail"}) {
				t.Errorf("the preview tells %+v", it.Fields)
			}
		}
		if err := o.Apply(t.Context(), whole(), p); err != nil {
			t.Fatal(err)
		}
		if got := o.unit("第二中学").Contact.Mail; got != "two@example.gov.cn" {
			t.Errorf("in full width it becomes %q", got)
		}
		// Who asked for no copies goes on getting none.
		if box, err := s.UnitMail(t.Context(), quiet); err != nil || box != (remind.Mailbox{Address: "new@example.gov.cn"}) {
			t.Errorf("the unit that takes no copies: %v", err)
		}
		// A workbook of the first version, which has no such column, takes no address away.
		if p := o.preview(all(), "2022-04-01", "budget_code=201001002 unit_name=第二中学 contact_name=李示例"); p.Changed != 1 {
			t.Errorf("a contact: %+v", p)
		} else if err := o.Apply(t.Context(), whole(), p); err != nil {
			t.Fatal(err)
		}
		if c := o.unit("第二中学").Contact; c.Mail != "two@example.gov.cn" || c.Name != "李示例" {
			t.Error("the address is gone")
		}
		_, err := o.Change(t.Context(), whole(), o.unit("第二中学").ID, org.Act{Act: tianbao.UnitEdit, Day: day("2022-05-01"), Values: map[string]string{"contact_mail": "two at example"}})
		if tianbao.KindOf(err) != tianbao.ErrInvalid || strings.Contains(err.Error(), "two") {
			t.Errorf("by hand: %v", err)
		}
		o.do("第二中学", org.Act{Act: tianbao.UnitEdit, Day: day("2022-05-01"), Values: map[string]string{"contact_mail": "second@example.gov.cn"}})
		if got := o.unit("第二中学").Contact.Mail; got != "second@example.gov.cn" {
			t.Errorf("by hand it becomes %q", got)
		}
		entries, _, err := o.Store.Register(t.Context(), all(), true)
		if err != nil || !slices.ContainsFunc(entries, func(e tianbao.UnitEntry) bool { return e.Contact.Mail == "second@example.gov.cn" }) {
			t.Errorf("the register has no address: %v", err)
		}
	})
}
