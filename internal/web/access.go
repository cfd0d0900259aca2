package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/report"
)

// sessionCookie has the __Host- prefix: browsers take it only from this very host,
// over https (or the loopback), for the whole site.
const sessionCookie = "__Host-tianbao"

// viewer is who asks.
type viewer struct {
	signed *auth.Signed // nil: nobody signed in
	token  string
	// report is the one named by {report} in the path, loaded by the rule within
	// the viewer's scope.
	report tianbao.Report
	// unit is the one named by {unit} in the path, loaded likewise.
	unit tianbao.UnitEntry
	// service is the token of a program, on routes whose rule asks for one.
	service auth.ServiceToken
}

func (v *viewer) user() tianbao.User {
	if v.signed == nil {
		return tianbao.User{}
	}
	return v.signed.User
}

// actor is the viewer as the office knows it.
func (v *viewer) actor() report.Actor {
	u := v.user()
	return report.Actor{User: u.ID, Login: u.Login, Name: u.Name, Scope: u.Scope(tianbao.PowerFill)}
}

// event is what the viewer does with the report of the path, for the trail.
func (v *viewer) event(r *http.Request, what, detail string) tianbao.Event {
	return tianbao.Event{Actor: v.user().ID, Owner: v.report.Owner, From: address(r), What: what, Object: v.report.ID.String(), Detail: detail}
}

// by is the viewer as the trail of accounts knows it.
func (v *viewer) by(r *http.Request) auth.By { return auth.By{User: v.user().ID, From: address(r)} }

// rule decides whether the viewer may use a route. It answers with an error:
// ErrUnsigned, ErrNotFound for what lies outside the scope, ErrForbidden for a
// page of another role.
type rule struct {
	name  string
	allow func(s *Server, r *http.Request, v *viewer) error
	// quiet is set where the page asks by itself: it does not prolong the session.
	quiet bool
	// pending is what may be pending; see held.
	pending []auth.Pending
	// service is set where programs ask with a token: no session is looked at.
	service bool
	// fail answers an error in the words of a protocol; nil: in those of the house.
	fail func(w http.ResponseWriter, r *http.Request, e *tianbao.Error)
}

// The rules. Default is denial: a route without a rule does not build.
var (
	// everyone lets anybody in.
	everyone = rule{name: "everyone", allow: func(*Server, *http.Request, *viewer) error { return nil }}
	// signedIn asks for a session.
	signedIn = rule{name: "signed-in", allow: func(_ *Server, _ *http.Request, v *viewer) error { return needSession(v) }}
	// leaving, verifying, settingUp and renewing are signedIn while something is pending.
	leaving   = signedIn.during(auth.PendingFactor, auth.PendingSetup, auth.PendingPassword)
	verifying = signedIn.during(auth.PendingFactor)
	settingUp = signedIn.during(auth.PendingSetup)
	renewing  = signedIn.during(auth.PendingPassword)
	// people asks for the power to give out activation codes anywhere.
	people = needing(tianbao.PowerPeople)
	// fillers asks for the power to fill in anywhere.
	fillers = needing(tianbao.PowerFill)
	// accountants asks for the office that keeps accounts.
	accountants = needing(tianbao.PowerAccounts)
	// grantors asks for the office that gives roles.
	grantors = needing(tianbao.PowerGrants)
	// viewers asks for a role over some unit.
	viewers = needing(tianbao.PowerSee)
	// auditors asks for the office that reads the trail.
	auditors = needing(tianbao.PowerTrail)
	// ownReport asks that the report of the path lies in the viewer's scope as a filler.
	ownReport = rule{name: "report-in-scope", allow: func(s *Server, r *http.Request, v *viewer) error {
		if err := needPower(v, tianbao.PowerFill); err != nil {
			if tianbao.KindOf(err) == tianbao.ErrForbidden {
				return tianbao.NotFound()
			}
			return err
		}
		id, err := pathID(r, "report")
		if err != nil {
			return err
		}
		v.report, err = s.Reports.Store.Report(r.Context(), v.actor().Scope, id)
		return err
	}}
	// watchReport is ownReport for what a page asks by itself.
	watchReport = rule{name: ownReport.name, allow: ownReport.allow, quiet: true}
)

// quietly is the rule for what a page asks by itself.
func (r rule) quietly() rule {
	r.quiet = true
	return r
}

// pathID reads an id of the path; what is none names nothing.
func pathID(r *http.Request, name string) (tianbao.ID, error) {
	id, err := tianbao.ParseID(r.PathValue(name))
	if err != nil {
		return 0, tianbao.NotFound()
	}
	return id, nil
}

func needSession(v *viewer) error {
	if v.signed == nil {
		return auth.SignedOut()
	}
	return nil
}

// needing is the rule that asks for a power anywhere; it bears the power's name.
func needing(p tianbao.Power) rule {
	return rule{name: string(p), allow: func(_ *Server, _ *http.Request, v *viewer) error { return needPower(v, p) }}
}

