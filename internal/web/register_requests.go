package web

import (
	"net/http"

	"tianbao"
)

// requestsSize is how many requests one page lists.
const requestsSize = 50

// wireAsk is a wish to have one field of the own entry corrected.
type wireAsk struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Why   string `json:"why"`
}

// wireRequest is a request. A contact in it is masked.
type wireRequest struct {
	ID      tianbao.ID `json:"id"`
	Unit    tianbao.ID `json:"unit"`
	Name    string     `json:"unit_name"`
	Field   string     `json:"field"`
	Title   string     `json:"title"`
	Value   string     `json:"value"`
	Why     string     `json:"why"`
	State   string     `json:"state"`
	By      string     `json:"by"`
	At      string     `json:"at"`
	Decider string     `json:"decider,omitempty"`
	Decided string     `json:"decided,omitempty"`
	Remark  string     `json:"remark,omitempty"`
	// Mine tells that the viewer may decide it.
	Mine bool `json:"mine"`
}

type wireRequests struct {
	Requests []wireRequest `json:"requests"`
	Next     tianbao.ID    `json:"next,omitempty"` // before= of the next page
}

// wireDecision accepts or refuses a request.
type wireDecision struct {
	Accept bool   `json:"accept"`
	Remark string `json:"remark,omitempty"`
}

// requestsPage is the data of requests.html.
type requestsPage struct {
	CSRF    string
	State   string
	Message string
	wireRequests
}

// StateTitle names a state in the users' words.
func (requestsPage) StateTitle(state string) string { return tianbao.RequestState(state).Title() }

// askers asks for the power to make requests or to decide them.
var askers = rule{name: "fill-or-register", allow: func(_ *Server, _ *http.Request, v *viewer) error {
	err := needPower(v, tianbao.PowerFill)
	if err != nil && tianbao.KindOf(err) == tianbao.ErrForbidden {
		return needPower(v, tianbao.PowerRegister)
	}
	return err
}}

// requests lists the requests of the units that the viewer fills in for or whose
// register the viewer keeps.
func (s *Server) requests(w http.ResponseWriter, r *http.Request, v *viewer) error {
	p, err := s.requestsPage(r, v)
	if err != nil {
		return err
	}
	return s.answer(w, r, v, p.wireRequests, "requests.html", "更正申请", p)
}

func (s *Server) requestsPage(r *http.Request, v *viewer) (*requestsPage, error) {
	u, q := v.user(), r.URL.Query()
	keeps, fills := u.Scope(tianbao.PowerRegister), u.Scope(tianbao.PowerFill)
	before := tianbao.ID(0)
	if b := q.Get("before"); b != "" {
		id, err := tianbao.ParseID(b)
		if err != nil {
			return nil, tianbao.NotFound()
		}
		before = id
	}
	p := &requestsPage{CSRF: v.signed.CSRF, State: q.Get("state"), wireRequests: wireRequests{Requests: []wireRequest{}}}
	both := tianbao.Scope{Paths: append(append([]string{}, keeps.Paths...), fills.Paths...)}
	list, err := s.Register.Requests(r.Context(), both, tianbao.RequestState(p.State), before, requestsSize+1)
	if err != nil {
		return nil, err
	}
	if len(list) > requestsSize {
		list = list[:requestsSize]
		p.Next = list[requestsSize-1].ID
	}
	mine := make(map[tianbao.ID]bool)
	if len(keeps.Paths) > 0 {
		decide, err := s.Register.Requests(r.Context(), keeps, tianbao.RequestOpen, before, len(list))
		if err != nil {
			return nil, err
		}
		for i := range decide {
			mine[decide[i].ID] = true
		}
	}
	form := s.Org.Checker.Form()
	for i := range list {
		x := &list[i]
		at := form.Index(x.Field)
		if at < 0 {
			continue
		}
		p.Requests = append(p.Requests, wireRequest{
			ID: x.ID, Unit: x.Unit, Name: x.UnitName, Field: x.Field, Title: form.Fields[at].Title, Value: s.Org.Checker.Mask(at, x.Value), Why: x.Why,
			State: string(x.State), By: x.ByName, At: stamp(x.At), Decider: x.DeciderName, Decided: stamp(x.Decided), Remark: x.Remark, Mine: mine[x.ID],
		})
	}
	return p, nil
}

// ask makes a request for the unit of the path.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireAsk
	if err := read(r, &in); err != nil {
		return err
	}
	req, err := s.Org.Ask(r.Context(), v.keeper(r, tianbao.PowerFill), v.unit.ID, in.Field, in.Value, in.Why)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		p, perr := s.unitPage(r, v)
		if perr != nil {
			return perr
		}
		p.Message = asError(err).Message
		s.page(w, r, v, statuses[tianbao.ErrInvalid], "unit.html", p.Unit.Name, p)
		return nil
	}
	return s.done(w, r, wireMade{req.ID}, "/requests")
}

// wireMade names what was made.
type wireMade struct {
	ID tianbao.ID `json:"id"`
}

// decideRequest accepts or refuses a request of a unit whose register the viewer keeps.
func (s *Server) decideRequest(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireDecision
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "request")
	if err != nil {
		return err
	}
	a := v.keeper(r, tianbao.PowerRegister)
	if in.Accept {
		err = s.Org.Accept(r.Context(), a, id, in.Remark)
	} else {
		err = s.Org.Refuse(r.Context(), a, id, in.Remark)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict) {
			return err
		}
		p, perr := s.requestsPage(r, v)
		if perr != nil {
			return perr
		}
		p.Message = asError(err).Message
		s.page(w, r, v, statuses[tianbao.KindOf(err)], "requests.html", "更正申请", p)
		return nil
	}
	return s.done(w, r, wireDone{true}, "/requests")
}
