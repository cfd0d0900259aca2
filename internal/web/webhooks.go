package web

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/news"
)

// 事件订阅: whoever runs collections subscribes an address of another system to what happens
// in the own part of the register. What leaves are ids and counts; see package news.

// webhookLog is how many lines a page of the log has.
const webhookLog = 100

// webhookRoutes lists the routes of subscriptions.
func (s *Server) webhookRoutes() []route {
	const get, post = http.MethodGet, http.MethodPost
	runs := needing(tianbao.PowerCampaign)
	return []route{
		{get, "/webhooks", runs, s.webhooks, "webhooks", "Addresses that are told of events in the caller's part of the register", nil, wireWebhooks{}, false, 0},
		{post, "/webhooks", runs, s.makeWebhook, "makeWebhook", "Subscribe an address to some kinds of events of a unit's subtree; answers the secret once; asks for the second factor", wireWebhookAdd{}, wireNewWebhook{}, false, 4 << 10},
		{get, "/webhooks/{webhook}", runs, s.webhook, "webhook", "A subscription with what it was told, the newest first; query: state, before", nil, wireWebhook{}, false, 0},
		{post, "/webhooks/{webhook}", runs, s.setWebhook, "setWebhook", "Change name and events of a subscription, pause it, let it go on, or end it", wireWebhookSet{}, wireDone{}, false, 4 << 10},
		{post, "/webhooks/{webhook}/test", runs, s.testWebhook, "testWebhook", "Send a test and tell what was answered", wireEmpty{}, wireWebhookTest{}, false, 4 << 10},
		{post, "/webhooks/{webhook}/replay", runs, s.replayWebhook, "replayWebhook", "Tell events again: the one of a cursor, or those of a time", wireReplay{}, wireReplayed{}, false, 4 << 10},
	}
}

// teller is the viewer as who subscribes.
func (v *viewer) teller(r *http.Request) news.Actor {
	u := v.user()
	return news.Actor{User: u.ID, From: address(r), Scope: u.Scope(tianbao.PowerCampaign)}
}

type wireWebhooks struct {
	Webhooks []wireWebhook `json:"webhooks"`
}

// wireWebhook is a subscription. Its secret is in no answer but that to making it.
type wireWebhook struct {
	ID       tianbao.ID     `json:"id"`
	Name     string         `json:"name"`
	Unit     tianbao.ID     `json:"unit"`
	UnitName string         `json:"unit_name"`
	Events   []string       `json:"events"`
	URL      string         `json:"url"`
	State    news.State     `json:"state"`
	By       string         `json:"by"`
	Made     string         `json:"made"`
	Waiting  int            `json:"waiting"`
	Refused  int            `json:"refused"`
	Sent     string         `json:"sent,omitempty"`    // the last success
	Status   int            `json:"status,omitempty"`  // the last answer
	Failing  string         `json:"failing,omitempty"` // since when nothing is taken
	NextTry  string         `json:"next_try,omitempty"`
	Log      []wireDelivery `json:"log,omitempty"`
	Next     string         `json:"next,omitempty"` // pass as before=
}

// wireDelivery is one event of the log.
type wireDelivery struct {
	ID         tianbao.ID         `json:"id"`
	Cursor     string             `json:"cursor"`
	Event      tianbao.NewsKind   `json:"event"`
	At         string             `json:"at"`
	Unit       tianbao.ID         `json:"unit"`
	UnitName   string             `json:"unit_name"`
	Collection tianbao.ID         `json:"collection,omitempty"`
	Report     tianbao.ID         `json:"report,omitempty"`
	Version    int64              `json:"version,omitempty"`
	State      news.DeliveryState `json:"state"`
	Attempts   int                `json:"attempts"`
	Status     int                `json:"status,omitempty"` // the last answer
	Tried      string             `json:"tried,omitempty"`
}

type wireWebhookAdd struct {
	Name   string `json:"name"`   // what system it is for
	Unit   string `json:"unit"`   // id, organisation code or budget code
	URL    string `json:"url"`    // https://…
	Events string `json:"events"` // parted by blanks
}

type wireNewWebhook struct {
	wireWebhook
	Secret string `json:"secret"` // by which requests are signed
}

type wireWebhookSet struct {
	Name   string `json:"name"`
	Events string `json:"events"` // parted by blanks
	State  string `json:"state"`  // active, paused or ended
}

type wireWebhookTest struct {
	Status int    `json:"status"` // 0: nothing answered
	Taken  bool   `json:"taken"`
	Text   string `json:"text"`
}

type wireReplay struct {
	Cursor  string `json:"cursor,omitempty"` // of one event
	From    string `json:"from,omitempty"`   // 2006-01-02T15:04, in Beijing time
	To      string `json:"to,omitempty"`
	Refused bool   `json:"refused,omitempty"` // only what was refused
}

type wireReplayed struct {
	Events int `json:"events"`
}

