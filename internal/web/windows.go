package web

import (
	"fmt"
	"net/http"
	"strconv"

	"tianbao"
	"tianbao/internal/report"
)

// Long sheets come by windows: the head first, then rows as somebody looks at them.
const (
	// shortSheet is up to how many rows a sheet comes whole with its head.
	shortSheet = 2_000
	// headRows is how many rows come with the head of a longer one.
	headRows = 200
	// maxWindow is the most rows of one window.
	maxWindow = 2_000
)

// wireWindow is a stretch of the rows of a report, all of one version.
type wireWindow struct {
	Version int64     `json:"version"`
	Rows    []wireRow `json:"rows"`
}

// sheetRows answers a report with those rows that the query asks for: ?rows=none none,
// ?rows=auto all of a short sheet and the first of a long one, otherwise all.
func (s *Server) sheetRows(r *http.Request, v *viewer) (*report.Sheet, error) {
	count := 0
	switch r.URL.Query().Get("rows") {
	case "none":
	case "auto":
		count = shortSheet
		if v.report.Rows > shortSheet {
			count = headRows
		}
	default:
		return s.Reports.View(r.Context(), v.actor(), v.report.ID)
	}
	rep, rows, err := s.Reports.Store.Window(r.Context(), v.actor().Scope, v.report.ID, 0, 0, count)
	if err != nil {
		return nil, err
	}
	rules, err := s.Reports.Rules(rep.Form, rep.FormV)
	if err != nil {
		return nil, err
	}
	return &report.Sheet{Report: rep, Form: rules.Form(), Rows: rows}, nil
}

// window answers a stretch of rows: ?from=&count=, or ?after= the id of the row before
// them, which is found faster. With ?version= it is of that version or refused, so
// that windows of two versions never come together.
func (s *Server) window(w http.ResponseWriter, r *http.Request, v *viewer) error {
	q := r.URL.Query()
	after, _ := tianbao.ParseID(q.Get("after"))
	from, count := atoi(q.Get("from"), 0), min(atoi(q.Get("count"), headRows), maxWindow)
	rep, rows, err := s.Reports.Store.Window(r.Context(), v.actor().Scope, v.report.ID, after, from, count)
	if err != nil {
		return err
	}
	if want := q.Get("version"); want != "" && want != strconv.FormatInt(rep.Version, 10) {
		return &tianbao.Error{Kind: tianbao.ErrConflict, Code: "moved", Message: "读取期间有人保存了这张表，请重新读取。"}
	}
	if err := s.recordRead(r, v, rep.Version, fmt.Sprintf("%d rows from %d", len(rows), from)); err != nil {
		return err
	}
	return s.json(w, http.StatusOK, wireWindow{Version: rep.Version, Rows: toRows(rows)})
}
