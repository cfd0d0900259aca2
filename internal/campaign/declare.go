package campaign

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"tianbao"
)

// 零申报 and 免报: what is said of a unit instead of rows.

// Declarer is who declares, and where.
type Declarer struct {
	User tianbao.ID
	From string
	// Fills are the subtrees in which the actor may fill in (零申报), Locks and Runs as in
	// Actor (免报).
	Fills, Locks, Runs tianbao.Scope
}

// Say is what is declared of units.
type Say struct {
	Kind   tianbao.DeclarationKind
	Units  []tianbao.ID
	Reason string
	Proof  *tianbao.Proof // nil: none
}

// MaxProof is the most bytes of a proof.
const MaxProof = 5 << 20

// minSaid is the least length of a reason, in characters.
const minSaid = 4

// Declare declares 零申报 or 免报 of units, all of them or none. A unit declares 零申报
// while its door is open; an office above exempts units strictly below it whatever the
// time. Units that have rows are refused.
func (s *Service) Declare(ctx context.Context, a Declarer, id tianbao.ID, say Say) error {
	say.Reason = strings.TrimSpace(say.Reason)
	slices.Sort(say.Units)
	say.Units = slices.Compact(say.Units)
	switch n := utf8.RuneCountInString(say.Reason); {
	case say.Kind.Title() == "":
		return tianbao.Invalid("bad_declaration", "没有这种申报，请刷新页面后重试。")
	case len(say.Units) == 0:
		return tianbao.Invalid("no_units", "请先选择单位。")
	case len(say.Units) > MaxJudged:
		return tianbao.Invalid("too_many_units", fmt.Sprintf("一次最多免报 %d 个单位，请分几次。", MaxJudged))
	case n < minSaid || n > maxReason:
		return tianbao.Invalid("no_reason", fmt.Sprintf("请写明原因，%d 到 %d 个字，例如“本单位没有资产管理人员”。", minSaid, maxReason))
	}
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return err
	}
	if c.Phase() == tianbao.PhasePreparing {
		return tianbao.NotFound()
	}
	if c.Phase() != tianbao.PhaseOpen {
		return tianbao.Invalid("not_open", "采集不在开放阶段，不能再申报。")
	}
	if err := checkProof(say.Proof); err != nil {
		return err
	}
	proof := tianbao.ID(0)
	if say.Proof != nil {
		proof = tianbao.ID(s.IDs.Next())
	}
	now := s.Now()
	var ds []tianbao.Declaration
	var events []tianbao.Event
	for i, unit := range say.Units {
		if err := s.mayDeclare(ctx, &a, say.Kind, unit); err != nil {
			return err
		}
		d := tianbao.Declaration{
			ID: tianbao.ID(s.IDs.Next()), Campaign: id, Unit: unit, Kind: say.Kind, Reason: say.Reason, Attachment: proof, By: a.User, At: now,
		}
		if i == 0 {
			d.Proof = say.Proof // one file for all of them
		}
		ds = append(ds, d)
		events = append(events, a.event(&c, unit, "declare."+string(say.Kind), say.Reason))
		events[i].At, events[i].News = now, &tianbao.News{Kind: tianbao.NewsDeclared, Campaign: id}
	}
	return s.Store.Declare(ctx, ds, say.Kind == tianbao.DeclareExempt, events...)
}

func (a *Declarer) event(c *tianbao.Campaign, unit tianbao.ID, what, reason string) tianbao.Event {
	return tianbao.Event{Actor: a.User, Owner: unit, From: a.From, What: what, Object: c.ID.String(), Reason: reason}
}

// mayDeclare refuses a unit of which it is not the actor's to say so.
func (s *Service) mayDeclare(ctx context.Context, a *Declarer, k tianbao.DeclarationKind, unit tianbao.ID) error {
	if k == tianbao.DeclareNil {
		_, err := s.Store.Unit(ctx, a.Fills, unit)
		return err
	}
	scope := tianbao.Scope{Paths: append(slices.Clone(a.Locks.Paths), a.Runs.Paths...)}
	u, err := s.Store.Unit(ctx, scope, unit)
	if err != nil {
		return err
	}
	if !strictlyBelow(a.Locks, u.Path) && !a.Runs.Covers(u.Path) {
		return tianbao.Invalid("not_below", "只能免报下级单位；本单位的请联系上级财政部门。")
	}
	return nil
}

// TakeBack takes the standing declaration of a unit back: who may declare it may take it
// back, a unit only while its door is open.
func (s *Service) TakeBack(ctx context.Context, a Declarer, id, unit tianbao.ID) error {
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return err
	}
	// Whom it does not concern learns nothing of what is declared.
	all := tianbao.Scope{Paths: slices.Concat(a.Fills.Paths, a.Locks.Paths, a.Runs.Paths)}
	st, err := s.State(ctx, all, id, unit)
	if err != nil {
		return err
	}
	d, err := s.Store.Declaration(ctx, id, unit)
	if err != nil {
		return err
	}
	office := strictlyBelow(a.Locks, st.Unit.Path) || a.Runs.Covers(st.Unit.Path)
	switch {
	case c.Phase() != tianbao.PhaseOpen:
		return tianbao.Invalid("not_open", "采集不在开放阶段，不能撤销申报。")
	case office:
	case d.Kind == tianbao.DeclareExempt:
		return tianbao.Invalid("not_yours", "免报由财政部门作出，需要撤销请联系上级财政部门。")
	case !st.Door.Open():
		return tianbao.Invalid("door_shut", "现在不能撤销零申报："+st.Door.Explain())
	}
	ev := a.event(&c, unit, "declare.end", "")
	ev.At, ev.Detail = s.Now(), string(d.Kind)
	ev.News = &tianbao.News{Kind: tianbao.NewsRevoked, Campaign: id}
	return s.Store.EndDeclaration(ctx, id, unit, a.User, office, ev)
}

// ProofTypes are the media types that a proof may have, by the names that people know.
const ProofTypes = "PDF、JPG、PNG、OFD"

// checkProof tells what a file is by its content and refuses what is none of these.
func checkProof(p *tianbao.Proof) error {
	if p == nil {
		return nil
	}
	if len(p.Data) > MaxProof {
		return &tianbao.Error{Kind: tianbao.ErrTooLarge, Code: "proof_too_large", Message: fmt.Sprintf("证明文件最大 %d MB，请压缩或分页后再传。", MaxProof>>20)}
	}
	p.Type = ""
	switch t := http.DetectContentType(p.Data); t {
	case "application/pdf", "image/jpeg", "image/png":
		p.Type = t
	case "application/zip":
		// OFD (GB/T 33190-2016) is a zip with OFD.xml at its root.
		if z, err := zip.NewReader(bytes.NewReader(p.Data), int64(len(p.Data))); err == nil {
			for _, f := range z.File {
				if f.Name == "OFD.xml" {
					p.Type = "application/ofd"
				}
			}
		}
	}
	if p.Type == "" {
		return tianbao.Invalid("bad_proof", "证明文件要是 "+ProofTypes+" 中的一种，请另存为其中一种再传。")
	}
	p.Name = proofName(p.Name)
	return nil
}

// proofName is the file's own name without path and control characters.
func proofName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`"<>|:*?/`, r) {
			return -1
		}
		return r
	}, name)
	if name == "" || name == "." || name == ".." {
		name = "证明文件"
	}
	return clip(name, 100)
}
