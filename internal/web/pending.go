package web

import (
	"net/http"
	"slices"

	"tianbao"
	"tianbao/internal/auth"
)

// during lets a rule's routes be used while something is pending, too.
func (r rule) during(ps ...auth.Pending) rule {
	r.pending = ps
	return r
}

// pendingPage is where what is pending is done.
func pendingPage(p auth.Pending) string {
	switch p {
	case auth.PendingFactor:
		return "/account/verify"
	case auth.PendingSetup:
		return "/account/factor"
	}
	return "/password"
}

// held keeps a session out that has something to do first, whatever else the route's
// rule says: who has shown a password and no second factor yet is nobody so far.
func held(rl rule, v *viewer) error {
	if v.signed == nil || v.signed.Pending == "" || rl.name == everyone.name || slices.Contains(rl.pending, v.signed.Pending) {
		return nil
	}
	e := &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "pending_" + string(v.signed.Pending)}
	switch v.signed.Pending {
	case auth.PendingFactor:
		e.Message = "还没有验证第二因素，请先验证。"
	case auth.PendingSetup:
		e.Message = "管理员账号必须有第二因素，请先设置动态码或通行密钥。"
	default:
		e.Message = "密码已经用满 90 天，请先修改密码。"
	}
	return e
}

// lead sends a browser to the page where what an error asks for is done; false: there
// is none, or a program asks.
func lead(w http.ResponseWriter, r *http.Request, v *viewer, e *tianbao.Error) bool {
	if e.Kind != tianbao.ErrForbidden || wantsJSON(r) || v.signed == nil {
		return false
	}
	var to string
	switch {
	case v.signed.Pending != "" && e.Code == "pending_"+string(v.signed.Pending):
		to = pendingPage(v.signed.Pending)
	case e.Code == "step_up":
		to = pendingPage(auth.PendingFactor)
	case e.Code == "purpose":
		to = "/purpose"
	case e.Code == "no_factor":
		to = pendingPage(auth.PendingSetup)
	default:
		return false
	}
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + queryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}
