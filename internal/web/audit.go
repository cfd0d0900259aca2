package web

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/clock"
)

// auditPage is the data of audit.html.
type auditPage struct {
	CSRF     string
	Lines    []audit.Line
	Kinds    []auditKind
	Query    url.Values
	Older    string // query of the next page, empty: none
	Verified *wireVerified
}

// auditKind is a choice of the filter.
type auditKind struct{ What, Title string }

// Title names the event of a line in the users' words.
func (auditPage) Title(what string) string { return audit.Title(what) }

// Result names a result in the users' words.
func (auditPage) Result(r tianbao.Result) string {
	switch r {
	case tianbao.ResultDenied:
		return "被拒绝"
	case tianbao.ResultFailed:
		return "失败"
	}
	return "成功"
}

// Results are the choices of the filter by result.
func (p auditPage) Results() map[tianbao.Result]string {
	m := make(map[tianbao.Result]string)
	for _, r := range []tianbao.Result{tianbao.ResultDone, tianbao.ResultDenied, tianbao.ResultFailed} {
		m[r] = p.Result(r)
	}
	return m
}

// trailPage is how many lines a page of the trail has.
const trailPage = 100

// trail shows the trail. That it was read is on it too (security.md 26).
func (s *Server) trail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	q, err := trailQuery(r.URL.Query())
	if err != nil {
		return err
	}
	if err := s.Auth.Record(r.Context(), tianbao.Event{Actor: v.user().ID, From: address(r), What: "trail.read"}); err != nil {
		return err
	}
	lines, err := s.Audit.Store.Trail(r.Context(), q)
	if err != nil {
		return err
	}
	out := wireTrail{Records: make([]wireTrailLine, len(lines))}
	for i, l := range lines {
		out.Records[i] = wireTrailLine{
			ID: l.ID, Lane: l.Lane, Seq: l.Seq, At: audit.Stamp(l.At), Actor: l.ActorName, Login: l.Login, Unit: l.OwnerName, From: l.From,
			What: l.What, Title: audit.Title(l.What), Object: l.Object, Result: l.Result, Reason: l.Reason, Detail: l.Detail,
		}
	}
	p := s.auditPage(v, r.URL.Query())
	p.Lines = lines
	if len(lines) == trailPage {
		out.Next = lines[len(lines)-1].ID
		older := r.URL.Query()
		older.Set("before", out.Next.String())
		p.Older = "?" + older.Encode()
	}
	return s.answer(w, r, v, out, "audit.html", "审计记录", p)
}

func (s *Server) auditPage(v *viewer, q url.Values) *auditPage {
	p := &auditPage{CSRF: v.signed.CSRF, Query: q}
	for _, k := range audit.Kinds() {
		p.Kinds = append(p.Kinds, auditKind{k, audit.Title(k)})
	}
	return p
}

// trailQuery reads the filter; days are those of Shanghai, both included.
func trailQuery(v url.Values) (audit.Query, error) {
	q := audit.Query{What: v.Get("what"), Result: tianbao.Result(v.Get("result")), Limit: trailPage}
	for name, dest := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		text := v.Get(name)
		if text == "" {
			continue
		}
		day, err := parseDay(text)
		if err != nil {
			return q, err
		}
		if name == "to" {
			day = day.AddDate(0, 0, 1)
		}
		*dest = day
	}
	if b := v.Get("before"); b != "" {
		id, err := tianbao.ParseID(b)
		if err != nil {
			return q, tianbao.NotFound()
		}
		q.Before = id
	}
	return q, nil
}

func (s *Server) verifyTrail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	f, err := s.Audit.Verify(r.Context())
	if err != nil {
		return err
	}
	e := tianbao.Event{Actor: v.user().ID, From: address(r), What: "trail.verify"}
	out := wireVerified{Records: f.Records, Faults: []string{}}
	for _, x := range f.Faults {
		out.Faults = append(out.Faults, "链 "+strconv.Itoa(x.Lane)+" 第 "+strconv.FormatInt(x.Seq, 10)+" 条："+x.Message)
	}
	for _, row := range f.Altered {
		out.Faults = append(out.Faults, "账号或授权的记录被动过："+row)
	}
	if f.More > 0 {
		out.Faults = append(out.Faults, "还有 "+strconv.Itoa(f.More)+" 处没有列出")
	}
	if !f.OK() {
		e.Result = tianbao.ResultFailed
	}
	if err := s.Auth.Record(r.Context(), e); err != nil {
		return err
	}
	p := s.auditPage(v, nil)
	p.Verified = &out
	return s.answer(w, r, v, out, "audit.html", "审计记录", p)
}

// exportTrail sends the whole trail. It is verified on the way; where it does not
// verify the file ends without its signature, and the transfer breaks off.
func (s *Server) exportTrail(w http.ResponseWriter, r *http.Request, v *viewer) error {
	if err := s.Auth.Record(r.Context(), tianbao.Event{Actor: v.user().ID, From: address(r), What: "trail.export"}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit-`+s.Now().In(clock.Shanghai).Format("20060102-1504")+`.jsonl"`)
	buf := bufio.NewWriterSize(w, 64<<10)
	err := s.Audit.Export(r.Context(), func(line []byte) error {
		_, _ = buf.Write(line) // Flush tells
		return buf.WriteByte('\n')
	})
	if err = errors.Join(err, buf.Flush()); err != nil {
		s.Log.Error("the export of the trail broke off", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
