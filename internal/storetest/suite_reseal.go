package storetest

import (
	"bytes"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/auth"
	collections "tianbao/internal/campaign"
	"tianbao/internal/clock"
	"tianbao/internal/compare"
	"tianbao/internal/db"
	"tianbao/internal/news"
	"tianbao/internal/provision"
	"tianbao/internal/remind"
	"tianbao/internal/report"
	"tianbao/internal/seal"
	"tianbao/internal/store"
)

// notSealed are the BYTEA columns that hold nothing that needs sealing.
func notSealed() map[string]string {
	return map[string]string{
		"unit_history.before":         "the register, which is public",
		"unit_status_day.states":      "units and where they stood, no person",
		"form.definition":             "a published form",
		"form_draft.definition":       "a form to be published",
		"certificate.body":            "names units and figures, no person",
		"report_row.look_keys":        "keyed indexes",
		"row_key_log.data":            "keyed indexes",
		"staged_row.look_keys":        "keyed indexes",
		"app_user.login_key":          "keyed index",
		"session.token_hash":          "hash of a random token",
		"person_change.look":          "keyed index",
		"legacy_user.user_key":        "keyed index",
		"legacy_user.content":         "keyed index",
		"failure.k":                   "keyed index",
		"recovery_code.k":             "keyed index",
		"activation.k":                "keyed index",
		"credential.k":                "keyed index",
		"ceremony.k":                  "hash of a random token",
		"platform_account.person_key": "keyed index",
		"platform_account.login_key":  "keyed index",
		"phone_code.phone_key":        "keyed index",
		"phone_code.person_key":       "keyed index",
		"phone_proof.person_key":      "keyed index",
		"phone_proof.phone_key":       "keyed index",
		"service_token.k":             "hash of a random token",
		"mail_message.k":              "keyed index",
		"mail_message.sender":         "keyed index",
		"mail_sender.k":               "keyed index",
		"setup_token.token_hash":      "hash of a random token",
		"attachment.data":             "published with a notice",
		"job.payload":                 "not in use",
		"trail.hash":                  "chain",
		"trail_lane.hash":             "chain",
		"trail_base.hash":             "chain",
		"trail_checkpoint.signed":     "hashes and a signature",
	}
}

// SEC-22: after a rotation every sealed value of every table is sealed anew, while
// somebody saves, and opens; nothing else changes.
func testReseal(w *world) {
	ctx := w.t.Context()
	r := w.fillAll()
	w.fillCollection()
	w.fillMail()
	before := w.rows(r.ID)
	next, err := Ring(w.t).WithNewKey(seal.AES)
	w.ok(err)
	s := store.New(w.DB(), next, &clock.IDs{Clock: clock.System}, Forms, clock.System)

	// Somebody goes on with the old key, and others with the new one.
	var wg sync.WaitGroup
	stop := make(chan struct{})
	other := w.open(unitB)
	wg.Go(func() {
		for i := range 300 { // or a fast disk would let it always be ahead
			select {
			case <-stop:
				return
			default:
			}
			d := w.draft(other)
			d.insert(tianbao.AtEnd, Values(i))
			d.Receipt.Rows = d.Report.Rows
			if err := w.Commit(ctx, d.Commit); err != nil {
				w.t.Errorf("a save failed: %v", err)
				return
			}
			other.Version++
			other.Rows++
		}
	})
	first, err := s.Reseal(ctx)
	w.ok(err)
	close(stop)
	wg.Wait()
	if first.Values < 100 || first.Failed > 0 {
		w.t.Errorf("the first pass: %+v", first)
	}
	for {
		sum, err := s.Reseal(ctx)
		w.ok(err)
		if sum.Failed > 0 {
			w.t.Fatalf("%+v", sum)
		}
		if sum.Values+sum.Lost == 0 {
			break
		}
	}
	n, err := s.SealedBy(ctx)
	w.ok(err)
	if n[1] != 0 || n[2] < first.Values || len(n) != 1 {
		w.t.Errorf("values by key: %v", n)
	}
	w.wantKey(2)

	now := &world{Store: s, t: w.t, ids: w.ids, keys: w.keys}
	after := now.rows(r.ID)
	if fmt.Sprintf("%#v", cells(after)) != fmt.Sprintf("%#v", cells(before)) {
		w.t.Error("the rows changed")
	}
	for _, rep := range []tianbao.ID{r.ID, other.ID} {
		if _, err := s.Since(ctx, rep, 0); err != nil {
			w.t.Error(err)
		}
	}
	if _, err := s.Users(ctx); err != nil {
		w.t.Error(err)
	}
	if f := now.found(); !f.OK() {
		w.t.Errorf("the trail: %v", f.Faults)
	}
	// What does not open is told and left as it is.
	_, err = w.exec(`UPDATE draft SET body = $1`, bytes.Repeat([]byte{1}, 64))
	w.ok(err)
	if sum, err := s.Reseal(ctx); err != nil || sum.Failed != 1 || sum.Values != 0 {
		w.t.Errorf("a broken value: %+v %v", sum, err)
	}
}

