package remind_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tianbao"
	"tianbao/internal/clock"
	"tianbao/internal/message"
	"tianbao/internal/remind"
)

// notices publishes a notice for the department, with copies or without.
func (h *house) notice(body string, mail bool) (id tianbao.ID, withdraw func()) {
	h.t.Helper()
	s := &message.Service{Store: h.store, IDs: &clock.IDs{}, Now: h.clock}
	who := message.ActorOf(&tianbao.User{ID: officer, Grants: []tianbao.Grant{{Role: tianbao.RoleCity, Unit: bureau, UnitPath: "/1/", UnitName: "市财政局"}}}, "")
	id, err := s.Create(h.t.Context(), &who, &message.Draft{Title: "关于采集的通知", Body: body, Units: []tianbao.Unit{{ID: department, Path: "/1/2/"}}})
	h.ok(err)
	h.ok(s.Publish(h.t.Context(), &who, id, 0, mail))
	return id, func() {
		h.t.Helper()
		h.ok(s.Withdraw(h.t.Context(), &who, id, 0))
	}
}

// mailboxes gives addresses to the first n units, of which the last takes no copies.
func (h *house) mailboxes(n int) {
	h.t.Helper()
	for i, u := range h.units[:n] {
		h.ok(h.SetMail(h.t.Context(), 5, "", u, remind.Mailbox{Address: fmt.Sprintf("unit%d@example.gov.cn", i), Copies: i < n-1}))
	}
}

func (h *house) copies(notice tianbao.ID) map[remind.State]int {
	h.t.Helper()
	list, err := h.store.CountCopies(h.t.Context(), everything(), notice)
	h.ok(err)
	out := make(map[remind.State]int)
	for _, c := range list {
		out[c.State] += c.N
	}
	return out
}

// A notice goes once to each unit that has an address and takes copies, whoever sends.
func TestCopies(t *testing.T) {
	engines(t, 8, func(h *house) {
		h.mailboxes(6)
		if n, err := h.Store.Mailboxes(h.t.Context(), tianbao.Scope{Paths: []string{"/1/2/"}}, h.clock()); n != 5 || err != nil {
			h.t.Errorf("%d take copies: %v", n, err)
		}
		without, _ := h.notice("没有抄送的", false)
		with, _ := h.notice("第一段\n\n第二段", true)
		servers := []*remind.Service{h.server("a"), h.server("b")}
		var wg sync.WaitGroup
		for _, s := range servers {
			wg.Go(func() {
				for range 3 {
					if _, err := s.QueueCopies(h.t.Context()); err != nil {
						h.t.Error(err)
					}
					if _, err := s.Deliver(h.t.Context()); err != nil {
						h.t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := h.copies(with); !cmp.Equal(got, map[remind.State]int{remind.StateSent: 5}) {
			h.t.Errorf("the copies: %v", got)
		}
		if got := h.copies(without); len(got) != 0 {
			h.t.Errorf("copies that nobody asked for: %v", got)
		}
		to := map[string]int{}
		for _, m := range h.mail.got {
			to[m.Mail]++
			if m.Notice != with || m.Title != "关于采集的通知" || !strings.Contains(m.Text, "市财政局发布通知：关于采集的通知\n\n第一段\n\n第二段") || strings.Contains(m.Text, "附件") {
				h.t.Errorf("a mail of notice %s: %q", m.Notice, m.Text)
			}
		}
		want := map[string]int{}
		for i := range 5 {
			want[fmt.Sprintf("unit%d@example.gov.cn", i)] = 1
		}
		if diff := cmp.Diff(want, to); diff != "" {
			h.t.Error(diff)
		}
		// They are no reminders of a collection, and nothing of them is asked for again.
		if got := h.states(); len(got) != 0 {
			h.t.Errorf("among the reminders: %v", got)
		}
		if left, err := h.Store.NoticesToCopy(h.t.Context()); len(left) != 0 || err != nil {
			h.t.Errorf("%v are left: %v", left, err)
		}
	})
}

// Between the outbox and the sending a notice is withdrawn, a unit changes its mind.
func TestCopiesDecidedAtSending(t *testing.T) {
	engines(t, 4, func(h *house) {
		h.mailboxes(4)
		first, withdraw := h.notice("撤回的", true)
		second, _ := h.notice("发出的", true)
		n, err := h.QueueCopies(h.t.Context())
		h.ok(err)
		if n != 6 {
			h.t.Errorf("%d in the outbox", n)
		}
		withdraw()
		h.ok(h.SetMail(h.t.Context(), 5, "", h.units[0], remind.Mailbox{Address: "unit0@example.gov.cn"}))
		h.ok(h.SetMail(h.t.Context(), 5, "", h.units[1], remind.Mailbox{}))
		_, err = h.Deliver(h.t.Context())
		h.ok(err)
		if got := h.copies(first); !cmp.Equal(got, map[remind.State]int{remind.StateDropped: 3}) {
			h.t.Errorf("of the notice that was withdrawn: %v", got)
		}
		list, err := h.Store.Reminders(h.t.Context(), everything(), 0, remind.Query{Notice: second, Limit: 10})
		h.ok(err)
		why := map[remind.Why]int{}
		for _, r := range list {
			why[r.Reason]++
		}
		if diff := cmp.Diff(map[remind.Why]int{remind.WhyNot: 1, remind.WhyUnwanted: 1, remind.WhyNoContact: 1}, why); diff != "" {
			h.t.Error(diff)
		}
	})
}

// Without a mail server nothing is put into the outbox; it waits until there is one.
func TestCopiesWithoutMail(t *testing.T) {
	engines(t, 2, func(h *house) {
		h.mailboxes(2)
		id, _ := h.notice("等着的", true)
		sender := h.Senders[remind.ChannelMail]
		delete(h.Senders, remind.ChannelMail)
		if n, err := h.QueueCopies(h.t.Context()); n != 0 || err != nil {
			h.t.Errorf("%d: %v", n, err)
		}
		h.Senders[remind.ChannelMail] = sender
		h.tick(h.Service)
		if n, err := h.QueueCopies(h.t.Context()); n != 1 || err != nil {
			h.t.Errorf("%d: %v", n, err)
		}
		_, err := h.Deliver(h.t.Context())
		h.ok(err)
		if got := h.copies(id); !cmp.Equal(got, map[remind.State]int{remind.StateSent: 1}) {
			h.t.Errorf("the copies: %v", got)
		}
	})
}
