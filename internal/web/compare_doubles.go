package web

import (
	"net/http"
	"strconv"

	"tianbao"
	"tianbao/internal/compare"
)

// doublesSize is how many groups one page lists.
const doublesSize = 50

// wireDoubles is what stands in several places of a collection.
type wireDoubles struct {
	Campaign tianbao.ID   `json:"campaign"`
	Kind     string       `json:"kind"` // person, phone, user
	Groups   []wireDouble `json:"groups"`
	Next     int          `json:"next,omitempty"`
}

// wireDouble is one of them with its rows in the caller's scope.
type wireDouble struct {
	Rows []wireDoubleRow `json:"rows"`
	// Elsewhere says that there are others, and whom to ask; empty where the rows are all.
	Elsewhere string `json:"elsewhere,omitempty"`
	// Conflict tells that one id stands under several names.
	Conflict bool `json:"conflict,omitempty"`
}

type wireDoubleRow struct {
	Unit   string `json:"unit"`
	User   string `json:"user"`
	Name   string `json:"name"`
	Person string `json:"person_id"` // masked
	Phone  string `json:"phone"`     // masked
	Reason string `json:"reason,omitempty"`
}

// doublesPage is the data of comparedoubles.html.
type doublesPage struct {
	Campaigns []tianbao.Campaign
	More      string
	wireDoubles
}

// doubles lists what stands in several units, across the province, in detail only where the
// viewer may see it.
func (s *Server) doubles(w http.ResponseWriter, r *http.Request, v *viewer) error {
	ctx, q := r.Context(), r.URL.Query()
	p := &doublesPage{}
	p.Groups = []wireDouble{}
	var err error
	if p.Campaigns, err = s.Catalog.Campaigns(ctx); err != nil {
		return err
	}
	if p.Campaign, err = queryID(r, "campaign"); err != nil {
		return err
	}
	if p.Campaign == 0 && len(p.Campaigns) > 0 {
		p.Campaign = p.Campaigns[0].ID
	}
	key := compare.KeyPerson
	switch p.Kind = q.Get("kind"); p.Kind {
	case "phone":
		key = compare.KeyPhone
	case "user":
		key = compare.KeyUser
	default:
		p.Kind = "person"
	}
	offset := max(atoi(q.Get("offset"), 0), 0)
	list, err := s.Compared.Doubles(ctx, v.keeps(), p.Campaign, key, offset, doublesSize+1)
	if err != nil {
		return err
	}
	if len(list) > doublesSize {
		list = list[:doublesSize]
		p.Next = offset + doublesSize
		p.More = "/compare/doubles?campaign=" + p.Campaign.String() + "&kind=" + p.Kind + "&offset=" + strconv.Itoa(p.Next)
	}
	for i := range list {
		g, err := s.toDouble(&list[i], key)
		if err != nil {
			return err
		}
		p.Groups = append(p.Groups, g)
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "compare.read", Object: p.Campaign.String(), Detail: strconv.Itoa(len(list)) + " doubles by " + p.Kind + ", masked"}
	if err := s.Auth.Record(ctx, e); err != nil {
		return err
	}
	return s.answer(w, r, v, p.wireDoubles, "comparedoubles.html", "跨单位重复", p)
}

func (s *Server) toDouble(d *compare.Double, key string) (out wireDouble, err error) {
	out.Rows = []wireDoubleRow{}
	if d.Hidden {
		out.Elsewhere = elsewhereText
	}
	for i := range d.Rows {
		x := &d.Rows[i]
		row := wireDoubleRow{Unit: x.UnitName, Reason: x.Reason}
		for _, c := range []struct {
			key string
			to  *string
		}{{compare.KeyUser, &row.User}, {compare.KeyName, &row.Name}, {compare.KeyPerson, &row.Person}, {compare.KeyPhone, &row.Phone}} {
			if *c.to, err = s.shownCell(x.Cellular, c.key, false); err != nil {
				return out, err
			}
		}
		out.Conflict = out.Conflict || key == compare.KeyPerson && row.Name != "" && len(out.Rows) > 0 && out.Rows[0].Name != row.Name
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}