func toWebhook(h *news.Subscription) wireWebhook {
	out := wireWebhook{
		ID: h.ID, Name: h.Name, Unit: h.Unit, UnitName: h.UnitName, Events: []string{}, URL: h.URL, State: h.State, By: h.ByName, Made: stamp(h.Made),
		Waiting: h.Waiting, Refused: h.Refused, Sent: stamp(h.Sent), Status: h.Code, Failing: stamp(h.Failing), NextTry: stamp(h.Next),
	}
	for _, k := range h.Kinds {
		out.Events = append(out.Events, string(k))
	}
	return out
}

// secretText is a secret as the Standard Webhooks specification writes it.
func secretText(secret []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(secret) }

// webhooksPage is the data of webhooks.html.
type webhooksPage struct {
	CSRF, Message string
	List          []news.Subscription
	Kinds         []tianbao.NewsKind
	Add           wireWebhookAdd
}

// Chosen reports whether a kind was ticked.
func (p *webhooksPage) Chosen(k tianbao.NewsKind) bool { return hasWord(p.Add.Events, string(k)) }

func hasWord(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

func (s *Server) webhooks(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.webhookList(w, r, v, http.StatusOK, &webhooksPage{Add: wireWebhookAdd{Events: string(tianbao.NewsReported)}})
}

func (s *Server) webhookList(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *webhooksPage) error {
	var err error
	if p.List, err = s.News.Store.Subscriptions(r.Context(), v.teller(r).Scope); err != nil {
		return err
	}
	if wantsJSON(r) {
		out := wireWebhooks{Webhooks: []wireWebhook{}}
		for i := range p.List {
			out.Webhooks = append(out.Webhooks, toWebhook(&p.List[i]))
		}
		return s.json(w, http.StatusOK, out)
	}
	p.CSRF, p.Kinds = v.signed.CSRF, tianbao.NewsKinds()
	s.page(w, r, v, status, "webhooks.html", "事件订阅", p)
	return nil
}

// newWebhookPage is the data of newwebhook.html: the only time the secret is shown.
type newWebhookPage struct {
	news.Subscription
	Text string
}

func (s *Server) makeWebhook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	var in wireWebhookAdd
	if err := read(r, &in); err != nil {
		return err
	}
	if all := r.PostForm["events"]; len(all) > 1 {
		in.Events = strings.Join(all, " ")
	}
	if err := s.needFactor(v); err != nil {
		return err
	}
	sub, err := s.webhookOf(r, v, &in)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.webhookList(w, r, v, http.StatusBadRequest, &webhooksPage{Message: asError(err).Message, Add: in})
	}
	sub.ByName = v.user().Name
	text := secretText(sub.Secret)
	return s.answer(w, r, v, wireNewWebhook{toWebhook(&sub), text}, "newwebhook.html", "事件订阅", &newWebhookPage{sub, text})
}

// webhookOf makes the subscription that was asked for.
func (s *Server) webhookOf(r *http.Request, v *viewer, in *wireWebhookAdd) (news.Subscription, error) {
	a := v.teller(r)
	unit, err := s.unitByKey(r, strings.TrimSpace(in.Unit))
	if err != nil {
		return news.Subscription{}, err
	}
	if !a.Scope.Covers(unit.Path) {
		return news.Subscription{}, unknownUnit()
	}
	sub := news.Subscription{Name: in.Name, Unit: unit.ID, UnitPath: unit.Path, UnitName: unit.Name, URL: strings.TrimSpace(in.URL), Kinds: kindsOf(in.Events)}
	return sub, s.News.Make(r.Context(), a, &sub)
}

func kindsOf(text string) (out []tianbao.NewsKind) {
	for _, k := range strings.Fields(text) {
		out = append(out, tianbao.NewsKind(k))
	}
	return out
}

// webhookPage is the data of webhook.html.
type webhookPage struct {
	CSRF, Message, Said string
	news.Subscription
	All    []tianbao.NewsKind
	Log    []news.Delivery
	Filter news.DeliveryState
	States []news.DeliveryState
	More   string
	Days   int // for which events are kept
}

// Chosen reports whether the subscription has a kind.
func (p *webhookPage) Chosen(k tianbao.NewsKind) bool { return slices.Contains(p.Kinds, k) }

func (s *Server) webhook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	return s.showWebhook(w, r, v, http.StatusOK, &webhookPage{})
}

