package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tianbao"
)

// 清除个人信息: for how long each collection is kept, and the erasure of one person who
// asks for it (PIPL art. 47). Both belong to who opens collections.

// Erasures erases what is held of people. internal/store implements it.
type Erasures interface {
	// Retentions returns all collections with how long they are kept.
	Retentions(ctx context.Context) ([]tianbao.Retention, error)
	// SetRetention stores for how many months a collection is kept, with the event.
	SetRetention(ctx context.Context, campaign tianbao.ID, months int, e tianbao.Event) error
	// CountToErase counts what the end of a collection's time will erase.
	CountToErase(ctx context.Context, campaign tianbao.ID) (tianbao.Erased, error)
	// CountPerson counts what ErasePerson would erase, and what has to stay.
	CountPerson(ctx context.Context, scope tianbao.Scope, id string, months int) (tianbao.PersonErased, error)
	// ErasePerson erases a person in the scope from collections that are over for as many
	// months as they say themselves, or else as are given.
	ErasePerson(ctx context.Context, scope tianbao.Scope, id string, months int, e tianbao.Event) (tianbao.PersonErased, error)
}

type wireRetentions struct {
	Campaigns []wireKept `json:"campaigns"`
}

type wireKept struct {
	Campaign tianbao.ID `json:"campaign"`
	Title    string     `json:"title"`
	Closes   string     `json:"closes,omitempty"`
	Months   int        `json:"months"`           // 0: as the operator's setting says
	Until    string     `json:"until,omitempty"`  // when its own months are over
	Erased   string     `json:"erased,omitempty"` // when it was erased
	Reports  int64      `json:"reports"`
	Rows     int64      `json:"rows"`
	Saves    int64      `json:"saves"`
}

type wireRetention struct {
	Campaign tianbao.ID `json:"campaign"`
	Months   int        `json:"months"`
}

type wireErasePerson struct {
	Person  string `json:"person"` // the resident id as it stands in the sheet
	Reason  string `json:"reason"`
	Confirm bool   `json:"confirm,omitempty"` // false: only count
}

type wirePersonErased struct {
	Done   bool  `json:"done"`
	Rows   int64 `json:"rows"`
	Saves  int64 `json:"saves"`
	Others int64 `json:"others"`
	Kept   int64 `json:"kept"` // rows in collections whose time is not over
	// Mails wait for an officer and name the person, or may; each is dropped by hand.
	Mails []wireNamingMail `json:"mails,omitempty"`
	More  bool             `json:"more,omitempty"` // there are too many mails to look through
}

type wireNamingMail struct {
	Mail     tianbao.ID `json:"mail"`
	Received string     `json:"received"`
	Sure     bool       `json:"sure"` // else a file of it cannot be read
	when     time.Time
}

// When is the time at which the mail came, for pages.
func (n wireNamingMail) When() time.Time { return n.when }

// maxKeep bounds how many months somebody may say.
const maxKeep = 600

// erasurePage is the data of erasure.html.
type erasurePage struct {
	CSRF    string
	Kept    []keptCampaign
	Message string
	In      wireErasePerson
	Out     *wirePersonErased // nil: nothing was asked yet
	Months  int               // for collections that say nothing
	Min     int
}

// keptCampaign is a collection as the page lists it.
type keptCampaign struct {
	tianbao.Retention
	tianbao.Erased
	Until time.Time
	Gone  bool
}

func (s *Server) erasure(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showErasure(w, r, v, http.StatusOK, &erasurePage{})
}

func (s *Server) showErasure(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *erasurePage) error {
	list, err := s.Erasures.Retentions(r.Context())
	if err != nil {
		return err
	}
	out := wireRetentions{Campaigns: []wireKept{}}
	for _, x := range list {
		k := keptCampaign{Retention: x, Gone: !x.Erased.IsZero()}
		if k.Erased, err = s.Erasures.CountToErase(r.Context(), x.Campaign); err != nil {
			return err
		}
		if x.Months > 0 && !x.Closes.IsZero() {
			k.Until = x.KeptUntil(x.Months)
		}
		p.Kept = append(p.Kept, k)
		out.Campaigns = append(out.Campaigns, wireKept{
			x.Campaign, x.Title, stamp(x.Closes), x.Months, stamp(k.Until), stamp(x.Erased), k.Reports, k.Rows, k.Saves,
		})
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	p.CSRF, p.Months, p.Min = v.signed.CSRF, s.KeepMonths, minPurpose
	s.page(w, r, v, status, "erasure.html", "清除个人信息", p)
	return nil
}

func (s *Server) setRetention(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireRetention
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Months < 0 || in.Months > maxKeep {
		return tianbao.Invalid("months", fmt.Sprintf("保存的月数请填 0 到 %d 的整数。", maxKeep))
	}
	if err := s.Erasures.SetRetention(r.Context(), in.Campaign, in.Months, tianbao.Event{Actor: v.user().ID, From: address(r)}); err != nil {
		return err
	}
	return s.done(w, r, wireDone{true}, "/erasure")
}

// erasePerson counts what there is of a person, and erases it once that is confirmed. The
// id travels in bodies only.
func (s *Server) erasePerson(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireErasePerson
	if err := read(r, &in); err != nil {
		return err
	}
	in.Person = strings.TrimSpace(in.Person)
	out, err := s.eraseOrCount(r, v, &in)
	if err != nil {
		if again(r, err, tianbao.ErrInvalid) {
			return s.showErasure(w, r, v, statuses[tianbao.ErrInvalid], &erasurePage{Message: asError(err).Message, In: in})
		}
		return err
	}
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, out)
	}
	return s.showErasure(w, r, v, http.StatusOK, &erasurePage{In: in, Out: &out})
}

func (s *Server) eraseOrCount(r *http.Request, v *viewer, in *wireErasePerson) (out wirePersonErased, err error) {
	reason, err := purposeOf(in.Reason)
	if err == nil {
		err = s.needFactor(v)
	}
	if err != nil {
		return out, err
	}
	u := v.user()
	scope := u.Scope(tianbao.PowerCampaign)
	var sum tianbao.PersonErased
	if in.Confirm {
		sum, err = s.Erasures.ErasePerson(r.Context(), scope, in.Person, s.KeepMonths, tianbao.Event{Actor: u.ID, From: address(r), Reason: reason})
		defer s.live.look() // open sheets show it
	} else {
		sum, err = s.Erasures.CountPerson(r.Context(), scope, in.Person, s.KeepMonths)
		if err == nil { // that it was asked whether a person is here is on the trail too
			err = s.Auth.Record(r.Context(), tianbao.Event{Actor: u.ID, From: address(r), What: "erase.count", Reason: reason})
		}
	}
	if err != nil {
		return out, err
	}
	out = wirePersonErased{Done: in.Confirm, Rows: sum.Rows, Saves: sum.Saves, Others: sum.Others, Kept: sum.Kept}
	named, more, err := s.Post.Naming(r.Context(), v.officer(r), in.Person)
	for _, n := range named {
		out.Mails = append(out.Mails, wireNamingMail{n.ID, stamp(n.Received), n.Sure, n.Received})
	}
	out.More = more
	return out, err
}
