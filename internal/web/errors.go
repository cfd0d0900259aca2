package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"tianbao"
	"tianbao/internal/db"
	"tianbao/internal/report"
)

// statuses maps kinds of errors to HTTP statuses; the one place that does.
var statuses = map[tianbao.ErrKind]int{
	tianbao.ErrInternal:    http.StatusInternalServerError,
	tianbao.ErrInvalid:     http.StatusBadRequest,
	tianbao.ErrNotFound:    http.StatusNotFound,
	tianbao.ErrConflict:    http.StatusConflict,
	tianbao.ErrFaulty:      http.StatusUnprocessableEntity,
	tianbao.ErrUnsigned:    http.StatusUnauthorized,
	tianbao.ErrForbidden:   http.StatusForbidden,
	tianbao.ErrTooMany:     http.StatusTooManyRequests,
	tianbao.ErrTooLarge:    http.StatusRequestEntityTooLarge,
	tianbao.ErrUnavailable: http.StatusServiceUnavailable,
}

// asError returns err as an error for people. What is not one already becomes a
// generic one that tells nothing of the cause.
func asError(err error) *tianbao.Error {
	var e *tianbao.Error
	if errors.As(err, &e) {
		if e.Kind == tianbao.ErrInternal && e.Message == "" {
			return &tianbao.Error{Kind: tianbao.ErrInternal, Code: "internal", Message: internalText, Err: e.Err}
		}
		return e
	}
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return &tianbao.Error{
			Kind: tianbao.ErrTooLarge, Code: "too_large",
			Message: "上传的内容超过 " + strconv.FormatInt(tooBig.Limit>>20, 10) + " MB，请分成几份再传。", Err: err,
		}
	}
	if errors.Is(err, db.ErrBusy) || errors.Is(err, db.ErrClosed) {
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "busy", RetryAfter: 2, Message: "现在提交的人很多，您的内容还没有保存，请稍候再试一次。", Err: err}
	}
	if e := unreachable(err); e != nil {
		return e
	}
	if db.IsFull(err) {
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "disk_full", RetryAfter: 60, Message: "服务器的磁盘满了，您的内容还没有保存，请不要关闭页面，并告诉维护人员腾出空间，然后再试。", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "timeout", RetryAfter: 5, Message: "处理时间过长，已经停止，什么都没有改变，请稍候再试。", Err: err}
	}
	return &tianbao.Error{Kind: tianbao.ErrInternal, Code: "internal", Message: internalText, Err: err}
}

// unreachable is what is told where the database server was not reached, or its answer to the
// commit was lost; nil: neither. What nobody knows is told as neither success nor failure.
func unreachable(err error) *tianbao.Error {
	switch {
	case errors.Is(err, db.ErrUnsure):
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "unsure", RetryAfter: 5, Message: "没有得到已经存好的确认，不能确定刚才的操作是否已经生效，请不要关闭页面，过几秒再试；提交和上报再做一次不会重复，其他操作请先刷新页面核对。", Err: err}
	case errors.Is(err, db.ErrAway):
		return &tianbao.Error{Kind: tianbao.ErrUnavailable, Code: "database_away", RetryAfter: 5, Message: "暂时连不上数据库，刚才的操作没有完成，请不要关闭页面，过几秒再试一次。", Err: err}
	}
	return nil
}

const internalText = "系统出了问题，您的内容没有丢失，请稍候再试；如果还不行，请把下面的编号告诉维护人员。"

// wireError is an error as programs read it.
type wireError struct {
	Code      string         `json:"code"`
	Message   string         `json:"message"`
	Request   string         `json:"request,omitempty"`
	Choices   []string       `json:"choices,omitempty"`
	Conflicts []wireConflict `json:"conflicts,omitempty"`
	Problems  []wireProblem  `json:"problems,omitempty"`
}

// wireFailure is the answer that holds an error.
type wireFailure struct {
	Error wireError `json:"error"`
}

// fail answers with an error when nobody is known to be asking.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.failAs(w, r, &viewer{}, err)
}

// failAs answers with an error: JSON to programs, a page to browsers, the sign-in
// page to a browser that is not signed in.
func (s *Server) failAs(w http.ResponseWriter, r *http.Request, v *viewer, err error) {
	e := asError(err)
	id, _ := r.Context().Value(keyRequestID).(string)
	status := statuses[e.Kind]
	s.failLog(r, e, err)
	retryAfter(w, e)
	if wantsJSON(r) {
		out := wireError{Code: e.Code, Message: e.Message, Request: id, Choices: e.Choices, Conflicts: wireConflicts(e.Conflicts)}
		if len(e.Problems) > 0 {
			out.Problems = s.wireProblems(v.report.Form, v.report.FormV, e.Problems[:min(len(e.Problems), report.MaxProblems)], nil)
		}
		writeFailure(w, status, out)
		return
	}
	if e.Kind == tianbao.ErrUnsigned && r.Method == http.MethodGet {
		http.Redirect(w, r, "/signin?next="+queryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if lead(w, r, v, e) {
		return
	}
	p := errorPage{Status: status, Title: titles[status], Message: e.Message, Request: id, Signed: v.signed != nil, Choices: e.Choices}
	if v.report.ID != 0 {
		p.Report = v.report.ID
	}
	for i, pr := range e.Problems {
		if i == 20 {
			break
		}
		p.Problems = append(p.Problems, pr.Message)
	}
	s.page(w, r, v, status, "error.html", titles[status], &p)
}

// retryAfter tells after how many seconds to try again, where the error knows.
func retryAfter(w http.ResponseWriter, e *tianbao.Error) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
}

// writeFailure answers a program with an error.
func writeFailure(w http.ResponseWriter, status int, e wireError) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(wireFailure{e}) // the client is gone if it fails
}

// failLog logs what nobody but the operator can put right; once, at the edge.
func (s *Server) failLog(r *http.Request, e *tianbao.Error, err error) {
	if (e.Kind == tianbao.ErrInternal || e.Code == "disk_full" || e.Code == "unsure") && r.Context().Err() == nil {
		id, _ := r.Context().Value(keyRequestID).(string)
		s.Log.LogAttrs(r.Context(), slog.LevelError, "failed", slog.String("id", id), slog.String("route", r.Pattern), slog.Any("err", err))
	}
}

// titles head the error pages.
var titles = map[int]string{
	http.StatusBadRequest:            "请求有误",
	http.StatusUnauthorized:          "需要登录",
	http.StatusForbidden:             "没有权限",
	http.StatusNotFound:              "没有找到",
	http.StatusMethodNotAllowed:      "请求有误",
	http.StatusConflict:              "内容有冲突",
	http.StatusRequestEntityTooLarge: "内容太大",
	http.StatusUnprocessableEntity:   "还不能上报",
	http.StatusTooManyRequests:       "请稍候",
	http.StatusInternalServerError:   "系统出了问题",
	http.StatusServiceUnavailable:    "请稍候",
}

// errorPage is the data of error.html.
type errorPage struct {
	Status   int
	Title    string
	Message  string
	Request  string
	Signed   bool
	Problems []string
	Choices  []string
	Report   tianbao.ID // the report that it is about, 0: none
}