func (s *Server) showWebhook(w http.ResponseWriter, r *http.Request, v *viewer, status int, p *webhookPage) error {
	id, err := pathID(r, "webhook")
	if err != nil {
		return err
	}
	if p.Subscription, err = s.News.Get(r.Context(), v.teller(r), id); err != nil {
		return err
	}
	q, before := r.URL.Query(), int64(0)
	if text := q.Get("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return tianbao.NotFound()
		}
	}
	p.Filter = news.DeliveryState(q.Get("state"))
	if p.Log, err = s.News.Store.Deliveries(r.Context(), id, p.Filter, before, webhookLog); err != nil {
		return err
	}
	next := ""
	if len(p.Log) == webhookLog {
		next = strconv.FormatInt(p.Log[len(p.Log)-1].N, 10)
		p.More = "/webhooks/" + id.String() + "?" + url.Values{"state": {string(p.Filter)}, "before": {next}}.Encode()
	}
	if wantsJSON(r) {
		out := toWebhook(&p.Subscription)
		out.Log, out.Next = []wireDelivery{}, next
		for i := range p.Log {
			d := &p.Log[i]
			out.Log = append(out.Log, wireDelivery{
				ID: d.ID, Cursor: strconv.FormatInt(d.N, 10), Event: d.Kind, At: stamp(d.At), Unit: d.Unit, UnitName: d.UnitName, Collection: d.Campaign,
				Report: d.Report, Version: d.Version, State: d.State, Attempts: d.Attempts, Status: d.Code, Tried: stamp(d.Tried),
			})
		}
		return s.json(w, http.StatusOK, out)
	}
	p.CSRF, p.All, p.States, p.Days = v.signed.CSRF, tianbao.NewsKinds(), news.DeliveryStates(), int(news.Keep/(24*time.Hour))
	s.page(w, r, v, status, "webhook.html", "事件订阅", p)
	return nil
}

func (s *Server) setWebhook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "webhook")
	if err != nil {
		return err
	}
	var in wireWebhookSet
	if err := read(r, &in); err != nil {
		return err
	}
	if all := r.PostForm["events"]; len(all) > 1 {
		in.Events = strings.Join(all, " ")
	}
	if err := s.News.Set(r.Context(), v.teller(r), id, in.Name, kindsOf(in.Events), news.State(in.State)); err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.showWebhook(w, r, v, http.StatusBadRequest, &webhookPage{Message: asError(err).Message})
	}
	to := "/webhooks/" + id.String()
	if news.State(in.State) == news.Ended {
		to = "/webhooks"
	}
	return s.done(w, r, wireDone{Done: true}, to)
}

func (s *Server) testWebhook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "webhook")
	if err != nil {
		return err
	}
	var in wireEmpty
	if err := read(r, &in); err != nil {
		return err
	}
	status, err := s.News.Ping(r.Context(), v.teller(r), id)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.showWebhook(w, r, v, http.StatusBadRequest, &webhookPage{Message: asError(err).Message})
	}
	out := wireWebhookTest{Status: status, Taken: status/100 == 2}
	switch {
	case status == 0:
		out.Text = "对方没有应答，请检查地址、网络和对方的证书。"
	case out.Taken:
		out.Text = fmt.Sprintf("对方已收到测试，应答 %d。", status)
	default:
		out.Text = fmt.Sprintf("对方没有接收测试，应答 %d；请把应答代码告诉对方系统的维护人员。", status)
	}
	if wantsJSON(r) {
		return s.json(w, http.StatusOK, out)
	}
	p := &webhookPage{Said: out.Text}
	if !out.Taken {
		p = &webhookPage{Message: out.Text}
	}
	return s.showWebhook(w, r, v, http.StatusOK, p)
}

func (s *Server) replayWebhook(w http.ResponseWriter, r *http.Request, v *viewer) error {
	id, err := pathID(r, "webhook")
	if err != nil {
		return err
	}
	var in wireReplay
	if err := read(r, &in); err != nil {
		return err
	}
	n, err := s.replay(r, v, id, &in)
	if err != nil {
		if !again(r, err, tianbao.ErrInvalid) {
			return err
		}
		return s.showWebhook(w, r, v, http.StatusBadRequest, &webhookPage{Message: asError(err).Message})
	}
	return s.done(w, r, wireReplayed{n}, "/webhooks/"+id.String())
}

func (s *Server) replay(r *http.Request, v *viewer, id tianbao.ID, in *wireReplay) (n int, err error) {
	rng := news.Range{Refused: in.Refused}
	if in.Cursor != "" {
		if rng.N, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || rng.N < 1 {
			return 0, tianbao.NotFound()
		}
	} else if rng.From, err = time.ParseInLocation("2006-01-02T15:04", in.From, clock.Shanghai); err == nil {
		rng.To, err = time.ParseInLocation("2006-01-02T15:04", in.To, clock.Shanghai)
	}
	if err != nil {
		return 0, tianbao.Invalid("bad_range", "请填写重发的起止时间，结束要晚于开始。")
	}
	return s.News.Replay(r.Context(), v.teller(r), id, rng)
}

// stoppedWebhooks are the subscriptions whose address took nothing for too long.
func (s *Server) stoppedWebhooks(r *http.Request, v *viewer) ([]news.Subscription, error) {
	all, err := s.News.Store.Subscriptions(r.Context(), v.teller(r).Scope)
	return slices.DeleteFunc(all, func(h news.Subscription) bool { return h.State != news.Stopped }), err
}
