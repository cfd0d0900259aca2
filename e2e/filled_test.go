package e2e

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

type filledJSON struct {
	Rows []struct {
		Of, By, ID, Unit string
		OwnerName        string `json:"owner_name"`
		Base             int64
		Values           []string
	}
}

// 代填 (H3): a row that the department fills in for a unit lands in that unit; the unit
// sees it with who and when and corrects it in place; nobody reaches another's row that way.
func TestFilledInAbove(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit, dept := s.client(t, "unit"), s.client(t, "dept")
		own, above := unit.ownReport(), dept.ownReport()
		var got filledJSON
		filled := "/reports/" + own.ID + "/filled"
		unit.must("GET", filled, nil, &got)
		// The demonstration's department has begun with six of its units, the first is this.
		if len(got.Rows) != 1 || got.Rows[0].By != "部门经办人" || got.Rows[0].OwnerName != "锦州市教育局" || got.Rows[0].Unit != own.Owner || got.Rows[0].Of != above.ID {
			t.Fatalf("filled in above: %+v", got)
		}
		row := got.Rows[0]
		if !strings.HasPrefix(row.Values[7], "160") || strings.Contains(row.Values[6], "*") {
			t.Error("the unit's own data are masked")
		}
		var sheet struct{ Filled int }
		unit.must("GET", "/reports/"+own.ID, nil, &sheet)
		if sheet.Filled != 1 {
			t.Errorf("the sheet tells of %d rows", sheet.Filled)
		}
		other := dept.sheet(above.ID).Rows[1].ID // a sister's row
		ask := func(of string, changes ...change) int {
			return unit.call("POST", filled, map[string]any{"of": of, "key": newKey(), "base": row.Base, "changes": changes}, nil)
		}
		cells := func(key, value string) map[string]string { return map[string]string{key: value} }
		for name, tt := range map[string]struct {
			of   string
			c    change
			want int
		}{
			"a sister's row":            {above.ID, change{"op": "edit", "row": other, "cells": cells("phone", "16000000000")}, 404},
			"a sister's row, deleted":   {above.ID, change{"op": "delete", "row": other}, 404},
			"no row":                    {above.ID, change{"op": "edit", "row": "12345", "cells": cells("phone", "16000000000")}, 404},
			"a new row":                 {above.ID, change{"op": "insert", "temp": "t", "after": "end", "cells": cells("phone", "16000000000")}, 400},
			"the own report":            {own.ID, change{"op": "delete", "row": row.ID}, 404},
			"no report":                 {"12345", change{"op": "delete", "row": row.ID}, 404},
			"away to another unit":      {above.ID, change{"op": "edit", "row": row.ID, "cells": cells("org_code", dept.sheet(above.ID).Rows[1].Values[2])}, 400},
			"a row and a sister's row":  {above.ID, change{"op": "reason", "row": other, "code": "x", "text": "说明说明说明"}, 404},
			"a base that is not there":  {above.ID, change{}, 400},
			"the right row, for others": {above.ID, change{"op": "edit", "row": row.ID, "cells": cells("nothing", "1")}, 400},
		} {
			if got := ask(tt.of, tt.c); got != tt.want {
				t.Errorf("%s: %d, want %d", name, got, tt.want)
			}
		}
		if got := ask(above.ID, change{"op": "edit", "row": row.ID, "cells": cells("phone", "16012345678")}); got != http.StatusOK {
			t.Fatalf("a correction: %d", got)
		}
		var news struct{ Rows []rowJSON }
		dept.must("GET", "/reports/"+above.ID+"/newer?since="+strconv.FormatInt(row.Base, 10), nil, &news)
		if len(news.Rows) != 1 || news.Rows[0].Values[7] != "16012345678" {
			t.Errorf("the department does not see it: %d rows", len(news.Rows))
		}
		var history struct{ Revisions []struct{ Source, By string } }
		dept.must("GET", "/reports/"+above.ID+"/history", nil, &history)
		if h := history.Revisions[0]; h.Source != "correct" || h.By != "单位经办人" {
			t.Errorf("history %+v", h)
		}
		// Both at once: the second is shown both values.
		if got := ask(above.ID, change{"op": "edit", "row": row.ID, "cells": cells("phone", "16000000001")}); got != http.StatusConflict {
			t.Errorf("from an old version: %d, want a conflict", got)
		}
		// Without a script; then the row goes, and the department takes that back.
		unit.must("GET", filled, nil, &got)
		form := url.Values{"csrf": {unit.csrf}, "of": {above.ID}, "row": {row.ID}, "base": {strconv.FormatInt(got.Rows[0].Base, 10)}, "key": {newKey()}, "op": {"edit"}, "cell.person_name": {"改示例"}}
		if res, _ := unit.do("POST", filled, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); res.StatusCode != http.StatusOK {
			t.Errorf("by a form: %d", res.StatusCode)
		}
		unit.must("GET", filled, nil, &got)
		if got.Rows[0].Values[5] != "改示例" || got.Rows[0].By != "单位经办人" {
			t.Errorf("after the form: %+v", got.Rows[0].By)
		}
		var done struct{ Version int64 }
		unit.must("POST", filled, map[string]any{"of": above.ID, "key": newKey(), "base": got.Rows[0].Base, "changes": []change{{"op": "delete", "row": row.ID}}}, &done)
		unit.must("GET", filled, nil, &got)
		if len(got.Rows) != 0 {
			t.Error("the row is still there")
		}
		dept.must("POST", "/reports/"+above.ID+"/history/"+strconv.FormatInt(done.Version, 10)+"/undo", map[string]string{"key": newKey()}, nil)
		unit.must("GET", filled, nil, &got)
		if len(got.Rows) != 1 {
			t.Errorf("taken back: %d rows", len(got.Rows))
		}
	})
}
