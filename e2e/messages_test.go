package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tianbao/internal/browser"
)

type noticeJSON struct {
	ID, Title, State, Body string
	Version                int
	Turn                   int64
	Unread                 bool
	Attachments            []struct{ ID, Name string }
	Questions, Published   []questionJSON
}

type questionJSON struct {
	ID, State, Asked, Shown, Answer string
	Unit                            string
	UnitName                        string `json:"unit_name"`
	Turn                            int64
}

// The province publishes a notice with a file; a unit sees that there is something to
// read, reads and asks; the province answers once for all; another unit sees the answer
// and not who asked; who read it is counted. The unit does its part without scripts.
func TestNotices(t *testing.T) {
	s := startDemo(t, "")
	province, city, unit, admin, security := s.client(t, "province"), s.client(t, "city"), s.client(t, "unit"), s.client(t, "admin"), s.client(t, "security")
	sibling := s.create(t, admin, "sibling", "")
	security.must("POST", "/grants", map[string]string{"user": security.find("sibling"), "role": "filler", "unit": city.unitCode("锦州市第二示范小学")}, nil)

	c := s.clerk(t, browser.Start(t))
	c.enter("province")
	c.Go(s.url + "/notices/new")
	c.accessible("a new notice")
	fill := func(id, text string) {
		t.Helper()
		c.Click("#" + id)
		c.Type(text)
	}
	fill("title", "关于补报的通知")
	fill("body", "<b>各单位</b>请补报：")
	c.submitForm(`button[formaction]`)
	if got := c.text(".prose"); got != "<b>各单位</b>请补报：" {
		t.Errorf("the preview shows %q", got)
	}
	c.submitForm(".form .button-primary")
	id := strings.TrimSuffix(strings.TrimPrefix(browser.Eval[string](c.Page, `location.pathname`), "/notices/"), "/edit")
	if got := unit.call("GET", "/notices/"+id, nil, nil); got != http.StatusNotFound {
		t.Errorf("a unit asks for a draft: %d", got)
	}

	// The file goes in by the form that the page has, too: csrf first, then the file.
	var n noticeJSON
	province.must("GET", "/notices/"+id, nil, &n)
	pdf := []byte("%PDF-1.7\n<script>alert(1)</script>")
	turn, err := json.Marshal(n.Turn)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"附件.html": http.StatusBadRequest, "程序.exe": http.StatusBadRequest} {
		if res, _ := province.upload("/notices/"+id+"/attachments", name, pdf, map[string]string{"turn": string(turn)}); res.StatusCode != want {
			t.Errorf("%s is taken: %d", name, res.StatusCode)
		}
	}
	if res, b := province.upload("/notices/"+id+"/attachments", "补报说明.pdf", pdf, map[string]string{"turn": string(turn)}); res.StatusCode != http.StatusOK {
		t.Fatalf("the file: %d %s", res.StatusCode, b)
	}
	c.Go(s.url + "/notices/" + id + "/edit")
	c.accessible("a draft with a file")
	c.Screenshot("notice-draft")
	c.submitForm(`form[action$="/publish"] button`)

	// The unit has something to read, on every page.
	c.enter("unit")
	c.Scripts(false)
	count := func() string { return c.text(".topbar-nav b") }
	if got := count(); got != "2" { // this one, and the demonstration's own
		t.Errorf("%q to read", got)
	}
	c.Screenshot("notice-home")
	c.submitForm(`.feed a[href="/notices/` + id + `"]`)
	if got := c.text(".prose"); got != "<b>各单位</b>请补报：" {
		t.Errorf("the unit reads %q", got)
	}
	c.submitForm(".crumbs a[href='/notices']")
	if got := count(); got != "1" {
		t.Errorf("after reading %q", got)
	}
	unit.must("GET", "/notices/"+id, nil, &n)
	res, body := unit.do("GET", "/notices/"+id+"/attachments/"+n.Attachments[0].ID, "", nil)
	if !bytes.Equal(body, pdf) || res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || res.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the file comes as %v", res.Header)
	}

	// It asks, in words that name it.
	const asked = "锦州市第一示范小学的示例某某调走了，怎么补报？"
	c.Go(s.url + "/notices/" + id)
	fill("text", asked)
	c.submitForm("#questions button")
	c.Scripts(true)
	c.Go(s.url + "/notices/" + id)
	c.accessible("a notice with a question")
	if got := c.text("#questions .badge"); got != "待答复" {
		t.Errorf("the question is %q", got)
	}
	var q struct{ Questions []questionJSON }
	city.must("GET", "/questions", nil, &q)
	if len(q.Questions) != 1 || q.Questions[0].Asked != asked || q.Questions[0].UnitName != "锦州市第一示范小学" {
		t.Fatalf("the city's list: %+v", q.Questions)
	}
	question := "/questions/" + q.Questions[0].ID
	// Nobody beside it sees a word of it, and whoever leads nothing has no list.
	marks := func(where string, who *client, path string) {
		t.Helper()
		_, b := who.do("GET", path, "", nil)
		for _, mark := range []string{"示例某某", "第一示范小学"} {
			if strings.Contains(string(b), mark) {
				t.Errorf("%s: %s tells %q", where, path, mark)
			}
		}
	}
	for _, path := range []string{"/notices/" + id, "/notices", "/"} {
		marks("before the answer", sibling, path)
	}
	for _, path := range []string{"/questions", question} {
		if got := sibling.call("GET", path, nil, nil); got != http.StatusForbidden {
			t.Errorf("the sibling asks for %s: %d", path, got)
		}
	}
	if got := city.call("POST", question+"/answer", map[string]any{"answer": "照常", "shown": "怎么补报？", "all": true, "turn": 1}, nil); got != http.StatusBadRequest {
		t.Errorf("the city answers for all: %d", got)
	}

	c.enter("province")
	c.submitForm(`.card a[href="/questions"]`)
	c.accessible("the questions")
	c.submitForm(".table a")
	c.accessible("an answer")
	fill("answer", "先改好登记，再补报。")
	fill("shown", "人员调走的怎么补报？")
	c.bureauPicture("question")
	c.submitForm(`button[value="true"]`)

	sibling.must("GET", "/notices/"+id, nil, &n)
	if len(n.Published) != 1 || n.Published[0].Answer != "先改好登记，再补报。" || n.Published[0].Shown != "人员调走的怎么补报？" || n.Published[0].Unit != "" || len(n.Questions) != 0 {
		t.Errorf("the sibling sees %+v", n)
	}
	marks("after the answer", sibling, "/notices/"+id)
	var home struct{ Unread int }
	unit.must("GET", "/", nil, &home)
	if home.Unread != 2 { // the answer, and the demonstration's own notice
		t.Errorf("the unit has %d to read after the answer", home.Unread)
	}

	// Who read it: two units of all; the city counts its own.
	var r struct {
		Units, Read, Unread int
		NoAccount           int `json:"no_account"`
		Readers             []struct{ Name, Person string }
	}
	province.must("GET", "/notices/"+id+"/readers?show=read", nil, &r)
	if r.Read != 3 || r.Units < 60 || r.Read+r.Unread != r.Units || r.NoAccount == 0 { // with the province itself
		t.Errorf("receipts %+v", r)
	}
	all := r.Units
	city.must("GET", "/notices/"+id+"/readers", nil, &r)
	if r.Read != 2 || r.Units >= all || r.Units == 0 {
		t.Errorf("the city's receipts %+v", r)
	}
	c.Go(s.url + "/notices/" + id + "/readers")
	c.accessible("who read it")
	c.Screenshot("notice-readers")

	// Amended, it is to be read again; withdrawn, its text is gone.
	province.must("GET", "/notices/"+id, nil, &n)
	province.must("POST", "/notices/"+id, map[string]any{"title": n.Title, "body": "改在下周补报。", "turn": n.Turn}, nil)
	if got := province.call("POST", "/notices/"+id, map[string]any{"title": n.Title, "body": "又改", "turn": n.Turn}, nil); got != http.StatusConflict {
		t.Errorf("amended from what was read before: %d", got)
	}
	var list struct{ Notices []noticeJSON }
	unit.must("GET", "/notices", nil, &list)
	if list.Notices[0].ID != id || !list.Notices[0].Unread || list.Notices[0].Version != 2 {
		t.Errorf("after the amendment %+v", list.Notices[0])
	}
	c.Go(s.url + "/notices/" + id + "/versions")
	c.accessible("the earlier versions")
	province.must("GET", "/notices/"+id, nil, &n)
	province.must("POST", "/notices/"+id+"/withdraw", map[string]any{"turn": n.Turn}, nil)
	n = noticeJSON{}
	unit.must("GET", "/notices/"+id, nil, &n)
	if n.State != "withdrawn" || n.Body != "" || len(n.Attachments) != 0 {
		t.Errorf("withdrawn: %+v", n)
	}
}
