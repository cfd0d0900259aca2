package app

import (
	"encoding/json"
	"strings"

	"tianbao"
)

// The lines of --json, form.md §6. Values are shown whole: the file is the user's.
type (
	fileReport struct {
		File   string        `json:"file"`
		Status string        `json:"status"`
		Error  *errorReport  `json:"error"`
		Sheet  string        `json:"sheet"`
		Rows   []rowReport   `json:"rows"`
		Issues []issueReport `json:"issues"`
		Counts countReport   `json:"counts"`
	}
	errorReport struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	rowReport struct {
		Row      int             `json:"row"`
		Seq      string          `json:"seq"`
		SheetRow int             `json:"sheet_row"`
		Values   json.RawMessage `json:"values"`
	}
	issueReport struct {
		Row      int     `json:"row"`
		Cell     string  `json:"cell"`
		Field    *string `json:"field"` // null: the row as a whole
		Code     string  `json:"code"`
		Severity string  `json:"severity"`
		Message  string  `json:"message"`
	}
	countReport struct {
		Rows    int `json:"rows"`
		Error   int `json:"error"`
		Justify int `json:"justify"`
		Hint    int `json:"hint"`
	}
)

func (r *checkRun) reportJSON(name string, imp *tianbao.Import, problems []tianbao.Problem, err error) error {
	rep := fileReport{File: name, Status: "ok", Rows: []rowReport{}, Issues: []issueReport{}}
	if err != nil {
		e := workbookError(err)
		rep.Status, rep.Error = "unreadable", &errorReport{e.Code, e.Message}
		return r.line(&rep)
	}
	if len(problems) > 0 {
		rep.Status = "issues"
	}
	rep.Sheet = imp.Sheet
	for i := range imp.Rows {
		row := &imp.Rows[i]
		values, err := r.values(row.Row.Values)
		if err != nil {
			return err
		}
		rep.Rows = append(rep.Rows, rowReport{i + 1, row.Seq, row.SheetRow, values})
	}
	for i := range problems {
		p := &problems[i]
		issue := issueReport{p.Row + 1, r.cellOf(imp, p), nil, p.Code, string(p.Severity), p.Message}
		if p.Field != "" {
			issue.Field = &p.Field
		}
		rep.Issues = append(rep.Issues, issue)
	}
	rep.Counts = countReport{len(imp.Rows), count(problems, tianbao.SeverityError), count(problems, tianbao.SeverityJustify), count(problems, tianbao.SeverityHint)}
	return r.line(&rep)
}

// values writes the cells by key, in the order of the form.
func (r *checkRun) values(v []string) (json.RawMessage, error) {
	b := []byte{'{'}
	for i, f := range r.checker.Form().Fields {
		if i > 0 {
			b = append(b, ',')
		}
		pair, err := marshal(f.Key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(v[i])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, pair...), ':'), value...)
	}
	return append(b, '}'), nil
}

func marshal(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

func (r *checkRun) line(rep *fileReport) error {
	enc := json.NewEncoder(r.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(rep)
}
