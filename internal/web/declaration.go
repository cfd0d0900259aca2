package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/campaign"
)

// 零申报 and 免报, with their proofs.

// maxDeclare bounds a declaration with its proof.
const maxDeclare = campaign.MaxProof + 1<<20

// wireDeclare declares of units; as a form it may bring the file proof.
type wireDeclare struct {
	Reason string       `json:"reason"`
	Units  []tianbao.ID `json:"units,omitempty"` // of 免报
	Codes  string       `json:"codes,omitempty"` // of 免报: budget codes, organisation codes or full names, a line each
}

type wireDeclarations struct {
	Declarations []wireDeclaration `json:"declarations"`
}

type wireDeclaration struct {
	Unit     tianbao.ID              `json:"unit"`
	UnitName string                  `json:"unit_name"`
	Kind     tianbao.DeclarationKind `json:"kind,omitempty"` // nil (零申报) or exempt (免报); none: nothing is declared
	Reason   string                  `json:"reason,omitempty"`
	At       string                  `json:"at,omitempty"`
	Proof    bool                    `json:"proof,omitempty"` // there is a file
	State    tianbao.Standing        `json:"state"`
	Open     bool                    `json:"open"` // the unit's door
}

// declarer is the viewer as declarations know it.
func (v *viewer) declarer(r *http.Request) campaign.Declarer {
	u := v.user()
	return campaign.Declarer{
		User: u.ID, From: address(r), Fills: u.Scope(tianbao.PowerFill), Locks: u.Scope(tianbao.PowerLock), Runs: u.Scope(tianbao.PowerCampaign),
	}
}

// declarationPage is the data of declaration.html.
type declarationPage struct {
	C       tianbao.Campaign
	CSRF    string
	State   campaign.UnitState
	Kind    tianbao.DeclarationKind
	Reason  string
	At      time.Time
	Proof   bool
	Fills   bool // the viewer may declare 零申报
	Backs   bool // the viewer may take back what is declared
	Types   string
	Message string
	Said    string // the reason that was refused
}

// declaration shows what is declared of a unit, and lets it be declared.
func (s *Server) declaration(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.declarationShow(w, r, v, http.StatusOK, "", "")
}

func (s *Server) declarationShow(w http.ResponseWriter, r *http.Request, v *viewer, status int, message, said string) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, err := s.Catalog.Campaign(r.Context(), id)
	if err != nil {
		return err
	}
	u := v.user()
	st, err := s.Campaigns.State(r.Context(), u.Scope(tianbao.PowerSee), id, v.unit.ID)
	if err != nil {
		return err
	}
	d, err := s.Campaigns.Store.Declaration(r.Context(), id, v.unit.ID)
	if err != nil && tianbao.KindOf(err) != tianbao.ErrNotFound {
		return err
	}
	a := v.declarer(r)
	p := &declarationPage{
		C: c, CSRF: v.signed.CSRF, State: st, Kind: d.Kind, Reason: d.Reason, At: d.At, Proof: d.Attachment != 0, Types: campaign.ProofTypes,
		Fills: a.Fills.Covers(st.Unit.Path), Message: message, Said: said,
	}
	p.Backs = p.Fills && (d.Kind == tianbao.DeclareNil && st.Door.Open() || a.Locks.Covers(st.Unit.Path))
	if wantsJSON(r) {
		return s.json(w, status, wireDeclaration{
			Unit: st.Unit.ID, UnitName: st.Unit.Name, Kind: d.Kind, Reason: d.Reason, At: stamp(d.At), Proof: p.Proof, State: st.Shown, Open: st.Door.Open(),
		})
	}
	s.page(w, r, v, status, "declaration.html", "零申报", p)
	return nil
}

// readDeclare reads a declaration with its proof, if it brings one.
func readDeclare(r *http.Request) (in wireDeclare, proof *tianbao.Proof, err error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return in, nil, read(r, &in)
	}
	if err := r.ParseMultipartForm(maxDeclare); err != nil {
		return in, nil, badBody(err)
	}
	if err := read(r, &in); err != nil {
		return in, nil, err
	}
	f, h, err := r.FormFile("proof")
	if errors.Is(err, http.ErrMissingFile) {
		return in, nil, nil
	}
	if err != nil {
		return in, nil, badBody(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f) // no more than the body's limit
	if err != nil {
		return in, nil, badBody(err)
	}
	if len(data) == 0 && h.Filename == "" {
		return in, nil, nil
	}
	return in, &tianbao.Proof{Name: h.Filename, Data: data}, nil
}

