package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"tianbao/internal/clock"
	"tianbao/internal/news"
	"tianbao/internal/store"
	"tianbao/internal/webhook"
)

var _ news.Store = (*store.Store)(nil)

// eventOptions are what serve is told of 事件订阅.
type eventOptions struct{ allow, ca string }

func (o *eventOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.allow, "events-allow", "", "事件订阅可以发往的内部网络，如 10.8.0.0/16,127.0.0.1/32；不写时只能发往公网地址")
	fs.StringVar(&o.ca, "events-ca", "", "签发订阅地址证书的 CA 文件（PEM）；默认用操作系统的")
}

// news makes the service that tells other systems what happens.
func (in *installation) news(o *eventOptions, log *slog.Logger) (*news.Service, error) {
	sender := &webhook.Pool{Now: clock.System}
	for part := range strings.SplitSeq(o.allow, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("不能识别网络 %q，请检查 --events-allow（例如 10.8.0.0/16）：%w", part, err)
		}
		sender.Guard.Allow = append(sender.Guard.Allow, p)
	}
	var err error
	if sender.Roots, err = readRoots(o.ca); err != nil {
		return nil, fmt.Errorf("不能读取 CA 文件，请检查 --events-ca：%w", err)
	}
	var node [8]byte
	_, _ = rand.Read(node[:]) // never fails (crypto/rand)
	return &news.Service{
		Store: in.store, Sender: sender, IDs: in.ids, Now: clock.System, Jitter: mrand.Float64, Node: hex.EncodeToString(node[:]), Log: log,
	}, nil
}

const (
	// newsEvery is how often the server looks for news, newsDropEvery for news to forget.
	newsEvery     = 2 * time.Second
	newsDropEvery = time.Hour
)

// keepTelling tells other systems what happens while the server runs. The function it
// returns waits for what is in hand.
func keepTelling(ctx context.Context, s *news.Service, log *slog.Logger) func() {
	told := func(err error) {
		if err != nil && ctx.Err() == nil {
			log.Error("news does not go out", "err", err)
		}
	}
	rounds := atOnceAndEvery(ctx, newsEvery, func() {
		for ctx.Err() == nil {
			n, err := s.Round(ctx)
			told(err)
			if n == 0 || err != nil {
				return
			}
		}
	})
	drops := atOnceAndEvery(ctx, newsDropEvery, func() {
		_, err := s.Drop(ctx)
		told(err)
	})
	return func() {
		rounds()
		drops()
	}
}
