package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/message"
)

// messages is the service on the world's store, at a time that a test sets.
type messages struct {
	*message.Service
	w  *world
	at time.Time
}

func (w *world) messages() *messages {
	m := &messages{w: w, at: epoch()}
	now := func() time.Time { return m.at }
	m.Service = &message.Service{Store: w.Store, IDs: &clock.IDs{Clock: clock.System}, Now: now}
	return m
}

// as is somebody with a role over a unit of the world.
func (m *messages) as(user tianbao.ID, role tianbao.Role, unit tianbao.ID, path string) *message.Actor {
	u := tianbao.User{ID: user, Grants: []tianbao.Grant{{Role: role, Unit: unit, UnitPath: path, UnitName: "单位" + unit.String()}}}
	a := message.ActorOf(&u, "192.0.2.1")
	return &a
}

// people of the world: the province is the bureau at the top of its tree.
func (m *messages) people() (top, dept, a, b, other *message.Actor) {
	return m.as(31, tianbao.RoleProvince, bureau, "/1/"), m.as(32, tianbao.RoleDepartment, department, "/1/2/"),
		m.as(clerk, tianbao.RoleFiller, unitA, "/1/2/3/"), m.as(34, tianbao.RoleFiller, unitB, "/1/2/4/"),
		m.as(35, tianbao.RoleProvince, elsewhere, "/12/")
}

// publish publishes a notice of somebody for units.
func (m *messages) publish(who *message.Actor, title string, units ...tianbao.Unit) tianbao.ID {
	m.w.t.Helper()
	ctx := m.w.t.Context()
	id, err := m.Create(ctx, who, &message.Draft{Title: title, Body: "正文", Units: units})
	m.w.ok(err)
	m.w.ok(m.Publish(ctx, who, id, 0, false))
	return id
}

func (m *messages) unread(who *message.Actor) int {
	m.w.t.Helper()
	n, err := m.Store.Unread(m.w.t.Context(), &who.Reader)
	m.w.ok(err)
	return n
}