// declareNil is 零申报.
func (s *Server) declareNil(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	in, proof, err := readDeclare(r)
	if err == nil {
		say := campaign.Say{Kind: tianbao.DeclareNil, Units: []tianbao.ID{v.unit.ID}, Reason: in.Reason, Proof: proof}
		err = s.Campaigns.Declare(r.Context(), v.declarer(r), id, say)
	}
	return s.declared(w, r, v, id, err, in.Reason)
}

// takeBack takes back what is declared of a unit.
func (s *Server) takeBack(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	if err := read(r, &wireEmpty{}); err != nil {
		return err
	}
	return s.declared(w, r, v, id, s.Campaigns.TakeBack(r.Context(), v.declarer(r), id, v.unit.ID), "")
}

// declared answers an act on the page of a unit's declaration.
func (s *Server) declared(w http.ResponseWriter, r *http.Request, v *viewer, id tianbao.ID, err error, said string) error {
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict, tianbao.ErrTooLarge) {
			return err
		}
		return s.declarationShow(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, said)
	}
	return s.done(w, r, wireDone{true}, declarationPath(id, v.unit.ID))
}

func declarationPath(id, unit tianbao.ID) string {
	return "/collections/" + id.String() + "/units/" + unit.String() + "/declaration"
}

// proof is the file of what is declared of a unit. Always a download, as what it was found
// to be: a file from outside must not run as a page of ours.
func (s *Server) proof(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	if _, err := s.Catalog.Campaign(r.Context(), id); err != nil {
		return err
	}
	e := tianbao.Event{At: s.Now(), Actor: v.user().ID, Owner: v.unit.ID, From: address(r), What: "proof.read", Object: id.String()}
	p, err := s.Campaigns.Store.Proof(r.Context(), id, v.unit.ID, e)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", p.Type)
	w.Header().Set("Content-Disposition", disposition(p.Name))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Data))
	return nil
}

// maxDeclared is how many declarations one page lists.
const maxDeclared = 500

// declarationsPage is the data of declarations.html.
type declarationsPage struct {
	C       tianbao.Campaign
	CSRF    string
	List    []campaign.Declared
	More    bool
	Types   string
	Message string
	In      wireDeclare
}

// declarations lists what is declared in the viewer's part of the register.
func (s *Server) declarations(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.declarationList(w, r, v, http.StatusOK, "", wireDeclare{})
}

func (s *Server) declarationList(w http.ResponseWriter, r *http.Request, v *viewer, status int, message string, in wireDeclare) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	c, err := s.Catalog.Campaign(r.Context(), id)
	if err != nil {
		return err
	}
	u := v.user()
	list, err := s.Campaigns.Store.Declarations(r.Context(), u.Scope(tianbao.PowerLock), id, maxDeclared+1)
	if err != nil {
		return err
	}
	p := &declarationsPage{C: c, CSRF: v.signed.CSRF, List: list, More: len(list) > maxDeclared, Types: campaign.ProofTypes, Message: message, In: in}
	p.List = list[:min(len(list), maxDeclared)]
	out := wireDeclarations{Declarations: []wireDeclaration{}}
	for i := range p.List {
		d := &p.List[i]
		out.Declarations = append(out.Declarations, wireDeclaration{
			Unit: d.Unit.ID, UnitName: d.Unit.Name, Kind: d.Kind, Reason: d.Reason, At: stamp(d.At), Proof: d.Attachment != 0,
		})
	}
	if wantsJSON(r) {
		return s.json(w, status, out)
	}
	s.page(w, r, v, status, "declarations.html", "零申报和免报", p)
	return nil
}

// exempt is 免报.
func (s *Server) exempt(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "campaign")
	if err != nil {
		return err
	}
	in, proof, err := readDeclare(r)
	if err == nil {
		a := v.declarer(r)
		for line := range strings.SplitSeq(in.Codes, "\n") {
			if line = strings.TrimSpace(line); line == "" || len(in.Units) > campaign.MaxJudged {
				continue
			}
			unit, uerr := s.unitByCode(r, tianbao.Scope{Paths: slices.Concat(a.Locks.Paths, a.Runs.Paths)}, line)
			if uerr != nil {
				err = uerr
				break
			}
			in.Units = append(in.Units, unit)
		}
		if err == nil {
			err = s.Campaigns.Declare(r.Context(), a, id, campaign.Say{Kind: tianbao.DeclareExempt, Units: in.Units, Reason: in.Reason, Proof: proof})
		}
	}
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid, tianbao.ErrConflict, tianbao.ErrTooLarge) {
			return err
		}
		return s.declarationList(w, r, v, statuses[tianbao.KindOf(err)], asError(err).Message, in)
	}
	return s.done(w, r, wireDone{true}, "/collections/"+id.String()+"/declarations")
}
