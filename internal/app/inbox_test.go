package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tianbao"
	"tianbao/internal/auth"
	"tianbao/internal/ident"
	"tianbao/internal/post"
	"tianbao/internal/remind"
	"tianbao/internal/sheet"
	"tianbao/internal/storetest"
)

// postWorld is an installation with two units and a mailbox, in this process.
type postWorld struct {
	t    *testing.T
	in   *installation
	s    *post.Service
	at   time.Time // when the next mail comes
	sent []post.Reply
	down error
	n    int
}

func (w *postWorld) SendReply(_ context.Context, r *post.Reply) error {
	if w.down != nil {
		return w.down
	}
	w.sent = append(w.sent, *r)
	return nil
}

func (w *postWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

const (
	postRegion tianbao.ID = 9
	postTop    tianbao.ID = 110
	postCity   tianbao.ID = 120
	postUnit   tianbao.ID = 130
	postOther  tianbao.ID = 140
	postRound  tianbao.ID = 7001
)

func postOrg(n int) string { return ident.CompleteCredit(fmt.Sprintf("12210700MB%06d", n)) }

func newPostWorld(t *testing.T) *postWorld {
	t.Helper()
	w := &postWorld{t: t, at: time.Now()}
	ctx, dir, log := t.Context(), t.TempDir(), slog.New(slog.NewTextHandler(io.Discard, nil))
	p := place{data: dir, keyFile: filepath.Join(dir, "keys", "ring.json"), alg: "sm4-gcm"}
	var err error
	w.in, err = p.open(ctx, log)
	w.must(err)
	t.Cleanup(func() { w.in.close(log) })
	w.must(w.in.store.PutRegions(ctx, tianbao.Region{ID: postRegion, Code: "210000", Name: "辽宁省", InScope: true}))
	for _, u := range []tianbao.Unit{
		{ID: postTop, Path: "/110/", Name: "示例省财政厅", BudgetCode: "001", OrgCode: postOrg(1), Kind: "bureau"},
		{ID: postCity, Parent: postTop, Path: "/110/120/", Name: "示例市财政局", BudgetCode: "501", OrgCode: postOrg(2), Kind: "bureau"},
		{ID: postUnit, Parent: postCity, Path: "/110/120/130/", Name: "示例市第一小学", BudgetCode: "501001", OrgCode: postOrg(3), Kind: "unit", Type: "事业单位"},
		{ID: postOther, Parent: postTop, Path: "/110/140/", Name: "邻市第二小学", BudgetCode: "502001", OrgCode: postOrg(4), Kind: "unit", Type: "事业单位"},
	} {
		u.Region = postRegion
		w.must(w.in.store.PutUnits(ctx, u))
	}
	w.must(w.in.store.IndexUnits(ctx))
	f := w.in.forms.Latest("asset-role")
	w.must(w.in.store.PutCampaign(ctx, tianbao.Campaign{ID: postRound, Title: "采集", Form: f.Name, FormV: f.Version, Opens: w.at.Add(-time.Hour), Opened: w.at.Add(-time.Hour), Released: true}))
	w.must(w.in.register.refresh(ctx))
	w.s = w.in.posts(&inbox{trusted: "mx.czt.example"}, &outgoing{mailFrom: "填报 <tianbao@czt.example>"}, &remind.Service{Node: "n"}, log)
	w.s.Out, w.s.Now = w, func() time.Time { return w.at }
	return w
}

// book is a workbook of people of a unit; change alters cells, by key, of the nth row.
func (w *postWorld) book(unit tianbao.Unit, from, n int, change func(i int, row map[string]string)) []byte {
	w.t.Helper()
	f := w.in.forms.Latest("asset-role")
	var b bytes.Buffer
	w.must(sheet.Write(&b, f, func(yield func(tianbao.Row, error) bool) {
		for i := range n {
			id, phone := storetest.Person(from + i)
			row := map[string]string{
				"budget_code": unit.BudgetCode, "unit_name": unit.Name, "org_code": unit.OrgCode, "unit_type": unit.Type,
				"person_name": "张三", "person_id": id, "phone": phone, "role": "资产管理员",
			}
			if change != nil {
				change(i, row)
			}
			v := make(tianbao.Values, len(f.Fields))
			for k := range v {
				v[k] = row[f.Fields[k].Key]
			}
			if !yield(tianbao.Row{Seq: i + 1, Values: v}, nil) {
				return
			}
		}
	}, sheet.WriteOptions{}))
	return b.Bytes()
}

func (w *postWorld) unit(id tianbao.ID) tianbao.Unit {
	w.t.Helper()
	u, err := w.in.store.Unit(w.t.Context(), tianbao.Scope{Paths: []string{"/"}}, id)
	w.must(err)
	return u
}

// letter is a mail with files, by name.
type letterOf struct {
	from, subject, text, head string
	files                     map[string][]byte
}

func (w *postWorld) raw(l letterOf) []byte {
	w.n++
	var b strings.Builder
	fmt.Fprintf(&b, "%sFrom: %s\r\nSubject: =?utf-8?B?%s?=\r\nMessage-ID: <m%d@x.example>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", l.head, l.from, base64.StdEncoding.EncodeToString([]byte(l.subject)), w.n)
	fmt.Fprintf(&b, "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", l.text)
	names := make([]string, 0, len(l.files))
	for name := range l.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "--x\r\nContent-Type: application/octet-stream; name=\"=?utf-8?B?%s?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n",
			base64.StdEncoding.EncodeToString([]byte(name)), base64.StdEncoding.EncodeToString(l.files[name]))
	}
	b.WriteString("--x--\r\n")
	return []byte(b.String())
}

