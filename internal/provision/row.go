package provision

import (
	"strings"

	"tianbao"
	"tianbao/internal/ident"
)

// elsewhereCode begins the codes of the reasons for being in another unit too.
const elsewhereCode = "person.elsewhere"

// FromRow takes what a plan needs from a row of a form.
func FromRow(f *tianbao.Form, report tianbao.ID, r *tianbao.Row) Row {
	cell := func(key string) string {
		if i := f.Index(key); i >= 0 {
			return r.Values[i]
		}
		return ""
	}
	out := Row{
		Report: report, Row: r.ID, Unit: r.Unit,
		Person: cell("person_id"), Name: cell("person_name"), Phone: cell("phone"), Legacy: cell("legacy_username"),
	}
	out.Mobile = Mobile(out.Phone)
	for _, why := range r.Reasons {
		if strings.HasPrefix(why.Code, elsewhereCode) {
			out.Reason = why.Text
		}
	}
	return out
}

// Mobile reports whether a phone in normal form is a mobile phone, which alone can be a login.
func Mobile(phone string) bool {
	return len(phone) == 11 && phone[0] == '1' && ident.NormalizePhone(phone) == phone && strings.Trim(phone, "0123456789") == ""
}

// Fits reports whether people of a form can be turned into accounts.
func Fits(f *tianbao.Form) bool {
	return f.Index("person_id") >= 0 && f.Index("person_name") >= 0 && f.Index("phone") >= 0
}
