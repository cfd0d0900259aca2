package web

import (
	"net/http"

	"tianbao"
	"tianbao/internal/campaign"
)

// wireCertify asks for a certificate about the subtree of a unit, named by id or code.
type wireCertify struct {
	Unit     tianbao.ID `json:"unit,omitempty"`
	UnitCode string     `json:"unit_code,omitempty"`
}

type wireCertificates struct {
	Certificates []wireCertificateHead `json:"certificates"`
}

type wireCertificateHead struct {
	ID       tianbao.ID `json:"id"`
	Unit     tianbao.ID `json:"unit"`
	UnitName string     `json:"unit_name"`
	Number   string     `json:"number"`
	At       string     `json:"at"`
	Expected int        `json:"expected"`
	Done     int        `json:"done"`
	Whole    bool       `json:"whole"` // nobody was missing
}

// wireCertificate is a certificate with its list, those that were missing first.
type wireCertificate struct {
	wireCertificateHead
	Campaign tianbao.ID      `json:"campaign"`
	Title    string          `json:"title"`
	Kind     string          `json:"kind"`
	Says     string          `json:"says"`
	Digest   string          `json:"digest"` // SM3 of the text at …/list
	Outside  int             `json:"outside"`
	Units    []wireCertified `json:"units"`
}

type wireCertified struct {
	Unit      tianbao.ID       `json:"unit"`
	Name      string           `json:"name"`
	Code      string           `json:"budget_code,omitempty"`
	OrgCode   string           `json:"org_code,omitempty"`
	State     tianbao.Standing `json:"state"`
	StateName string           `json:"state_name"`
}

func toCertificateHead(h *campaign.CertificateHead) wireCertificateHead {
	return wireCertificateHead{h.ID, h.Unit, h.UnitName, h.Number, stamp(h.At), h.Expected, h.Done, h.Whole()}
}

// certificatesPage is the data of certificates.html.
type certificatesPage struct {
	CSRF    string
	ID      tianbao.ID
	Title   string
	List    []campaign.CertificateHead
	Makes   bool
	Code    string
	Message string
}

// certificatesShown is how many certificates are listed.
const certificatesShown = 200

func (s *Server) certificates(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.certificateList(w, r, v, http.StatusOK, "", "")
}

func (s *Server) certificateList(w http.ResponseWriter, r *http.Request, v *viewer, status int, message, code string) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, _, err := s.Campaigns.Collection(r.Context(), v.runner(r), id)
	if err != nil {
		return err
	}
	u := v.user()
	list, err := s.Campaigns.Store.Certificates(r.Context(), u.Scope(tianbao.PowerSee), id, certificatesShown)
	if err != nil {
		return err
	}
	if wantsJSON(r) {
		out := wireCertificates{Certificates: []wireCertificateHead{}}
		for i := range list {
			out.Certificates = append(out.Certificates, toCertificateHead(&list[i]))
		}
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "certificates.html", "完成证明", &certificatesPage{v.signed.CSRF, id, c.Title, list, u.May(tianbao.PowerLock), code, message})
	return nil
}

// certify takes a certificate down.
func (s *Server) certify(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireCertify
	if err := read(r, &in); err != nil {
		return err
	}
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	a := v.runner(r)
	if in.Unit == 0 {
		in.Unit, err = s.unitByCode(r, a.Locks, in.UnitCode)
	}
	var c *campaign.Certificate
	if err == nil {
		c, err = s.Campaigns.Certify(r.Context(), a, id, in.Unit)
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.certificateList(w, r, v, statuses[tianbao.ErrInvalid], asError(err).Message, in.UnitCode)
	}
	return s.done(w, r, wireMade{c.ID}, "/certificates/"+c.ID.String())
}

// certificatePage is the data of certificate.html.
type certificatePage struct {
	*campaign.Certificate
	Counts []campaign.Count
	Shown  []campaign.Certified // the first of the list
	More   int
}

// certifiedShown is how many units the page lists; paper and workbook have all.
const certifiedShown = 2000

// No is the number of a unit in the list.
func (certificatePage) No(i int) int { return i + 1 }

// Mark is the look of a standing.
func (certificatePage) Mark(s tianbao.Standing) string { return standingMark(s) }

func (s *Server) certificateOf(r *http.Request, v *viewer) (*campaign.Certificate, error) {
	id, err := pathID(r, "certificate")
	if err != nil {
		return nil, err
	}
	u := v.user()
	return s.Campaigns.Store.Certificate(r.Context(), u.Scope(tianbao.PowerSee), id)
}

// attest shows one, to be printed.
func (s *Server) attest(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, err := s.certificateOf(r, v)
	if err != nil {
		return err
	}
	h := c.Head()
	if wantsJSON(r) {
		out := wireCertificate{
			wireCertificateHead: toCertificateHead(&h), Campaign: c.Campaign, Title: c.Title, Kind: c.Kind(), Says: c.Says(),
			Digest: c.Digest, Outside: c.Outside, Units: make([]wireCertified, len(c.List)),
		}
		for i, u := range c.List {
			out.Units[i] = wireCertified{u.Unit, u.Name, u.Code, u.Org, u.State, u.State.Title()}
		}
		return s.json(w, http.StatusOK, out)
	}
	p := &certificatePage{Certificate: c, Counts: c.Counts(), Shown: c.List[:min(len(c.List), certifiedShown)]}
	p.More = len(c.List) - len(p.Shown)
	s.page(w, r, v, http.StatusOK, "certificate.html", c.Kind(), p)
	return nil
}

// certificateText sends the text of which the digest is.
func (s *Server) certificateText(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, err := s.certificateOf(r, v)
	if err != nil {
		return err
	}
	return sendPaper(w, r, c, "text/plain; charset=utf-8", ".txt", c.Text())
}

// certificatePDF sends the paper.
func (s *Server) certificatePDF(w http.ResponseWriter, r *http.Request, v *viewer) error {
	c, err := s.certificateOf(r, v)
	if err != nil {
		return err
	}
	b, err := certificatePaper(c)
	if err != nil {
		return err
	}
	return sendPaper(w, r, c, "application/pdf", ".pdf", b)
}

func sendPaper(w http.ResponseWriter, r *http.Request, c *campaign.Certificate, kind, ext string, b []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", disposition(c.UnitName+"-"+c.Kind()+"-"+c.Number+ext))
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = w.Write(b) // the client is gone if it fails
	return nil
}