// post takes a mail, judges it and returns it with its answers, in the order they came.
func (w *postWorld) post(l letterOf) (post.Message, []post.Reply) {
	w.t.Helper()
	return w.posted(w.raw(l))
}

func (w *postWorld) posted(raw []byte) (post.Message, []post.Reply) {
	w.t.Helper()
	w.sent = nil
	if now := time.Now(); now.After(w.at) {
		w.at = now
	}
	w.at = w.at.Add(time.Millisecond)
	_, err := w.s.Take(w.t.Context(), raw, nil)
	w.must(err)
	w.judge()
	list, err := w.in.store.Mails(w.t.Context(), post.View{Scope: tianbao.Scope{Paths: []string{"/"}}, Strangers: true}, post.Query{Limit: 1})
	w.must(err)
	return list[0], w.sent
}

func (w *postWorld) judge() {
	w.t.Helper()
	_, err := w.s.Judge(w.t.Context())
	w.must(err)
	_, err = w.s.Deliver(w.t.Context())
	w.must(err)
}

// code makes an activation code for a unit.
func (w *postWorld) code(unit tianbao.ID) string {
	w.t.Helper()
	as, err := w.in.auth.IssueUnit(w.t.Context(), auth.By{}, tianbao.Scope{Paths: []string{"/"}}, unit, false)
	w.must(err)
	return as[0].Code
}

func (w *postWorld) rows(unit tianbao.ID) (rows int, state tianbao.ReportState) {
	w.t.Helper()
	rep, err := w.in.store.OpenReport(w.t.Context(), tianbao.Scope{Paths: []string{"/"}}, postRound, unit)
	w.must(err)
	return rep.Rows, rep.State
}

