package e2e

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// The city view goes out as a file: every unit of the scope and no other, masked unless
// who may see more says why, and then with a mark (SEC-43).
func TestAcrossExport(t *testing.T) {
	engines(t, func(t *testing.T, db string) {
		s := startDemo(t, db)
		unit, dept, city, auditor := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city"), s.client(t, "audit")
		own := unit.ownReport()
		people := inserts(0, 3)
		people[0]["cells"].(map[string]string)["legacy_username"] = "=HYPERLINK(1)"
		unit.save(own.ID, own.Version, people)
		var far struct{ Reports []reportJSON } // a unit of a county, which the department does not see
		city.must("GET", "/reports?campaign="+campaign+"&q=黑山县示范中学", nil, &far)
		county := city.open(far.Reports[0].Owner)
		city.save(county.ID, county.Version, inserts(10, 12))
		path := "/campaigns/" + campaign + "/export"
		get := func(c *client, path string, in map[string]any) (int, []byte) {
			res, b := c.do("POST", path, "application/json", jsonBody(in))
			return res.StatusCode, b
		}
		table := func(c *client, path string) [][]string {
			t.Helper()
			status, b := get(c, path, map[string]any{"format": "csv"})
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, b)
			}
			rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff")))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		mine := table(unit, path)
		if len(mine) != 4 || mine[0][9] != "填报单位" || mine[1][9] != unitName || mine[1][10] != "单位经办人" || mine[1][11] != "已提交" {
			t.Fatalf("%d rows, %q", len(mine), mine[0])
		}
		if r := mine[1]; r[7] != residentID(0)[:6]+"********"+residentID(0)[14:] || !strings.Contains(r[8], "****") || r[5] != "'=HYPERLINK(1)" {
			t.Errorf("%q", r)
		}
		all := table(city, path)
		some, below := table(dept, path), table(city, path+"?unit="+own.Owner)
		if len(all) != len(some)+2 || len(below) != 4 {
			t.Errorf("the city takes %d rows, the department %d, of the school the city %d", len(all), len(some), len(below))
		}
		if status, _ := get(unit, path+"?unit="+all[0][0]+"77", map[string]any{"format": "csv"}); status != http.StatusNotFound {
			t.Errorf("below a unit that is not there: %d", status)
		}
		var view struct{ Rows int }
		city.must("GET", "/campaigns/"+campaign+"/sheet", nil, &view)
		if view.Rows != len(all)-1 {
			t.Errorf("the view has %d rows, the file %d", view.Rows, len(all)-1)
		}

		const why = "汇总上报省财政厅"
		for name, in := range map[string]map[string]any{
			"no reason": {"format": "xlsx", "full": true}, "a short one": {"format": "xlsx", "full": true, "reason": "看看"},
			"no mark": {"format": "csv", "full": true, "reason": why}, "no format": {"format": "pdf"},
		} {
			if status, _ := get(city, path, in); status != http.StatusBadRequest {
				t.Errorf("%s: %d, want 400", name, status)
			}
		}
		if status, _ := get(unit, path, map[string]any{"format": "xlsx", "full": true, "reason": why}); status != http.StatusForbidden {
			t.Errorf("full values for a filler: %d", status)
		}
		for full, want := range map[bool]string{false: "160****0000", true: "16010000000"} {
			status, b := get(city, path+"?unit="+own.Owner, map[string]any{"format": "xlsx", "full": full, "reason": why})
			if status != http.StatusOK {
				t.Fatalf("full %v: %d %s", full, status, b)
			}
			f, err := excelize.OpenReader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			sheet := f.GetSheetList()[0]
			if got, err := f.GetCellValue(sheet, "I"+strconv.Itoa(headerRow(t, f, sheet)+1)); err != nil || got != want {
				t.Errorf("full %v: the phone is %q, %v", full, got, err)
			}
			if full {
				file := filepath.Join(t.TempDir(), "a.xlsx")
				if err := os.WriteFile(file, b, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := []string{"trace", "--data", s.data}
				if db != "" {
					cmd = append(cmd, "--db", db)
				}
				out, err := product(t.Context(), append(cmd, file)...).CombinedOutput()
				if err != nil || !strings.Contains(string(out), "市局经办人") || !strings.Contains(string(out), why) {
					t.Errorf("trace: %v %s", err, out)
				}
			}
		}
		var trail struct {
			Records []struct{ Reason, Detail string }
		}
		auditor.must("GET", "/audit?what=export", nil, &trail)
		marked, masked := 0, 0
		for _, r := range trail.Records {
			if r.Reason == why && strings.Contains(r.Detail, "3 rows of 1 reports mark=") {
				marked++
			}
			if r.Reason == "" && strings.HasSuffix(r.Detail, ", masked") {
				masked++
			}
		}
		if marked != 1 || masked < 5 {
			t.Errorf("on the trail %d marked and %d masked: %+v", marked, masked, trail.Records)
		}
	})
}