func needPower(v *viewer, p tianbao.Power) error {
	if err := needSession(v); err != nil {
		return err
	}
	if u := v.user(); !u.May(p) {
		return &tianbao.Error{Kind: tianbao.ErrForbidden, Code: "forbidden", Message: "您的账号没有这项功能的权限，如需使用请联系管理员。"}
	}
	return nil
}

// handler answers a request whose rule has been passed.
type handler func(w http.ResponseWriter, r *http.Request, v *viewer) error

// serve runs a route: session, rule, form token, handler, error.
func (s *Server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &viewer{}
		if err := s.run(rt, w, r, v); err != nil {
			if rt.Rule.service {
				s.failService(&rt.Rule, w, r, err)
				return
			}
			s.failAs(w, r, v, err)
		}
	})
}

func (s *Server) run(rt route, w http.ResponseWriter, r *http.Request, v *viewer) error {
	r.Body = http.MaxBytesReader(w, r.Body, rt.maxBody())
	err := s.Reports.Store.Together(r.Context(), func(ctx context.Context) error { return s.letIn(rt, r.WithContext(ctx), v) })
	if err != nil {
		return err
	}
	if err := informed(&rt, v); err != nil {
		return err
	}
	if err := s.admit(r, &rt, v); err != nil {
		return err
	}
	r, giveBack, err := s.admitBody(r, &rt)
	if err != nil {
		return err
	}
	defer giveBack()
	if unsafeMethod(r.Method) && v.signed != nil && rt.Rule.name != everyone.name {
		if !v.signed.CheckCSRF(formToken(r)) {
			var tooBig *http.MaxBytesError
			if r.MultipartForm == nil && errors.As(r.ParseForm(), &tooBig) {
				return tooBig
			}
			return errForged()
		}
	}
	if v.report.ID != 0 && unsafeMethod(r.Method) {
		defer s.live.look() // others see at once what was saved
	}
	return rt.Handle(w, r, v)
}

// letIn finds out who asks and whether the rule lets them in.
func (s *Server) letIn(rt route, r *http.Request, v *viewer) error {
	if c, err := r.Cookie(sessionCookie); err == nil && !rt.Rule.service {
		resume := s.Auth.Resume
		if rt.Rule.quiet {
			resume = s.Auth.Peek
		}
		signed, err := resume(r.Context(), c.Value)
		if err == nil {
			v.signed, v.token = signed, c.Value
		} else if tianbao.KindOf(err) != tianbao.ErrUnsigned {
			return err
		}
	}
	if err := held(rt.Rule, v); err != nil {
		return err
	}
	err := s.inNetwork(r, &rt, v)
	if err == nil {
		err = rt.Rule.allow(s, r, v)
	}
	if err != nil {
		return s.denied(r, rt, v, err)
	}
	return nil
}

// denied writes on the trail that a rule kept somebody out who is signed in. It
// returns the rule's error, or that of the trail: who cannot be recorded gets nothing
// either way.
func (s *Server) denied(r *http.Request, rt route, v *viewer, err error) error {
	kind := tianbao.KindOf(err)
	if v.signed == nil || kind != tianbao.ErrForbidden && kind != tianbao.ErrNotFound {
		return err
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "denied", Object: rt.ID, Result: tianbao.ResultDenied}
	// Only a report that there is, anywhere, is named: what else somebody types into an
	// address may be a resident's id.
	if id, perr := tianbao.ParseID(r.PathValue("report")); perr == nil {
		known, verr := s.Catalog.Versions(r.Context(), []tianbao.ID{id})
		if verr != nil {
			return errors.Join(err, verr)
		}
		if _, ok := known[id]; ok {
			e.Detail = id.String()
		}
	}
	return errors.Join(err, s.Auth.Record(r.Context(), e))
}

func unsafeMethod(m string) bool {
	return m != http.MethodGet && m != http.MethodHead && m != http.MethodOptions
}

// checkRoutes refuses a table with a route that has no rule, no handler or no
// description, or that names a report in its path and does not ask for its scope.
func checkRoutes(routes []route) error {
	for _, rt := range routes {
		switch {
		case rt.Rule.allow == nil:
			return fmt.Errorf("web: route %s %s has no access rule", rt.Method, rt.Path)
		case rt.Handle == nil || rt.ID == "" || rt.Summary == "":
			return fmt.Errorf("web: route %s %s is not complete", rt.Method, rt.Path)
		case hasParam(rt.Path, "report") && rt.Rule.name != ownReport.name && rt.Rule.name != revealReport.name:
			return fmt.Errorf("web: route %s %s names a report but does not ask for its scope", rt.Method, rt.Path)
		case hasParam(rt.Path, "unit") && !strings.HasPrefix(rt.Rule.name, unitRule):
			return fmt.Errorf("web: route %s %s names a unit but does not ask for its scope", rt.Method, rt.Path)
		}
	}
	return nil
}