func cells(rows []tianbao.Row) [][]string {
	out := make([][]string, len(rows))
	for i := range rows {
		out[i] = rows[i].Values
	}
	return out
}

func (w *world) exec(sql string, args ...any) (n int64, err error) {
	err = w.DB().Tx(w.t.Context(), func(tx db.Tx) (err error) {
		n, err = tx.Exec(w.t.Context(), sql, args...)
		return err
	})
	return n, err
}

// FillAll writes something of every kind into an empty store.
func FillAll(t testing.TB, s *store.Store) {
	t.Helper()
	newWorld(t, s).fillAll()
}

// fillAll puts something sealed into every sealed column.
func (w *world) fillAll() tianbao.Report {
	w.t.Helper()
	ctx := w.t.Context()
	r := w.open(unitA)
	d := w.draft(r)
	d.Inserted = make(map[string]tianbao.ID)
	for i := range 60 {
		id := d.insert(tianbao.AtEnd, Values(i))
		d.Puts[i].Row.Reasons = []tianbao.Reason{{Code: "c", Text: "说明", By: "某人", At: epoch()}}
		d.Inserted[fmt.Sprint(i)] = id
	}
	r = d.save()
	w.ok(w.PutImport(ctx, &report.ImportRecord{ID: w.id(), Report: r.ID, File: "名册.xlsx", Digest: "d", Raw: []byte("raw")}))
	long := w.draft(r)
	st, err := w.Stage(ctx, r, w.id(), long.importRecord().ID)
	w.ok(err)
	for i := range 20 {
		long.insert(tianbao.AtEnd, Values(i))
	}
	w.ok(st.Add(ctx, long.batch("raw"))) // and left as it is
	w.ok(w.PutDraft(ctx, tianbao.Draft{Report: r.ID, User: clerk, Name: "d", At: epoch(), Body: []byte("draft")}))
	w.ok(w.PutCredential(ctx, auth.Credential{User: clerk, Kind: auth.KindPasskey, Key: "k", Name: "手机", Created: epoch()}, nil, 0))
	w.ok(w.PutCeremony(ctx, []byte("hash"), []byte("body"), epoch(), epoch().Add(time.Hour)))
	w.ok(w.PutFactor(ctx, auth.Factor{ID: w.id(), User: clerk, Secret: []byte("secret"), Created: epoch()}))
	w.ok(w.Record(ctx, tianbao.Event{At: epoch(), Login: "somebody", What: "signin.fail"}))
	w.fillRegister("16012345678", "16012345679")
	// An erasure that was cut off.
	_, err = w.exec(`INSERT INTO erasure (id, at, by_id, state, person) VALUES (77, 0, 0, 0, $1)`,
		Ring(w.t).Seal(nil, []byte(`{"id":"000000000000000000"}`), seal.Place("erasure", "person", "77")))
	w.ok(err)
	return r
}

