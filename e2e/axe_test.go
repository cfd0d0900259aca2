package e2e

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tianbao/internal/browser"
	"tianbao/internal/demo"
)

// accessible fails the test when axe-core finds anything on the page as it stands,
// whatever its gravity.
func (c *clerk) accessible(where string) {
	c.t.Helper()
	for _, v := range c.Axe() {
		c.t.Errorf("%s: %s (%s): %s\n    %s", where, v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n    "))
	}
}

// still fails the test when something moves on the page while it is loaded, each time
// that it is loaded: a browser on a busy machine may paint what it has read of a page,
// name before button, and that is not the page's doing.
func (c *clerk) still(where string) {
	c.t.Helper()
	for try := 1; ; try++ {
		shifts := c.moved()
		if len(shifts) == 0 {
			return
		}
		if try == 3 {
			c.t.Errorf("%s: layout shifts: %v", where, shifts)
			return
		}
		c.load(browser.Eval[string](c.Page, `location.href`))
	}
}

// moved returns the layout shifts of the page, down to a fiftieth of what is called good.
func (c *clerk) moved() (out []browser.Shift) {
	c.t.Helper()
	for _, s := range c.Shifts() {
		if s.Value >= 0.002 {
			out = append(out, s)
		}
	}
	return out
}

// load loads a page, and waits for its sheet if it has one.
func (c *clerk) load(url string) {
	c.t.Helper()
	c.Go(url)
	if browser.Eval[bool](c.Page, `!!document.querySelector("tb-sheet[data-report]")`) {
		c.ready()
	}
}

// enter signs a demonstration account in, in place of whoever was.
func (c *clerk) enter(login string) {
	c.t.Helper()
	c.Forget()
	if login == "" {
		return
	}
	c.Go(c.url + "/signin")
	c.Do(fmt.Sprintf(`const f = document.querySelector(".form"); f.login.value = %s; f.password.value = %s; f.requestSubmit()`, browser.JS(login), browser.JS(demo.Password)))
	c.Wait(`location.pathname === "/" && document.readyState === "complete"`)
}

// place is a page of the site that somebody can see, and how it is built.
type place struct{ who, path, built string }

var (
	words  = regexp.MustCompile(`>[^<]*[^<\s][^<]*<`)
	values = regexp.MustCompile(`(href|value|action|title|datetime|data-[a-z-]+)="[^"]+"`)
)

// built returns the markup of what is a page's own, without what it says: below another
// head, of somebody else, it is the same.
func built(page string) string {
	if _, own, ok := strings.Cut(page, "<main"); ok {
		page, _, _ = strings.Cut(own, "</main>")
	}
	return values.ReplaceAllString(words.ReplaceAllString(page, ">x<"), "$1=x")
}

// distinct leaves out what is built as a place before it, whoever sees it: to a browser it
// differs in its words alone. Of each person it keeps one place, for the head.
func distinct(places []place) (out []place) {
	met := map[string]bool{}
	for _, p := range places {
		if head := "head of " + p.who; !met[p.built] || !met[head] {
			met[p.built], met[head] = true, true
			out = append(out, p)
		}
	}
	return out
}

// page asks for a path as a browser does and returns the page that came back, "" if none
// did. Its own address is taken out, which a form of the page's foot sends along: what is
// left of two pages is the same when nobody could tell them apart.
func (c *client) page(path string) string {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if c.cookie != "" {
		req.Header.Set("Cookie", c.cookie)
	}
	cl := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := cl.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 3 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return ""
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), `"`+html.EscapeString(path)+`"`, `""`)
}