// An address is bound by a code, sends a workbook with a fault, sends it corrected and
// asks for it to be reported; each mail has one answer, and rows go to its unit only.
func TestMailOfAUnit(t *testing.T) {
	w := newPostWorld(t)
	unit := w.unit(postUnit)
	const from = "clerk@school.example"
	want := func(name string, l letterOf, verdict post.Verdict, words ...string) (post.Message, post.Reply) {
		t.Helper()
		m, replies := w.post(l)
		if m.Verdict != verdict || len(replies) != 1 {
			t.Fatalf("%s: verdict %q with %d answers, want %q with one (%+v)", name, m.Verdict, len(replies), verdict, replies)
		}
		r := replies[0]
		if r.Body.To != strings.Trim(l.from, "<>") || r.Body.Re != m.Head.ID {
			t.Errorf("%s: answered to %q about %q", name, r.Body.To, r.Body.Re)
		}
		for _, word := range words {
			if !strings.Contains(r.Body.Subject+"\n"+r.Body.Text, word) {
				t.Errorf("%s: %q is not in the answer: %s\n%s", name, word, r.Body.Subject, r.Body.Text)
			}
		}
		return m, r
	}
	m, _ := want("a wrong code", letterOf{from: from, subject: "填报", text: "AAAA-CCCC-EEEE-FFFF", files: map[string][]byte{"表.xlsx": w.book(unit, 0, 1, nil)}}, post.VerdictUnknown, "激活码不正确")
	if m.State != post.StateWaiting || m.Unit != 0 {
		t.Errorf("it does not wait: %+v", m)
	}
	code := w.code(postUnit)
	want("bound", letterOf{from: from, subject: "激活码 " + code}, post.VerdictBound, "示例市第一小学", "可以把填好的采集表")
	want("the code again, by another", letterOf{from: "thief@school.example", text: code}, post.VerdictUnknown, "已经用过")
	want("no workbook", letterOf{from: from, text: "见附件"}, post.VerdictRefused, "没有找到采集表")
	want("a workbook of others", letterOf{from: from, files: map[string][]byte{"表.xlsx": w.book(w.unit(postOther), 50, 2, nil)}}, post.VerdictRefused, "有不属于“示例市第一小学”的单位")
	if rows, _ := w.rows(postUnit); rows != 0 {
		t.Fatalf("%d rows of others are saved", rows)
	}
	faulty := w.book(unit, 0, 3, func(i int, row map[string]string) {
		if i == 1 {
			row["phone"] = "12"
		}
	})
	m, r := want("faulty", letterOf{from: from, subject: "上报", files: map[string][]byte{"名单.xlsx": faulty}}, post.VerdictFaulty, "回执编号：TB", "已保存为草稿", "没有上报", "名单-批注.xlsx")
	if m.Rows != 3 || m.Faults == 0 || r.Body.FileName != "名单-批注.xlsx" {
		t.Errorf("rows %d, faults %d, file %q", m.Rows, m.Faults, r.Body.FileName)
	}
	if _, err := excelize.OpenReader(bytes.NewReader(r.File)); err != nil {
		t.Errorf("the marked copy: %v", err)
	}
	if rows, state := w.rows(postUnit); rows != 3 || state != tianbao.StateDraft {
		t.Errorf("%d rows, %s", rows, state)
	}
	good := w.book(unit, 0, 3, nil)
	first, _ := want("corrected", letterOf{from: from, subject: "填报表", files: map[string][]byte{"名单.xlsx": good}}, post.VerdictSaved, "已保存到“示例市第一小学”", "尚未上报")
	again, _ := want("the same file in another mail", letterOf{from: from, subject: "Fwd: 填报表", files: map[string][]byte{"另一个名字.xlsx": good}}, post.VerdictSaved, "完全相同", "没有重复导入")
	if diff := cmp.Diff(first.Head.Receipts, again.Head.Receipts); diff != "" {
		t.Errorf("another receipt: %s", diff)
	}
	want("two files, not to be reported", letterOf{from: from, subject: "暂不上报", files: map[string][]byte{"甲.xlsx": w.book(unit, 10, 1, nil), "乙.xlsx": w.book(unit, 11, 1, nil)}}, post.VerdictSaved, "附件“甲.xlsx”", "附件“乙.xlsx”", "尚未上报")
	if rows, state := w.rows(postUnit); state == tianbao.StateReported {
		t.Errorf("reported unasked, %d rows", rows)
	}
	want("reported", letterOf{from: from, subject: "第一小学上报", files: map[string][]byte{"名单.xlsx": w.book(unit, 12, 1, nil)}}, post.VerdictReported, "已上报")
	if _, state := w.rows(postUnit); state != tianbao.StateReported {
		t.Errorf("state %s", state)
	}
	locked, err := excelize.Encrypt(good, &excelize.Options{Password: "x"})
	w.must(err)
	want("a password", letterOf{from: from, files: map[string][]byte{"密.xlsx": locked}}, post.VerdictRefused, "打开密码")
	want("winmail.dat", letterOf{from: from, files: map[string][]byte{"winmail.dat": []byte("\x78\x9f\x3e\x22xx")}}, post.VerdictRefused, "Outlook")
	want("a picture beside", letterOf{from: from, files: map[string][]byte{"a.png": []byte("\x89PNG\r\n"), "名单.xlsx": good}}, post.VerdictSaved, "完全相同")
	want("a code of another unit", letterOf{from: from, text: w.code(postOther), files: map[string][]byte{"表.xlsx": good}}, post.VerdictRebind, "另一个单位")
	want("from elsewhere", letterOf{from: from, head: "Authentication-Results: mx.czt.example; dmarc=fail\r\n", files: map[string][]byte{"表.xlsx": good}}, post.VerdictSuspect, "真伪验证")
	c, err := w.in.store.Collection(t.Context(), postRound)
	w.must(err)
	c.Ended = w.at.Add(-time.Minute)
	w.must(w.in.store.PutCampaign(t.Context(), c))
	want("after the end", letterOf{from: from, files: map[string][]byte{"表.xlsx": w.book(unit, 70, 1, nil)}}, post.VerdictRefused, "没有正在进行的采集")
}