// fillCollection fills in what stands beside the rows of a collection.
func (w *world) fillCollection() {
	w.t.Helper()
	ctx := w.t.Context()
	c, err := w.Collection(ctx, campaign)
	w.ok(err)
	w.ok(w.ChangeCollection(ctx, &collections.Change{Campaign: c, At: epoch(), Add: []tianbao.CampaignRule{
		{ID: w.id(), Kind: tianbao.RuleLock, Unit: elsewhere, Reason: "张示例说等等"},
	}}))
	w.ok(w.Declare(ctx, []tianbao.Declaration{{ID: w.id(), Campaign: campaign, Unit: bureau, Kind: tianbao.DeclareNil, Reason: "张示例调走了", At: epoch(), Attachment: 78, Proof: &tianbao.Proof{Name: "张示例.pdf", Type: "application/pdf", Data: []byte("%PDF-")}}}, false))
	d := w.draft(w.open(unitB))
	d.insert(tianbao.AtEnd, Values(1))
	landline := Values(2)
	landline[7] = "024-23861234"
	d.insert(tianbao.AtEnd, landline)
	w.upward(d.save())
	w.ok(w.PutSubscription(ctx, &news.Subscription{ID: w.id(), Name: "系统", Unit: bureau, State: news.Paused, URL: "https://example.com/?key=secret", Kinds: tianbao.NewsKinds(), Secret: []byte("secret")}))
	p := w.platform()
	plan, err := p.Draw(ctx, p.actor, campaign, false)
	w.ok(err)
	p.run(plan.ID)
	codes := w.phones()
	_, err = codes.codes.Send(ctx, provision.Actor{Scope: all()}, campaign, unitB, 0)
	w.ok(err)
	r := w.open(unitB)
	w.ok(w.Review(ctx, &collections.Judgement{
		Verdicts: []tianbao.Verdict{{ID: w.id(), Campaign: campaign, Unit: unitB, Kind: tianbao.VerdictReturn, Level: 2, Remark: "张示例已调走", At: epoch()}},
		Remarks:  []tianbao.Remark{{ID: w.id(), Report: r.ID, Row: w.rows(r.ID)[0].ID, Field: "phone", Text: "张示例的号码不对"}},
	}))
	q := &tianbao.Question{ID: w.id(), Notice: 400, Unit: unitA, At: epoch(), Asked: "张示例怎么填"}
	w.ok(w.PutQuestion(ctx, q, campaign, epoch(), 20))
	q.State, q.Shown, q.Answer, q.Answered, q.Turn = tianbao.QuestionPublished, "怎么填", "张示例照登记填", epoch(), 1
	w.ok(w.Store.Answer(ctx, q, clerk, bureau))
	compared := w.comparing()
	who := compare.Actor{User: clerk, Scope: at("/1/")}
	w.listed(compared, who, oldLine("zc01", 1, "101002", "第二中学", "12210100000000004D"))
	cp, err := compared.Run(ctx, who, bureau, campaign)
	w.ok(err)
	w.ok(w.PutDecision(ctx, &compare.Verdict{ID: w.id(), Comparison: cp.ID, Old: 1, Unit: unitB, Kind: compare.KindIgnore, Reason: "张示例调走了", By: clerk, At: epoch()}))
	w.ok(w.PutUnitMail(ctx, unitA, remind.Mailbox{Address: "zhang@example.gov.cn"}, clerk, epoch()))
	none := func(int) []tianbao.Event { return nil }
	_, err = w.Enqueue(ctx, &remind.Batch{Campaign: campaign, At: epoch(), Every: time.Hour, Next: epoch(), Items: []remind.Item{
		{Unit: unitA, Due: epoch(), Channels: []remind.Channel{remind.ChannelPage}, IDs: []tianbao.ID{w.id()}},
	}}, none)
	w.ok(err)
	ids, err := w.DueReminders(ctx, []remind.Channel{remind.ChannelPage}, epoch(), 10)
	w.ok(err)
	_, err = w.ClaimReminders(ctx, &remind.Claim{IDs: ids, At: epoch(), Until: epoch(), Trail: func(int, int) []tianbao.Event { return nil }},
		func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision { return remind.Decision{} })
	w.ok(err)
	w.fillChange()
}

