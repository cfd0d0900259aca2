package report

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"tianbao"
)

// Submit carries out 上报: the report as it is stored is checked whole, and if
// nothing blocks, it is marked as reported and a receipt given. With blocking
// problems it returns tianbao.ErrFaulty, which names them; no flag goes around it.
func (s *Service) Submit(ctx context.Context, a Actor, id tianbao.ID, key string) (tianbao.Receipt, error) {
	var none tianbao.Receipt
	if err := checkKey(key); err != nil {
		return none, err
	}
	if _, err := s.Store.Report(ctx, a.Scope, id); err != nil {
		return none, err
	}
	// The key of a 上报 asks for one thing only, so its request is the key itself.
	digest := s.Digest("submit", []byte(key))
	for range tries {
		saved, err := s.outcome(ctx, id, key, digest)
		if err != nil {
			return none, err
		}
		if saved != nil {
			return saved.Receipt, nil
		}
		rep, rows, err := s.Store.Snapshot(ctx, a.Scope, id)
		if err != nil {
			return none, err
		}
		if err := Open(&rep); err != nil {
			return none, err
		}
		rules, err := s.Rules(rep.Form, rep.FormV)
		if err != nil {
			return none, err
		}
		if len(rows) == 0 {
			return none, &tianbao.Error{
				Kind: tianbao.ErrFaulty, Code: "empty",
				Message: "表中还没有已提交的数据，请先填写并提交，再上报。",
			}
		}
		problems, err := s.heldRows(ctx, rules, &rep, rows)
		if err != nil {
			return none, err
		}
		if err := refuse(rules.Form(), problems); err != nil {
			return none, err
		}
		rep.Rows = len(rows)
		r := s.receipt("report", &rep, s.RowsDigest(rows), a.Name, s.Now())
		switch err := s.Store.MarkReported(ctx, r, key, digest, a.User); {
		case err == nil:
			return r, nil
		case errors.Is(err, ErrStale), errors.Is(err, ErrDuplicate):
			continue
		default:
			return none, err
		}
	}
	return none, busy()
}

// refuse returns the error of a 上报 whose problems block it, nil if none does.
func refuse(f *tianbao.Form, problems []tianbao.Problem) error {
	var blocking []tianbao.Problem
	faults, unexplained := 0, 0
	for _, p := range problems {
		if !p.Blocks() {
			continue
		}
		blocking = append(blocking, p)
		if p.Severity == tianbao.SeverityError {
			faults++
		} else {
			unexplained++
		}
	}
	if len(blocking) == 0 {
		return nil
	}
	msg := "还不能上报："
	switch {
	case faults > 0 && unexplained > 0:
		msg += fmt.Sprintf("有 %d 处错误要改正、%d 处情况要说明", faults, unexplained)
	case faults > 0:
		msg += fmt.Sprintf("有 %d 处错误要改正", faults)
	default:
		msg += fmt.Sprintf("有 %d 处情况要说明", unexplained)
	}
	msg += "（" + places(f, blocking) + "），请处理并提交后再上报。"
	return &tianbao.Error{Kind: tianbao.ErrFaulty, Code: "faulty", Message: msg, Problems: blocking}
}

// places names the first few cells of the problems, e.g. 第3行G列、第7行H列 等.
func places(f *tianbao.Form, ps []tianbao.Problem) string {
	const most = 5
	out := ""
	for i, p := range ps {
		if i == most {
			return out + " 等"
		}
		if i > 0 {
			out += "、"
		}
		out += fmt.Sprintf("第%d行", p.Row+1)
		if fd := f.Field(p.Field); fd != nil {
			out += fd.Letter + "列"
		}
	}
	return out
}

// RowsDigest is the keyed digest of rows in their order: each cell with its
// length, so that no two sheets read alike. The number of a receipt and this
// digest show a year later what was reported.
func (s *Service) RowsDigest(rows []tianbao.Row) string {
	var b []byte
	for i := range rows {
		b = binary.AppendUvarint(b, uint64(len(rows[i].Values)))
		for _, v := range rows[i].Values {
			b = binary.AppendUvarint(b, uint64(len(v)))
			b = append(b, v...)
		}
	}
	return s.Digest("rows", b)
}
