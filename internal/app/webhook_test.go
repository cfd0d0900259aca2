package app

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/audit"
	"tianbao/internal/auth"
	"tianbao/internal/campaign"
	"tianbao/internal/news"
	"tianbao/internal/report"
	"tianbao/internal/webhook"
)

// An officer subscribes an address on the page; it is told of what units and bureaus do, by
// signed requests in which nobody is named.
func TestWebhooks(t *testing.T) {
	var mu sync.Mutex
	var got []string
	var types []string
	var secret []byte
	recv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		var e struct{ ID, Type string }
		at, err := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64)
		if err != nil || json.Unmarshal(b, &e) != nil || r.Header.Get("Webhook-Signature") != webhook.SignStandard(secret, e.ID, time.Unix(at, 0), b) {
			t.Errorf("not signed: %s", b)
		}
		got, types = append(got, string(b)), append(types, e.Type)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer recv.Close()
	o := newOffice(t, func(s *serveOptions) { s.events.allow = "127.0.0.0/8" })
	ctx := t.Context()

	var made struct{ ID, Secret, State string }
	add := func(unit, url, events string) (int, string) {
		return o.officer("POST", "/webhooks", `{"name":"资产系统","unit":"`+unit+`","url":"`+url+`","events":"`+events+`"}`, &made)
	}
	if code, body := add("nothing", recv.URL, "report.reported"); code != http.StatusBadRequest || !strings.Contains(body, "unknown_unit") {
		t.Errorf("no unit: %d %s", code, body)
	}
	var kinds []string
	for _, k := range tianbao.NewsKinds() {
		kinds = append(kinds, string(k))
	}
	if code, body := add("001", recv.URL+"/events?key=1", strings.Join(kinds, " ")); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	text, ok := strings.CutPrefix(made.Secret, "whsec_")
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !ok || len(b) < 24 {
		t.Fatalf("the secret is %q", made.Secret)
	}
	secret = b
	at := "/webhooks/" + made.ID
	var test struct {
		Status int
		Taken  bool
	}
	if code, body := o.officer("POST", at+"/test", `{}`, &test); code != http.StatusOK || !test.Taken || test.Status != http.StatusAccepted {
		t.Errorf("test: %d %s", code, body)
	}

	// What units do.
	rep := o.save(120, "k1", o.person(120, 120))
	unit := report.Actor{Name: "甲", Scope: tianbao.Scope{Paths: []string{"/110/120/"}}}
	_, err = o.in.reports.Submit(ctx, unit, rep.ID, "k2")
	o.ok(err)
	o.ok(o.in.campaigns.Declare(ctx, campaign.Declarer{Fills: tianbao.Scope{Paths: []string{"/110/130/"}}}, 7001, campaign.Say{Kind: tianbao.DeclareNil, Units: []tianbao.ID{130}, Reason: "没有这样的岗位"}))
	o.ok(o.in.campaigns.TakeBack(ctx, campaign.Declarer{Fills: tianbao.Scope{Paths: []string{"/110/130/"}}}, 7001, 130))
	// What bureaus do.
	runs := tianbao.Scope{Paths: []string{"/110/"}}
	o.ok(o.in.campaigns.SetLevels(ctx, campaign.Actor{User: 800, Runs: runs, Locks: runs}, 7001, tianbao.Levels(1<<tianbao.LevelProvince)))
	rv := campaign.Reviewer{User: 800, Scope: runs}
	for _, k := range []tianbao.VerdictKind{tianbao.VerdictPass, tianbao.VerdictWithdraw, tianbao.VerdictReturn} {
		o.ok(o.in.campaigns.Review(ctx, rv, 7001, campaign.ReviewAct{Units: []tianbao.ID{120}, Kind: k, Remark: "记号120人员不对"}))
	}
	if n, err := o.cfg.News.Round(ctx); err != nil || n != 7 {
		t.Errorf("%d told, %v", n, err)
	}
	mu.Lock()
	sorted := slices.Sorted(slices.Values(types))
	all := strings.Join(got, "\n")
	mu.Unlock()
	want := []string{"declaration.ended", "declaration.made", "ping", "report.passed", "report.reported", "report.returned", "report.submitted", "report.withdrawn"}
	if !slices.Equal(sorted, want) {
		t.Errorf("told %v", sorted)
	}
	for _, s := range append(secrets(120), "记号", "中学", "人员", "岗位", "officer") {
		if strings.Contains(all, s) {
			t.Errorf("a receiver learns %q", s)
		}
	}
	if !strings.Contains(all, `"budget_code":"101"`) || strings.Count(all, `"report":"`+rep.ID.String()+`"`) != 5 {
		t.Errorf("told %s", all)
	}

	// A token is no officer.
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://tianbao.test"+at, nil)
	r.Header.Set("Authorization", "Bearer "+o.service(110, auth.VerbAccounts))
	w := httptest.NewRecorder()
	if o.site.ServeHTTP(w, r); w.Code == http.StatusOK {
		t.Error("a service token sees a subscription")
	}

	// The log, and what was told again.
	var shown struct {
		Log []struct{ Cursor, Event, State string }
	}
	code, body := o.officer("GET", at, "", &shown)
	if code != http.StatusOK || len(shown.Log) != 7 || shown.Log[0].State != "done" || strings.Contains(body, text) {
		t.Errorf("%d %s", code, body)
	}
	var again struct{ Events int }
	if o.officer("POST", at+"/replay", `{"cursor":"`+shown.Log[0].Cursor+`"}`, &again); again.Events != 1 {
		t.Errorf("%d again", again.Events)
	}
	if n, err := o.cfg.News.Round(ctx); err != nil || n != 1 || got[len(got)-1] == "" {
		t.Errorf("%d told again, %v", n, err)
	}
	// One that stops is told on the officers' first page.
	id, err := tianbao.ParseID(made.ID)
	o.ok(err)
	sub, err := o.in.store.Subscription(ctx, runs, id)
	o.ok(err)
	if mine, err := o.in.store.TakeSubscription(ctx, id, "x", time.Now(), time.Now().Add(time.Minute)); !mine || err != nil {
		t.Errorf("taken in hand: %v %v", mine, err)
	}
	sub.State = news.Stopped
	o.ok(o.in.store.LeaveSubscription(ctx, &sub, "x"))
	r = httptest.NewRequestWithContext(ctx, http.MethodGet, "http://tianbao.test/", nil)
	r.Header.Set("Cookie", "__Host-tianbao="+o.token)
	w = httptest.NewRecorder()
	if o.site.ServeHTTP(w, r); !strings.Contains(w.Body.String(), "事件订阅已停发") || !strings.Contains(w.Body.String(), at) {
		t.Errorf("the first page of an officer: %d", w.Code)
	}
	if code, body := o.officer("POST", at, `{"state":"ended"}`, nil); code != http.StatusOK {
		t.Errorf("end: %d %s", code, body)
	}
	if code, _ := o.officer("GET", at, "", nil); code != http.StatusNotFound {
		t.Errorf("after its end: %d", code)
	}
	for _, what := range []string{"webhook.make", "webhook.test", "webhook.replay", "webhook.end"} {
		if lines, err := o.in.store.Trail(ctx, audit.Query{What: what, Limit: 5}); err != nil || len(lines) != 1 {
			t.Errorf("%s: %d lines, %v", what, len(lines), err)
		}
	}
}