// fillChange keeps the collection as a register for as long as somebody's change comes in
// and is returned.
func (w *world) fillChange() {
	w.t.Helper()
	ctx := w.t.Context()
	put := func(at time.Time) {
		c, err := w.Collection(ctx, campaign)
		w.ok(err)
		c.Ended, c.Kept = at, at
		w.ok(w.ChangeCollection(ctx, &collections.Change{Campaign: c, At: epoch()}))
	}
	put(epoch())
	id, _ := Person(1)
	ch := &tianbao.PersonChange{
		ID: w.id(), Campaign: campaign, Unit: unitB, Kind: tianbao.ChangeJoin, State: tianbao.ChangeWaiting, Day: epoch(), Made: epoch(), Form: Form().Name, FormV: 1,
		Values: Values(1), Why: "张示例来了",
	}
	w.ok(w.PutChange(ctx, ch, id))
	ch.State, ch.Remark, ch.Decided = tianbao.ChangeReturned, "张示例的号码不对", epoch()
	w.ok(w.EndChange(ctx, ch))
	put(time.Time{})
}

// fillRegister gives a unit a contact and a request that is refused.
func (w *world) fillRegister(phone, other string) {
	w.t.Helper()
	ctx := w.t.Context()
	entries, version, err := w.Register(ctx, at("/1/2/3/"), false)
	w.ok(err)
	w.ok(w.ChangeRegister(ctx, &tianbao.RegisterChange{Base: version, Day: epoch(), At: epoch(), Changes: []tianbao.UnitChange{{
		Act: tianbao.UnitEdit, Unit: entries[0].Unit, Contact: &tianbao.Contact{Name: "张示例", Phone: phone},
		Fields: []tianbao.FieldChange{{Field: "contact_phone"}},
	}}}))
	req := &tianbao.UnitRequest{ID: w.id(), Unit: unitA, Field: "contact_phone", Value: other, Why: "换成 " + other, State: tianbao.RequestOpen, At: epoch()}
	w.ok(w.PutRequest(ctx, all(), req))
	req.State, req.Remark = tianbao.RequestRefused, other+" 打不通"
	w.ok(w.RefuseRequest(ctx, req))
}

// wantKey looks at every byte of every column: whatever looks like a sealed value is of
// the key, every sealed column has one, and every BYTEA column is known.
func (w *world) wantKey(key byte) {
	w.t.Helper()
	sealed := make(map[string]bool)
	for _, c := range store.SealedColumns() {
		sealed[c] = false
	}
	old := regexp.MustCompile(`A[QI]AAAA[E-H]`) // 1 or 2, 0, 0, 0, 1 in base64
	for _, c := range w.columns() {
		if c[2] != "BYTEA" && c[2] != "bytea" || bytes.HasPrefix([]byte(c[0]), []byte("goose")) {
			continue
		}
		name := c[0] + "." + c[1]
		if _, known := sealed[name]; !known {
			if notSealed()[name] == "" {
				w.t.Errorf("%s: list it in sealedColumns of internal/store/reseal.go, or here with why it needs no sealing", name)
			}
			continue
		}
		err := w.DB().Each(w.t.Context(), func(scan db.Scan) error {
			var b []byte
			if err := scan(&b); err != nil || len(b) < seal.Overhead {
				return err
			}
			sealed[name] = true
			if b[0] == '{' && old.Match(b) || b[0] != '{' && seal.KeyIDOf(b) != uint32(key) {
				w.t.Errorf("%s still holds a value of another key", name)
			}
			return nil
		}, fmt.Sprintf(`SELECT %s FROM %s`, c[1], c[0]))
		w.ok(err)
	}
	for name, seen := range sealed {
		if !seen {
			w.t.Errorf("%s holds nothing in this test; let fillAll fill it", name)
		}
	}
}