// Notices of the program are for everybody, those of a bureau for whom they are addressed.
func testNotices(w *world) {
	ctx, m := w.t.Context(), w.messages()
	n := tianbao.Notice{ID: 400, Title: "通知", Issuer: "省财政厅", Body: "# 正文", At: epoch(), Attachments: []tianbao.Attachment{
		{ID: 402, Name: "手册.docx", Type: "application/x", Size: 3, Data: []byte{0, 1, 255}},
		{ID: 401, Name: "空.txt", Type: "text/plain", Data: []byte{}},
	}}
	w.ok(w.PutNotice(ctx, n))
	w.ok(w.PutNotice(ctx, n))
	w.ok(w.PutNotice(ctx, tianbao.Notice{ID: 410, Title: "更早", At: ago(time.Hour)}))
	nobody := &message.Reader{User: 99}
	list, err := w.Notices(ctx, nobody, 0, 10)
	w.ok(err)
	if len(list) != 2 || list[0].ID != 400 || list[0].Body != "" || len(list[0].Attachments) != 0 || !list[0].Unread() {
		w.t.Errorf("notices %+v", list)
	}
	got, err := w.Notice(ctx, nobody, 400)
	w.ok(err)
	want := n
	want.State, want.Version, want.Turn, want.Everyone, want.Mine = tianbao.NoticePublished, 1, 1, true, true
	want.Attachments = slices.Clone(n.Attachments)
	for i := range want.Attachments {
		want.Attachments[i].Data = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
	a, err := w.File(ctx, 400, 402)
	w.ok(err)
	if diff := cmp.Diff(n.Attachments[0], a); diff != "" {
		w.t.Error(diff)
	}
	_, err = w.File(ctx, 410, 402)
	refused(w.t, "another notice's attachment", err, tianbao.ErrNotFound)
	_, err = w.Notice(ctx, nobody, 499)
	refused(w.t, "no notice", err, tianbao.ErrNotFound)

	// Who has no unit reads it too.
	admin := m.as(99, tianbao.RoleSystem, 0, "")
	if got := m.unread(admin); got != 2 {
		w.t.Errorf("an administrator has %d to read, want 2", got)
	}
	_, err = m.Read(ctx, admin, 400)
	w.ok(err)
	if got := m.unread(admin); got != 1 {
		w.t.Errorf("after reading one: %d", got)
	}
}

// From draft to withdrawal: who sees what, what is kept, who is told.
func testNoticeLife(w *world) {
	ctx, m := w.t.Context(), w.messages()
	top, dept, a, b, other := m.people()
	id, err := m.Create(ctx, top, &message.Draft{Title: "通知", Body: "第一版", Units: []tianbao.Unit{{ID: department, Path: "/1/2/"}}})
	w.ok(err)
	for name, who := range map[string]*message.Actor{"the unit": a, "the department": dept, "another bureau": other} {
		_, err := m.Show(ctx, who, id)
		refused(w.t, "a draft, to "+name, err, tianbao.ErrNotFound)
	}
	refused(w.t, "a draft withdrawn", m.Withdraw(ctx, top, id, 0), tianbao.ErrInvalid)
	w.ok(m.Attach(ctx, top, id, 0, "附件.pdf", []byte("%PDF-1.7")))
	refused(w.t, "published from an old turn", m.Publish(ctx, top, id, 1, false), tianbao.ErrConflict)
	refused(w.t, "published by others", m.Publish(ctx, other, id, 0, false), tianbao.ErrNotFound)
	w.ok(m.Publish(ctx, top, id, 0, false))
	refused(w.t, "published twice", m.Publish(ctx, top, id, 0, false), tianbao.ErrInvalid)

	for _, tt := range []struct {
		name   string
		who    *message.Actor
		unread int
		sees   bool
	}{{"a unit", a, 1, true}, {"its neighbour", b, 1, true}, {"the department", dept, 1, true}, {"the bureau above", top, 0, true}, {"another bureau", other, 0, false}} {
		if got := m.unread(tt.who); got != tt.unread {
			w.t.Errorf("%s has %d to read, want %d", tt.name, got, tt.unread)
		}
		list, err := w.Notices(ctx, &tt.who.Reader, 0, 10)
		w.ok(err)
		if got := len(list) == 1; got != tt.sees {
			w.t.Errorf("%s sees %d notices", tt.name, len(list))
		}
	}
	v, err := m.Read(ctx, a, id)
	w.ok(err)
	_, err = m.Read(ctx, a, id)
	w.ok(err)
	file := v.Notice.Attachments[0].ID
	if m.unread(a) != 0 || m.unread(b) != 1 {
		w.t.Errorf("after one unit read it: %d and %d", m.unread(a), m.unread(b))
	}
	var n int
	w.ok(w.DB().One(ctx, []any{&n}, `SELECT COUNT(*) FROM trail WHERE what = 'notice.read'`))
	if n != 1 {
		w.t.Errorf("%d lines on the trail of one who read twice", n)
	}
	if _, err := m.File(ctx, a, id, file); err != nil {
		w.t.Error(err)
	}
	_, err = m.File(ctx, other, id, file)
	refused(w.t, "its file, from outside", err, tianbao.ErrNotFound)

	// Amended: told again, and the first version stays.
	m.at = m.at.Add(time.Hour)
	refused(w.t, "nothing new", m.Edit(ctx, top, id, &message.Draft{Title: "通知", Body: "第一版"}), tianbao.ErrInvalid)
	refused(w.t, "amended by a reader", m.Edit(ctx, dept, id, &message.Draft{Title: "通知", Body: "x"}), tianbao.ErrNotFound)
	w.ok(m.Edit(ctx, top, id, &message.Draft{Title: "通知", Body: "第二版"}))
	refused(w.t, "amended from an old turn", m.Edit(ctx, top, id, &message.Draft{Title: "通知", Body: "第三版", Turn: 1}), tianbao.ErrConflict)
	w.ok(m.Detach(ctx, top, id, file, 0))
	if m.unread(a) != 1 {
		w.t.Error("an amendment is not told")
	}
	v, err = m.Read(ctx, a, id)
	w.ok(err)
	if v.Notice.Version != 3 || v.Notice.Body != "第二版" || v.Notice.Seen != 1 || len(v.Notice.Attachments) != 0 || v.Notice.Amended.IsZero() {
		w.t.Errorf("amended: %+v", v.Notice)
	}
	_, err = m.File(ctx, a, id, file)
	refused(w.t, "a file that was taken away", err, tianbao.ErrNotFound)
	_, versions, err := m.Versions(ctx, b, id)
	w.ok(err)
	if len(versions) != 2 || versions[1].Body != "第一版" || versions[0].Body != "第二版" {
		w.t.Errorf("versions %+v", versions)
	}

	w.ok(m.Withdraw(ctx, top, id, 0))
	v, err = m.Read(ctx, b, id)
	w.ok(err)
	if v.Notice.Body != "" || v.Notice.Title != "通知" || m.unread(b) != 0 {
		w.t.Errorf("withdrawn: %+v, %d to read", v.Notice, m.unread(b))
	}
	_, _, err = m.Versions(ctx, b, id)
	refused(w.t, "the versions of a withdrawn notice", err, tianbao.ErrNotFound)
	refused(w.t, "withdrawn and amended", m.Edit(ctx, top, id, &message.Draft{Title: "通知", Body: "又一版"}), tianbao.ErrInvalid)
	_, err = m.Ask(ctx, b, id, 0, "还要报吗？")
	refused(w.t, "a question about it", err, tianbao.ErrInvalid)
}

// Whom a notice is for lies within the bureau's own subtree.
func testNoticeScope(w *world) {
	ctx, m := w.t.Context(), w.messages()
	top, _, a, _, other := m.people()
	for _, who := range []*message.Actor{other, a} {
		_, err := m.Create(ctx, who, &message.Draft{Title: "通知", Body: "x", Units: []tianbao.Unit{{ID: unitA, Path: "/1/2/3/"}}})
		refused(w.t, "for units of others", err, tianbao.ErrNotFound)
	}
	m.publish(top, "给第二中学", tianbao.Unit{ID: unitB, Path: "/1/2/4/"})
	if got := m.unread(a); got != 0 {
		w.t.Errorf("the neighbour has %d to read", got)
	}
	// The two parts of a scope that is in pieces are one audience.
	both := m.publish(top, "给两个", tianbao.Unit{ID: unitA, Path: "/1/2/3/"}, tianbao.Unit{ID: unitB, Path: "/1/2/4/"})
	r, err := m.Receipts(ctx, top, both, false, 0, 10)
	w.ok(err)
	if r.Figures.Units != 2 {
		w.t.Errorf("it is for %d units", r.Figures.Units)
	}
}

// Receipts are counted by unit, within the scope of who asks.
func testReceiptsOfNotice(w *world) {
	ctx, m := w.t.Context(), w.messages()
	top, dept, a, b, other := m.people()
	id := m.publish(top, "通知") // for the bureau and all below: 4 units, of which one has an account
	_, err := m.Read(ctx, a, id)
	w.ok(err)
	_, err = m.Read(ctx, top, id)
	w.ok(err)
	figures := func(who *message.Actor, want message.Figures) {
		w.t.Helper()
		r, err := m.Receipts(ctx, who, id, false, 0, 10)
		w.ok(err)
		if diff := cmp.Diff(want, r.Figures); diff != "" {
			w.t.Error(diff)
		}
		if len(r.Behind) != r.Figures.Unread() {
			w.t.Errorf("%d units are listed of %d", len(r.Behind), r.Figures.Unread())
		}
	}
	figures(top, message.Figures{Units: 4, Read: 2, NoAccount: 2})
	county := m.as(36, tianbao.RoleCounty, department, "/1/2/")
	figures(county, message.Figures{Units: 3, Read: 1, NoAccount: 2})
	r, err := m.Receipts(ctx, county, id, true, 0, 10)
	w.ok(err)
	if len(r.Readers) != 1 || r.Readers[0].Unit.ID != unitA || r.Readers[0].Name != "填报员" || !r.Readers[0].First.Equal(m.at) {
		w.t.Errorf("readers %+v", r.Readers)
	}
	_, err = m.Receipts(ctx, other, id, false, 0, 10)
	refused(w.t, "from outside", err, tianbao.ErrNotFound)
	// Who fills in for a department reads for it, not for the units below.
	_, err = m.Read(ctx, dept, id)
	w.ok(err)
	w.ok(m.Edit(ctx, top, id, &message.Draft{Title: "通知", Body: "改了"}))
	_, err = m.Read(ctx, b, id)
	w.ok(err)
	figures(top, message.Figures{Units: 4, Read: 1, Earlier: 3})

	// Read by one account at once, it is one receipt.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := m.Read(ctx, a, id); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
	if r, err = m.Receipts(ctx, top, id, true, 0, 10); err != nil || len(r.Readers) != 4 {
		w.t.Errorf("%d receipts: %v", len(r.Readers), err)
	}
}

// A question is seen by the unit and the bureaus above, never by a sibling; what is
// published does not tell who asked.
func testQuestions(w *world) {
	ctx, m := w.t.Context(), w.messages()
	top, dept, a, b, other := m.people()
	id := m.publish(top, "通知", tianbao.Unit{ID: department, Path: "/1/2/"})
	q, err := m.Ask(ctx, a, id, 0, "记号甲：第一中学的张示例怎么填？")
	w.ok(err)
	if again, err := m.Ask(ctx, a, id, unitA, "记号甲：第一中学的张示例怎么填？"); err != nil || again != q {
		w.t.Errorf("asked twice: %v %v", again, err)
	}
	for name, fn := range map[string]func() error{
		"for another unit":        func() error { _, err := m.Ask(ctx, a, id, unitB, "怎么填呢"); return err },
		"from outside":            func() error { _, err := m.Ask(ctx, other, id, 0, "怎么填呢"); return err },
		"about none":              func() error { _, err := m.Ask(ctx, a, 499, 0, "怎么填呢"); return err },
		"answered by the sibling": func() error { return m.Answer(ctx, b, q, &message.Reply{Text: "x", Turn: 1}) },
		"answered from outside":   func() error { return m.Answer(ctx, other, q, &message.Reply{Text: "x", Turn: 1}) },
		"answered by the unit":    func() error { return m.Answer(ctx, a, q, &message.Reply{Text: "x", Turn: 1}) },
	} {
		refused(w.t, name, fn(), tianbao.ErrNotFound)
	}
	shows := func(who *message.Actor, own, public int) message.View {
		w.t.Helper()
		v, err := m.Show(ctx, who, id)
		w.ok(err)
		if len(v.Own) != own || len(v.Public) != public {
			w.t.Errorf("%d of the own, %d published; want %d and %d", len(v.Own), len(v.Public), own, public)
		}
		return v
	}
	shows(a, 1, 0)
	shows(b, 0, 0)
	shows(dept, 1, 0)
	if list, err := w.Questions(ctx, other.Leads, 0, "", 0, 10); err != nil || len(list) != 0 {
		w.t.Errorf("another bureau sees %d questions: %v", len(list), err)
	}

	// The county answers to the unit alone.
	county := m.as(36, tianbao.RoleCounty, department, "/1/2/")
	refused(w.t, "for all, by another bureau", m.Answer(ctx, county, q, &message.Reply{Text: "按登记填", All: true, Shown: "怎么填？", Turn: 1}), tianbao.ErrInvalid)
	_, err = m.Read(ctx, a, id)
	w.ok(err)
	before := m.unread(a)
	w.ok(m.Answer(ctx, county, q, &message.Reply{Text: "按登记填", Turn: 1}))
	refused(w.t, "answered twice from one turn", m.Answer(ctx, top, q, &message.Reply{Text: "x", Turn: 1}), tianbao.ErrConflict)
	if got := m.unread(a); got != before+1 || m.unread(b) != 1 {
		w.t.Errorf("after the answer %d to read, the sibling %d", got, m.unread(b))
	}
	if v := shows(a, 1, 0); v.Own[0].Answer != "按登记填" || v.Own[0].State != tianbao.QuestionAnswered {
		w.t.Errorf("the answer: %s", v.Own[0].State)
	}
	shows(b, 0, 0)
	_, err = m.Read(ctx, a, id)
	w.ok(err)
	if got := m.unread(a); got != before {
		w.t.Errorf("seen, and still %d to read", got)
	}

	// The province answers for all.
	person, _ := Person(1)
	refused(w.t, "with an id", m.Answer(ctx, top, q, &message.Reply{Text: "见 " + person + "。", All: true, Shown: "怎么填写呢？", Turn: 2}), tianbao.ErrInvalid)
	w.ok(m.Answer(ctx, top, q, &message.Reply{Text: "都按登记填", All: true, Shown: "怎么填写呢？", Turn: 2}))
	v := shows(b, 0, 1)
	pub := v.Public[0]
	if pub.Shown != "怎么填写呢？" || pub.Answer != "都按登记填" || pub.Unit != 0 || pub.UnitName != "" || pub.Asked != "" || pub.By != 0 {
		w.t.Errorf("what the sibling sees tells who asked: %+v", pub)
	}
	shows(a, 1, 1)
	if n, err := w.OpenQuestions(ctx, top.Leads); err != nil || n != 0 {
		w.t.Errorf("%d open: %v", n, err)
	}
}

// Open questions come oldest first, and a unit cannot flood its bureau.
func testManyQuestions(w *world) {
	ctx, m := w.t.Context(), w.messages()
	top, _, a, b, _ := m.people()
	id := m.publish(top, "通知")
	var first tianbao.ID
	for i := range 20 {
		m.at = m.at.Add(time.Minute)
		q, err := m.Ask(ctx, a, id, 0, fmt.Sprintf("第%d个问题是什么", i))
		w.ok(err)
		if i == 0 {
			first = q
		}
	}
	_, err := m.Ask(ctx, a, id, 0, "再问一个问题")
	refused(w.t, "one more", err, tianbao.ErrTooMany)
	_, err = m.Ask(ctx, b, id, 0, "另一个单位的问题")
	w.ok(err)
	list, err := w.Questions(ctx, top.Leads, id, tianbao.QuestionOpen, 0, 100)
	w.ok(err)
	if len(list) != 21 || list[0].ID != first || list[20].Unit != unitB {
		w.t.Errorf("%d open, the first %v", len(list), list[0].ID)
	}
	for i, bad := range []string{"", "短", string(make([]rune, message.MaxQuestion+1))} {
		_, err := m.Ask(ctx, b, id, 0, bad)
		var e *tianbao.Error
		if !errors.As(err, &e) || e.Kind != tianbao.ErrInvalid {
			w.t.Errorf("question %d: %v", i, err)
		}
	}
}