// What no person wrote, and what names no sender, gets no answer; what is hostile gets one.
func TestMailThatIsNotRead(t *testing.T) {
	w := newPostWorld(t)
	deep := "From: a@b.example\r\n"
	for i := range 20 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for _, c := range []struct {
		name, raw string
		state     post.State
		verdict   post.Verdict
		answers   int
	}{
		{"a loop", "From: a@b.example\r\nX-Loop: tianbao@czt.example\r\n\r\nx", post.StateIgnored, post.VerdictAuto, 0},
		{"a bounce", "Return-Path: <>\r\nFrom: mailer-daemon@b.example\r\n\r\nx", post.StateIgnored, post.VerdictAuto, 0},
		{"no sender", "Subject: x\r\n\r\nx", post.StateIgnored, post.VerdictNobody, 0},
		{"two senders", "From: a@b.example, c@d.example\r\n\r\nx", post.StateIgnored, post.VerdictNobody, 0},
		{"deep", deep, post.StateAnswered, post.VerdictRefused, 1},
	} {
		m, replies := w.posted([]byte(c.raw))
		if m.State != c.state || m.Verdict != c.verdict || len(replies) != c.answers {
			t.Errorf("%s: %s %s with %d answers", c.name, m.State, m.Verdict, len(replies))
		}
	}
	// A copy of a mail, with another way through the net, is the same mail.
	_, replies := w.posted([]byte("From: a@b.example\r\nMessage-ID: <1@b>\r\n\r\nhello\r\n"))
	if len(replies) != 1 {
		t.Errorf("%d answers", len(replies))
	}
	m, replies := w.posted([]byte("Received: from x by y\r\nFrom: a@b.example\r\nMessage-ID: <1@b>\r\n\r\nhello\n"))
	if len(replies) != 0 || m.Copies != 1 {
		t.Errorf("a copy has %d answers and counts %d", len(replies), m.Copies)
	}
}

