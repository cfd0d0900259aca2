package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

// 零申报 with a proof by the page; the bureau downloads it, others do not; with rows it is
// refused.
func TestNilReport(t *testing.T) {
	s := startDemo(t, "")
	unit, dept, city := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "city")
	var list struct{ Reports []reportJSON }
	dept.must("GET", "/reports?campaign="+campaign+"&q=示范幼儿园", nil, &list)
	sister := list.Reports[0].Owner
	above := dept.ownReport()
	var gone []change
	for _, row := range dept.sheet(above.ID).Rows {
		gone = append(gone, change{"op": "delete", "row": row.ID})
	}
	dept.save(above.ID, above.Version, gone)
	page := "/collections/" + campaign + "/units/" + sister + "/declaration"
	file := filepath.Join(t.TempDir(), "证明.pdf")
	if err := os.WriteFile(file, []byte("%PDF-1.7\n%%EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := s.clerk(t, browser.Start(t))
	c.Media("prefers-reduced-motion: reduce")
	c.enter("dept")
	c.Go(s.url + page)
	c.accessible("零申报")
	c.choose("#proof", file)
	c.Do(`document.getElementById("reason").value = "本单位没有资产管理人员"`)
	c.submitForm(".form button")
	if text := c.text(".main"); !strings.Contains(text, "本单位没有资产管理人员") || !strings.Contains(text, "零申报") {
		t.Errorf("the page says %.300q", text)
	}
	c.accessible("零申报, declared")
	res, body := city.do("GET", page+"/proof", "", nil)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(string(body), "%PDF") {
		t.Errorf("the proof: %d %s", res.StatusCode, res.Header)
	}
	if res, _ := unit.do("GET", page+"/proof", "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("the proof for a sister: %d", res.StatusCode)
	}
	c.enter("city")
	c.Go(s.url + "/collections/" + campaign + "/declarations")
	c.accessible("零申报和免报")
	c.picture("bureau-declarations")
	if text := c.text(".table"); !strings.Contains(text, "示范幼儿园") {
		t.Errorf("the list says %q", text)
	}
	own := unit.ownReport()
	unit.save(own.ID, own.Version, inserts(1, 2))
	mine := "/collections/" + campaign + "/units/" + own.Owner + "/declaration"
	if code := unit.call("POST", mine, map[string]string{"reason": "本单位没有资产管理人员"}, nil); code != http.StatusBadRequest {
		t.Errorf("零申报 with rows: %d", code)
	}
	city.must("POST", page+"/end", map[string]string{}, nil)
	var now struct{ State, Kind string }
	dept.must("GET", page, nil, &now)
	if now.Kind != "" || now.State != "" {
		t.Errorf("after it was taken back: %+v", now)
	}
}
