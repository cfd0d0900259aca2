package storetest_test

import (
	"fmt"
	"testing"
	"time"

	"tianbao"
	"tianbao/internal/message"
)

// BenchmarkMessages asks with 40,000 units and 200 published notices, half of them read,
// what every page asks, and what an officer of the province asks of one notice.
func BenchmarkMessages(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) {
			s := e.open(b)
			ctx, at := b.Context(), time.Now()
			units := []tianbao.Unit{{ID: 1, Name: "省", Kind: "bureau"}}
			for i := range 40_000 {
				u := tianbao.Unit{ID: tianbao.ID(i + 2), Parent: 1, Name: fmt.Sprintf("单位%d", i), Kind: "unit"}
				if i >= 200 {
					u.Parent = tianbao.ID(i%200 + 2)
				}
				units = append(units, u)
			}
			if err := s.PutUnits(ctx, units...); err != nil {
				b.Fatal(err)
			}
			who, err := s.Unit(ctx, tianbao.Scope{Paths: []string{"/1/"}}, 39_000)
			if err != nil {
				b.Fatal(err)
			}
			r := &message.Reader{User: 7, Sees: tianbao.Scope{Paths: []string{who.Path}}, Units: []tianbao.Unit{who}}
			n := tianbao.Notice{Title: "通知", Body: "正文", State: tianbao.NoticeDraft, Owner: 1, Units: units[:1], At: at}
			for i := range 200 {
				n.ID, n.Turn, n.State = tianbao.ID(1<<40+i), 0, tianbao.NoticeDraft
				if err := s.PutNoticeDraft(ctx, &n); err != nil {
					b.Fatal(err)
				}
				n.Turn = 1
				if err := s.Amend(ctx, &n, at); err != nil {
					b.Fatal(err)
				}
				n.State, n.Version = tianbao.NoticePublished, 1
				if i%2 == 0 {
					if err := s.MarkRead(ctx, r, &n, []tianbao.ID{who.ID}, at, tianbao.Event{At: at, What: "notice.read"}); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.Run("unread", func(b *testing.B) {
				for b.Loop() {
					if got, err := s.Unread(ctx, r); err != nil || got != 100 {
						b.Fatal(got, err)
					}
				}
			})
			b.Run("figures", func(b *testing.B) {
				for b.Loop() {
					if f, err := s.ReadFigures(ctx, tianbao.Scope{Paths: []string{"/1/"}}, &n, at); err != nil || f.Units != 40_001 {
						b.Fatal(f, err)
					}
				}
			})
		})
	}
}
