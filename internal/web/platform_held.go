package web

import (
	"context"
	"iter"
	"strings"

	"tianbao"
	"tianbao/internal/ident"
	"tianbao/internal/provision"
)

// Those whom a plan holds: on the page, and as a file.

// heldLine is somebody held with what is told of them.
type heldLine struct {
	*provision.HeldLine
	Others []string // units of the others concerned
	// Phone is where the phone of who is held for it stands, zero for the others.
	Phone provision.PhoneState
}

// heldOf reads a page of those held behind the n-th, for a reason where it is set.
func (s *Server) heldOf(ctx context.Context, plan tianbao.ID, behind int, why provision.Why, limit int) ([]heldLine, error) {
	held, err := s.Platform.Store.HeldOf(ctx, plan, behind, why, limit)
	if err != nil {
		return nil, err
	}
	var ids []tianbao.ID
	rows := make([]provision.Row, len(held))
	for i := range held {
		h := &held[i]
		rows[i] = provision.Row{Person: h.Person, Phone: h.Phone}
		for _, ref := range h.With {
			ids = append(ids, ref.Unit)
		}
		for _, ref := range h.Rows {
			ids = append(ids, ref.Unit)
		}
	}
	units, err := s.PlatformAccounts.UnitsNamed(ctx, ids)
	if err != nil {
		return nil, err
	}
	phones, err := s.Codes.Store.PhoneStates(ctx, rows, s.Now())
	if err != nil {
		return nil, err
	}
	out := make([]heldLine, len(held))
	for i := range held {
		h := &held[i]
		out[i].HeldLine = h
		if h.Why == provision.Unproven {
			out[i].Phone = phones[i]
		}
		seen := map[string]bool{h.UnitName: true}
		for _, refs := range [][]provision.Ref{h.Rows, h.With} {
			for _, ref := range refs {
				if name := units[ref.Unit].Name; name != "" && !seen[name] {
					seen[name] = true
					out[i].Others = append(out[i].Others, name)
				}
			}
		}
	}
	return out, nil
}

// heldLines puts a page of those held on the page of the plan, and returns behind what the
// next one begins, 0: there is none.
func (s *Server) heldLines(ctx context.Context, p *accountPlanPage, behind int) (next int, err error) {
	held, err := s.heldOf(ctx, p.ID, behind, p.Why, platformLines)
	if err != nil {
		return 0, err
	}
	for i := range held {
		h := &held[i]
		p.Lines = append(p.Lines, wirePlanLine{
			N: h.N, What: string(h.Why), State: h.Phone.State.Title(), Name: h.Name, Person: ident.MaskID(h.Person),
			Login: ident.MaskPhone(h.HeldLine.Phone), Unit: h.UnitName, Account: h.Account, Others: h.Others,
		})
	}
	if len(held) == platformLines {
		next = held[len(held)-1].N
	}
	return next, nil
}

// heldForm is the form of the file of those held.
func heldForm() *tianbao.Form {
	return listForm("held", "暂不处理的人", "原因", "怎么处理", "姓名", "身份证号码", "联系方式", "单位", "涉及的其他单位", "手机号验证")
}

// heldEntries gives those held one by one in the columns of heldForm.
func (s *Server) heldEntries(ctx context.Context, plan tianbao.ID, full bool) iter.Seq2[tianbao.Row, error] {
	return func(yield func(tianbao.Row, error) bool) {
		n := 0
		for behind := -1; ; {
			held, err := s.heldOf(ctx, plan, behind, "", 1000)
			if err != nil {
				yield(tianbao.Row{}, err)
				return
			}
			if len(held) == 0 {
				return
			}
			for i := range held {
				h := &held[i]
				behind = h.N
				person, phone := h.Person, h.HeldLine.Phone
				if !full {
					person, phone = ident.MaskID(person), ident.MaskPhone(phone)
				}
				n++
				values := tianbao.Values{h.Why.Title(), h.Why.Advice(), h.Name, person, phone, h.UnitName, strings.Join(h.Others, "、"), h.Phone.State.Title()}
				if !yield(tianbao.Row{Seq: n, Values: values}, nil) {
					return
				}
			}
		}
	}
}