// An officer sees what a stranger sent, masked, and binds the sender; what waited is judged
// again, each with an answer. The mails of a sender who writes too much wait.
func TestMailQuarantine(t *testing.T) {
	w := newPostWorld(t)
	ctx, unit := t.Context(), w.unit(postUnit)
	id, _ := storetest.Person(1)
	const from = "new@school.example"
	first, _ := w.post(letterOf{from: from, subject: "填报", files: map[string][]byte{"甲.xlsx": w.book(unit, 1, 2, nil)}})
	w.post(letterOf{from: from, files: map[string][]byte{"乙.xlsx": w.book(unit, 5, 1, nil)}})
	top := &post.Officer{Scope: tianbao.Scope{Paths: []string{"/110/"}}}
	city := &post.Officer{Scope: tianbao.Scope{Paths: []string{"/110/120/"}}}
	if _, err := w.s.Open(ctx, city, first.ID); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("a city opens a stranger's mail: %v", err)
	}
	o, err := w.s.Open(ctx, top, first.ID)
	w.must(err)
	if len(o.Files) != 1 || o.Files[0].Looked == nil || o.Files[0].Looked.Total != 2 || !slices.Equal(o.Files[0].Looked.Units, []string{unit.Name}) {
		t.Fatalf("opened %+v", o)
	}
	if s := fmt.Sprint(o.Files[0].Looked.Rows); strings.Contains(s, id) || !strings.Contains(s, unit.Name) {
		t.Errorf("the preview: %s", s)
	}
	// Who is to be erased is found in what waits, in a workbook, a text, a name of a file; what
	// cannot be read is told as such.
	other, _ := storetest.Person(33)
	inText, _ := w.post(letterOf{from: "text@school.example", text: "请删除 " + strings.ToLower(other[:6]) + " " + other[6:]})
	inName, _ := w.post(letterOf{from: "name@school.example", files: map[string][]byte{other + ".xlsx": w.book(unit, 70, 1, nil)}})
	closed, _ := w.post(letterOf{from: "closed@school.example", files: map[string][]byte{"表.xlsx": w.book(unit, 71, 1, nil), "照片.jpg": []byte("\xff\xd8\xff\xe0 of a list")}})
	for _, tt := range []struct {
		name, person string
		who          *post.Officer
		want         map[tianbao.ID]bool // sure
	}{
		{"in a workbook", id, top, map[tianbao.ID]bool{first.ID: true, closed.ID: false}},
		{"in a text and a name", other, top, map[tianbao.ID]bool{inText.ID: true, inName.ID: true, closed.ID: false}},
		{"nowhere", other[:16] + "99", top, map[tianbao.ID]bool{closed.ID: false}},
		{"by who sees no stranger's mail", other, city, map[tianbao.ID]bool{}},
		{"no id", "1", top, map[tianbao.ID]bool{}},
	} {
		got, more, err := w.s.Naming(ctx, tt.who, tt.person)
		w.must(err)
		found := make(map[tianbao.ID]bool)
		for _, n := range got {
			found[n.ID] = n.Sure
		}
		if !maps.Equal(found, tt.want) || more {
			t.Errorf("%s: %v, want %v", tt.name, found, tt.want)
		}
	}
	for _, m := range []post.Message{inText, inName, closed} {
		w.must(w.s.Drop(ctx, top, m.ID))
	}
	if _, err := w.s.Bind(ctx, top, first.ID, tianbao.Unit{ID: 1, Path: "/1/"}); tianbao.KindOf(err) != tianbao.ErrNotFound {
		t.Errorf("bound to a unit out of scope: %v", err)
	}
	n, err := w.s.Bind(ctx, top, first.ID, unit)
	w.must(err)
	w.sent = nil
	w.judge()
	if n != 2 || len(w.sent) != 2 {
		t.Errorf("%d mails are judged again, with %d answers", n, len(w.sent))
	}
	if rows, _ := w.rows(postUnit); rows != 3 {
		t.Errorf("%d rows", rows)
	}
	if _, err := w.s.Bind(ctx, top, first.ID, unit); tianbao.KindOf(err) != tianbao.ErrConflict {
		t.Errorf("bound once more: %v", err)
	}
	// Too many: they wait, and come later.
	w.s.Hourly = 4
	for i := range 3 {
		w.post(letterOf{from: from, text: fmt.Sprint(i)})
	}
	if due, err := w.in.store.DueMail(ctx, w.at.Add(time.Hour), 10); err != nil || len(due) == 0 {
		t.Errorf("none waits: %v", err)
	}
	w.at = w.at.Add(61 * time.Minute)
	w.sent = nil
	w.judge()
	if len(w.sent) == 0 {
		t.Error("they never come")
	}
	// A suspect one is read because an officer says so.
	forged, _ := w.post(letterOf{from: from, head: "Authentication-Results: mx.czt.example; dmarc=fail\r\n", files: map[string][]byte{"丙.xlsx": w.book(unit, 9, 1, nil)}})
	w.must(w.s.Replay(ctx, city, forged.ID))
	w.judge()
	m, _, err := w.in.store.Mail(ctx, post.View{Scope: city.Scope}, forged.ID)
	if w.must(err); m.Verdict != post.VerdictSaved || m.State != post.StateAnswered {
		t.Errorf("replayed: %s %s", m.State, m.Verdict)
	}
}

// The mail server is away: answers go out later, one each.
func TestMailServerAway(t *testing.T) {
	w := newPostWorld(t)
	w.down = errors.New("away")
	m, _ := w.post(letterOf{from: "a@b.example", text: "x"})
	for range 5 {
		w.at = w.at.Add(time.Hour)
		w.judge()
	}
	w.down = nil
	w.at = w.at.Add(time.Hour)
	w.judge()
	w.judge()
	if len(w.sent) != 1 || w.sent[0].Message != m.ID || w.sent[0].Attempts != 7 {
		t.Errorf("%+v", w.sent)
	}
}