// places lists every page of the route table with everybody who gets to see it or
// the refusal in its place, generated from the document so that a new page is met
// too. A page that is the same to its last byte as one before, as most refusals to one
// person are, is met once. The world has a reported sheet, a faulty one and an untouched one.
func (s *server) places(t *testing.T) (places []place, faulty string) {
	t.Helper()
	unit, dept, admin := s.client(t, "unit"), s.client(t, "dept"), s.client(t, "admin")
	rep := dept.ownReport()
	changes := inserts(0, 3)
	for _, row := range dept.sheet(rep.ID).Rows { // the demonstration's rows have faults
		changes = append(changes, change{"op": "delete", "row": row.ID})
	}
	dept.save(rep.ID, rep.Version, changes)
	var receipt receiptJSON
	dept.must("POST", "/reports/"+rep.ID+"/submission", map[string]string{"key": newKey()}, &receipt)
	empty := unit.ownReport()
	var notices struct{ Notices []struct{ ID string } }
	unit.must("GET", "/notices", nil, &notices)
	var asked struct{ ID string }
	unit.must("POST", "/notices/"+notices.Notices[0].ID+"/questions", map[string]string{"text": "联系电话填办公室的还是个人的？"}, &asked)
	var paper struct{ ID string }
	s.client(t, "city").must("POST", "/collections/"+campaign+"/certificates", map[string]string{"unit": rep.Owner}, &paper)
	params := strings.NewReplacer("{certificate}", paper.ID, "{report}", rep.ID, "{receipt}", receipt.ID, "{version}", "1", "{job}", "1", "{row}", dept.sheet(rep.ID).Rows[0].ID, "{campaign}", campaign,
		"{notice}", notices.Notices[0].ID, "{question}", asked.ID, "{attachment}", "1", "{file}", "site.css", "{form}", "asset-role", "{token}", "nonsense", "{unit}", rep.Owner, "{load}", "1", "{draft}", "1", "{comparison}", "1", "{line}", "1", "{run}", "1", "{user}", admin.userID("unit"), "{key}", "1", "{service}", "1", "{mail}", "1", "{plan}", "1", "{webhook}", "1", "{account}", "1", "{group}", "1", "{type}", "User", "{schema}", "urn:ietf:params:scim:schemas:core:2.0:User")
	var paths []string
	for path, methods := range dept.specification().Paths {
		if _, ok := methods["get"]; !ok {
			continue
		}
		p := params.Replace(path)
		if strings.Contains(p, "{") {
			t.Fatalf("no value for a parameter of %s", path)
		}
		paths = append(paths, p)
	}
	r := "/reports/" + empty.ID
	paths = append(paths, "/nothing-here", "/reports?campaign="+campaign, "/reports?campaign="+campaign+"&q=zzz", r, r+"/history", r+"/receipts", r+"/history/7/undo", "/units?in="+rep.Owner, "/units?day=2020-01-01", "/collections/"+campaign+"/progress?screen=1", "/collections/"+campaign+"/progress?day=2020-01-01", "/collections/"+campaign+"/progress/units?state=undone")
	slices.Sort(paths)
	for _, v := range []struct {
		who string
		c   *client
	}{{"", s.anonymous(t)}, {"unit", unit}, {"dept", dept}, {"city", s.client(t, "city")}, {"admin", admin}, {"security", s.client(t, "security")}} {
		met := map[string]bool{"": true} // by one person: others have another head
		for _, p := range paths {
			if page := v.c.page(p); !met[page] {
				met[page] = true
				places = append(places, place{v.who, p, built(page)})
			}
		}
	}
	if len(places) < 100 {
		t.Fatalf("only %d pages", len(places))
	}
	t.Logf("%d places", len(places))
	return places, empty.ID
}

// axe-core finds nothing on any page, however it is built; nothing moves while a page is
// loaded; no page breaks the policy.
func TestEveryPageIsAccessible(t *testing.T) {
	s := startDemo(t, "")
	places, _ := s.places(t)
	places = distinct(places)
	t.Logf("%d of them differ", len(places))
	c := s.clerk(t, browser.Start(t))
	c.Media("prefers-reduced-motion: reduce") // colours are read at rest
	who := "?"
	for _, p := range places {
		if p.who != who {
			who = p.who
			c.enter(who)
		}
		where := fmt.Sprintf("%s as %q", p.path, p.who)
		c.load(c.url + p.path)
		c.still(where)
		if got := c.Complaints(); len(got) > 0 {
			t.Errorf("%s: %v", where, got)
		}
		c.accessible(where)
	}
}

// The form page in every state that a clerk can bring it into.
func TestFormPageIsAccessible(t *testing.T) {
	s := startDemo(t, "")
	c := s.clerk(t, browser.Start(t))
	rep := s.client(t, "unit").ownReport()
	c.enter("unit")
	c.Go(s.url + "/reports/" + rep.ID)
	c.ready()
	c.accessible("untouched")
	c.Insert("XXX单位") // in column A: not a code
	c.Press("Tab")
	c.Insert("示例单位")
	c.accessible("typing")
	c.Press("Enter")
	c.Click("#check")
	c.toast("校验完成")
	c.clickCell(1, "A")
	c.accessible("faults, their list, a tooltip and a message")
	c.Size(683, 384)
	c.accessible("a narrow, low window")
	c.Size(1366, 768)
	c.Click("#faults-close")
	c.clickCell(1, "D")
	c.Press("Alt+ArrowDown")
	c.Wait(`document.querySelector(".tbs-option")`)
	c.accessible("the list of a cell")
	c.Press("Escape", "Ctrl+f")
	c.accessible("the find bar")
	c.Press("Escape")
	c.Click("#import")
	c.Wait(`document.getElementById("import-dialog").open`)
	c.accessible("import, nothing chosen")
	c.choose("#import-file", writeCSV(t))
	c.Wait(`document.querySelector("#import-preview .tally")`)
	c.accessible("import, a preview with faults")
	c.Press("Escape")
	c.Click("#report")
	c.Wait(`document.getElementById("ask-dialog").open`)
	c.accessible("a question")
	c.Press("Escape")
	if got := c.Complaints(); len(got) > 0 {
		t.Errorf("the policy was broken: %v", got)
	}
	if got := c.moved(); len(got) > 0 {
		t.Errorf("the form page: layout shifts: %v", got)
	}
}

// writeCSV writes a small workbook with a faulty row and a good one.
func writeCSV(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("单位预算编码,单位名称,组织机构代码,单位类型,对应行政事业单位资产管理信息系统用户名,资产管理人姓名,资产管理人身份证号码,联系方式\n")
	for n, row := range [][]string{fileRow(1), fileRow(2)} {
		if n == 1 {
			row[6] = "123"
		}
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	path := filepath.Join(t.TempDir(), "采集表.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
