package remind_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/remind"
)

// A round by itself: from the first day on, in the hours, no oftener than said.
func TestRounds(t *testing.T) {
	engines(t, 3, func(h *house) {
		h.policy(func(p *remind.Policy) { p.Every = 24 })
		for _, step := range []struct {
			at       string
			reminded int
		}{
			{"2026-09-23 12:00:00", 0}, // a day before
			{"2026-09-24 08:59:59", 0}, // Thursday, quiet
			{"2026-09-24 09:00:00", 3},
			{"2026-09-24 09:00:00", 0}, // once more, as after a restart
			{"2026-09-25 08:59:59", 0},
			{"2026-09-25 09:00:00", 3},
			{"2026-09-26 10:00:00", 0}, // Saturday
			{"2026-09-28 09:00:00", 3},
			{"2026-09-30 17:29:59", 3},
			{"2026-10-01 09:00:00", 0}, // over
		} {
			h.at(step.at)
			if n := h.tick(h.Service); n != step.reminded {
				h.t.Errorf("%s: %d units reminded, want %d", step.at, n, step.reminded)
			}
		}
		if got := h.states(); !cmp.Equal(got, map[remind.State]int{remind.StateSent: 12}) {
			h.t.Errorf("in the log: %v", got)
		}
		in, err := h.Store.Inbox(h.t.Context(), h.units[:1])
		h.ok(err)
		if len(in) != 4 || !strings.HasPrefix(in[0].Text, "第0中学：采集的填报时间到2026年9月30日 24:00为止，贵单位目前为“未开始”") || !strings.Contains(in[0].Text, "16000000000") {
			h.t.Errorf("%d messages, the last: %q", len(in), in[0].Text)
		}
		if err := h.Read(h.t.Context(), 5, "", h.units[1:], in[0].ID); tianbao.KindOf(err) != tianbao.ErrNotFound {
			h.t.Errorf("another unit's message is read: %v", err)
		}
		h.ok(h.Read(h.t.Context(), 5, "", h.units[:1], in[0].ID))
		if in, err = h.Store.Inbox(h.t.Context(), h.units[:1]); err != nil || len(in) != 0 {
			h.t.Errorf("%d unread after reading: %v", len(in), err)
		}
	})
}

// Who reports, is exempt or is locked between a round and the sending is not reminded.
func TestDecidedAtSending(t *testing.T) {
	engines(t, 4, func(h *house) {
		h.policy(nil)
		h.at("2026-09-24 09:00:00")
		if n, err := h.Round(h.t.Context()); err != nil || n != 4 {
			h.t.Fatalf("%d: %v", n, err)
		}
		h.reports(h.units[0])
		h.declares(h.units[1])
		h.at("2026-09-24 17:30:00") // the evening came first
		_, err := h.Deliver(h.t.Context())
		h.ok(err)
		if got := h.states(); !cmp.Equal(got, map[remind.State]int{remind.StateDropped: 2, remind.StateWaiting: 2}) {
			h.t.Errorf("in the evening: %v", got)
		}
		h.at("2026-09-25 08:59:59")
		_, err = h.Deliver(h.t.Context())
		h.ok(err)
		h.at("2026-09-25 09:00:00")
		h.reports(h.units[2])
		_, err = h.Deliver(h.t.Context())
		h.ok(err)
		if got := h.states(); !cmp.Equal(got, map[remind.State]int{remind.StateDropped: 3, remind.StateSent: 1}) {
			h.t.Errorf("in the morning: %v", got)
		}
		if n := h.tick(h.Service); n != 0 {
			h.t.Errorf("%d more reminded", n)
		}
	})
}

func TestPreviewAndSendNow(t *testing.T) {
	engines(t, 5, func(h *house) {
		ctx := h.t.Context()
		h.reports(h.units[0])
		h.ok(h.SetMail(ctx, 5, "", h.units[1], remind.Mailbox{Address: "unit1@example.gov.cn"}))
		p, err := h.Policy(ctx, collection)
		h.ok(err)
		p.Channels = remind.Channels()
		h.ok(h.SetPolicy(ctx, h.runner(), p))
		if err := h.SetPolicy(ctx, h.runner(), p); tianbao.KindOf(err) != tianbao.ErrConflict {
			h.t.Errorf("over a newer policy: %v", err)
		}
		h.at("2026-09-05 12:00:00") // Saturday, long before
		if n := h.tick(h.Service); n != 0 {
			h.t.Errorf("%d reminded by itself", n)
		}
		// The department and the bureau have no account, but a phone.
		v, err := h.Preview(ctx, h.runner(), collection)
		h.ok(err)
		want := map[remind.Channel]int{remind.ChannelPage: 4, remind.ChannelHook: 6, remind.ChannelMail: 1}
		if v.Recipients != 6 || !cmp.Equal(v.By, want) || !cmp.Equal(v.Left, map[remind.Why]int{remind.WhyDone: 1}) || !v.From.Equal(shanghai("2026-09-07 09:00:00")) {
			h.t.Errorf("preview %d %v %v from %v", v.Recipients, v.By, v.Left, v.From)
		}
		if len(v.List) != 6 || v.List[0].Contact.Phone == "" {
			h.t.Error("the list has no phones")
		}
		below := remind.Actor{User: 8, Scope: tianbao.Scope{Paths: []string{"/1/2/"}}}
		n, err := h.SendNow(ctx, below, collection)
		h.ok(err)
		if n != 4 { // the department itself is not below
			h.t.Errorf("%d reminded from the department", n)
		}
		n, err = h.SendNow(ctx, h.runner(), collection)
		h.ok(err)
		if n != 2 {
			h.t.Errorf("%d reminded from above, want those that nobody reminded", n)
		}
		if n, err = h.SendNow(ctx, h.runner(), collection); err != nil || n != 0 {
			h.t.Errorf("pressed twice: %d %v", n, err)
		}
		_, err = h.Deliver(ctx)
		h.ok(err)
		if got := h.states(); got[remind.StateWaiting] != 11 {
			h.t.Errorf("on Saturday: %v", got)
		}
		if n, err = h.Stop(ctx, below, collection); err != nil || n != 9 {
			h.t.Errorf("the department stopped %d: %v", n, err)
		}
		h.at("2026-09-07 09:00:00")
		_, err = h.Deliver(ctx)
		h.ok(err)
		if got := h.states(); !cmp.Equal(got, map[remind.State]int{remind.StateSent: 2, remind.StateDropped: 9}) || len(h.hook.got) != 2 {
			h.t.Errorf("on Monday: %v", got)
		}
		m := h.hook.got[0]
		if m.Phone == "" || m.Mail != "" || m.Text == "" || m.Unit.BudgetCode == "" {
			h.t.Errorf("the webhook got %d characters of text, phone %t, mail %t", len(m.Text), m.Phone != "", m.Mail != "")
		}
		if err := h.SetPolicy(ctx, below, p); tianbao.KindOf(err) != tianbao.ErrNotFound {
			h.t.Errorf("who does not run the collection set its policy: %v", err)
		}
	})
}

// refusal is an error that lasts.
type refusal struct{}

func (refusal) Error() string   { return "refused" }
func (refusal) Permanent() bool { return true }

// A receiver that is away for an hour gets everything after it, once, with the same id;
// one that refuses is not asked again.
func TestReceiverAway(t *testing.T) {
	engines(t, 20, func(h *house) {
		ctx := h.t.Context()
		h.policy(func(p *remind.Policy) { p.Channels = []remind.Channel{remind.ChannelHook} })
		h.at("2026-09-24 09:00:00")
		begin, tried := h.clock(), map[tianbao.ID]int{}
		h.hook.fail = func(m *remind.Message) error {
			tried[m.ID]++
			if m.Unit.ID == h.units[0] {
				return refusal{}
			}
			if h.clock().Sub(begin) < time.Hour {
				return errors.New("nobody there")
			}
			return nil
		}
		if n := h.tick(h.Service); n != 22 {
			h.t.Fatalf("%d reminded", n)
		}
		for range 4 * 60 {
			h.set(h.clock().Add(time.Minute))
			h.tick(h.Service)
		}
		ids := map[tianbao.ID]bool{}
		for _, m := range h.hook.got {
			if ids[m.ID] {
				h.t.Errorf("%s came twice", m.ID)
			}
			ids[m.ID] = true
		}
		if len(ids) != 21 || !cmp.Equal(h.states(), map[remind.State]int{remind.StateSent: 21, remind.StateFailed: 1}) {
			h.t.Errorf("%d came, %v", len(ids), h.states())
		}
		for id, n := range tried {
			if n > 9 {
				h.t.Errorf("%s was tried %d times", id, n)
			}
		}
		// A server that dies over a message: another one sends it again, with its id.
		h.at("2026-09-28 09:00:00")
		dying, stop := context.WithCancel(ctx)
		h.hook.got = nil
		h.hook.fail = func(*remind.Message) error {
			stop()
			panic("killed")
		}
		func() {
			defer func() { _ = recover() }()
			_, err := h.Round(dying)
			h.ok(err)
			ids, err := h.Store.DueReminders(dying, []remind.Channel{remind.ChannelHook}, h.clock(), 1)
			h.ok(err)
			_, err = h.Store.ClaimReminders(dying, &remind.Claim{IDs: ids, Node: "dead", At: h.clock(), Until: h.clock().Add(5 * time.Minute)},
				func(*remind.Policy, *remind.Reminder, *remind.Facts) remind.Decision { return remind.Decision{} })
			h.ok(err)
		}()
		h.hook.fail = nil
		other := h.server("b")
		h.tick(other)
		if len(h.hook.got) != 21 {
			h.t.Errorf("%d went out while one is held", len(h.hook.got))
		}
		h.set(h.clock().Add(5 * time.Minute))
		h.tick(other)
		if len(h.hook.got) != 22 {
			h.t.Errorf("%d went out in the end", len(h.hook.got))
		}
	})
}
